"""Nothing that somebody sends, leaves unread or holds open fills the memory of the embedded broker."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable

import psutil
import pytest

from protocols.link.broker_settings import BrokerSettings
from protocols.link.mqtt import MqttSession
from protocols.link.transport import Delivery, LinkUp
from scenarios.broker.broker import embedded_broker

pytestmark = pytest.mark.system

PATIENCE_S = 60.0
FLOOD_S = 4.0
MAY_GROW_BYTES = 64 * 1024 * 1024
PAYLOAD = b"x" * 60_000


def text(content: str) -> bytes:
    return len(content).to_bytes(2) + content.encode()


def packet(first: int, body: bytes) -> bytes:
    length, rest = bytearray(), len(body)
    while True:
        rest, low = rest >> 7, rest & 0x7F
        length.append(low | (0x80 if rest else 0))
        if not rest:
            return bytes((first,)) + bytes(length) + body


class Broker:
    """The embedded broker, its memory, and raw clients of it."""

    def __init__(self, reached: BrokerSettings, process: psutil.Process) -> None:
        self.reached = reached
        self._process = process
        self._before = process.memory_info().rss
        self.most = 0

    def look(self) -> None:
        """Note how much memory it has grown by."""
        self.most = max(self.most, self._process.memory_info().rss - self._before)

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.reached.address().port, limit=1024)

    async def client(
        self, client_id: str, *filters: str, clean: bool = True
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A client that is let in and subscribed, and reads nothing."""
        reader, writer = await self.open()
        address = self.reached.address()
        assert address.password is not None
        who = text(client_id) + text(address.username or "") + text(address.password.get_secret_value())
        writer.write(packet(0x10, b"\x00\x04MQTT\x04" + (b"\xc2" if clean else b"\xc0") + b"\x00\x00" + who))
        assert await reader.readexactly(4) == b"\x20\x02\x00\x00"
        if filters:
            writer.write(packet(0x82, b"\x00\x01" + b"".join(text(each) + b"\x01" for each in filters)))
            assert len(await reader.readexactly(4 + len(filters))) == 4 + len(filters)
        return reader, writer

    async def flood(self, writer: asyncio.StreamWriter, next_packet: Callable[[int], bytes]) -> int:
        """Send as much as is taken for a while; return how many packets."""
        until, number = time.monotonic() + FLOOD_S, 0
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(FLOOD_S):  # the broker takes what it can: it may let the sender wait
                while time.monotonic() < until:
                    writer.write(next_packet(number))
                    await writer.drain()
                    number += 1
                    if number % 50 == 0:
                        self.look()
                        await asyncio.sleep(0)
        self.look()
        return number

    async def serves_others(self) -> None:
        """Two clients of ours talk as if nothing were."""
        hearing = MqttSession(self.reached, client_id="ours", subscriptions=("quiet/#",))
        running = asyncio.create_task(hearing.run())
        async with asyncio.timeout(PATIENCE_S):
            assert isinstance(await hearing.receive(), LinkUp)
            await hearing.publish("quiet/word", b"word")
            while not isinstance(item := await hearing.receive(), Delivery):
                pass
        assert item.payload == b"word"
        await hearing.close()
        await running


@pytest.fixture
async def broker() -> AsyncIterator[Broker]:
    """The broker; what was done to it must leave it serving others, and within its bound."""
    known = set(psutil.Process().children())
    async with embedded_broker() as reached:
        (process,) = set(psutil.Process().children()) - known
        await asyncio.sleep(0.1)
        made = Broker(reached, process)
        yield made
        await made.serves_others()
    print(f"grew by {made.most / 1e6:.1f} MB at most")
    assert 0 < made.most < MAY_GROW_BYTES


async def test_what_subscribers_leave_unread_is_bounded(broker: Broker) -> None:
    """Ten who read nothing, ten who are away and are remembered, and one who sends as quickly as it can."""
    lazy = [await broker.client(f"lazy-{number}", "flood/#") for number in range(10)]
    for number in range(10):
        _, writer = await broker.client(f"away-{number}", "flood/#", clean=False)
        writer.write(b"\xe0\x00")
        writer.close()
    reader, writer = await broker.client("busy")
    reading = asyncio.create_task(read_all(reader))
    body = text("flood/x") + b"\x00\x01" + PAYLOAD
    assert await broker.flood(writer, lambda _: packet(0x32, body)) > 100
    reading.cancel()
    for _, each in (*lazy, (reader, writer)):
        each.close()


async def test_many_small_messages_are_bounded_as_few_large_ones(broker: Broker) -> None:
    lazy = [await broker.client(f"lazy-{number}", "f/#") for number in range(5)]
    reader, writer = await broker.client("busy")
    packets = packet(0x30, text("f/x") + b"y") * 200
    assert await broker.flood(writer, lambda _: packets) > 10
    for _, each in (*lazy, (reader, writer)):
        each.close()


async def test_what_is_retained_is_bounded(broker: Broker) -> None:
    reader, writer = await broker.client("busy")
    assert await broker.flood(writer, lambda number: packet(0x31, text(f"kept/{number}") + PAYLOAD)) > 100
    writer.close()
    del reader


async def test_a_large_packet_is_not_taken_into_memory(broker: Broker) -> None:
    """Before a password and after it: 190 MB of one packet were buffered once."""
    length = b"\xff\xff\xff\x7f"
    for first, (_, writer) in ((b"\x10", await broker.open()), (b"\x30", await broker.client("busy"))):
        writer.write(first + length)
        await broker.flood(writer, lambda _: PAYLOAD)
        writer.close()


async def test_strangers_who_hold_connections_with_half_a_packet_are_bounded(broker: Broker) -> None:
    half = packet(0x10, b"\x00\x04MQTT\x04" + b"z" * 16_000)[:-1]
    held = []
    for number in range(300):
        reader, writer = await broker.open()
        with contextlib.suppress(ConnectionError):
            writer.write(half)
            await writer.drain()
        held.append((reader, writer))
        if number % 50 == 0:
            broker.look()
            await broker.serves_others()
    broker.look()
    for _, writer in held:
        writer.close()


async def test_clients_that_are_let_in_again_and_again_under_new_names_are_bounded(broker: Broker) -> None:
    filters = [f"{'deep/' * 100}{number}" for number in range(60)]
    for number in range(400):
        _, writer = await broker.client(f"name-{number}", *filters, clean=False)
        writer.write(b"\xe0\x00")
        writer.close()
    broker.look()


async def read_all(reader: asyncio.StreamReader) -> None:
    while await reader.read(65_536):
        pass
