"""The joint-entropy policy raises J = H(family) + Σ p h, whatever that does to the balance, for any input."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from agent.acquisition.base import AcquisitionContext, Proposal
from agent.acquisition.joint_entropy import JointEntropy
from agent.entropy.bias import chain_rule, measure_bias
from agent.entropy.measure import M_SPACING, PUBLISHED, EntropyMeasure
from agent.entropy.target_properties import TargetProperty
from tests.support.biased_worlds import NONE, World

STEPS = 16


def j_of(world: World, rows: np.ndarray) -> float:
    """J of some rows of a world, straight from its definition."""
    point = measure_bias(world.pool.families, world.pool.family_codes[rows], world.truth[rows], world.measure)
    known = [(n, h) for n, h in zip(point.sizes, point.entropies, strict=True) if h is not None]
    total = sum(n for n, _ in known)
    return sum(n / total * (h - math.log(n / total)) for n, h in known)


def is_sound(proposal: Proposal, count: int) -> bool:
    indices = [choice.index for choice in proposal.choices]
    scores = [choice.score for choice in proposal.choices if choice.score is not None]
    finite = all(math.isfinite(figure) for figure in (*scores, *proposal.details.values()))
    return len(set(indices)) == len(indices) == count and finite and len(proposal.reason) <= 200


def campaign(world: World, in_flight: int) -> list[AcquisitionContext]:
    policy, requested, found = JointEntropy(), list[int](), list[AcquisitionContext]()
    for step in range(STEPS):
        answered = np.array(requested[: max(0, len(requested) - in_flight)], dtype=np.int64)
        pending = np.sort(np.array(requested[len(answered) :], dtype=np.int64))
        found.append(world.context(acquired=answered, pending=pending, seed=step))
        requested.append(policy.propose(found[-1], 1).choices[0].index)
    return found


def test_j_is_the_entropy_of_the_shares_and_the_mean_entropy_of_the_families() -> None:
    assert chain_rule([5, 5], [0.0, 0.0]) == pytest.approx(math.log(2))
    assert chain_rule([7], [1.25]) == pytest.approx(1.25)
    assert chain_rule([3, 1], [1.0, -1.0]) == pytest.approx(0.75 - 0.25 - 0.75 * math.log(0.75) - 0.25 * math.log(0.25))


def test_it_raises_j_above_what_random_draws_do(biased: Callable) -> None:
    gains = []
    for seed in range(3):
        world = biased(seed)
        last = campaign(world, 0)[-1]
        drawn = np.random.default_rng(seed).choice(world.context().available, STEPS - 1, replace=False)
        gains.append(j_of(world, last.observed) - j_of(world, np.concatenate((world.start, drawn))))
    assert np.mean(gains) > 0.1


def test_the_score_of_a_sure_value_is_the_change_of_j(world_of: Callable) -> None:
    """Where the surrogate knows the values, the expected change is the change."""
    x = np.linspace(0.0, 1.0, 120)
    world = world_of(x[:, None], np.repeat([0, 1], [70, 50]), ("a", "b"), 3.0 * x)
    start = np.concatenate((np.arange(0, 70, 3), np.arange(70, 120, 3)))
    proposal = JointEntropy().propose(world.context(observed=start), 1)
    assert proposal.runner_up is not None
    for choice in (proposal.choices[0], proposal.runner_up):
        change = j_of(world, np.append(start, choice.index)) - j_of(world, start)
        # To 2e-3 nat: h steps a little where the window grows from n to n + 1 values, which a gain leaves out.
        assert choice.score == pytest.approx(change, abs=2e-3)


def test_a_family_without_values_comes_first_and_the_reason_says_so(biased: Callable) -> None:
    world = biased(1)
    start = world.start[world.pool.family_codes[world.start] != 1]
    proposal = JointEntropy().propose(world.context(observed=start), 1)
    assert proposal.target_family == "tetragonal"
    assert proposal.reason.startswith("tetragonal has no entropy yet (0 values, requests in flight included)")


def test_the_reason_tells_the_two_parts(biased: Callable) -> None:
    proposal = JointEntropy().propose(biased(1).context(), 2)
    assert "joint entropy" in proposal.reason
    assert f"by one more of {proposal.target_family}" in proposal.reason
    assert proposal.reason.endswith("(first of 2)")
    assert proposal.runner_up is not None
    assert proposal.details["expected_joint_gain"] == proposal.choices[0].score


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("in_flight", [0, 4])
def test_a_policy_that_lived_through_a_campaign_proposes_what_a_new_one_does(
    biased: Callable, in_flight: int, count: int
) -> None:
    steps = campaign(biased(3, start_per_family=6), in_flight)
    lived = JointEntropy()
    proposals = [lived.propose(context, count) for context in steps]
    for k in (0, 1, 5, 11, 15):
        assert JointEntropy().propose(steps[k], count) == proposals[k]


def test_a_choice_is_in_flight_for_the_next_one(world_of: Callable) -> None:
    """Copies of one candidate: once the first is requested, the second is worth less."""
    rng = np.random.default_rng(0)
    x = np.concatenate((rng.uniform(0, 1, 20), np.full(5, 3.0), np.linspace(1.0, 2.0, 5)))
    world = world_of(x[:, None], np.zeros(30, dtype=np.int64), ("a",), x)
    first, second = JointEntropy().propose(world.context(observed=np.arange(20)), 2).choices
    assert {first.index, second.index} < set(range(20, 25))
    assert first.score is not None
    assert second.score is not None
    assert second.score < 0.9 * first.score


# --- input that nobody wishes for ------------------------------------------------------------------------------------


def test_one_family_alone_is_spread(world_of: Callable) -> None:
    rng = np.random.default_rng(0)
    world = world_of(rng.normal(size=(40, 2)), np.zeros(40, dtype=np.int64), ("a",), rng.normal(size=40))
    assert is_sound(JointEntropy().propose(world.context(observed=np.arange(12)), 4), 4)


def test_families_of_one_candidate_are_each_asked_for_once(world_of: Callable) -> None:
    rng = np.random.default_rng(0)
    world = world_of(rng.normal(size=(6, 2)), np.arange(6), tuple("abcdef"), rng.normal(size=6))
    proposal = JointEntropy().propose(world.context(observed=np.array([0])), 9)
    assert is_sound(proposal, 5)


@pytest.mark.parametrize("estimator", [M_SPACING, PUBLISHED])
def test_values_that_are_all_equal_leave_all_finite(world_of: Callable, estimator: str) -> None:
    rng = np.random.default_rng(0)
    world = world_of(rng.normal(size=(60, 3)), np.repeat([0, 1], 30), ("a", "b"), np.full(60, 0.7))
    context = replace(world.context(observed=np.arange(10, 50)), measure=EntropyMeasure(estimator, 1e-3))
    assert is_sound(JointEntropy().propose(context, 5), 5)


def test_a_family_whose_equal_values_have_no_entropy_waits_for_the_others(world_of: Callable) -> None:
    rng = np.random.default_rng(0)
    truth = np.concatenate((np.full(30, 0.7), rng.normal(size=30)))
    world = world_of(rng.normal(size=(60, 3)), np.repeat([0, 1], 30), ("a", "b"), truth)
    measure = EntropyMeasure(PUBLISHED)
    context = replace(world.context(observed=np.r_[0:10, 30:58]), measure=measure)
    families = world.pool.family_codes[[each.index for each in JointEntropy().propose(context, 4).choices]]
    assert families.tolist() == [1, 1, 0, 0]


@pytest.mark.parametrize("features", [np.empty((40, 0)), np.full((40, 2), 7.0)], ids=["no features", "constant"])
def test_without_a_feature_that_varies_equal_candidates_fall_to_the_lowest_index(
    world_of: Callable, features: np.ndarray
) -> None:
    truth = np.random.default_rng(0).normal(size=40)
    world = world_of(features, np.repeat([0, 1], 20), ("a", "b"), truth)
    proposal = JointEntropy().propose(world.context(observed=np.r_[0:8, 20:28]), 3)
    assert is_sound(proposal, 3)
    assert proposal.choices[0].index in {8, 28}


def test_nothing_known_is_drawn_by_the_seed(biased: Callable) -> None:
    world = biased(0)
    proposals = [JointEntropy().propose(world.context(observed=NONE, seed=seed), 2) for seed in range(8)]
    assert len({proposal.choices[0].index for proposal in proposals}) > 4
    assert proposals[0].reason == "without any value there is nothing to score; drawn at random"


def test_a_pool_smaller_than_the_count_is_chosen_whole_and_an_empty_one_said(biased: Callable) -> None:
    world = biased(1)
    left = np.setdiff1d(np.arange(480), world.start)[-3:]
    proposal = JointEntropy().propose(world.context(available=left), 9)
    assert sorted(choice.index for choice in proposal.choices) == left.tolist()
    nothing = JointEntropy().propose(world.context(available=NONE), 1)
    assert (nothing.choices, nothing.reason) == ((), "no candidate is available")


def test_several_properties_count_by_their_weights(biased: Callable) -> None:
    """With all of the weight on the first property it chooses as with that one alone."""
    world = biased(4)
    context = world.context()
    measure = world.measure
    rng = np.random.default_rng(0)
    both = {
        weight: replace(
            context,
            additional=rng.normal(size=(len(context.observed), 1)),
            targets=(
                TargetProperty("energy", measure, 1.0, weight),
                TargetProperty("other", measure, 1.0, 1.0 - weight),
            ),
        )
        for weight in (1.0, 0.5)
    }
    alone = JointEntropy().propose(context, 1)
    assert JointEntropy().propose(both[1.0], 1).choices == alone.choices
    half = JointEntropy().propose(both[0.5], 1)
    assert half.choices[0].score != alone.choices[0].score
    assert "predicted_mean of other" in half.details
