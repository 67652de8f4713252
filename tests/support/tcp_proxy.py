"""A TCP proxy that spoils what passes: it delays, throttles, holds, cuts, half-closes and corrupts.

It stands between a part and its broker where a kernel has no `netem`, and does what a network does, to a stream:

| fault | what it is |
|---|---|
| `delay_s` | every chunk is late by so much; order is kept |
| `rate_bytes_s` | no more bytes a second than this pass |
| `hold` | nothing passes and nobody is told: a dead link; when it is released, what was sent passes, as in TCP |
| `refuse` | new connections are closed at once: nobody listens |
| `corrupt` | probability that one bit of a chunk is flipped |
| `cut()` | every connection is reset |
| `half_close()` | the client is told the end of the stream, the broker is not |

Faults are set for one `Direction` or both, at any time, from any thread.
"""

from __future__ import annotations

import asyncio
import random
import socket
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Self

from scenarios.broker.flaky_network import reset

CHUNK_BYTES: Final = 16 * 1024
"""Read at once; with `corrupt`, the most that one flipped bit stands for."""

POLL_S: Final = 0.01
"""How often a held link looks whether it is released."""


class Direction(StrEnum):
    """Which way the bytes go."""

    UP = "up"
    """From the client to the broker."""
    DOWN = "down"
    """From the broker to the client."""


BOTH: Final = frozenset(Direction)


@dataclass(slots=True)
class Faults:
    """What is wrong with the link now."""

    delay_s: float = 0.0
    rate_bytes_s: float | None = None
    hold: frozenset[Direction] = frozenset()
    refuse: bool = False
    corrupt: float = 0.0
    corrupted: frozenset[Direction] = field(default=BOTH)


class TcpProxy:
    """Listens on a free port of loopback and passes on to another port, in a thread of its own.

    Args:
        port: Where the broker listens.
        seed: Of what is corrupted.
    """

    def __init__(self, port: int, *, seed: int = 0) -> None:
        self.faults = Faults()
        self.port = 0
        self.counts: Counter[str] = Counter()
        self._target = port
        self._dice = random.Random(seed)
        self._links: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = set()
        self._half_closed: set[asyncio.StreamWriter] = set()
        self._loop: asyncio.AbstractEventLoop
        self._ready = threading.Event()
        self._over: asyncio.Event
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    @property
    def url(self) -> str:
        """Where clients connect to."""
        return f"mqtt://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10.0), "the proxy does not listen"
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10.0)

    def cut(self) -> None:
        """Reset every connection."""
        self._in_loop(self._cut)

    def half_close(self) -> None:
        """Tell every client that the stream is over; the broker hears nothing."""
        self._in_loop(self._half_close)

    def heal(self) -> None:
        """End every fault."""
        self.faults = Faults()

    @property
    def connections(self) -> int:
        """How many connections pass through now."""
        return len(self._links)

    def _in_loop(self, work: Callable[[], object]) -> None:
        finished = threading.Event()

        def then() -> None:
            work()
            finished.set()

        self._loop.call_soon_threadsafe(then)
        assert finished.wait(10.0), "the proxy hangs"

    def _cut(self) -> None:
        for link in list(self._links):
            for writer in link:
                self._reset(writer)

    def _half_close(self) -> None:
        for client, _ in list(self._links):
            if client not in self._half_closed and not client.is_closing():
                self.counts["half-closed"] += 1
                self._half_closed.add(client)
                client.write_eof()

    def _reset(self, writer: asyncio.StreamWriter) -> None:
        self.counts["cut"] += 1
        reset(writer)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._over.wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    async def _accept(self, client_reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        self.counts["connections"] += 1
        try:
            if self.faults.refuse:
                raise ConnectionRefusedError
            broker_reader, broker = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            self._reset(client)
            return
        for writer in (client, broker):
            writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link = (client, broker)
        self._links.add(link)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(client_reader, broker, Direction.UP))
                group.create_task(self._pump(broker_reader, client, Direction.DOWN))
        except* OSError:
            self.counts["broken"] += 1
        finally:
            self._links.discard(link)
            self._half_closed.discard(client)
            for writer in link:
                writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: Direction) -> None:
        while chunk := await reader.read(CHUNK_BYTES):
            if self.faults.delay_s:
                await asyncio.sleep(self.faults.delay_s)
            if self.faults.rate_bytes_s:
                await asyncio.sleep(len(chunk) / self.faults.rate_bytes_s)
            while direction in self.faults.hold:  # noqa: ASYNC110 - faults are set from another thread
                await asyncio.sleep(POLL_S)
            self.counts[f"bytes {direction}"] += len(chunk)
            if writer in self._half_closed:
                continue  # what comes for a client that was told the end is lost
            writer.write(self._spoiled(chunk, direction))
            await writer.drain()
        while direction in self.faults.hold:  # noqa: ASYNC110 - the end of a stream does not pass a dead link either
            await asyncio.sleep(POLL_S)
        raise ConnectionResetError  # one side ended: so does the other

    def _spoiled(self, chunk: bytes, direction: Direction) -> bytes:
        faults = self.faults
        if direction not in faults.corrupted or self._dice.random() >= faults.corrupt:
            return chunk
        self.counts["corrupted"] += 1
        spoiled = bytearray(chunk)
        spoiled[self._dice.randrange(len(chunk))] ^= 1 << self._dice.randrange(8)
        return bytes(spoiled)
