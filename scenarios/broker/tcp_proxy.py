"""A TCP proxy on loopback that delays, holds, refuses and cuts: a network between a broker and those who talk to it.

What breaks is real: sockets are reset in the middle of a packet, nobody can connect, bytes stop flowing on a connection
that stays open. Neither end knows of the proxy. Faults are plain values that may be set at any time, from any thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

CHUNK_BYTES: Final = 16 * 1024
"""Most bytes in the proxy's hands per direction and connection: what does not flow waits with its sender."""

POLL_S: Final = 0.01
"""How often a held link looks whether it is released: whoever releases it may be another thread."""

END_S: Final = 1.0
"""Longest wait for connections to be gone at the end [s]: one may be under way to a broker that answers nothing."""


class Direction(StrEnum):
    """Which way the bytes go."""

    UP = "up"
    """From the client to the broker."""
    DOWN = "down"
    """From the broker to the client."""


BOTH: Final = frozenset(Direction)


@dataclass(slots=True)
class Faults:
    """What is wrong with the network now."""

    delay_s: float = 0.0
    """Every chunk is late by so much; order is kept."""
    hold: frozenset[Direction] = frozenset()
    """Nothing passes and nobody is told: a dead link. When it is released, what was sent passes, as in TCP."""
    refuse: bool = False
    """New connections are reset at once: nobody listens."""


@dataclass(frozen=True, slots=True, eq=False)
class Connection:
    """One connection through the proxy."""

    client: asyncio.StreamWriter
    broker: asyncio.StreamWriter


class TcpProxy:
    """Leads every connection on to one address.

    Args:
        host: Of the broker.
        port: The same.
    """

    def __init__(self, host: str, port: int) -> None:
        self.faults = Faults()
        self.counts: Counter[str] = Counter()
        """Of connections, cuts, and bytes each way."""
        self.connections: set[Connection] = set()
        self._address = host, port
        self._served: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        """Listen on a free port of loopback, which is yielded; end every connection afterwards."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            await self._end()
            await server.wait_closed()

    def cut(self) -> None:
        """Reset every connection; call it in the loop that listens."""
        for connection in list(self.connections):
            self.counts["cut"] += 1
            for end in (connection.client, connection.broker):
                reset(end)

    async def pass_on(self, chunk: bytes, sink: asyncio.StreamWriter, direction: Direction) -> None:
        """Give a chunk to the other end; override to spoil it."""
        self.counts[f"bytes {direction}"] += len(chunk)
        sink.write(chunk)
        await sink.drain()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, direction: Direction) -> None:
        """Pass on what comes from one end, until it ends."""
        while chunk := await source.read(CHUNK_BYTES):
            if self.faults.delay_s:
                await asyncio.sleep(self.faults.delay_s)
            await self._released(direction, sink)
            await self.pass_on(chunk, sink, direction)
        await self._released(direction, sink)  # the end of a stream does not pass a dead link either

    async def _released(self, direction: Direction, sink: asyncio.StreamWriter) -> None:
        """Wait while nothing passes; a connection that was cut meanwhile holds nothing any more."""
        while direction in self.faults.hold and not sink.is_closing():  # noqa: ASYNC110 - faults are set from any thread
            await asyncio.sleep(POLL_S)

    def _refuses(self) -> bool:
        return self.faults.refuse

    def _accept(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        """Serve one connection in a task of its own."""
        self.counts["connections"] += 1
        task = asyncio.get_running_loop().create_task(self._serve(reader, client))
        self._served.add(task)
        task.add_done_callback(self._served.discard)

    async def _serve(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        """Lead one connection to the broker until either end hangs up or the network cuts it."""
        try:
            if self._refuses():
                raise ConnectionRefusedError
            onward, broker = await asyncio.open_connection(*self._address)
        except OSError:
            reset(client)
            return
        if self._refuses():  # since
            reset(client)
            reset(broker)
            return
        connection = Connection(client, broker)
        self.connections.add(connection)
        try:
            await _first_of(
                self._pump(reader, broker, Direction.UP),
                self._pump(onward, client, Direction.DOWN),
            )
        finally:
            self.connections.discard(connection)
            client.transport.abort()
            broker.transport.abort()

    async def _end(self) -> None:
        """Let every connection end, whatever holds it."""
        self.faults.refuse, self.faults.hold = True, frozenset()
        for connection in list(self.connections):
            connection.client.transport.abort()
            connection.broker.transport.abort()
        if self._served:
            _, late = await asyncio.wait(self._served, timeout=END_S)
            for task in late:
                task.cancel()


def reset(end: asyncio.StreamWriter) -> None:
    """Break a connection as a network does: the peer is told of a reset, and what was under way is lost."""
    with contextlib.suppress(OSError):  # closed meanwhile
        lingering = end.get_extra_info("socket")
        lingering.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.transport.abort()


async def _first_of(*pumps: Coroutine[Any, Any, None]) -> None:
    """Wait until one direction ends or breaks, then end the other."""
    tasks = {asyncio.ensure_future(pump) for pump in pumps}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
