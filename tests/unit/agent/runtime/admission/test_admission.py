"""Whom a request is for is looked at before its turn: a refused one takes none."""

from __future__ import annotations

import asyncio

import pytest

from agent.campaign.limits.pace import PaceLimits
from agent.campaign.state import Attempt
from agent.runtime.admission.admission import Admission
from agent.runtime.admission.live_guard import LiveGuard
from agent.runtime.admission.pace import Pace, TurnMemory
from protocols.errors import CampaignHalted
from tests.support.sample_messages import capabilities

ATTEMPT = Attempt("a-1", "c000", 0, 1, "furnace")


def test_what_may_not_be_asked_takes_no_turn() -> None:
    memory, guard = TurnMemory(None), LiveGuard(is_live=False)
    guard.hear(capabilities(simulator="furnace", simulated=False))
    admission = Admission(Pace(PaceLimits(requests_per_hour=1), memory), guard)
    with pytest.raises(CampaignHalted):
        asyncio.run(admission.admit(ATTEMPT, lambda: True))
    assert memory.turns == {}
    guard.hear(capabilities(simulator="furnace", simulated=True))
    assert asyncio.run(admission.admit(ATTEMPT, lambda: True))
    assert list(memory.turns) == ["a-1"]


def test_by_default_nothing_is_waited_for() -> None:
    assert asyncio.run(Admission().admit(ATTEMPT, lambda: True))
