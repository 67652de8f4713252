"""Effects and hits by the policies over a closure of designs.

    python -m tests.benchmarks.causal_effects [--seeds 30] [--arms "random,query,effects first"] [--batch 1]
        [--truth dipole|dipole_ruleB|dipole_first] [--halves] [--estimate mu_mmff] [--model auto] [--log]

All arms of a seed begin with the same ten random designs and are judged by the same estimator, so they differ in what
they asked for alone. `--halves` takes seven groups of twelve, others with every seed. `--log` begins with a confounded
log of 200 rows that withholds a site, and shows what textbook estimates make of it.

| column | what it is |
|---|---|
| rmse | root of the mean squared error of the effects [D], mean over seeds ± its standard error |
| p | two-sided sign-flip test of the difference from random, over seeds, not corrected for each other |
| covered | share of the 90 % intervals, with their stated factor, that hold the truth |
| labels to width | until the mean half-width is 0.4 D |
| hits | molecules above 5 D that were found |
| cpu | processor time of all decisions of a campaign [s] |
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy is loaded: small matrices lose by more

import numpy as np

from agent.acquisition.causal.asked_designs import BelievedDesigns
from scenarios.compare.statistics import paired_test
from tests.benchmarks.causal_effects.arms import ARMS, Course, campaign
from tests.benchmarks.causal_effects.confounded import show_log
from tests.support.samples.closures import BENZENES, Bed, benzenes

THRESHOLD_D = 5.0
WIDTH_D = 0.4
CHECKPOINTS = [20, 30, 40, 60, 80, 100, 120]
OF_A_HALF = [15, 20, 30, 40]
HALF = 7
"""Groups of a half, the bare ring's among them."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--arms", default=",".join(name for name in ARMS).replace(", ", "; "))
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--truth", default="dipole")
    parser.add_argument("--estimate", default="mu_mmff")
    parser.add_argument("--model", default="auto")
    parser.add_argument("--halves", action="store_true")
    parser.add_argument("--log", action="store_true")
    options = parser.parse_args()
    if not BENZENES.exists():
        raise SystemExit(f"error: {BENZENES} is not there. The benzenes lie beside the repository, in ../shared/data.")
    whole = benzenes(options.truth)
    if options.log:
        show_log(whole, options.seeds, options.estimate)
        return
    names = [name.replace("; ", ", ") for name in options.arms.split(",")]
    checkpoints = OF_A_HALF if options.halves else CHECKPOINTS
    found: dict[str, list[Course]] = {name: [] for name in names}
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        bed = half_of(whole, options.truth, seed) if options.halves else whole
        judge = BelievedDesigns("judge", estimate=options.estimate, model=options.model)
        for name in names:
            course = campaign(
                bed,
                ARMS[name],
                seed,
                estimate=options.estimate,
                threshold=THRESHOLD_D,
                checkpoints=checkpoints,
                width=WIDTH_D,
                batch=options.batch,
                estimator=judge,
            )
            found[name].append(course)
    print(f"{options.truth}, {options.seeds} seeds, batches of {options.batch}; labels {checkpoints}")
    for name in names:
        show(name, found[name], found[names[0]])


def half_of(whole: Bed, truth: str, seed: int) -> Bed:
    """Return the bed of some groups, drawn by the seed."""
    assert whole.pool.designs is not None
    designs = whole.pool.designs
    others = sorted(set(designs.groups) - {designs.groups[designs.origin]})
    drawn = np.random.default_rng(1_000 + seed).choice(others, size=HALF - 1, replace=False)
    return benzenes(truth, [designs.groups[designs.origin], *drawn.tolist()])


def show(name: str, courses: list[Course], base: list[Course]) -> None:
    """Print the figures of an arm."""
    rmse, from_random = (np.array([each.rmse for each in these]) for these in (courses, base))
    error = rmse.std(axis=0, ddof=1) / np.sqrt(len(rmse)) if len(rmse) > 1 else np.zeros(rmse.shape[1])
    print(f"\n{name}")
    print("  rmse      " + "  ".join(f"{m:.3f}±{e:.3f}" for m, e in zip(rmse.mean(axis=0), error, strict=True)))
    if courses is not base:
        tests = [
            paired_test(list(a), list(b), lower_is_better=True) for a, b in zip(rmse.T, from_random.T, strict=True)
        ]
        print("  − random  " + "  ".join(f"{test.difference:+.3f} (p {test.p:.4f})" for test in tests))
    for title, figure in (("covered", "covered"), ("half-width", "width"), ("hits", "hits")):
        values = np.array([getattr(each, figure) for each in courses], dtype=float).mean(axis=0)
        print(f"  {title:10s}" + "  ".join(f"{value:11.2f}" for value in values))
    whole = np.mean([each.covered for each in courses])
    labels = np.array([each.labels_to_width for each in courses], dtype=float)
    ratio = labels.mean() / np.mean([each.labels_to_width for each in base])
    cpu = np.mean([each.cpu_s for each in courses])
    print(f"  covered in all {whole:.3f}; cpu {cpu:.2f} s")
    print(f"  labels to ±{WIDTH_D} D {labels.mean():.1f} ({ratio:.2f} of random)")


if __name__ == "__main__":
    main()
