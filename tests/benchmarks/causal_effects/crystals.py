"""Effects of element substitutions and of structures, by the policies over a closure of alloys.

    python -m tests.benchmarks.causal_effects.crystals [--seeds 30] [--queried a] [--reference Cu]
        [--arms "random,causal"] [--batch 1] [--prototypes B2,B32,L1_0,L1_1,B19,B_h] [--strains=-0.1,0,0.1]

The bed is the scenario `alloy_substitutions`, or one with other prototypes or strains. Nothing of the policies was
chosen on it. The columns are those of `tests.benchmarks.causal_effects`, errors in meV/atom; the width is the policy's
own, `DEFAULT_SHARE` of the deviation over the candidates. `shares` is the mean error of what each kind of factor is
believed to explain of the variance [%], and `held` how many of their intervals hold the truth.
"""

from __future__ import annotations

import argparse
import os
import sys

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy is loaded: small matrices lose by more

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from agent.acquisition.base import AcquisitionContext
from agent.acquisition.causal.asked_designs import BelievedDesigns
from agent.acquisition.causal.causal import DEFAULT_SHARE, Causal
from agent.campaign.context import pool_arrays
from agent.causal.belief import Belief
from agent.causal.designs.design_model import Knowledge
from agent.causal.designs.variance_shares import believed_shares, true_shares
from scenarios.compare.statistics import paired_test
from scenarios.settings.model import Scenario
from scenarios.sources.scenario import Overrides, load_scenario
from scenarios.world.world import build_world
from tests.benchmarks.causal_effects.arms import ARMS, Arm, Course, campaign
from tests.benchmarks.causal_effects.beds import Task
from tests.support.samples.closures import Bed

CHECKPOINTS: Final = [20, 30, 40, 60, 80, 100, 120]
MEV: Final = 1000.0

CRYSTAL_ARMS: Final[dict[str, Arm]] = {
    "random": ARMS["random"],
    "causal": Arm(lambda _: Causal(width=0.0)),
    "D-optimal": ARMS["D-optimal"],
    "EI plain": ARMS["EI plain, features"],
    "EI, our model": ARMS["EI, our model"],
}
"""Name -> arm; the first is what the others are held against."""


class Judge(BelievedDesigns):
    """The estimator of all arms; it keeps what was believed at each number of values of the present campaign."""

    def __init__(self) -> None:
        super().__init__("judge")
        self.beliefs: dict[int, Belief] = {}

    def known(self, context: AcquisitionContext) -> Knowledge:
        knowledge = super().known(context)
        self.beliefs[len(context.observed)] = knowledge.stated
        return knowledge


