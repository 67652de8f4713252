"""Clients of brokers: whether one is let in, and one that listens beside a test."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from protocols.link.broker_settings import BrokerSettings
from protocols.link.mqtt import MqttSession
from protocols.link.transport import Delivery, LinkUp


async def listens(settings: BrokerSettings) -> bool:
    """Tell whether a client gets in."""
    session = MqttSession(
        settings.model_copy(update={"first_connect_timeout_s": 0.5}), client_id="knock", subscriptions=()
    )
    running = asyncio.create_task(session.run())
    first = asyncio.create_task(session.receive())
    await asyncio.wait({running, first}, return_when=asyncio.FIRST_COMPLETED)
    heard = isinstance(first.result(), LinkUp) if first.done() else False
    first.cancel()
    await session.close()
    await asyncio.gather(running, first, return_exceptions=True)
    return heard


@contextlib.asynccontextmanager
async def listening(session: MqttSession, take: Callable[[Delivery], object]) -> AsyncIterator[None]:
    """Connect a client, and give what it hears to `take` until the block ends; then it leaves in order."""
    running = asyncio.create_task(session.run())
    while not isinstance(await session.receive(), LinkUp):
        pass

    async def hear() -> None:
        while True:
            item = await session.receive()
            if isinstance(item, Delivery):
                session.acknowledge(item)
                take(item)

    hearing = asyncio.create_task(hear())
    try:
        yield
    finally:
        await session.close()
        for task in (hearing, running):
            task.cancel()
        await asyncio.gather(hearing, running, return_exceptions=True)
