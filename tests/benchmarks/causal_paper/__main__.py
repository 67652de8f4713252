"""Sizes of the subsets, graph loss of the arms round by round with paired tests, and what the loss does not see.

    python -m tests.benchmarks.causal_paper [--repeats 20] [--data ../shared/data/qm9] [--picture FILE.png]

About three minutes, half of them descriptors. The universe is 3,000 of the 133,885 molecules, the values of the
publication's figures were read from its pictures (± 5 % of an axis): what can be compared is who is ahead, and when.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from scipy.stats import wilcoxon

from agent.causal.graph.losses import LEAST_WEIGHT, edge_f1, effects_error, laplacian_distance
from agent.causal.reference.kept_rows import Selection
from agent.causal.reference.report import in_words
from agent.causal.reference.schedule import ARMS, BATCH, ROUNDS, Arm
from agent.causal.reference.selection import Universe, select
from agent.causal.reference.subsets import chemical_subsets
from tests.benchmarks.causal_paper.molecules import (
    DATA,
    PUBLISHED_SIZES,
    TARGET,
    of_subsets,
    variables,
    what_is_missing,
)
from tests.benchmarks.causal_paper.picture import draw_losses, looked_at_after, losses_of_all

ROUNDS_SHOWN = (1, 10, 20, 40)

PUBLISHED = {"active": (0.97, 0.68, 0.50, 0.40), "control": (2.1, 0.8, 0.77, 0.6)}
"""Mean of ten repeats in these rounds, read from the picture of the second version."""

COMPARED: tuple[tuple[Arm, Arm], ...] = (
    ("active", "control"),
    ("best_of_three", "control"),
    ("best_of_three", "active"),
)


def subsets_of_all(data: Path) -> np.ndarray:
    """Find the subsets of all molecules, and print their sizes beside the published ones."""
    labels = chemical_subsets(of_subsets(data))
    sizes = np.bincount(labels)
    off = np.abs(sizes - PUBLISHED_SIZES) / PUBLISHED_SIZES
    shown = " / ".join(f"{size:,}" for size in sizes)
    published = " / ".join(f"{size:,}" for size in PUBLISHED_SIZES)
    print(f"subsets of {len(labels):,} molecules: {shown}; published {published}; at most {off.max():.3%} off")
    return labels


def describe(universe: Universe) -> None:
    """Print what the global graph is, and that the closed form is the published loss."""
    names, B = universe.variables.names, universe.told.weights
    rng = np.random.default_rng(0)
    other = universe.graph_of(np.sort(rng.choice(len(universe.variables.values), 801, replace=False))).weights
    spectra = [np.sort(np.linalg.eigvals(np.diag(W.sum(axis=1)) - W).real) for W in (B, other)]
    by_eigenvalues = float(np.linalg.norm(spectra[0] - spectra[1]))
    print(f"universe: {len(universe.variables.values):,} molecules in subsets of {[len(s) for s in universe.subsets]}")
    print(f"closed form − eigenvalues: {laplacian_distance(B, other) - by_eigenvalues:.1e}; ", end="")
    print(f"largest eigenvalue of an adjacency matrix: {np.abs(np.linalg.eigvals(B)).max():.1e}")
    into = {name: float(w) for name, w in zip(names, B[-1], strict=True) if w}
    print(f"edges into {TARGET} [D/unit]: " + ", ".join(f"{name} {w:+.3f}" for name, w in into.items()) + "\n")


def print_losses(losses: dict[Arm, np.ndarray]) -> None:
    """Print the loss of each arm in some rounds, and the tests."""
    columns = [f"n = {BATCH * k + 1}" for k in ROUNDS_SHOWN]
    repeats = len(next(iter(losses.values())))
    print(f"graph loss (Laplacian distance), mean ± deviation (median) of {repeats} repeats; published: mean of ten")
    print("| arm | " + " | ".join(columns) + " |\n" + "|---" * (1 + len(columns)) + "|")
    for arm, found in losses.items():
        cells = [_told(x) for x in found.T]
        print(f"| {arm} | " + " | ".join(cells) + " |")
        if arm in PUBLISHED:
            print(f"| published {arm} | " + " | ".join(f"{x:.2f}" for x in PUBLISHED[arm]) + " |")
    print("\npaired Wilcoxon tests: p that the first is not below the second (one-sided)")
    print("| first < second | " + " | ".join(columns) + " |\n" + "|---" * (1 + len(columns)) + "|")
    for one, other in COMPARED:
        ps = [wilcoxon(a, b, alternative="less").pvalue for a, b in zip(losses[one].T, losses[other].T, strict=True)]
        print(f"| {one} < {other} | " + " | ".join(f"{p:.2g}" for p in ps) + " |")


def print_losses_of_all(of_all: np.ndarray, active: list[Selection]) -> None:
    """Print the loss of the graph of all that was paid for, where nothing is thrown away."""
    kept = np.array([each.losses for each in active])
    shown = [k - 1 for k in ROUNDS_SHOWN]
    cells = [_told(x) for x in of_all.T[shown]]
    p = wilcoxon(of_all[:, -1], kept[:, -1], alternative="two-sided").pvalue
    print(f"\nall that active paid for, none thrown away: {' | '.join(cells)}")
    print(f"at the end against what it keeps: p = {p:.2g} (paired, two-sided)")


def print_at_equal_cost(selections: dict[Arm, list[Selection]]) -> None:
    """Print the losses at as many different rows paid for as the control has at its end."""
    control = selections["control"]
    ends = np.array([each.losses[-1] for each in control])
    cost = [len(np.unique(each.looked_at)) for each in control]
    print(f"\nwith {np.mean(cost):.0f} different rows paid for, as the control at its end: control {_told(ends)}")
    for arm in ("active", "best_of_three"):
        rounds = [
            sum(len(rows) <= most for rows in looked_at_after(each))
            for each, most in zip(selections[arm], cost, strict=True)
        ]
        losses = np.array([each.losses[k - 1] for each, k in zip(selections[arm], rounds, strict=True)])
        p = wilcoxon(losses, ends, alternative="less").pvalue
        print(f"  {arm} after {np.mean(rounds):.1f} rounds {_told(losses)}, below the control's p = {p:.2g}")


def _told(losses: np.ndarray) -> str:
    return f"{losses.mean():.2f} ± {losses.std(ddof=1):.2f} ({np.median(losses):.2f})"


def print_other_losses(universe: Universe, selections: dict[Arm, list[Selection]]) -> None:
    """Print what the loss does not see, of the graphs at the end."""
    scale = universe.variables.values.std(axis=0)
    truth = universe.told.weights * scale / scale[:, None]
    print(f"\nat the end, for variables of variance 1, edges above {LEAST_WEIGHT}: mean ± standard error")
    print(f"| arm | F1 of edges | error of total effects on {TARGET} | values needed | different rows needed |")
    print("|---|---|---|---|---|")
    for arm, of_arm in selections.items():
        graphs = [universe.graph_of(each.rows).weights * scale / scale[:, None] for each in of_arm]
        f1 = np.array([edge_f1(B, truth) for B in graphs])
        error = np.array([effects_error(B, truth, len(B) - 1) for B in graphs])
        cells = [f"{x.mean():.3f} ± {x.std(ddof=1) / np.sqrt(len(x)):.3f}" for x in (f1, error)]
        needed = len(of_arm[0].looked_at), np.mean([len(np.unique(each.looked_at)) for each in of_arm])
        print(f"| {arm} | {cells[0]} | {cells[1]} | {needed[0]:,} | {needed[1]:,.0f} |")


def main() -> None:
    """Compute, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--picture", type=Path, help="file for the picture of docs/benchmarks/causal-paper.md")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the tables")
    asked = parser.parse_args()
    missing = what_is_missing(asked.data)
    if missing:
        print(f"skipped: {missing}")
        return
    labels = subsets_of_all(asked.data)
    rows, places = variables(asked.data)
    universe = Universe.of(rows, labels[places])
    describe(universe)
    selections = {
        arm: [select(universe, arm, seed=seed, rounds=ROUNDS) for seed in range(asked.repeats)] for arm in ARMS
    }
    shown = [k - 1 for k in ROUNDS_SHOWN]
    print_losses({arm: np.array([each.losses for each in of_arm])[:, shown] for arm, of_arm in selections.items()})
    of_all = losses_of_all(universe, selections["active"])
    print_losses_of_all(of_all, selections["active"])
    print_at_equal_cost(selections)
    print_other_losses(universe, selections)
    if asked.picture:
        draw_losses(asked.picture, selections, of_all, PUBLISHED, ROUNDS_SHOWN)
        print(f"\n{asked.picture}")
    print("\n" + "\n\n".join(in_words(of_arm[0]) for of_arm in selections.values()))


if __name__ == "__main__":
    main()
