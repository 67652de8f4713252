"""One campaign of one policy over a closure, judged by one estimator for all policies."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from agent.acquisition.base import Policy
from agent.acquisition.causal.asked_designs import BelievedDesigns
from agent.acquisition.causal.causal import Causal
from agent.acquisition.causal.d_optimal import DOptimal
from agent.acquisition.causal.exploiting import ExpectedImprovement, ProbabilityOfExceeding
from agent.acquisition.causal.target_mean import TargetMean
from agent.causal.designs.closure import closure_of
from tests.benchmarks.causal_effects.error import effects_error
from tests.support.samples.closures import Bed, context_of

ALWAYS_RANDOM: Final = 1 << 30
"""A start that never ends: random designs throughout."""

TARGET: Final = 6.0
"""What `target_mean` looks for [D]: above the threshold, below the largest."""


@dataclass(frozen=True)
class Arm:
    """A policy to compare.

    Attributes:
        make: Makes it, for an estimate and a threshold.
        sees: What it is shown of the pool: all, or "categories" in place of the label-free features.
    """

    make: Callable[[str, float], Policy]
    sees: str = "all"


ARMS: Final[dict[str, Arm]] = {
    "random": Arm(lambda estimate, threshold: Causal(start=ALWAYS_RANDOM)),
    "query": Arm(lambda estimate, threshold: Causal(width=0.0, threshold=threshold, estimate=estimate)),
    "D-optimal": Arm(lambda estimate, threshold: DOptimal()),
    "EI plain, categories": Arm(lambda estimate, threshold: ExpectedImprovement(), "categories"),
    "EI plain, features": Arm(lambda estimate, threshold: ExpectedImprovement()),
    "PE plain, categories": Arm(lambda estimate, threshold: ProbabilityOfExceeding(threshold=threshold), "categories"),
    "EI, our model": Arm(lambda estimate, threshold: ExpectedImprovement(model="auto", estimate=estimate)),
    "PE, our model": Arm(
        lambda estimate, threshold: ProbabilityOfExceeding(threshold=threshold, model="auto", estimate=estimate)
    ),
    "target mean": Arm(lambda estimate, threshold: TargetMean(target=TARGET, estimate=estimate)),
    "target, greedy": Arm(
        lambda estimate, threshold: TargetMean(target=TARGET, criterion="discrepancy", estimate=estimate)
    ),
    "effects first": Arm(lambda estimate, threshold: Causal(threshold=threshold, estimate=estimate)),
}
"""Name -> arm; the first is what the others are held against."""


@dataclass(frozen=True)
class Course:
    """What came of one campaign.

    Attributes:
        rmse: Error of the effects at each checkpoint [unit].
        covered: Share of the intervals that held the truth, likewise.
        width: Mean half-width, likewise [unit].
        hits: Values above the threshold, likewise.
        labels_to_width: Labels until the mean half-width was reached; the last checkpoint where it never was.
        cpu_s: Processor time of all decisions [s].
    """

    rmse: list[float]
    covered: list[float]
    width: list[float]
    hits: list[int]
    labels_to_width: int
    cpu_s: float


def campaign(
    bed: Bed,
    arm: Arm,
    seed: int,
    *,
    estimate: str,
    threshold: float,
    checkpoints: list[int],
    width: float,
    batch: int = 1,
    estimator: BelievedDesigns | None = None,
) -> Course:
    """Play one campaign, and judge it by the model that `estimate` gives."""
    policy = arm.make(estimate, threshold)
    judge = estimator or BelievedDesigns("judge", estimate=estimate)
    shown = bed if arm.sees == "all" else with_categories(bed)
    course, acquired, reached = Course([], [], [], [], 0, 0.0), list[int](), 0
    cpu = 0.0
    for checkpoint in checkpoints:
        while len(acquired) < checkpoint:
            context = context_of(shown, acquired, campaign_seed=seed)
            began = time.process_time()
            proposal = policy.propose(context, min(batch, checkpoint - len(acquired)))
            cpu += time.process_time() - began
            acquired += [choice.index for choice in proposal.choices]
            if not reached:
                belief = judge.known(context_of(bed, acquired, campaign_seed=seed)).stated
                reached = len(acquired) if belief.mean_half_width <= width else 0
        belief = judge.known(context_of(bed, acquired, campaign_seed=seed)).stated
        error = effects_error(belief, bed.truth)
        course.rmse.append(error["effects_rmse"])
        course.covered.append(error["effects_covered"])
        course.width.append(belief.mean_half_width)
        course.hits.append(int(np.count_nonzero(bed.truth[acquired] > threshold)))
    return replace(course, labels_to_width=reached or checkpoints[-1], cpu_s=cpu)


def with_categories(bed: Bed) -> Bed:
    """Show groups and places in place of the label-free features: what a table of designs alone tells."""
    assert bed.pool.designs is not None
    ways = closure_of(bed.pool.designs)
    features = np.concatenate((ways.group_counts, ways.place_counts), axis=1)
    return replace(bed, pool=replace(bed.pool, features=features, feature_names=()))
