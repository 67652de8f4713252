"""Two agents of one campaign on one broker notice each other, and exactly one goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from agent.loop import Agent
from protocols.errors import BrokerError
from protocols.link.election import PROBATION_S, Election, another_agent
from protocols.wire.codec import decode
from protocols.wire.messages import Health, Status
from tests.support.agents import agent_on
from tests.support.campaigns import NOW, small_plan, small_pool
from tests.support.memory_bus import MemoryBus
from tests.support.virtual_loop import run_in_virtual_time

POOL = small_pool()
PLAN = small_plan(POOL)
SEEDS = range(8)


def in_virtual_time(work: Coroutine[Any, Any, None], seed: int) -> None:
    run_in_virtual_time(work, seed=seed)


def folder_of(tmp_path: Path, name: str) -> Path:
    (tmp_path / name).mkdir(exist_ok=True)
    return tmp_path / name


async def ended(running: asyncio.Task[None]) -> BaseException | None:
    """How an agent ended, soon."""
    async with asyncio.timeout(30):
        await asyncio.wait([running])
    return running.exception()


async def dismissed(agent: Agent, running: asyncio.Task[None]) -> None:
    agent.request_shutdown()
    assert await ended(running) is None


def requests(bus: MemoryBus) -> list[str]:
    """The topics of all requests that passed the bus."""
    return [message.topic for _, message in bus.log if "/request/" in message.topic]


def last_word(bus: MemoryBus) -> Status:
    topic = "entropilot/v1/demo/status/agent"
    message = decode(topic, bus.retained[topic])
    assert isinstance(message, Status)
    return message


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("first", "second"), [("agent-1", "agent-2"), ("agent-2", "agent-1")])
def test_a_newcomer_gives_way_to_the_one_who_was_there(tmp_path: Path, first: str, second: str, seed: int) -> None:
    async def fold() -> None:
        bus = MemoryBus()
        with (
            agent_on(bus, folder_of(tmp_path, first), POOL, PLAN, instance=first) as there,
            agent_on(bus, folder_of(tmp_path, second), POOL, PLAN, instance=second) as newcomer,
        ):
            staying = asyncio.create_task(there.run())
            await asyncio.sleep(PROBATION_S + 1)
            asked = requests(bus)
            failure = await ended(asyncio.create_task(newcomer.run()))
            assert isinstance(failure, BrokerError)
            assert "Another agent runs campaign 'demo'" in str(failure)
            assert requests(bus) == asked, "it has asked for nothing"
            await asyncio.sleep(10)
            assert not staying.done()
            word = last_word(bus)
            assert (word.instance, word.health, word.incumbent) == (first, Health.ONLINE, True)
            await dismissed(there, staying)

    in_virtual_time(fold(), seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_of_two_that_start_together_one_goes_on(tmp_path: Path, seed: int) -> None:
    async def fold() -> None:
        bus = MemoryBus()
        with (
            agent_on(bus, folder_of(tmp_path, "a"), POOL, PLAN, instance="agent-a") as a,
            agent_on(bus, folder_of(tmp_path, "b"), POOL, PLAN, instance="agent-b") as b,
        ):
            running = [asyncio.create_task(agent.run()) for agent in (a, b)]
            await asyncio.sleep(20)
            assert [task.done() for task in running] == [False, True]  # among newcomers, the lesser name
            assert isinstance(running[1].exception(), BrokerError)
            assert (last_word(bus).instance, last_word(bus).health) == ("agent-a", Health.ONLINE)
            await dismissed(a, running[0])

    in_virtual_time(fold(), seed)


def word_of(instance: str, message_id: str) -> Status:
    return Status(
        campaign="demo", message_id=message_id, sent_at=NOW, client="agent", role="agent", health=Health.ONLINE,
        instance=instance, incumbent=True,
    )  # fmt: skip


def test_an_agent_answers_the_first_word_of_a_superior_and_gives_way_to_the_second() -> None:
    """A bit that flips in our own name, on the way to the broker and back, makes it another's; once, or sent twice."""
    ours = Election("agent-7", lambda: another_agent("demo"))
    ours.connected(0.0)
    for other, message_id in (("agent-3", "m1"), ("agent-3", "m1"), ("agent-5", "m2"), ("agent-3", "m3")):
        assert ours.meet(word_of(other, message_id), retained=False, now=60.0), "it says that it is there"
    with pytest.raises(BrokerError, match="Another agent"):
        ours.meet(word_of("agent-3", "m4"), retained=False, now=60.0)


def test_an_agent_that_is_restarted_does_not_take_its_own_words_for_anothers(tmp_path: Path) -> None:
    async def fold() -> None:
        bus = MemoryBus()
        for _ in range(3):
            with agent_on(bus, folder_of(tmp_path, "a"), POOL, PLAN) as agent:
                running = asyncio.create_task(agent.run())
                await asyncio.sleep(2)
                bus.cut("agent-1")  # the broker says its last will, and keeps what is said for the next connection
                await asyncio.sleep(2)
                assert not running.done()
                await dismissed(agent, running)

    in_virtual_time(fold(), 1)


def test_what_is_retained_of_an_agent_that_is_gone_keeps_nobody_away(tmp_path: Path) -> None:
    async def fold() -> None:
        bus = MemoryBus()
        with agent_on(bus, folder_of(tmp_path, "old"), POOL, PLAN, instance="agent-0") as old:
            running = asyncio.create_task(old.run())
            await asyncio.sleep(PROBATION_S + 1)
            bus.cut("agent-0")  # it comes back and says that it is the incumbent
            await asyncio.sleep(1)
            bus.stop(forget=False)  # and dies together with its broker, which remembers
            running.cancel()
            await asyncio.wait([running])
        assert last_word(bus).incumbent
        bus.start()
        with agent_on(bus, folder_of(tmp_path, "new"), POOL, PLAN, instance="agent-9") as agent:
            running = asyncio.create_task(agent.run())
            await asyncio.sleep(20)
            assert not running.done()
            await dismissed(agent, running)

    in_virtual_time(fold(), 1)
