"""What is known of a campaign: its values, its observations in their order, and nothing before it has started."""

from __future__ import annotations

import numpy as np
import pytest

from agent.campaign.events import DecisionMade, RequestIssued, ResultAccepted
from agent.campaign.plan import Ordering
from agent.campaign.standing import Standing
from protocols.errors import InvariantViolation
from tests.support.campaigns import Play, small_plan, small_pool, state_of

POOL = small_pool()


def test_the_terms_of_a_campaign_that_has_not_started_are_refused() -> None:
    with pytest.raises(InvariantViolation, match="has not started"):
        _ = Standing(POOL).plan


def test_acquired_is_in_order_of_decisions_or_of_arrival_as_the_plan_says() -> None:
    ids = [f"c{i:03d}" for i in range(8)]
    decided = [DecisionMade(d, 1, 2, "random", "f", tuple(ids[2 * d : 2 * d + 2]), (None, None), "") for d in range(4)]
    arrival = [5, 0, 7, 3, 2, 6, 1, 4]
    found = {}
    for ordering in Ordering:
        campaign = Play(POOL, small_plan(POOL, ordering=ordering, budget=8, parallel=8, batch=2))
        campaign.fold(*decided)
        campaign.fold(*(RequestIssued(f"a-{i}", ids[i], i // 2, 1, "simulator-1") for i in range(8)))
        campaign.fold(*(ResultAccepted(f"a-{i}", ids[i], "simulator-1", float(i), (), 1.0) for i in arrival))
        found[ordering] = campaign.campaign.acquired.tolist()
        assert campaign.campaign.acquired_decisions.tolist() == [i // 2 for i in found[ordering]]
    assert found == {Ordering.IN_ORDER: list(range(8)), Ordering.AS_COMPLETED: arrival}


def test_values_stand_where_observed_and_nowhere_else() -> None:
    campaign = Play(POOL, small_plan(POOL), start=("c000", "c005"))
    values = campaign.campaign.values
    assert np.flatnonzero(np.isfinite(values)).tolist() == [0, 5]
    assert campaign.campaign.observations == 2
    assert state_of(campaign.campaign)["sequence"] == 2
