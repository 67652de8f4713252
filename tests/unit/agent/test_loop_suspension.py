"""A machine that was suspended finds every deadline passed, and the answers still on the link."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.campaign.events import RequestExpired
from protocols.wire.messages import Health
from simulators.messages import status_message
from tests.support.agents import agent_on
from tests.support.campaigns import NOW, small_plan, small_pool
from tests.support.memory_bus import MemoryBus
from tests.support.virtual_loop import VirtualLoop, run_in_virtual_time

POOL = small_pool()
PLAN = small_plan(POOL)
TIMEOUT_S = 5.0


@pytest.mark.parametrize("seed", range(8))
def test_nothing_expires_because_we_slept_and_everything_does_when_nobody_answers_then(
    tmp_path: Path, seed: int
) -> None:
    transactions: list[int] = []

    async def fold() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        bus = MemoryBus()
        bus.retained |= dict([status_message(PLAN.campaign, PLAN.recipients[0], Health.ONLINE, NOW)])
        with agent_on(
            bus, tmp_path, POOL, PLAN, request_timeout_s=TIMEOUT_S,
            on_commit=lambda each: transactions.append(sum(isinstance(event, RequestExpired) for event in each.events)),
        ) as agent:  # fmt: skip
            running = asyncio.create_task(agent.run())
            await asyncio.sleep(2)
            awaited = len(agent.campaign.in_flight)
            loop.leap(600)
            await asyncio.sleep(TIMEOUT_S - 1)
            assert sum(transactions) == 0, "it took its own sleep for the lab's"
            await asyncio.sleep(2)
            assert sum(transactions) == awaited > 0
            agent.request_shutdown()
            await running

    run_in_virtual_time(fold(), seed=seed)
