"""What a client does not take stays in its session, and a connection that was taken over sends nothing more."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from scenarios.broker.embedded import connection as tested
from scenarios.broker.embedded.connection import read_packet
from scenarios.broker.embedded.limits import MAX_QUEUED_BYTES
from scenarios.broker.embedded.packets import Kind, Malformed, Packet
from scenarios.broker.embedded.router import Router
from scenarios.broker.embedded.server import Server
from scenarios.broker.embedded.users import Action, User, user_with

ANN = User("ann", "secret", ((Action.WRITE, "#"), (Action.READ, "#")))
PATIENCE_S = 10.0


def connect(client_id: bytes) -> bytes:
    body = b"\x00\x04MQTT\x04\xc0\x00\x00" + b"".join(
        len(each).to_bytes(2) + each for each in (client_id, b"ann", b"secret")
    )
    return bytes((0x10, len(body))) + body


async def test_a_packet_is_read_whole_and_a_larger_one_not_at_all() -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(b"\x30\x03\x00\x01a" + b"\x30\x04\x00\x01ab")
    assert await read_packet(reader, 3) == Packet(Kind.PUBLISH, 0, b"\x00\x01a")
    with pytest.raises(Malformed, match="4 bytes; at most 3"):
        await read_packet(reader, 3)
    reader = asyncio.StreamReader()
    reader.feed_data(b"\x30\x80\x80\x80")
    reader.feed_eof()
    with pytest.raises(EOFError):
        await read_packet(reader, 3)


async def test_a_client_that_takes_nothing_is_hung_up_on_and_what_waits_for_it_stays_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tested, "TAKES_NOTHING_S", 0.2)
    router = Router(partial(user_with, (ANN,)))
    server = Server(router)
    port = await server.listen("127.0.0.1", 0)
    reader, lazy = await asyncio.open_connection("127.0.0.1", port, limit=1024)
    lazy.write(connect(b"lazy") + b"\x82\x08\x00\x01\x00\x03t/#\x00")
    assert await reader.readexactly(4 + 5)
    session = router._sessions["lazy"]
    lazy.transport.pause_reading()  # type: ignore[attr-defined]
    _, busy = await asyncio.open_connection("127.0.0.1", port)
    busy.write(connect(b"busy"))
    body = b"\x00\x03t/1" + b"x" * 60_000
    packet = bytes((0x30, len(body) & 0x7F | 0x80, len(body) >> 7 & 0x7F | 0x80, len(body) >> 14)) + body
    async with asyncio.timeout(PATIENCE_S):
        while session.link is not None:
            busy.write(packet)
            await busy.drain()
            assert session.waiting_bytes <= MAX_QUEUED_BYTES
    lazy.transport.abort()
    busy.close()
    await server.end()
