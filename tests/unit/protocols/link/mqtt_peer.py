"""A broker that says what it is told to say: for answers that a well-behaved one cannot be made to give.

It speaks just enough MQTT 3.1.1 and 5 over a real socket: CONNECT, SUBSCRIBE, PUBLISH, PINGREQ, DISCONNECT. Beside it,
how sessions of ours are run against it.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from protocols.errors import BrokerError
from protocols.link.broker_settings import BrokerSettings
from protocols.link.mqtt import MqttSession
from protocols.link.transport import LinkUp

PATIENCE_S = 20.0

CONNECT, PUBLISH, SUBSCRIBE, PINGREQ, DISCONNECT = 1, 3, 8, 12, 14
"""Packet types: the upper half of the first byte."""

V311, V5 = 4, 5
"""Protocol level in a CONNECT packet."""


@dataclass(slots=True)
class Script:
    """What the peer answers.

    Attributes:
        connack: Reason code by protocol level; None for silence, -1 for an end without a word.
        properties: What a CONNACK of MQTT 5 says besides, as it goes over the wire.
        suback: Reason code of every subscription.
        suback_codes: How many codes a SUBACK carries, whatever was asked.
        puback: Reason code of every publish; None for silence.
        pubacks_spoiled: How many publishes get that code, when not all of them.
        largest: Largest message that it takes, with its topic [byte]; it ends the connection of who sends a larger one.
        levels: Protocol levels of the CONNECTs that came, in order.
        greetings: The CONNECTs that came, without their first bytes.
        topics: Topics of the messages that came.
        open: How many clients are connected.
    """

    connack: dict[int, int | None] = field(default_factory=dict)
    properties: bytes = b""
    suback: int | None = 1
    suback_codes: int = 1
    puback: int | None = 0
    pubacks_spoiled: int | None = None
    largest: int | None = None
    levels: list[int] = field(default_factory=list)
    greetings: list[bytes] = field(default_factory=list)
    topics: list[str] = field(default_factory=list)
    open: int = 0
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)

    def disconnect_all(self, code: int) -> None:
        """Send every client a DISCONNECT of MQTT 5 and close its link."""
        for writer in self._writers:
            writer.write(bytes([DISCONNECT << 4, 1, code]))
            writer.close()

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one client until it leaves."""
        self._writers.append(writer)
        self.open += 1
        level = 0
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                kind, body = await _packet(reader)
                if kind == CONNECT and body[2:6] != b"MQTT":
                    break  # a greeting of TLS begins like a CONNECT
                if kind == PUBLISH and self.largest is not None and len(body) > self.largest:
                    break
                if kind == CONNECT:
                    level = body[6]
                    self.greetings.append(body)
                    if self.connack.get(level) == -1:
                        self.levels.append(level)
                        break
                    self.levels.append(level)
                writer.write(self._answer(kind, level, body))
                await writer.drain()
        self.open -= 1
        writer.close()

    def _answer(self, kind: int, level: int, body: bytes) -> bytes:
        no_properties = b"\x00" if level == V5 else b""
        if kind == CONNECT:
            code = self.connack.get(level, 0)
            properties = bytes([len(self.properties)]) + self.properties if level == V5 else b""
            return b"" if code is None else _framed(0x20, bytes([0, code]) + properties)
        if kind == SUBSCRIBE:
            codes = b"" if self.suback is None else bytes([self.suback] * self.suback_codes)
            return _framed(0x90, body[:2] + no_properties + codes) if codes else b""
        if kind == PUBLISH:
            (length,) = struct.unpack(">H", body[:2])
            self.topics.append(body[2 : 2 + length].decode())
            number = body[2 + length : 4 + length]
            if self.puback is None:
                return b""
            if self.pubacks_spoiled is not None and len(self.topics) > self.pubacks_spoiled:
                return _framed(0x40, number)
            return _framed(0x40, number + (bytes([self.puback, 0]) if level == V5 else b""))
        return _framed(0xD0, b"") if kind == PINGREQ else b""


@contextlib.asynccontextmanager
async def scripted_peer(script: Script, port: int = 0) -> AsyncIterator[BrokerSettings]:
    """Run the peer on loopback; yield how to reach it, impatiently."""
    server = await asyncio.start_server(script.converse, "127.0.0.1", port)
    try:
        yield BrokerSettings(
            url=f"mqtt://127.0.0.1:{server.sockets[0].getsockname()[1]}",
            reconnect_min_s=0.02,
            reconnect_max_s=0.05,
            publish_timeout_s=0.2,
        )
    finally:
        server.close()
        for writer in script._writers:
            writer.close()
        await server.wait_closed()


@contextlib.asynccontextmanager
async def running(session: MqttSession) -> AsyncIterator[asyncio.Task[None]]:
    """Run a session from its first link on."""
    task = asyncio.create_task(session.run())
    try:
        await next_link(session)
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def next_link(session: MqttSession) -> None:
    """Wait until a session is connected, again or for the first time."""
    async with asyncio.timeout(PATIENCE_S):
        while not isinstance(await session.receive(), LinkUp):
            pass


async def ended_by(session: MqttSession) -> BrokerError:
    """Run a session until it gives up; return why. It leaves nothing of which asyncio tells a person."""
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, told: complaints.append(told))
    with pytest.raises(BrokerError) as caught:
        async with asyncio.timeout(PATIENCE_S):
            await session.run()
    gc.collect()
    assert complaints == []
    return caught.value


async def _packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    first, length, shift = (await reader.readexactly(1))[0], 0, 0
    while True:
        byte = (await reader.readexactly(1))[0]
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return first >> 4, await reader.readexactly(length)


def _framed(first: int, body: bytes) -> bytes:
    assert len(body) < 0x80, "our answers are short"
    return bytes([first, len(body)]) + body
