"""Of two instruments of one id one goes on, and nothing that was asked for gets through to both."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any

import pytest

from protocols.errors import BrokerError
from protocols.link.election import LISTEN_S, PROBATION_S, another_instrument
from protocols.link.memory.transport import MemoryTransport
from protocols.link.transport import Delivery, LinkDown, LinkUp
from protocols.signing.key_ring import KeyRing
from protocols.signing.transport import UNSIGNED, SignedTransport, Signing
from protocols.wire.codec import decode
from protocols.wire.messages import Health, Status
from protocols.wire.topics import EVERY_CAMPAIGN, instrument_status_filters, simulator_subscriptions
from simulators.messages import status_message
from simulators.sole_of_its_id import SoleOfItsId
from tests.support.campaigns import NOW
from tests.support.memory_bus import MemoryBus
from tests.support.virtual_loop import run_in_virtual_time

CAMPAIGN, ID = "demo", "sim-1"
REQUESTS = f"entropilot/v1/{CAMPAIGN}/request/{ID}"
STATUS = f"entropilot/v1/{CAMPAIGN}/status/{ID}"
AGENT = f"entropilot/v1/{CAMPAIGN}/status/agent"
SEEDS = range(6)
READINGS = itertools.count()
SIGNED = Signing(KeyRing(None, {ID: b"k" * 32}))


def in_virtual_time(work: Coroutine[Any, Any, None], seed: int = 1) -> None:
    run_in_virtual_time(work, seed=seed)


class Instrument:
    """A link of an instrument, with what came through to it; it acknowledges everything."""

    def __init__(
        self, bus: MemoryBus, instance: str, campaign: str | None = CAMPAIGN, signing: Signing = UNSIGNED
    ) -> None:
        filters = (
            *simulator_subscriptions(ID, campaign=campaign, shared=False),
            *instrument_status_filters(ID, campaign=campaign),
        )
        self.inner: MemoryTransport = bus.transport(f"client-{instance}", filters)
        self.link = SoleOfItsId(
            SignedTransport(self.inner, signing),
            simulator=ID,
            campaign=campaign,
            instance=instance,
            clock=clock,
            require_signatures=signing.has_keys,
            giving_way=lambda: another_instrument(ID),
        )
        self.heard: list[bytes] = []
        self.came: list[object] = []
        self.running = asyncio.ensure_future(self.link.run())
        self._reading = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        while True:
            item = await self.link.receive()
            self.came.append(item)
            if isinstance(item, Delivery):
                self.heard.append(item.payload)
                self.link.acknowledge(item)

    async def end(self) -> None:
        await self.link.close()
        for task in (self.running, self._reading):
            task.cancel()
        await asyncio.gather(self.running, self._reading, return_exceptions=True)


def clock() -> datetime:
    """Return a time that goes on from one word to the next also where the loop's stands still."""
    return NOW + timedelta(seconds=asyncio.get_running_loop().time(), microseconds=next(READINGS))


async def asking(bus: MemoryBus) -> MemoryTransport:
    """The link of somebody who asks."""
    agent = bus.transport("agent")
    asyncio.ensure_future(agent.run())  # noqa: RUF006 - ends with the loop
    await agent.receive()
    return agent


