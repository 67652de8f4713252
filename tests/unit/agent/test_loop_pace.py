"""The real agent at a slow pace: what waits for its turn is not late, costs no attempt and changes no decision."""

from __future__ import annotations

import asyncio
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.campaign.events import DecisionMade, Event, RequestExpired, RequestIssued
from agent.campaign.life_cycle import Phase
from agent.campaign.limits.pace import PaceLimits
from agent.runtime.admission.admission import Admission
from agent.runtime.admission.live_guard import LiveGuard
from agent.runtime.admission.pace import Pace
from protocols.errors import CampaignHalted
from protocols.link.transport import Delivery
from protocols.wire.codec import decode, encode, topic_of
from protocols.wire.messages import CandidateRequest, CandidateResult, Health
from protocols.wire.topics import simulator_subscriptions
from simulators.messages import status_message
from tests.support.agents import agent_on
from tests.support.campaigns import NOW, quantity, small_plan, small_pool, value_of
from tests.support.memory_bus import MemoryBus
from tests.support.sample_messages import capabilities
from tests.support.stored_campaigns import opened
from tests.support.virtual_loop import run_in_virtual_time

POOL = small_pool(24)
PLAN = small_plan(POOL, budget=6, parallel=3)
TIMEOUT_S = 60.0


async def answer(bus: MemoryBus, came_s: list[float]) -> None:
    """Answer every request at once, and note when it came."""
    link = bus.transport("simulator-1", simulator_subscriptions("simulator-1", campaign="demo", shared=True))
    running = asyncio.create_task(link.run())
    await asyncio.sleep(0.1)
    await link.publish(*status_message("demo", "simulator-1", Health.ONLINE, NOW), retain=True)
    try:
        while True:
            item = await link.receive()
            message = decode(item.topic, item.payload) if isinstance(item, Delivery) else None
            if isinstance(message, CandidateRequest):
                came_s.append(asyncio.get_running_loop().time())
                result = CandidateResult(
                    campaign="demo", message_id=f"r-{message.attempt_id}", sent_at=NOW, attempt_id=message.attempt_id,
                    candidate_id=message.candidate_id, simulator="simulator-1",
                    quantities=(quantity(value_of(message.candidate_id)),), duration_s=0.1,
                )  # fmt: skip
                await link.publish(topic_of(result), encode(result))
    finally:
        running.cancel()


def played(folder: Path, admission: Admission | None) -> tuple[list[Event], list[float]]:
    """Run a campaign to its end; return its journal, and when requests came [s]."""
    folder.mkdir(exist_ok=True)

    async def work() -> list[float]:
        bus, came_s = MemoryBus(), list[float]()
        with agent_on(bus, folder, POOL, PLAN, request_timeout_s=TIMEOUT_S, admission=admission) as agent:
            lab = asyncio.create_task(answer(bus, came_s))
            try:
                await agent.run()
            finally:
                lab.cancel()
            assert agent.campaign.phase is Phase.FINISHED
        return came_s

    came_s = run_in_virtual_time(work(), seed=1)
    with closing(opened(folder / "campaign.db", POOL)) as store:
        return list(store.journal()), came_s


def slow() -> Admission:
    begin = datetime(2026, 11, 30, tzinfo=UTC)
    limits = PaceLimits(requests_per_hour=2)
    return Admission(
        Pace(limits, clock=lambda: begin + timedelta(seconds=asyncio.get_running_loop().time())), LiveGuard()
    )


def test_a_slow_pace_lets_nothing_expire_and_changes_no_decision(tmp_path: Path) -> None:
    paced, came_s = played(tmp_path / "paced", slow())
    free, _ = played(tmp_path / "free", None)
    assert not [each for each in paced if isinstance(each, RequestExpired)]
    assert len([each for each in paced if isinstance(each, RequestIssued)]) == len(came_s) == 6
    assert [round(each / 3600) for each in came_s] == [0, 0, 1, 1, 2, 2]
    decided = [[each.candidate_ids for each in events if isinstance(each, DecisionMade)] for events in (paced, free)]
    assert decided[0] == decided[1]


def test_a_real_instrument_stops_the_agent_before_anything_is_asked(tmp_path: Path) -> None:
    guard = LiveGuard(is_live=False)
    guard.hear(capabilities(simulator="simulator-1", simulated=False))
    with pytest.raises(CampaignHalted, match="Nothing was asked of the lab"):
        played(tmp_path / "real", Admission(live=guard))
