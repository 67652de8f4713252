"""Nothing that somebody sends, leaves unread or holds open fills the memory of the embedded broker."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import psutil
import pytest

from protocols.link.broker_settings import BrokerSettings
from protocols.link.mqtt import MqttSession
from protocols.link.transport import Delivery, LinkUp
from scenarios.broker.broker import embedded_broker
from scenarios.broker.embedded.limits import MAX_QUEUED, MAX_SESSIONS

pytestmark = pytest.mark.system

PATIENCE_S = 60.0
MAY_GROW_BYTES = 64 * 1024 * 1024
PAYLOAD = b"x" * 60_000
FLOOD = 3 * MAY_GROW_BYTES // len(PAYLOAD)
"""Packets of a flood: three times what the broker may grow by, if it kept each but once."""


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

    async def away(self, client_id: str, *filters: str) -> None:
        """A client that has subscribed, has left, and is remembered."""
        _, writer = await self.client(client_id, *filters, clean=False)
        writer.write(b"\xe0\x00")
        writer.close()

    async def takes(self, writer: asyncio.StreamWriter, next_packet: Callable[[int], bytes]) -> bool:
        """Send a flood as quickly as it is taken; return whether all was, or the broker hung up."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                for number in range(FLOOD):
                    writer.write(next_packet(number))
                    await writer.drain()
                    if number % 50 == 0:
                        self.look()
                        await asyncio.sleep(0)
        except ConnectionError:
            return False
        finally:
            self.look()
        return True

    async def confirms(
        self, client: tuple[asyncio.StreamReader, asyncio.StreamWriter], publish: bytes, *, times: int = 1
    ) -> None:
        """Send a flood of messages of quality 1, so many in each packet of it; all are taken and confirmed."""
        reader, writer = client
        confirmed = asyncio.create_task(reader.readexactly(len(b"\x40\x02\x00\x01") * FLOOD * times))
        assert await self.takes(writer, lambda _: publish * times)
        async with asyncio.timeout(PATIENCE_S):
            await confirmed
        self.look()

    async def has_read_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Wait for the answer to a PINGREQ, which the broker reads after all else."""
        writer.write(b"\xc0\x00")
        async with asyncio.timeout(PATIENCE_S):
            assert await reader.readexactly(2) == b"\xd0\x00"
        self.look()

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
        await broker.away(f"away-{number}", "flood/#")
    busy = await broker.client("busy")
    await broker.confirms(busy, packet(0x32, text("flood/x") + b"\x00\x01" + PAYLOAD))
    for _, each in (*lazy, busy):
        each.close()


async def test_many_small_messages_are_bounded_as_few_large_ones(broker: Broker) -> None:
    """More than may wait for one client, by number and not by size."""
    for number in range(5):
        await broker.away(f"away-{number}", "f/#")
    _, writer = busy = await broker.client("busy")
    await broker.confirms(busy, packet(0x32, text("f/x") + b"\x00\x01y"), times=MAX_QUEUED // FLOOD + 1)
    writer.close()


async def test_what_is_retained_is_bounded(broker: Broker) -> None:
    reader, writer = await broker.client("busy")
    assert await broker.takes(writer, lambda number: packet(0x31, text(f"kept/{number}") + PAYLOAD))
    await broker.has_read_all(reader, writer)
    writer.close()


async def test_a_large_packet_is_not_taken_into_memory(broker: Broker) -> None:
    """Before a password and after it: 190 MB of one packet were buffered once."""
    length = b"\xff\xff\xff\x7f"
    for first, (_, writer) in ((b"\x10", await broker.open()), (b"\x30", await broker.client("busy"))):
        writer.write(first + length)
        assert not await broker.takes(writer, lambda _: PAYLOAD)
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
    for number in range(MAX_SESSIONS + 40):
        await broker.away(f"name-{number}", *filters)
    broker.look()
