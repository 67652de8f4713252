"""A network that cuts, stalls and delays: a TCP proxy on loopback between the broker and those who talk over it.

What breaks is real: sockets are reset in the middle of a packet, nobody can connect for a while, bytes stop flowing on
a connection that stays open. Agent and instruments go through it; the broker knows nothing of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from protocols.errors import SettingsError
from protocols.link.broker_settings import BrokerSettings
from scenarios.settings.network import NetworkSettings

CHUNK_BYTES: Final = 16 * 1024
"""Most bytes in the proxy's hands per direction and connection: what does not flow waits with its sender."""

END_S: Final = 1.0
"""Longest wait for connections to be gone at the end [s]: one may be under way to a broker that answers nothing."""

PLAIN: Final = frozenset({"mqtt", "ws"})
"""Schemes that may be led another way; the certificate of a broker with TLS names its host."""


def reset(end: asyncio.StreamWriter) -> None:
    """Break a connection as a network does: the peer is told of a reset, and what was under way is lost."""
    with contextlib.suppress(OSError):  # closed meanwhile
        lingering = end.get_extra_info("socket")
        lingering.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.transport.abort()


@dataclass(slots=True)
class _Proxy:
    host: str
    port: int
    settings: NetworkSettings
    on_event: Callable[..., object]
    links: set[asyncio.StreamWriter] = field(default_factory=set)
    served: set[asyncio.Task[None]] = field(default_factory=set)
    up: asyncio.Event = field(default_factory=asyncio.Event)
    flowing: asyncio.Event = field(default_factory=asyncio.Event)

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection in a task of its own."""
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self.served.add(task)
        task.add_done_callback(self.served.discard)

    async def end(self) -> None:
        """Let every connection end."""
        self.up.clear()
        self.flowing.set()  # what is stalled would never see that its connection is gone
        for link in list(self.links):
            link.transport.abort()
        if self.served:
            _, late = await asyncio.wait(self.served, timeout=END_S)
            for task in late:
                task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Lead one connection to the broker until either end hangs up or the network cuts it."""
        if not self.up.is_set():
            reset(writer)
            return
        try:
            onward_reader, onward = await asyncio.open_connection(self.host, self.port)
        except OSError:
            reset(writer)
            return
        if not self.up.is_set():  # since
            reset(writer)
            reset(onward)
            return
        ends = {writer, onward}
        self.links |= ends
        try:
            pumps = {
                asyncio.ensure_future(self._pump(source, sink))
                for source, sink in ((reader, onward), (onward_reader, writer))
            }
            _, rest = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in rest:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
        finally:
            self.links -= ends
            for end in ends:
                end.transport.abort()

    async def cut(self, every_s: float, moments: random.Random) -> None:
        """Cut every connection now and then."""
        while True:
            await asyncio.sleep(self.settings.down_s + moments.expovariate(1 / (every_s - self.settings.down_s)))
            self.up.clear()
            self.on_event("network_cut", connections=len(self.links) // 2, down_s=self.settings.down_s)
            for link in list(self.links):
                reset(link)
            await asyncio.sleep(self.settings.down_s)
            self.up.set()

    async def stall(self, every_s: float, moments: random.Random) -> None:
        """Let nothing flow now and then."""
        while True:
            await asyncio.sleep(moments.expovariate(1 / every_s))
            self.flowing.clear()
            self.on_event("network_stalled", connections=len(self.links) // 2, stall_s=self.settings.stall_s)
            await asyncio.sleep(self.settings.stall_s)
            self.flowing.set()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while chunk := await source.read(CHUNK_BYTES):
                if self.settings.latency_s:
                    await asyncio.sleep(self.settings.latency_s)
                await self.flowing.wait()
                sink.write(chunk)
                await sink.drain()


@asynccontextmanager
async def network_for(
    settings: NetworkSettings, broker: BrokerSettings, on_event: Callable[..., object]
) -> AsyncIterator[BrokerSettings]:
    """Put a network between those who connect and a broker; yield where to connect to.

    Args:
        settings: Its trouble; without any, the broker itself is yielded.
        broker: The broker.
        on_event: Called with a short name and fields at every cut and stall.

    Raises:
        SettingsError: When the broker wants TLS.
    """
    if settings.is_calm:
        yield broker
        return
    address = broker.address()
    if address.scheme not in PLAIN:
        raise SettingsError(
            f"[network] cannot stand before {broker.redacted_url}: its certificate names another host",
            expected="a broker without TLS, such as embedded or mosquitto",
            action="leave out [network], or choose another --broker",
        )
    proxy = _Proxy(address.host, address.port, settings, on_event)
    proxy.up.set()
    proxy.flowing.set()
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    cuts, stalls = (random.Random(f"{settings.seed} {kind}") for kind in ("cuts", "stalls"))  # noqa: S311 - trouble
    trouble = []
    if settings.cut_every_s is not None:
        trouble.append(asyncio.ensure_future(proxy.cut(settings.cut_every_s, cuts)))
    if settings.stall_every_s is not None:
        trouble.append(asyncio.ensure_future(proxy.stall(settings.stall_every_s, stalls)))
    try:
        yield broker.model_copy(update={"url": _through(broker.url, port)})
    finally:
        for task in trouble:
            task.cancel()
        await asyncio.gather(*trouble, return_exceptions=True)
        server.close()
        await proxy.end()
        await server.wait_closed()


def _through(url: str, port: int) -> str:
    """Return a URL that leads through the proxy, with the same user and path."""
    parts = urlsplit(url)
    user = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    return parts._replace(netloc=f"{user}127.0.0.1:{port}").geturl()
