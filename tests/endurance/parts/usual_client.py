"""An agent's receiving end as aiomqtt's documentation shows it: a process of its own.

    python -m tests.endurance.parts.usual_client PORT DATABASE [--manual-ack] [--queue N]

A persistent session, QoS 1, `async with Client`, `async for message in client.messages`, a commit for every message,
and the documented loop around it that connects again after a fault.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sqlite3
import sys
from typing import Any, Final

import aiomqtt

TOPIC: Final = "usual/results"

WORK_S: Final = 0.02
"""What an agent does with a result before it commits it: far less than a fit of its model takes."""

RECONNECT_S: Final = 0.2
"""The documentation's `interval`, shorter."""


async def receive(port: int, database: sqlite3.Connection, *, manual_ack: bool, queue: int | None) -> None:
    """Commit every message that comes."""
    options: dict[str, Any] = {} if queue is None else {"max_queued_incoming_messages": queue}
    client = aiomqtt.Client("127.0.0.1", port, identifier="usual-agent", clean_session=False, **options)
    client._client.manual_ack_set(on=manual_ack)
    while True:
        try:
            async with client:
                await client.subscribe(TOPIC, qos=1)
                async for message in client.messages:
                    await asyncio.sleep(WORK_S)
                    with database:
                        database.execute("INSERT INTO result VALUES (?)", (int(message.payload),))
                    if manual_ack:
                        client._client.ack(message.mid, message.qos)
        except aiomqtt.MqttError:
            await asyncio.sleep(RECONNECT_S)


def main(arguments: list[str]) -> None:
    """Run it until it is killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("database")
    parser.add_argument("--manual-ack", action="store_true")
    parser.add_argument("--queue", type=int)
    asked = parser.parse_args(arguments)
    logging.getLogger("mqtt").setLevel(logging.CRITICAL)
    database = sqlite3.connect(asked.database)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE IF NOT EXISTS result (number INTEGER)")
    work = receive(asked.port, database, manual_ack=asked.manual_ack, queue=asked.queue)
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(work)


if __name__ == "__main__":
    main(sys.argv[1:])
