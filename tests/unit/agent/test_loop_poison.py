"""A message that kills its handler costs three restarts and is then quarantined; the others are not held up by it."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agent.runtime.transaction import Input, Transaction, TransactionBuilder
from protocols.errors import StoreError
from protocols.link.transport import Delivery
from tests.support.agents import agent_on
from tests.support.campaigns import small_plan, small_pool
from tests.support.memory_bus import MemoryBus
from tests.support.virtual_loop import run_in_virtual_time

POOL = small_pool()
PLAN = small_plan(POOL)
RESULTS = "entropilot/v1/demo/result/simulator-1"


class Fragile(TransactionBuilder):
    """A handler with a fault of ours in it."""

    def take(self, transaction: Transaction, item: Input) -> None:
        if isinstance(item, Delivery) and b"poison" in item.payload:
            raise ZeroDivisionError("our own fault")
        super().take(transaction, item)


class OnAFullDisk(TransactionBuilder):
    def take(self, transaction: Transaction, item: Input) -> None:
        if isinstance(item, Delivery) and b"poison" in item.payload:
            raise StoreError("The disk is full")
        super().take(transaction, item)


async def lives(bus: MemoryBus, folder: Path, maker: type[TransactionBuilder], count: int) -> list[str]:
    """Start an agent so many times, whatever ends it, and return how each life ended."""
    ends = []
    for _ in range(count):
        with agent_on(bus, folder, POOL, PLAN, maker=maker) as agent:
            running = asyncio.create_task(agent.run())
            await asyncio.wait([running], timeout=5)
            if not running.done():
                agent.request_shutdown()
                await asyncio.wait([running])
            failure = running.exception()
            ends.append("in order" if failure is None else type(failure).__name__)
    return ends


def quarantined(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / "campaign.db")) as connection:
        return [row[0] for row in connection.execute("SELECT reason FROM quarantine ORDER BY row")]


@pytest.mark.parametrize("seed", range(4))
def test_the_third_death_is_the_last(tmp_path: Path, seed: int) -> None:
    async def fold() -> None:
        bus = MemoryBus()
        with agent_on(bus, tmp_path, POOL, PLAN) as agent:  # so that the bus keeps a session for it
            running = asyncio.create_task(agent.run())
            await asyncio.sleep(1)
            agent.request_shutdown()
            await running
        stranger = bus.transport("stranger")
        talking = asyncio.create_task(stranger.run())
        await stranger.receive()
        for text in (b"garbage 1", b"poison", b"garbage 2"):
            await stranger.publish(RESULTS, text)
        ends = await lives(bus, tmp_path, Fragile, 5)
        assert ends == ["ZeroDivisionError"] * 3 + ["in order"] * 2
        assert sorted(quarantined(tmp_path)) == ["kills_handler", "not_json", "not_json"]
        talking.cancel()

    run_in_virtual_time(fold(), seed=seed)


def test_a_fault_that_a_person_can_mend_condemns_no_message(tmp_path: Path) -> None:
    async def fold() -> None:
        bus = MemoryBus()
        with agent_on(bus, tmp_path, POOL, PLAN) as agent:
            running = asyncio.create_task(agent.run())
            await asyncio.sleep(1)
            agent.request_shutdown()
            await running
        stranger = bus.transport("stranger")
        talking = asyncio.create_task(stranger.run())
        await stranger.receive()
        await stranger.publish(RESULTS, b"poison")
        assert await lives(bus, tmp_path, OnAFullDisk, 5) == ["StoreError"] * 5
        assert await lives(bus, tmp_path, TransactionBuilder, 1) == ["in order"]
        assert quarantined(tmp_path) == ["not_json"]
        talking.cancel()

    run_in_virtual_time(fold(), seed=1)
