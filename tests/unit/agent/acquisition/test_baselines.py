"""The policies to compare with."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from agent.acquisition.base import Policy
from agent.acquisition.baselines import RoundRobin, UniformRandom
from agent.acquisition.coverage import Coverage
from agent.acquisition.joint_entropy import JointEntropy
from agent.acquisition.uncertainty import Uncertainty
from protocols.errors import SettingsError
from tests.support.biased_worlds import World

POLICIES = (UniformRandom(), RoundRobin(), Uncertainty(), Coverage(), JointEntropy())


@pytest.mark.parametrize("policy", POLICIES, ids=lambda p: type(p).__name__)
def test_choices_are_distinct_available_and_repeat_with_the_context(policy: Policy, biased: Callable) -> None:
    context = biased(0).context(pending=np.array([5, 130, 250]), seed=3)
    proposal = policy.propose(context, 9)
    indices = [choice.index for choice in proposal.choices]
    assert len(set(indices)) == 9
    assert set(indices) <= set(context.available.tolist())
    assert policy.propose(context, 9) == proposal
    assert 0 < len(proposal.reason) <= 200


@pytest.mark.parametrize("policy", POLICIES, ids=lambda p: type(p).__name__)
def test_without_any_value_there_is_still_a_choice(policy: Policy, biased: Callable) -> None:
    context = biased(0).context(observed=np.empty(0, dtype=np.int64), seed=3)
    assert len(policy.propose(context, 4).choices) == 4


@pytest.mark.parametrize("policy", [UniformRandom(), RoundRobin()], ids=lambda p: type(p).__name__)
def test_random_draws_follow_the_seed(policy: Policy, biased: Callable) -> None:
    world = biased(0)
    drawn = {policy.propose(world.context(seed=seed), 1).choices[0].index for seed in range(20)}
    assert len(drawn) > 10


def test_cheap_policies_are_those_without_a_surrogate() -> None:
    assert [policy.runs_inline for policy in POLICIES] == [True, True, False, False, False]


def test_every_candidate_is_equally_likely(world_of: Callable) -> None:
    world = world_of(np.zeros((6, 1)), np.zeros(6, dtype=np.int64), ("a",), np.zeros(6))
    counts = np.zeros(6)
    for seed in range(3000):
        context = world.context(observed=np.empty(0, dtype=np.int64), seed=seed)
        counts[UniformRandom().propose(context, 1).choices[0].index] += 1
    # Six standard deviations of a count of 3,000 draws of probability 1/6.
    assert np.abs(counts - 500).max() < 6 * np.sqrt(3000 * (1 / 6) * (5 / 6))


def test_the_family_with_the_fewest_values_and_requests_comes_first(world_of: Callable) -> None:
    codes = np.repeat([0, 1, 2], 10)
    world = world_of(np.zeros((30, 1)), codes, ("a", "b", "c"), np.zeros(30))
    context = world.context(observed=np.array([0, 1, 10, 20]), pending=np.array([11, 12]))
    proposal = RoundRobin().propose(context, 6)
    assert codes[[choice.index for choice in proposal.choices]].tolist() == [2, 0, 2, 0, 1, 2]
    assert proposal.target_family == "c"
    assert proposal.reason == "c has the fewest values (1, requests in flight included)"


def test_a_family_without_candidates_loses_its_turn(world_of: Callable) -> None:
    codes = np.repeat([0, 1], [2, 8])
    world = world_of(np.zeros((10, 1)), codes, ("a", "b"), np.zeros(10))
    proposal = RoundRobin().propose(world.context(observed=np.array([0, 1, 2, 3, 4])), 2)
    assert codes[[choice.index for choice in proposal.choices]].tolist() == [1, 1]


def line(world_of: Callable, positions: np.ndarray) -> World:
    return world_of(positions[:, None], np.zeros(len(positions), dtype=np.int64), ("a",), np.sin(positions))


def test_uncertainty_is_largest_farthest_from_all_that_is_known(world_of: Callable) -> None:
    world = line(world_of, np.concatenate((np.linspace(0, 6, 25), [6.2, 12.0, 3.1])))
    proposal = Uncertainty().propose(world.context(observed=np.arange(25)), 1)
    assert proposal.choices[0].index == 26
    assert proposal.runner_up is not None
    assert proposal.runner_up.index == 25


def test_uncertainty_does_not_ask_beside_a_request_in_flight(world_of: Callable) -> None:
    world = line(world_of, np.concatenate((np.linspace(0, 6, 25), [12.0, 12.01, -4.0])))
    policy = Uncertainty()
    assert policy.propose(world.context(observed=np.arange(25), pending=np.array([25])), 1).choices[0].index == 27
    assert {c.index for c in policy.propose(world.context(observed=np.arange(25)), 2).choices} in ({26, 27}, {25, 27})


def test_uncertainty_refuses_too_few_training_rows() -> None:
    with pytest.raises(SettingsError, match="max_training_rows is 1"):
        Uncertainty(max_training_rows=1)
