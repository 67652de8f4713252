"""What resume stands on: a gap_gain that lived through a campaign and a new one propose the same, at every decision."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from agent.acquisition.base import AcquisitionContext
from agent.acquisition.gap_gain import GapGain
from tests.support.biased_worlds import World

DECISIONS = 30


def contexts(world: World, in_flight: int, active_rows: int | str) -> list[AcquisitionContext]:
    """Contexts of a campaign in which so many requests are in flight; answers come in the order of requests."""
    policy = GapGain(active_rows=active_rows)
    requested: list[int] = []
    found = []
    for number in range(DECISIONS):
        answered = np.array(requested[: max(0, len(requested) - in_flight)], dtype=np.int64)
        pending = np.sort(np.array(requested[len(answered) :], dtype=np.int64))
        found.append(world.context(acquired=answered, pending=pending, seed=number))
        requested.append(policy.propose(found[-1], 1).choices[0].index)
    return found


@pytest.mark.parametrize(("active_rows", "memory_mb"), [(3_000, 256), (90, 256), ("all", 0)])
@pytest.mark.parametrize(("in_flight", "count"), [(0, 1), (0, 3), (4, 1), (4, 3)])
def test_a_policy_that_lived_through_a_campaign_proposes_what_a_new_one_does(
    biased: Callable, in_flight: int, count: int, active_rows: int | str, memory_mb: int
) -> None:
    """To the bit, reason and figures included; before, at and after refits."""
    asked = contexts(biased(3, start_per_family=6), in_flight, active_rows)
    lived = GapGain(active_rows=active_rows, memory_mb=memory_mb)
    proposals = [lived.propose(context, count) for context in asked]
    for k in (0, 1, 4, 9, 17, DECISIONS - 1):
        assert GapGain(active_rows=active_rows, memory_mb=memory_mb).propose(asked[k], count) == proposals[k]


def test_a_policy_that_begins_in_the_middle_goes_on_as_the_one_before(biased: Callable) -> None:
    asked = contexts(biased(4), 2, 3_000)
    lived, resumed = GapGain(), GapGain()
    expected = [lived.propose(context, 1) for context in asked]
    assert [resumed.propose(context, 1) for context in asked[15:]] == expected[15:]


def test_a_campaign_without_a_start_set_can_be_resumed_too(biased: Callable) -> None:
    world = biased(5)
    asked = contexts(type(world)(world.pool, world.truth, np.empty(0, dtype=np.int64)), 1, 3_000)
    lived = GapGain()
    proposals = [lived.propose(context, 2) for context in asked]
    assert "too few" in proposals[0].reason
    for k in (0, 4, 5, 6, 11, 23):
        assert GapGain().propose(asked[k], 2) == proposals[k]


def test_a_value_that_was_added_by_hand_folds_the_campaign_again(biased: Callable) -> None:
    world = biased(6)
    asked = contexts(world, 0, 3_000)
    lived = GapGain()
    for context in asked[:10]:
        lived.propose(context, 1)
    observed = np.union1d(world.start, np.array([479]))
    after = world.context(observed=observed, acquired=asked[10].acquired)
    assert lived.propose(after, 1) == GapGain().propose(after, 1)