def word_on(bus: MemoryBus, topic: str = STATUS) -> Status:
    message = decode(topic, bus.retained[topic])
    assert isinstance(message, Status)
    return message


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("first", "second"), [("a", "b"), ("b", "a")])
def test_a_newcomer_gives_way_to_the_one_who_was_there_and_gets_nothing_that_was_asked_for(
    first: str, second: str, seed: int
) -> None:
    async def fold() -> None:
        bus = MemoryBus()
        agent = await asking(bus)
        there = Instrument(bus, first)
        await asyncio.sleep(PROBATION_S + 1)
        newcomer = Instrument(bus, second)
        for number in range(20):
            await agent.publish(REQUESTS, b"%d" % number)
            await asyncio.sleep(0.01)
        await asyncio.sleep(PROBATION_S + 1)
        assert isinstance(newcomer.running.exception(), BrokerError)
        assert "Another instrument is called 'sim-1'" in str(newcomer.running.exception())
        assert newcomer.heard == []
        assert newcomer.link.gave_way
        assert there.heard == [b"%d" % number for number in range(20)]
        assert not there.running.done()
        assert (word_on(bus).instance, word_on(bus).health) == (first, Health.ONLINE)
        await there.end()

    in_virtual_time(fold(), seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_of_two_that_start_together_one_goes_on_and_only_it_is_asked(seed: int) -> None:
    async def fold() -> None:
        bus = MemoryBus()
        agent = await asking(bus)
        both = [Instrument(bus, name) for name in ("a", "b")]
        await asyncio.sleep(0.01)
        for number in range(40):
            await agent.publish(REQUESTS, b"%d" % number)
            await asyncio.sleep(0.05)
        await asyncio.sleep(PROBATION_S + 1)
        assert [each.running.done() for each in both] == [False, True]
        assert isinstance(both[1].running.exception(), BrokerError)
        assert both[1].heard == []
        assert both[0].heard == [b"%d" % number for number in range(40)]
        await both[0].end()

    in_virtual_time(fold(), seed)


def test_one_that_is_alone_gets_what_came_while_it_listened_in_order() -> None:
    async def fold() -> None:
        bus = MemoryBus()
        agent = await asking(bus)
        alone = Instrument(bus, "a")
        await asyncio.sleep(0.01)
        for number in range(3):
            await agent.publish(REQUESTS, b"%d" % number)
        assert alone.heard == []
        assert isinstance(alone.came[0], LinkUp), "the link itself is told at once"
        await asyncio.sleep(LISTEN_S)
        await agent.publish(REQUESTS, b"3")
        await asyncio.sleep(LISTEN_S)
        assert alone.heard == [b"0", b"1", b"2", b"3"]
        await alone.end()

    in_virtual_time(fold())


def test_one_that_finds_the_word_of_another_listens_longer() -> None:
    async def fold() -> None:
        bus = MemoryBus()
        agent = await asking(bus)
        await agent.publish(*status_message(CAMPAIGN, ID, Health.ONLINE, NOW, instance="old"), retain=True)
        newcomer = Instrument(bus, "new")
        await asyncio.sleep(0.01)
        await agent.publish(REQUESTS, b"1")
        await asyncio.sleep(PROBATION_S - 1)
        assert newcomer.heard == []
        await asyncio.sleep(2)
        assert newcomer.heard == [b"1"], "the other one was not there any more"
        await newcomer.end()

    in_virtual_time(fold())


def test_one_that_is_restarted_does_not_take_its_own_words_for_anothers() -> None:
    async def fold() -> None:
        bus = MemoryBus()
        for _ in range(3):
            instrument = Instrument(bus, "a")
            await asyncio.sleep(2)
            bus.cut("client-a")
            await asyncio.sleep(2)
            assert not instrument.running.done()
            assert any(isinstance(item, LinkDown) for item in instrument.came)
            await instrument.end()

    in_virtual_time(fold())


@pytest.mark.parametrize("first", [None, CAMPAIGN])
def test_one_for_every_campaign_and_one_for_a_campaign_meet(first: str | None) -> None:
    async def fold() -> None:
        bus = MemoryBus()
        there = Instrument(bus, "a", first)
        await asyncio.sleep(PROBATION_S + 1)
        newcomer = Instrument(bus, "b", CAMPAIGN if first is None else None)
        await asyncio.sleep(PROBATION_S + 1)
        assert isinstance(newcomer.running.exception(), BrokerError)
        assert not there.running.done()
        await there.end()

    in_virtual_time(fold())


def test_instruments_of_one_id_in_different_campaigns_do_not_disturb_each_other() -> None:
    async def fold() -> None:
        bus = MemoryBus()
        both = [Instrument(bus, name, campaign) for name, campaign in (("a", "one"), ("b", "two"))]
        await asyncio.sleep(2 * PROBATION_S)
        assert not any(each.running.done() for each in both)
        for each in both:
            await each.end()

    in_virtual_time(fold())


def test_garbage_and_a_word_whose_signature_does_not_hold_make_nobody_give_way() -> None:
    async def fold() -> None:
        bus = MemoryBus()
        agent = await asking(bus)
        instrument = Instrument(bus, "z")
        await asyncio.sleep(0.1)
        for payload in (b"garbage", b"", b"{}"):
            await agent.publish(STATUS, payload)
        for _ in range(3):
            topic, payload = status_message(CAMPAIGN, ID, Health.ONLINE, NOW, instance="a", incumbent=True)
            instrument.link._hear(Delivery(topic, payload, False, 1, None, signature_fault="wrong"))
        await asyncio.sleep(1)
        assert not instrument.running.done()
        assert instrument.heard == [], "statuses are not for the service"
        await instrument.end()

    in_virtual_time(fold())


def test_of_two_that_sign_the_newcomer_gives_way() -> None:
    async def fold() -> None:
        bus = MemoryBus()
        there = Instrument(bus, "b", signing=SIGNED)
        await asyncio.sleep(PROBATION_S + 1)
        newcomer = Instrument(bus, "a", signing=SIGNED)
        await asyncio.sleep(PROBATION_S + 1)
        assert isinstance(newcomer.running.exception(), BrokerError)
        assert not there.running.done()
        await there.end()

    in_virtual_time(fold())


def test_with_keys_nobody_gives_way_to_an_unsigned_word_nor_to_a_signed_one_that_is_sent_again() -> None:
    async def fold() -> None:
        bus = MemoryBus()
        agent = await asking(bus)
        instrument = Instrument(bus, "z", signing=SIGNED)
        signing = SignedTransport(agent, SIGNED)
        await asyncio.sleep(0.1)

        def word(said: datetime) -> tuple[str, bytes]:
            return status_message(CAMPAIGN, ID, Health.ONLINE, said, instance="a", incumbent=True)

        old, new = [word(NOW - timedelta(hours=hours)) for hours in (2, 1)], word(clock())
        for topic, payload in [word(clock() + timedelta(seconds=s)) for s in range(3)]:
            await agent.publish(topic, payload)
        for topic, payload in (*old, new, new, *old, new):
            await signing.publish(topic, payload)
        await asyncio.sleep(1)
        assert not instrument.running.done()
        await signing.publish(*word(clock()))
        await asyncio.sleep(1)
        assert isinstance(instrument.running.exception(), BrokerError), "who is there says so again"
        await instrument.end()

    in_virtual_time(fold())


def test_a_campaign_is_over_when_its_agent_has_cleared_its_status_and_not_when_another_one_begins() -> None:
    async def fold() -> None:
        bus = MemoryBus()
        agent = await asking(bus)
        instrument = Instrument(bus, "a")
        await asyncio.sleep(0.1)
        for payload, over in ((b"online", False), (b"", True), (b"online", False)):
            await agent.publish(AGENT, payload, retain=True)
            await asyncio.sleep(0.1)
            assert instrument.link.campaign_is_over is over
        await instrument.end()

    in_virtual_time(fold())


def test_one_for_every_campaign_says_so_where_it_is_heard() -> None:
    async def fold() -> None:
        bus = MemoryBus()
        instrument = Instrument(bus, "a", None)
        await asyncio.sleep(0.1)
        topic = f"entropilot/v1/{EVERY_CAMPAIGN}/status/{ID}"
        assert (word_on(bus, topic).instance, word_on(bus, topic).health) == ("a", Health.ONLINE)
        await instrument.end()
        assert word_on(bus, topic).health is Health.OFFLINE

    in_virtual_time(fold())
