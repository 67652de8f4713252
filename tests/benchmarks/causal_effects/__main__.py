"""Effects and hits by the policies over a closure of designs.

    python -m tests.benchmarks.causal_effects [--seeds 30] [--arms "random,query,effects first"] [--batch 1]
        [--truth dipole|dipole_ruleB|dipole_first] [--halves] [--estimate mu_mmff] [--model auto] [--log]
        [--scenario qm9_edits|bed.toml] [--set KEY=VALUE] [--labels 20,40]

All arms of a seed are judged by the same estimator, so they differ in what they asked for alone. Each begins with as
many random designs as its policy does by default: `causal` with one or ten, the others with ten. `--halves` takes seven
groups of twelve, others with every seed. `--log` begins with a confounded log of 200 rows that withholds a site, and
shows what textbook estimates make of it. Both are of the benzenes of ../shared; with `--scenario` the bed, its
estimate, threshold and width are those of a scenario with a table of designs.

| column | what it is |
|---|---|
| rmse | root of the mean squared error of the effects, mean over seeds ± its standard error |
| p | two-sided sign-flip test of the difference from random, over seeds, not corrected for each other |
| covered | share of the 90 % intervals, with their stated factor, that hold the truth |
| labels to width | until the mean half-width is 0.4 D, or that of the scenario |
| hits | candidates above the threshold that were found |
| cpu | processor time of all decisions of a campaign [s] |
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy is loaded: small matrices lose by more

import numpy as np

from agent.acquisition.causal.asked_designs import BelievedDesigns
from scenarios.compare.statistics import paired_test
from tests.benchmarks.causal_effects.arms import ARMS, Course, campaign
from tests.benchmarks.causal_effects.beds import Task, half_of, task_of_benzenes, task_of_scenario
from tests.benchmarks.causal_effects.confounded import show_log

CHECKPOINTS = [20, 30, 40, 60, 80, 100, 120]
OF_A_HALF = [15, 20, 30, 40]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--arms", default=",".join(name for name in ARMS).replace(", ", "; "))
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--truth", default="dipole")
    parser.add_argument("--scenario")
    parser.add_argument("--labels", default="", help="at which numbers of labels, such as 20,40")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--estimate", default="mu_mmff")
    parser.add_argument("--model", default="auto")
    parser.add_argument("--halves", action="store_true")
    parser.add_argument("--log", action="store_true")
    options = parser.parse_args()
    whole = (
        task_of_scenario(options.scenario, options.set)
        if options.scenario
        else task_of_benzenes(options.truth, options.estimate)
    )
    if options.log:
        show_log(whole.bed, options.seeds, whole.estimate)
        return
    names = [name.replace("; ", ", ") for name in options.arms.split(",")]
    usual = OF_A_HALF if options.halves else CHECKPOINTS
    checkpoints = [int(each) for each in options.labels.split(",")] if options.labels else usual
    found: dict[str, list[Course]] = {name: [] for name in names}
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        task = replace(whole, bed=half_of(whole, options.truth, seed)) if options.halves else whole
        judge = BelievedDesigns("judge", estimate=task.estimate, model=options.model)
        for name in names:
            course = campaign(task, ARMS[name], seed, checkpoints=checkpoints, batch=options.batch, estimator=judge)
            found[name].append(course)
        print(f"seed {seed} is done", file=sys.stderr, flush=True)
    print(f"{whole.name}, {options.seeds} seeds, batches of {options.batch}; labels {checkpoints}")
    for name in names:
        show(name, found[name], found[names[0]], whole)


def show(name: str, courses: list[Course], base: list[Course], task: Task) -> None:
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
    print(f"  labels to ±{task.told_width} {task.unit} {labels.mean():.1f} ({ratio:.2f} of random)")


if __name__ == "__main__":
    main()