@dataclass(frozen=True)
class Told:
    """A course, and what it told of the shares at each checkpoint.

    Attributes:
        course: Of the effects.
        off: Mean error of the shares.
        held: Part of their intervals that hold the truth.
    """

    course: Course
    off: list[float]
    held: list[float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--queried", default="a")
    parser.add_argument("--reference", default="Cu")
    parser.add_argument("--prototypes", default="")
    parser.add_argument("--strains", default="")
    parser.add_argument("--arms", default=",".join(CRYSTAL_ARMS).replace(", ", "; "))
    parser.add_argument("--batch", type=int, default=1)
    options = parser.parse_args()
    bed = bed_of(scenario_of(options))
    width = DEFAULT_SHARE * float(bed.truth.std())
    task = Task(bed, "alloys", "eV/atom", "", math.inf, None, width)
    names = [name.replace("; ", ", ") for name in options.arms.split(",")]
    found: dict[str, list[Told]] = {name: [] for name in names}
    for seed in range(options.seeds):
        for name in names:
            judge = Judge()
            course = campaign(
                task, CRYSTAL_ARMS[name], seed, checkpoints=CHECKPOINTS, batch=options.batch, estimator=judge
            )
            found[name].append(Told(course, *judged_shares(bed, [judge.beliefs[each] for each in CHECKPOINTS])))
        print(f"seed {seed}", file=sys.stderr, flush=True)
    assert bed.pool.designs is not None
    print(f"{bed.pool.designs.in_words()}; deviation {MEV * bed.truth.std():.0f} meV/atom")
    print(f"{options.seeds} seeds, batches of {options.batch}; labels {CHECKPOINTS}; width {MEV * width:.1f} meV/atom")
    for name in names:
        show(name, found[name], found[names[0]])


def scenario_of(options: argparse.Namespace) -> Scenario:
    """Return the scenario with another question, other prototypes or strains."""
    scenario = load_scenario("alloy_substitutions", Overrides()).settings
    changes: dict[str, object] = {"queried": options.queried, "reference": options.reference}
    if options.prototypes:
        changes["prototypes"] = tuple(options.prototypes.split(","))
    if options.strains:
        changes["strains"] = tuple(float(each) for each in options.strains.split(","))
    assert scenario.pool.designs is not None
    designs = scenario.pool.designs.model_copy(update=changes)
    return scenario.model_copy(update={"pool": scenario.pool.model_copy(update={"designs": designs})})


def bed_of(scenario: Scenario) -> Bed:
    """Return the bed of a scenario whose property is known of every candidate."""
    world = build_world(scenario)
    return Bed(pool_arrays(world.pool), world.values)


def judged_shares(bed: Bed, beliefs: Sequence[Belief]) -> tuple[list[float], list[float]]:
    """Return mean error and coverage of the shares under each belief; NaN where they are not defined."""
    designs = bed.pool.designs
    assert designs is not None
    truth = true_shares(designs, bed.truth)
    if not truth:
        return [math.nan] * len(beliefs), [math.nan] * len(beliefs)
    told = [believed_shares(designs, belief) for belief in beliefs]
    off = [float(np.mean([abs(each.own - truth[each.name]) for each in shares])) for shares in told]
    held = [float(np.mean([each.low <= truth[each.name] <= each.high for each in shares])) for shares in told]
    return off, held


def show(name: str, told: Sequence[Told], told_at_random: Sequence[Told]) -> None:
    """Print the figures of an arm."""
    courses, base = [each.course for each in told], [each.course for each in told_at_random]
    rmse, of_base = (MEV * np.array([each.rmse for each in these]) for these in (courses, base))
    error = rmse.std(axis=0, ddof=1) / np.sqrt(len(rmse)) if len(rmse) > 1 else np.zeros(rmse.shape[1])
    print(f"\n{name}")
    print("  rmse      " + "  ".join(f"{m:6.2f}±{e:.2f}" for m, e in zip(rmse.mean(axis=0), error, strict=True)))
    if told is not told_at_random:
        tests = [paired_test(list(a), list(b), lower_is_better=True) for a, b in zip(rmse.T, of_base.T, strict=True)]
        print("  − random  " + "  ".join(f"{test.difference:+.2f} (p {test.p:.4f})" for test in tests))
    covered = np.array([each.covered for each in courses])
    print("  covered   " + "  ".join(f"{value:11.2f}" for value in covered.mean(axis=0)))
    widths = MEV * np.array([each.width for each in courses])
    print("  width     " + "  ".join(f"{value:11.1f}" for value in widths.mean(axis=0)))
    print("  shares    " + "  ".join(f"{100 * value:11.1f}" for value in np.mean([each.off for each in told], axis=0)))
    print("  held      " + "  ".join(f"{value:11.2f}" for value in np.mean([each.held for each in told], axis=0)))
    labels, of_random = (np.array([each.labels_to_width for each in these], dtype=float) for these in (courses, base))
    cpu = np.mean([each.cpu_s for each in courses])
    ratio = labels.mean() / of_random.mean()
    print(f"  covered in all {covered.mean():.3f}; labels to the width {labels.mean():.1f} ({ratio:.2f} of random's)")
    print(f"  cpu {cpu:.2f} s")


if __name__ == "__main__":
    main()
