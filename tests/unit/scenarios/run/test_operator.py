"""An operator says what is wanted when the campaign is that far, in order, and until the agent has it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from protocols.errors import BrokerError
from protocols.link.transport import Delivery
from protocols.wire.codec import decode
from protocols.wire.topics import Channel, agent_subscriptions, parse
from scenarios.run import operator as operator_module
from scenarios.run.operator import MAX_SENDS, Operator
from scenarios.settings.operator_actions import OperatorAction, controls
from tests.support.lab import PATIENCE_S, until
from tests.support.memory_bus import MemoryBus
from tests.support.samples.decided import smooth_pool

WISHES = tuple(
    OperatorAction.model_validate({"at": at, "action": action, "after_s": after_s})
    for at, action, after_s in ((2, "pause", 0.0), (2, "resume", 0.05), (5, "stop", 0.0))
)


@dataclass
class Bench:
    """A bus, a campaign that carries out what it hears, unless it is deaf, and an operator that watches it."""

    bus: MemoryBus = field(default_factory=MemoryBus)
    acquired: int = 0
    carried_out: list[str] = field(default_factory=list)
    deaf_to: int = 0

    def __post_init__(self) -> None:
        self.messages = controls(
            WISHES, campaign="c", pool=smooth_pool(6), property_name="e", unit="eV", now=datetime.now(UTC)
        )
        self.operator = Operator(
            tuple(zip(WISHES, self.messages, strict=True)),
            transport=self.bus.transport("operator", ()),
            acquired=lambda: self.acquired,
            carried_out=self.carried_out.__contains__,
        )

    @contextlib.asynccontextmanager
    async def agent(self) -> AsyncIterator[None]:
        """Take controls and carry each out once, but for the first ones, which are lost."""
        transport = self.bus.transport("agent", agent_subscriptions("c"))

        async def take() -> None:
            while True:
                item = await transport.receive()
                if not isinstance(item, Delivery):
                    continue
                message = decode(item.topic, item.payload)
                transport.acknowledge(item)
                self.deaf_to -= 1
                if self.deaf_to < 0 and message.message_id not in self.carried_out:
                    self.carried_out.append(message.message_id)
                    self.operator.note()

        tasks = [asyncio.create_task(transport.run()), asyncio.create_task(take())]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def reach(self, acquired: int) -> None:
        self.acquired = acquired
        self.operator.note()

    @property
    def done(self) -> list[str]:
        """What was carried out, by its action."""
        actions = {message.message_id: message.action.value for message in self.messages}
        return [actions[each] for each in self.carried_out]

    @property
    def sent(self) -> int:
        return sum(parse(message.topic).channel is Channel.CONTROL for _, message in self.bus.log)


async def finished(running: asyncio.Task[None]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await running


async def test_wishes_are_said_in_order_when_the_campaign_is_that_far_and_then_it_leaves() -> None:
    bench = Bench()
    async with bench.agent():
        running = asyncio.create_task(bench.operator.run())
        bench.reach(1)
        await asyncio.sleep(0.02)
        assert bench.sent == 0
        bench.reach(2)
        await until(lambda: bench.done == ["pause", "resume"])
        bench.reach(7)
        await finished(running)
    assert bench.done == ["pause", "resume", "stop"]


async def test_what_was_carried_out_in_an_earlier_life_is_not_said_again() -> None:
    bench = Bench(acquired=9)
    bench.carried_out.append(bench.messages[0].message_id)
    async with bench.agent():
        await finished(asyncio.create_task(bench.operator.run()))
    assert bench.done == ["pause", "resume", "stop"]
    assert bench.sent == 2


async def test_a_wish_is_repeated_while_nobody_listens() -> None:
    bench = Bench(acquired=9)
    running = asyncio.create_task(bench.operator.run())
    await until(lambda: bench.sent >= 1)
    async with bench.agent():
        await finished(running)
    assert bench.done == ["pause", "resume", "stop"]


async def test_a_control_that_a_broker_took_and_lost_is_said_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operator_module, "AGAIN_S", 0.02)
    bench = Bench(acquired=9, deaf_to=2)
    async with bench.agent():
        await finished(asyncio.create_task(bench.operator.run()))
    assert bench.done == ["pause", "resume", "stop"]


async def test_a_wish_that_is_never_carried_out_does_not_keep_the_others_waiting_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(operator_module, "AGAIN_S", 0.01)
    bench = Bench(acquired=9, deaf_to=MAX_SENDS)
    async with bench.agent():
        await finished(asyncio.create_task(bench.operator.run()))
    assert bench.done == ["resume", "stop"]


async def test_a_link_that_drops_does_not_lose_a_wish() -> None:
    bench = Bench(acquired=2)
    async with bench.agent():
        running = asyncio.create_task(bench.operator.run())
        await until(lambda: bench.done == ["pause", "resume"])
        bench.bus.cut("operator")
        bench.reach(5)
        await finished(running)
    assert bench.done == ["pause", "resume", "stop"]


async def test_a_broker_that_refuses_controls_is_told() -> None:
    bench = Bench(bus=MemoryBus(may_publish=lambda who, _topic: who != "operator"), acquired=9)
    async with bench.agent():
        with pytest.raises(BrokerError, match="refuses a control"):
            await bench.operator.run()
