"""Sends back what it gets: the far side of the bare MQTT hops. Runs as a process of its own.

python -m tests.benchmarks.processes.echo URL COUNT
"""

from __future__ import annotations

import asyncio
import sys

from protocols.link.broker_settings import BrokerSettings
from protocols.link.mqtt import MqttSession
from protocols.link.transport import Delivery, LinkUp
from scenarios.broker.url import broker_at


async def echo(broker: BrokerSettings, count: int) -> None:
    """Echo `count` messages."""
    session = MqttSession(broker, client_id="echo", subscriptions=("floor/there",))
    link = asyncio.create_task(session.run())
    left = count
    while left:
        item = await session.receive()
        if isinstance(item, LinkUp):
            print("subscribed", flush=True)
        if isinstance(item, Delivery):
            session.acknowledge(item)
            await session.publish("floor/back", item.payload)
            left -= 1
    await session.close()
    await link


if __name__ == "__main__":
    asyncio.run(echo(broker_at(sys.argv[1]), int(sys.argv[2])))
