"""What resume stands on: a policy that lived through a campaign and a new one propose the same, at every step."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from agent.acquisition.base import AcquisitionContext, Proposal
from agent.acquisition.etal import EntropyTargeted
from tests.support.biased_worlds import World

STEPS = 24


def contexts(world: World, in_flight: int) -> list[AcquisitionContext]:
    """Contexts of a campaign in which so many requests are in flight; answers come in the order of requests."""
    policy = EntropyTargeted()
    requested: list[int] = []
    found = []
    for step in range(STEPS):
        answered = np.array(requested[: max(0, len(requested) - in_flight)], dtype=np.int64)
        pending = np.sort(np.array(requested[len(answered) :], dtype=np.int64))
        context = world.context(acquired=answered, pending=pending, seed=step)
        found.append(context)
        requested.append(policy.propose(context, 1).choices[0].index)
    return found


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("in_flight", [0, 4])
def test_a_policy_that_lived_through_a_campaign_proposes_what_a_new_one_does(
    biased: Callable, in_flight: int, count: int
) -> None:
    """To the bit, reason and figures included; at steps before, at and after refits."""
    world = biased(3, start_per_family=6)
    steps = contexts(world, in_flight)
    lived = EntropyTargeted()
    proposals = [lived.propose(context, count) for context in steps]
    for k in (0, 1, 5, 6, 12, 23):
        assert EntropyTargeted().propose(steps[k], count) == proposals[k]


def test_a_policy_that_begins_in_the_middle_goes_on_as_the_one_before(biased: Callable) -> None:
    world = biased(4)
    steps = contexts(world, 2)
    lived, resumed = EntropyTargeted(), EntropyTargeted()
    expected = [lived.propose(context, 1) for context in steps]
    assert [resumed.propose(context, 1) for context in steps[15:]] == expected[15:]


def test_a_campaign_whose_families_are_empty_at_first_can_be_resumed_too(biased: Callable) -> None:
    """Rows come in by acquisition only: no surrogate, then one from the first four of a family."""
    world = biased(5)
    steps = contexts(type(world)(world.pool, world.truth, np.empty(0, dtype=np.int64)), 1)
    lived = EntropyTargeted()
    proposals: list[Proposal] = [lived.propose(context, 2) for context in steps]
    for k in (0, 1, 5, 11, 13, 23):
        assert EntropyTargeted().propose(steps[k], 2) == proposals[k]


def test_a_policy_may_be_asked_out_of_order(biased: Callable) -> None:
    """A verification replays decisions from the middle; a context alone decides."""
    world = biased(6)
    steps = contexts(world, 0)
    lived, jumping = EntropyTargeted(), EntropyTargeted()
    expected = [lived.propose(context, 1) for context in steps]
    for k in (20, 3, 21, 0, 23, 22):
        assert jumping.propose(steps[k], 1) == expected[k]
