"""The network of a scenario: what passes is whole, what breaks is broken for real, and nothing is left over."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest

from protocols.link.broker_settings import BrokerSettings
from scenarios.broker.flaky_network import network_for
from scenarios.settings.network import NetworkSettings

PATIENCE_S = 20.0
OFTEN_S = 0.05
NEVER_S = 3600.0


class Events(list[str]):
    """What the network said."""

    def __init__(self) -> None:
        super().__init__()
        self.heard = asyncio.Event()

    def add(self, event: str, **_fields: object) -> None:
        self.append(event)
        self.heard.set()


@contextlib.asynccontextmanager
async def through(settings: NetworkSettings, events: Events) -> AsyncIterator[int]:
    """Put the network before something that sends back what it gets; yield the port to connect to."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while chunk := await reader.read(65536):
                writer.write(chunk)
                await writer.drain()
        writer.transport.abort()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    broker = BrokerSettings(url=f"mqtt://me:pw@127.0.0.1:{server.sockets[0].getsockname()[1]}")
    async with asyncio.timeout(PATIENCE_S):
        async with network_for(settings, broker, events.add) as reached:
            yield reached.address().port
        server.close()


async def echoed(port: int) -> bool:
    with contextlib.suppress(ConnectionError):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"x")
        was = await reader.read(1) == b"x"
        writer.transport.abort()
        return was
    return False


async def test_what_passes_a_slow_network_that_stalls_is_whole_and_in_order() -> None:
    settings = NetworkSettings(latency_s=0.001, stall_every_s=OFTEN_S, stall_s=0.02)
    sent = bytes(range(256)) * 2000
    events = Events()
    async with through(settings, events) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while "network_stalled" not in events:
            writer.write(sent)
            assert await reader.readexactly(len(sent)) == sent
        writer.close()
    assert set(events) == {"network_stalled"}


async def test_a_cut_resets_the_connection_and_nobody_can_connect_until_it_is_over() -> None:
    settings = NetworkSettings(cut_every_s=0.6, down_s=0.5)
    events = Events()
    async with through(settings, events) as port:
        reader, _ = await asyncio.open_connection("127.0.0.1", port)
        await events.heard.wait()
        assert not await echoed(port)
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
        while not await echoed(port):
            assert set(events) == {"network_cut"}


async def test_a_network_that_stalls_for_an_hour_ends_at_once() -> None:
    settings = NetworkSettings(stall_every_s=OFTEN_S, stall_s=NEVER_S)
    events = Events()
    began = time.monotonic()
    async with through(settings, events) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        await events.heard.wait()
        writer.write(b"x" * 100_000)
    assert time.monotonic() - began < PATIENCE_S
    assert len(asyncio.all_tasks()) == 1, "nothing is left over"


async def test_who_connects_goes_on_as_the_same_user_and_a_calm_network_is_none() -> None:
    broker = BrokerSettings(url="mqtt://me:pw@127.0.0.1:1883")
    async with network_for(NetworkSettings(), broker, Events().add) as reached:
        assert reached is broker
    async with network_for(NetworkSettings(latency_s=0.1), broker, Events().add) as reached:
        assert reached.url.startswith("mqtt://me:pw@127.0.0.1:")
        assert reached.address().port != 1883
