"""The paper's figures beside ours: range, deviation and mean of the families' entropies, step by step.

    python -m tests.benchmarks.published_figures [--steps 954] [--data ../shared/data]

| column | what it is |
|---|---|
| paper | J-CFID by crystal system: computed here from the published result file, not run again |
| OQMD-8 | the paper's second table, split as the paper splits: `etal_reference` and `etal` run here |
| J-CFID by category | the published split and embeddings, but the chemical category as the family: `etal_reference` |

The crystal system of most J-CFID rows is not in the data that we have, so the paper's own column cannot be run again;
no figure here is a reproduction of it. What can be checked without is: that the published path follows the rules of
`etal_reference`, which family is aimed at and when one is left out.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests.benchmarks.published_tables import DATA, jcfid, oqmd8, published_evolution
from tests.benchmarks.timed_campaign import TimedCampaign, play

STEPS = (0, 1, 50, 100, 200, 204, 300, 954)
PATIENCE = 5
WIDTH = 25


def cell(entropies: Sequence[float] | None) -> str:
    """Return range, population deviation and mean."""
    if entropies is None:
        return "–"
    h = np.array(entropies)
    return f"{h.max() - h.min():.4f} {h.std():.4f} {h.mean():+.3f}"


def published(evolution: list[dict[str, float]], step: int) -> str:
    """Return the paper's cell."""
    return cell(list(evolution[step].values()))


def ours(campaign: TimedCampaign, step: int) -> str:
    """Return a cell of a campaign that was run here; of the families with a defined entropy."""
    point = campaign.at(step)
    return cell(None if point is None else [h for h in point.entropies if h is not None])


def targets_of(evolution: list[dict[str, float]]) -> list[str]:
    """Return the family of every published acquisition: the one whose entropy changed."""
    changed = [
        [name for name in after if after[name] != before[name]] for before, after in itertools.pairwise(evolution)
    ]
    assert all(len(names) == 1 for names in changed)
    return [names[0] for names in changed]


def rules_of_the_path(evolution: list[dict[str, float]]) -> list[str]:
    """Return what the published path says of the rules, in sentences."""
    targets = targets_of(evolution)
    last = {name: max(at for at, target in enumerate(targets) if target == name) for name in set(targets)}
    lowest_of_all = sum(min(h, key=h.__getitem__) == target for h, target in zip(evolution, targets, strict=False))
    lowest_of_left = sum(
        min((name for name in h if last[name] >= at), key=h.__getitem__) == target
        for at, (h, target) in enumerate(zip(evolution, targets, strict=False))
    )
    lines = [
        f"- of {len(targets)} acquisitions {lowest_of_all} aim at the lowest family of all, {lowest_of_left} at the"
    ]
    lines[0] += " lowest of those that are acquired from then or later"
    out = set()
    for name in sorted(last, key=last.__getitem__):
        gains = [evolution[at + 1][name] > evolution[at][name] for at, target in enumerate(targets) if target == name]
        row = longest = 0
        for gained in gains:
            row = 0 if gained else row + 1
            longest = max(longest, row)
        out |= {name} if row >= PATIENCE else set()
        lines.append(
            f"- {name}: {len(gains)} acquisitions, at most {longest} in a row without a gain; its last is step "
            f"{last[name] + 1}{', a miss that leaves it out' if row == PATIENCE else ''}"
        )
    richest = max(evolution[-1], key=evolution[-1].__getitem__)
    lines.append(f"- not left out at the end: {', '.join(sorted(set(last) - out))}; the richest: {richest}")
    return lines


def main() -> None:
    """Compute, run, print."""
    parser = argparse.ArgumentParser(description="The paper's figures beside ours")
    parser.add_argument("--steps", type=int, default=STEPS[-1], help="longest campaign")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the tables")
    asked = parser.parse_args()
    evolution = published_evolution(asked.data)
    binaries, categories = oqmd8(asked.data), jcfid(asked.data)
    runs = {
        "OQMD-8 etal_reference": play(binaries, "etal_reference", asked.steps),
        "OQMD-8 etal": play(binaries, "etal", asked.steps),
        "J-CFID by category": play(categories, "etal_reference", asked.steps, standardise=False),
    }
    print("range, standard deviation and mean of the families' entropies of the formation energy [nat]")
    print(f"{'step':>5s}{'paper, J-CFID':>{WIDTH}s}" + "".join(f"{name:>{WIDTH}s}" for name in runs))
    for step in STEPS:
        cells = "".join(f"{ours(run, step):>{WIDTH}s}" for run in runs.values())
        print(f"{step:5d}{published(evolution, step):>{WIDTH}s}{cells}")
    ranges = [max(h.values()) - min(h.values()) for h in evolution]
    least = [f"paper {min(ranges):.4f} at step {int(np.argmin(ranges))}"]
    for name, run in runs.items():
        found = [np.inf if point.entropy_range is None else point.entropy_range for point in run.points]
        least.append(f"{name} {min(found):.4f} at step {int(np.argmin(found))}")
    print("smallest range: " + "; ".join(least))
    for name, run in runs.items():
        print(f"{name}: {run.steps} steps, {run.cpu_s:.0f} CPU s. {run.end and f'It ended: {run.end}'}")
    print("\nThe published path:\n" + "\n".join(rules_of_the_path(evolution)))
    print(f"\n{binaries.title}; {categories.title}.")


if __name__ == "__main__":
    main()
