"""The product's TCP proxy in a thread of its own, which spoils more than a scenario's network does.

| fault | what it is |
|---|---|
| `rate_bytes_s` | no more bytes a second than this pass |
| `corrupt` | probability that one bit of a chunk is flipped, in the directions `corrupted` |
| `half_close()` | the client is told the end of the stream, the broker is not |
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from scenarios.broker.tcp_proxy import BOTH, Direction, Faults, TcpProxy


@dataclass(slots=True)
class SpoilingFaults(Faults):
    """What is wrong with the network now, and with what passes it."""

    rate_bytes_s: float | None = None
    corrupt: float = 0.0
    corrupted: frozenset[Direction] = field(default=BOTH)


class SpoilingProxy(TcpProxy):
    """Listens while the block runs, and passes on to another port of loopback.

    Args:
        port: Where the broker listens.
        seed: Of what is corrupted.
    """

    faults: SpoilingFaults

    def __init__(self, port: int, *, seed: int = 0) -> None:
        super().__init__("127.0.0.1", port)
        self.faults = SpoilingFaults()
        self.port = 0
        self._dice = random.Random(seed)
        self._half_closed: set[asyncio.StreamWriter] = set()
        self._loop: asyncio.AbstractEventLoop
        self._ready = threading.Event()
        self._over: asyncio.Event
        self._thread = threading.Thread(target=lambda: asyncio.run(self._listen()), daemon=True)

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

    def heal(self) -> None:
        """End every fault."""
        self.faults = SpoilingFaults()

    def cut(self) -> None:
        """Reset every connection; from any thread."""
        self._in_loop(super().cut)

    def half_close(self) -> None:
        """Tell every client that the stream is over; the broker hears nothing."""
        self._in_loop(self._half_close)

    async def pass_on(self, chunk: bytes, sink: asyncio.StreamWriter, direction: Direction) -> None:
        """Pass a chunk on late, spoiled or not at all."""
        if self.faults.rate_bytes_s:
            await asyncio.sleep(len(chunk) / self.faults.rate_bytes_s)
        if sink not in self._half_closed:  # what comes for a client that was told the end is lost
            await super().pass_on(self._spoiled(chunk, direction), sink, direction)

    async def _listen(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        async with self.listening() as self.port:
            self._ready.set()
            await self._over.wait()

    def _in_loop(self, work: Callable[[], object]) -> None:
        finished = threading.Event()

        def then() -> None:
            work()
            finished.set()

        self._loop.call_soon_threadsafe(then)
        assert finished.wait(10.0), "the proxy hangs"

    def _half_close(self) -> None:
        for connection in list(self.connections):
            client = connection.client
            if client not in self._half_closed and not client.is_closing():
                self.counts["half-closed"] += 1
                self._half_closed.add(client)
                client.write_eof()

    def _spoiled(self, chunk: bytes, direction: Direction) -> bytes:
        faults = self.faults
        if direction not in faults.corrupted or self._dice.random() >= faults.corrupt:
            return chunk
        self.counts["corrupted"] += 1
        spoiled = bytearray(chunk)
        spoiled[self._dice.randrange(len(chunk))] ^= 1 << self._dice.randrange(8)
        return bytes(spoiled)
