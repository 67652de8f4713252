"""The broker in memory beyond the contract of all transports: what may be injected, and what is bounded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from protocols.errors import BrokerError, InvariantViolation
from protocols.link.memory.broker import MAX_QUEUED_MESSAGES, MemoryBroker, matches
from protocols.link.memory.connection import Packet, Wire
from protocols.link.memory.policy import BrokerPolicy, Message
from protocols.link.memory.transport import PUBLISH_TIMEOUT_S, MemoryTransport
from protocols.link.transport import Delivery, LinkDown, LinkLost, LinkUp, Transport, Will
from tests.support.virtual_loop import run_in_virtual_time


@asynccontextmanager
async def running(*links: MemoryTransport) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(link.run()) for link in links]
    for link in links:
        assert isinstance(await link.receive(), LinkUp)
    yield
    for link in links:
        await link.close()
    await asyncio.gather(*tasks)


@pytest.mark.parametrize(
    ("topic_filter", "topic", "takes"),
    [
        ("a/b", "a/b", True), ("a/b", "a", False), ("a", "a/b", False), ("a/+", "a/b", True), ("a/+", "a/b/c", False),
        ("a/#", "a", True), ("a/#", "a/b/c", True), ("#", "a", True), ("#", "$SYS/a", False), ("+/a", "$SYS/a", False),
        ("$SYS/#", "$SYS/a", True),
    ],
)  # fmt: skip
def test_a_filter_takes_what_mqtt_says(topic_filter: str, topic: str, takes: bool) -> None:
    assert matches(topic_filter, topic) is takes


async def test_a_policy_may_lose_repeat_and_change_what_is_delivered() -> None:
    class Spoiling(BrokerPolicy):
        def deliver(self, message: Message, queue: Callable[[Message], None]) -> None:
            if message.payload == b"twice":
                queue(message)
                queue(Message(message.topic, b"changed"))
            elif message.payload != b"lost":
                queue(message)

    broker = MemoryBroker(policy=Spoiling())
    receiver, sender = MemoryTransport(broker, "receiver", ("x",)), MemoryTransport(broker, "sender")
    async with running(receiver, sender):
        for payload in (b"lost", b"twice", b"whole"):
            await sender.publish("x", payload)
        items = [await receiver.receive() for _ in range(3)]
        assert [item.payload for item in items if isinstance(item, Delivery)] == [b"twice", b"changed", b"whole"]


async def test_a_policy_hears_who_comes_who_leaves_and_what_is_said() -> None:
    class Noting(BrokerPolicy):
        def __init__(self) -> None:
            self.lines: list[tuple[object, ...]] = []

        def connected(self, client_id: str, *, session_present: bool) -> None:
            self.lines.append(("connected", client_id, session_present))

        def disconnected(self, client_id: str, *, will: bool) -> None:
            self.lines.append(("disconnected", client_id, will))

        def routed(self, sender: str, message: Message) -> None:
            self.lines.append(("routed", sender, message.payload))

    policy = Noting()
    broker = MemoryBroker(policy=policy)
    link = MemoryTransport(broker, "client", ("x",), will=Will("w", b"gone"))
    async with running(link):
        await link.publish("x", b"1")
        broker.cut("client")
        while not isinstance(await link.receive(), LinkDown):
            pass
        assert isinstance(await link.receive(), LinkUp)
    assert policy.lines == [
        ("connected", "client", False), ("routed", "client", b"1"), ("disconnected", "client", True),
        ("routed", "client", b"gone"), ("connected", "client", True), ("disconnected", "client", False),
    ]  # fmt: skip


def test_a_publish_that_the_broker_never_confirms_has_an_unknown_outcome_in_time() -> None:
    class Silent(BrokerPolicy):
        def accept(self, route: Callable[[], bool], confirm: Callable[[bool], None]) -> None:
            route()

    async def fold() -> None:
        link = MemoryTransport(MemoryBroker(policy=Silent()), "client")
        async with running(link):
            with pytest.raises(LinkLost):
                await link.publish("x", b"1")
            assert asyncio.get_running_loop().time() == pytest.approx(PUBLISH_TIMEOUT_S)

    run_in_virtual_time(fold(), seed=1)


def test_a_wire_that_takes_its_time_is_waited_for_in_both_directions_and_its_end_is_noticed() -> None:
    class SlowWire(Wire):
        def up(self, packet: Packet) -> None:
            asyncio.get_running_loop().call_later(1.0, super().up, packet)

        def down(self, packet: Packet, *, may_overtake: bool = False) -> None:
            asyncio.get_running_loop().call_later(0.5, super().down, packet)

    class SlowLink(MemoryTransport):
        def _wire(self) -> Wire:
            return SlowWire()

    async def fold() -> None:
        loop, broker = asyncio.get_running_loop(), MemoryBroker()
        link = SlowLink(broker, "client", ("x",))
        task = asyncio.create_task(link.run())
        assert isinstance(await link.receive(), LinkUp)
        assert loop.time() == pytest.approx(1.5)
        await link.publish("x", b"1")
        assert loop.time() == pytest.approx(3.0)
        publishing = asyncio.create_task(link.publish("x", b"2"))
        await asyncio.sleep(0)
        broker.cut("client")
        with pytest.raises(LinkLost):
            await publishing
        task.cancel()

    run_in_virtual_time(fold(), seed=1)


async def test_a_client_whose_run_is_cancelled_leaves_no_last_will() -> None:
    broker = MemoryBroker()
    link = MemoryTransport(broker, "client", will=Will("w", b"gone"))
    task = asyncio.create_task(link.run())
    assert isinstance(await link.receive(), LinkUp)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert broker.sessions["client"].connection is None
    assert broker.retained == {}
    with pytest.raises(LinkLost):
        await link.publish("x", b"1")


async def test_a_client_that_is_away_is_kept_so_many_messages_and_no_more() -> None:
    broker = MemoryBroker()
    receiver, sender = MemoryTransport(broker, "receiver", ("x",)), MemoryTransport(broker, "sender")
    async with running(receiver):
        pass
    async with running(sender):
        for number in range(MAX_QUEUED_MESSAGES + 3):
            broker.route("sender", Message("x", b"%d" % number))
    queue = broker.sessions["receiver"].queue
    assert len(queue) == MAX_QUEUED_MESSAGES
    assert queue[-1].payload == b"%d" % (MAX_QUEUED_MESSAGES - 1), "the oldest are kept, as a broker does"


async def test_a_delivery_of_another_transport_is_our_own_fault() -> None:
    link: Transport = MemoryTransport(MemoryBroker(), "client")
    with pytest.raises(InvariantViolation, match="another transport"):
        link.acknowledge(Delivery("x", b"", retain=False, qos=1, ack_token=object()))


async def test_a_broker_that_is_stopped_is_no_broker_at_the_first_try() -> None:
    broker = MemoryBroker()
    broker.stop(forget=False)
    with pytest.raises(BrokerError, match="No broker"):
        await MemoryTransport(broker, "client").run()
