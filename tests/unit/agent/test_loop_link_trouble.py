"""The agent knows why its link is down, for those who watch."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.support.agents import agent_on
from tests.support.campaigns import small_plan, small_pool
from tests.support.memory_bus import MemoryBus
from tests.support.virtual_loop import run_in_virtual_time


def test_why_the_link_is_down_is_known_until_it_is_up_again(tmp_path: Path) -> None:
    async def fold() -> None:
        bus, pool = MemoryBus(), small_pool()
        with agent_on(bus, tmp_path, pool, small_plan(pool)) as agent:
            running = asyncio.create_task(agent.run())
            await asyncio.sleep(1)
            assert agent.link_trouble == ""
            bus.stop(forget=False)
            await asyncio.sleep(1)
            assert agent.link_trouble
            bus.start()
            await asyncio.sleep(1)
            assert agent.link_trouble == ""
            agent.request_shutdown()
            await running

    run_in_virtual_time(fold(), seed=1)
