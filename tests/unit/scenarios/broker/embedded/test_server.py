"""The embedded broker as strangers meet it: who says nothing, too much, or the wrong thing is hung up on."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from functools import partial

import pytest
from pydantic import SecretStr

from protocols.link.broker_settings import BrokerSettings, MqttVersion
from protocols.link.mqtt import MqttSession
from protocols.link.transport import Delivery, LinkUp
from scenarios.broker.embedded import server as tested
from scenarios.broker.embedded.limits import MAX_CONNECTIONS, MAX_GREETING_BYTES, MAX_PACKET_BYTES
from scenarios.broker.embedded.router import Router
from scenarios.broker.embedded.server import Server
from scenarios.broker.embedded.users import Action, User, user_with

ANN = User("ann", "secret", ((Action.WRITE, "#"), (Action.READ, "#")))
PATIENCE_S = 10.0
HELLO = b"\x00\x04MQTT\x04"


def text(content: str) -> bytes:
    return len(content).to_bytes(2) + content.encode()


def connect(client_id: str, password: str = "secret", keepalive_s: int = 60) -> bytes:
    body = HELLO + b"\xc2" + keepalive_s.to_bytes(2) + text(client_id) + text("ann") + text(password)
    return bytes((0x10, len(body))) + body


class Listening:
    def __init__(self, server: Server, port: int) -> None:
        self.server = server
        self.port = port

    async def open(self, said: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(said)
        return reader, writer

    async def answer(self, said: bytes) -> bytes:
        """All that comes back until the broker hangs up."""
        reader, writer = await self.open(said)
        async with asyncio.timeout(PATIENCE_S):
            heard = b""
            try:
                heard = await reader.read(100)
                while more := await reader.read(100):
                    heard += more
            except ConnectionError:
                pass
        writer.close()
        return heard


@pytest.fixture
async def listening() -> AsyncIterator[Listening]:
    server = Server(Router(partial(user_with, (ANN,))))
    yield Listening(server, await server.listen("127.0.0.1", 0))
    await server.end()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - counters tell nobody that they changed
            await asyncio.sleep(0.01)


async def test_a_stranger_is_told_that_he_is_not_let_in(listening: Listening) -> None:
    assert await listening.answer(connect("x", "wrong")) == b"\x20\x02\x00\x05"
    nameless = HELLO + b"\x02\x00\x3c" + text("x")
    assert await listening.answer(bytes((0x10, len(nameless))) + nameless) == b"\x20\x02\x00\x05"
    assert listening.server.counts["refused"] == 2


async def test_mqtt_5_is_told_at_once_that_it_is_not_spoken(listening: Listening) -> None:
    greeting = b"\x10\x18\x00\x04MQTT\x05\x00\x00\x3c\x05\x11\x00\x00\x00\x78\x00\x06client"
    assert await listening.answer(greeting[:2] + greeting[2:26]) == b"\x20\x03\x00\x84\x00"


async def test_who_says_something_else_or_too_much_is_hung_up_on_before_it_is_read(listening: Listening) -> None:
    huge = b"\x10\xff\xff\xff\x7f"
    larger = bytes((0x10, *(MAX_GREETING_BYTES + 1 & 0x7F | 0x80, (MAX_GREETING_BYTES + 1 >> 7) | 0x80, 1)))
    for said in (
        huge,
        larger,
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x00\x00",
        b"\x30\x03\x00\x01a",
        b"\x10\xff\xff\xff\xff\xff",
    ):
        assert await listening.answer(said) == b""
    assert listening.server.counts["malformed"] == 6


async def test_a_client_that_sends_too_large_a_packet_is_hung_up_on_before_it_is_read(listening: Listening) -> None:
    size = MAX_PACKET_BYTES + 1
    head = bytes((0x30, size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14))
    assert await listening.answer(connect("x") + head) == b"\x20\x02\x00\x00"


async def test_who_says_nothing_is_hung_up_on(listening: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tested, "GREETING_S", 0.05)
    assert await listening.answer(b"") == b""
    assert await listening.answer(b"\x10") == b""
    assert listening.server.counts["strangers who said nothing"] == 2


async def test_a_client_that_gives_no_sign_of_life_is_gone(listening: Listening) -> None:
    assert await listening.answer(connect("x", keepalive_s=1)) == b"\x20\x02\x00\x00"


async def test_strangers_who_hold_connections_open_keep_nobody_out(
    listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tested, "MAX_STRANGERS", 8)
    held = [await listening.open() for _ in range(24)]
    await until(lambda: listening.server.counts["strangers hung up on"] >= 16)
    reader, writer = await listening.open(connect("ours"))
    async with asyncio.timeout(PATIENCE_S):
        assert await reader.readexactly(4) == b"\x20\x02\x00\x00"
    for _, each in (*held, (reader, writer)):
        each.close()


async def test_clients_are_bounded_and_there_is_room_again_when_one_goes(listening: Listening) -> None:
    taken = [await listening.open(connect(f"c{number}")) for number in range(MAX_CONNECTIONS)]
    for reader, _ in taken:
        assert await reader.readexactly(4) == b"\x20\x02\x00\x00"
    assert await listening.answer(connect("one more")) == b"\x20\x02\x00\x03"
    taken[0][1].write(b"\xe0\x00")
    assert await taken[0][0].read() == b""
    reader, writer = await listening.open(connect("one more"))
    assert await reader.readexactly(4) == b"\x20\x02\x00\x00"
    for _, each in (*taken, (reader, writer)):
        each.close()


async def test_every_quality_is_handed_over_and_no_message_twice(listening: Listening) -> None:
    def session(client_id: str, *filters: str) -> MqttSession:
        settings = BrokerSettings(
            url=f"mqtt://127.0.0.1:{listening.port}",
            username="ann",
            password=SecretStr("secret"),
            version=MqttVersion.V311,
        )
        return MqttSession(settings, client_id=client_id, subscriptions=filters)

    hearing = session("hearing", "t/#")
    running = asyncio.create_task(hearing.run())
    assert isinstance(await hearing.receive(), LinkUp)
    reader, writer = await listening.open(connect("saying"))
    zero, one = b"\x30\x06\x00\x03t/0a", b"\x32\x08\x00\x03t/1\x00\x07b"
    two = b"\x34\x08\x00\x03t/2\x00\x08c"
    writer.write(zero + one + two + two + b"\x62\x02\x00\x08" + b"\xc0\x00")
    async with asyncio.timeout(PATIENCE_S):
        said = await reader.readexactly(4 + 4 + 4 + 4 + 4 + 2)
        heard = [await hearing.receive() for _ in range(3)]
    acknowledged, received, done = b"\x40\x02\x00\x07", b"\x50\x02\x00\x08", b"\x70\x02\x00\x08"
    assert said == b"\x20\x02\x00\x00" + acknowledged + received + received + done + b"\xd0\x00"
    assert [(each.payload, each.qos) for each in heard if isinstance(each, Delivery)] == [
        (b"a", 0),
        (b"b", 1),
        (b"c", 1),
    ]
    writer.close()
    await hearing.close()
    await running


async def test_a_packet_where_none_belongs_ends_the_connection(listening: Listening) -> None:
    for wrong in (connect("x"), b"\x90\x03\x00\x01\x00", b"\xd0\x00"):
        assert await listening.answer(connect("x") + wrong) == b"\x20\x02\x00\x00"


async def test_a_port_in_use_is_an_error_of_the_system(listening: Listening) -> None:
    other = Server(Router(partial(user_with, (ANN,))))
    with pytest.raises(OSError, match="in use"):
        await other.listen("127.0.0.1", listening.port)
    await other.end()


async def test_who_hangs_up_leaves_nothing_open(listening: Listening) -> None:
    for said in (b"", connect("x"), b"\x10\x05"):
        with socket.create_connection(("127.0.0.1", listening.port)) as stranger:
            stranger.sendall(said)
            await until(lambda: len(listening.server._served) == 1)
        await until(lambda: not listening.server._served)
