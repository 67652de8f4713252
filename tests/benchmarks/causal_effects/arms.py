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
from tests.benchmarks.causal_effects.beds import Task, judged
from tests.support.samples.closures import Bed, context_of

ALWAYS_RANDOM: Final = 1 << 30
"""A start that never ends: random designs throughout."""

TARGET: Final = 1.2
"""What `target_mean` looks for [threshold]: above it, below the largest (6 of 9.9 D on the benzenes)."""


LEAST_LABELS: Final = 10
"""Labels from which a width counts as reached: two values that happen to be alike make any interval narrow."""


@dataclass(frozen=True)
class Arm:
    """A policy to compare.

    Attributes:
        make: Makes it for a task.
        sees: What it is shown of the pool: all, or "categories" in place of the label-free features.
    """

    make: Callable[[Task], Policy]
    sees: str = "all"


ARMS: Final[dict[str, Arm]] = {
    "random": Arm(lambda task: Causal(start=ALWAYS_RANDOM)),
    "query": Arm(lambda task: Causal(width=0.0, threshold=task.threshold, estimate=task.estimate)),
    "D-optimal": Arm(lambda task: DOptimal()),
    "EI plain, categories": Arm(lambda task: ExpectedImprovement(), "categories"),
    "EI plain, features": Arm(lambda task: ExpectedImprovement()),
    "PE plain, categories": Arm(lambda task: ProbabilityOfExceeding(threshold=task.threshold), "categories"),
    "PE plain, features": Arm(lambda task: ProbabilityOfExceeding(threshold=task.threshold)),
    "EI, our model": Arm(lambda task: ExpectedImprovement(model="auto", estimate=task.estimate)),
    "PE, our model": Arm(
        lambda task: ProbabilityOfExceeding(threshold=task.threshold, model="auto", estimate=task.estimate)
    ),
    "target mean": Arm(lambda task: TargetMean(target=TARGET * task.threshold, estimate=task.estimate)),
    "target, greedy": Arm(
        lambda task: TargetMean(target=TARGET * task.threshold, criterion="discrepancy", estimate=task.estimate)
    ),
    "effects first": Arm(
        lambda task: Causal(width=task.effects_width, threshold=task.threshold, estimate=task.estimate)
    ),
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
    task: Task, arm: Arm, seed: int, *, checkpoints: list[int], batch: int = 1, estimator: BelievedDesigns | None = None
) -> Course:
    """Play one campaign, and judge it by the model that the task's estimate gives, or by the one that is given."""
    bed, policy = task.bed, arm.make(task)
    judge = estimator or BelievedDesigns("judge", estimate=task.estimate)
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
            if not reached and len(acquired) >= LEAST_LABELS:
                belief = judge.known(context_of(bed, acquired, campaign_seed=seed)).stated
                reached = len(acquired) if belief.mean_half_width <= task.told_width else 0
        belief = judge.known(context_of(bed, acquired, campaign_seed=seed)).stated
        told = judged(belief, belief.queries @ bed.truth)
        course.rmse.append(told.error)
        course.covered.append(told.held)
        course.width.append(belief.mean_half_width)
        course.hits.append(int(np.count_nonzero(bed.truth[acquired] > task.threshold)))
    return replace(course, labels_to_width=reached or checkpoints[-1], cpu_s=cpu)


def with_categories(bed: Bed) -> Bed:
    """Show groups and places in place of the label-free features: what a table of designs alone tells."""
    assert bed.pool.designs is not None
    ways = closure_of(bed.pool.designs)
    features = np.concatenate((ways.group_counts, ways.place_counts), axis=1)
    return replace(bed, pool=replace(bed.pool, features=features, feature_names=()))
