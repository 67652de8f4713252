"""The network of a scenario, which cuts, stalls and delays: a proxy before the broker, and when trouble strikes.

Agent and instruments go through it; the broker knows nothing of it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import urlsplit

from protocols.errors import SettingsError
from protocols.link.broker_settings import BrokerSettings
from scenarios.broker.tcp_proxy import BOTH, TcpProxy
from scenarios.settings.network import NetworkSettings

PLAIN: Final = frozenset({"mqtt", "ws"})
"""Schemes that may be led another way; the certificate of a broker with TLS names its host."""

OnEvent = Callable[..., object]


@asynccontextmanager
async def network_for(
    settings: NetworkSettings, broker: BrokerSettings, on_event: OnEvent
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
    proxy = TcpProxy(address.host, address.port)
    proxy.faults.delay_s = settings.latency_s
    async with proxy.listening() as port:
        trouble = [asyncio.ensure_future(work) for work in _troubles(proxy, settings, on_event)]
        try:
            let_in = {"username": address.username, "password": address.password}
            yield broker.model_copy(update={"url": _through(broker.url, port), **let_in})
        finally:
            for task in trouble:
                task.cancel()
            await asyncio.gather(*trouble, return_exceptions=True)


def _troubles(proxy: TcpProxy, settings: NetworkSettings, on_event: OnEvent) -> Iterator[Coroutine[Any, Any, None]]:
    """Yield what strikes now and then, each kind at moments of its own."""
    cuts, stalls = (random.Random(f"{settings.seed} {kind}") for kind in ("cuts", "stalls"))  # noqa: S311 - trouble
    if settings.cut_every_s is not None:
        yield _cut(proxy, settings.cut_every_s, settings.down_s, cuts, on_event)
    if settings.stall_every_s is not None:
        yield _stall(proxy, settings.stall_every_s, settings.stall_s, stalls, on_event)


async def _cut(proxy: TcpProxy, every_s: float, down_s: float, moments: random.Random, on_event: OnEvent) -> None:
    """Cut every connection now and then, and let nobody connect for a while."""
    while True:
        await asyncio.sleep(down_s + moments.expovariate(1 / (every_s - down_s)))
        proxy.faults.refuse = True
        on_event("network_cut", connections=len(proxy.connections), down_s=down_s)
        proxy.cut()
        await asyncio.sleep(down_s)
        proxy.faults.refuse = False


async def _stall(proxy: TcpProxy, every_s: float, stall_s: float, moments: random.Random, on_event: OnEvent) -> None:
    """Let nothing flow now and then."""
    while True:
        await asyncio.sleep(moments.expovariate(1 / every_s))
        proxy.faults.hold = BOTH
        on_event("network_stalled", connections=len(proxy.connections), stall_s=stall_s)
        await asyncio.sleep(stall_s)
        proxy.faults.hold = frozenset()


def _through(url: str, port: int) -> str:
    """Return a URL that leads through the proxy, with the same user and path."""
    parts = urlsplit(url)
    user = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    return parts._replace(netloc=f"{user}127.0.0.1:{port}").geturl()
