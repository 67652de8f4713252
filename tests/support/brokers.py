"""Whether a broker lets a client in."""

from __future__ import annotations

import asyncio

from protocols.link.broker_settings import BrokerSettings
from protocols.link.mqtt import MqttSession
from protocols.link.transport import LinkUp


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
