"""Takes off a shared broker what old campaigns left there: retained messages, and sessions of who never returns."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from protocols.errors import BrokerError
from protocols.link.broker_settings import BrokerSettings
from protocols.link.mqtt import MqttSession
from protocols.link.sessions import end_session
from protocols.link.transport import LinkLost, PublishRefused
from scenarios.broker.leftovers import Leftovers
from scenarios.broker.retained import linked, run_to_its_end

PAUSE_S: Final = 1.0
"""Pause before something is tried again over a link that breaks [s]."""

TRIES: Final = 3
"""How often something is tried over a link that breaks."""

TIDY: Final = "tidy"
"""What this is, in its client id."""


@dataclass(frozen=True, slots=True)
class Removed:
    """What was taken off a broker."""

    topics: int = 0
    sessions: int = 0
    refused: tuple[str, ...] = ()
    """Topics and client ids that the broker did not let us remove, with its reason."""


def remove(broker: BrokerSettings, leftovers: Iterable[Leftovers], client_ids: Iterable[str]) -> Removed:
    """Remove what campaigns left, and end sessions.

    Args:
        broker: Where it is.
        leftovers: What is to be removed.
        client_ids: Further clients whose sessions are to be ended; who is connected under one is thrown out.

    Raises:
        BrokerError: When the broker cannot be reached.
    """
    wanted = list(leftovers)
    topics = [topic for each in wanted for topic in each.topics]
    ids = dict.fromkeys([*(name for each in wanted for name in each.client_ids), *client_ids])

    async def work() -> Removed:
        refused: list[str] = []
        cleared = ended = 0
        async with linked(broker, TIDY) as session:
            for topic in topics:
                why = await _cleared(session, topic)
                refused += [why] if why else []
                cleared += not why
            version = session.version
        for client_id in ids:
            try:
                await end_session(broker, client_id, version)
                ended += 1
            except BrokerError as error:
                refused.append(f"session {client_id}: {error.found}")
        return Removed(cleared, ended, tuple(refused))

    return run_to_its_end(work())


async def _cleared(session: MqttSession, topic: str) -> str:
    """Remove what is retained on a topic; return why not, or nothing."""
    for _ in range(TRIES):
        try:
            await session.publish(topic, b"", retain=True)
        except PublishRefused as error:
            return f"{topic}: {error.reason}"
        except LinkLost:
            await asyncio.sleep(PAUSE_S)
            continue
        return ""
    return f"{topic}: the link did not hold"
