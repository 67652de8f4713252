"""While the disk is nearly full nothing is taken and nothing expires; when there is room, all of it comes in."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.campaign.events import RequestExpired, ResultAccepted
from agent.runtime.transaction import Transaction
from protocols.storage.disk_floor import DiskFloor
from protocols.wire.codec import encode, topic_of
from tests.support.agents import agent_on
from tests.support.campaigns import result_of, small_plan, small_pool
from tests.support.memory_bus import MemoryBus
from tests.support.virtual_loop import run_in_virtual_time

POOL = small_pool()
PLAN = small_plan(POOL)
TIMEOUT_S = 5.0
PLENTY = 10**12


@pytest.mark.parametrize("seed", range(4))
def test_a_full_disk_holds_the_campaign_and_costs_it_nothing(tmp_path: Path, seed: int) -> None:
    free, kinds = [PLENTY], list[type]()

    def note(transaction: Transaction) -> None:
        kinds.extend(type(event) for event in transaction.events)

    async def fold() -> None:
        bus, loop = MemoryBus(), asyncio.get_running_loop()
        disk = DiskFloor(tmp_path, usage=lambda _folder: (free[0], PLENTY), clock=loop.time)
        with agent_on(bus, tmp_path, POOL, PLAN, request_timeout_s=TIMEOUT_S, disk=disk, on_commit=note) as agent:
            lab = bus.transport("lab", ())
            running = [asyncio.create_task(agent.run()), asyncio.create_task(lab.run())]
            await asyncio.sleep(1)
            attempt = next(iter(agent.campaign.in_flight.values()))
            free[0] = 0
            answer = result_of(attempt)
            await lab.publish(topic_of(answer), encode(answer))
            await asyncio.sleep(20 * TIMEOUT_S)
            assert "MB free" in agent.disk.reason
            assert (ResultAccepted in kinds, RequestExpired in kinds) == (False, False)
            free[0] = PLENTY
            await asyncio.sleep(2)
            assert (kinds.count(ResultAccepted), RequestExpired in kinds) == (1, False)
            assert agent.disk.reason == ""
            free[0] = 0
            await asyncio.sleep(2 * TIMEOUT_S)
            assert agent.disk.reason
            agent.request_shutdown()
            await running[0]
            await lab.close()
            await running[1]

    run_in_virtual_time(fold(), seed=seed)
