"""What resume stands on: a fidelity_gain that lived through a campaign and a new one propose the same."""

from __future__ import annotations

import numpy as np
import pytest

from agent.acquisition.base import AcquisitionContext
from agent.acquisition.fidelities.fidelity_gain import FidelityGain
from tests.support.labs.two_methods import TwoMethodWorld, two_method_world

DECISIONS = 24


def contexts(world: TwoMethodWorld, in_flight: int, active_rows: int) -> list[AcquisitionContext]:
    """Contexts of a campaign in which so many requests are in flight; answers come in the order of requests."""
    policy, requested, found = FidelityGain(active_rows=active_rows), list[int](), list[AcquisitionContext]()
    for number in range(DECISIONS):
        answered = np.array(requested[: max(0, len(requested) - in_flight)], dtype=np.int64)
        pending = np.sort(np.array(requested[len(answered) :], dtype=np.int64))
        found.append(world.context(acquired=answered, pending=pending, seed=number, cost_left=500 - number))
        requested.append(policy.propose(found[-1], 1).choices[0].index)
    return found


@pytest.mark.parametrize("active_rows", [3_000, 60])
@pytest.mark.parametrize(("in_flight", "count"), [(0, 1), (3, 2)])
def test_a_policy_that_lived_through_a_campaign_proposes_what_a_new_one_does(
    in_flight: int, count: int, active_rows: int
) -> None:
    """To the bit, reason and figures included; before, at and after refits."""
    asked = contexts(two_method_world(3, noise=0.05, repetitions=2, per_family=40), in_flight, active_rows)
    lived = FidelityGain(active_rows=active_rows)
    proposals = [lived.propose(context, count) for context in asked]
    for k in (0, 1, 5, 11, DECISIONS - 1):
        assert FidelityGain(active_rows=active_rows).propose(asked[k], count) == proposals[k]


def test_the_same_context_gives_the_same_proposal_whatever_came_before() -> None:
    world, other = two_method_world(1), two_method_world(2)
    policy = FidelityGain()
    first = policy.propose(world.context(), 3)
    policy.propose(other.context(), 2)
    assert policy.propose(world.context(), 3) == first


def test_a_batch_is_what_one_after_the_other_in_flight_gives() -> None:
    world = two_method_world(2)
    batch = [choice.index for choice in FidelityGain().propose(world.context(), 9).choices]
    pending: list[int] = []
    told = world.pool.fidelities
    assert told is not None
    for _ in range(9):
        left = 1_000 - int(told.cost[pending].sum()) if pending else 1_000
        context = world.context(pending=np.array(pending, dtype=np.int64), cost_left=left)
        pending.append(FidelityGain().propose(context, 1).choices[0].index)
    assert len(set(batch)) == 9
    assert batch == pending
