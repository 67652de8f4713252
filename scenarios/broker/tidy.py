"""Takes off a shared broker what old campaigns left there: retained messages, and sessions of who never returns."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from protocols.concurrency.task_group_errors import first_failure
from protocols.errors import BrokerError
from protocols.link.broker_settings import BrokerSettings
from protocols.link.mqtt import MqttSession
from protocols.link.sessions import SessionEnd, end_session
from protocols.link.transport import Delivery, LinkLost, LinkUp, PublishRefused
from protocols.wire.fresh_ids import fresh_id
from protocols.wire.topics import PREFIX
from scenarios.broker.leftovers import Leftovers

QUIET_S: Final = 1.0
"""What a broker retains comes at once after the subscription; after so long without any more that was all [s]."""

LOOK_S: Final = 30.0
"""How long we listen at most [s]: a broker that retains more than comes in that time is tidied in several goes."""

MAX_TOPICS: Final = 100_000
"""Most retained messages that are looked at in one go."""

TRIES: Final = 3
"""How often something is tried over a link that breaks."""

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Removed:
    """What was taken off a broker."""

    topics: int = 0
    sessions: int = 0
    refused: tuple[str, ...] = ()
    """Topics and client ids that the broker did not let us remove, with its reason."""


def retained_on(broker: BrokerSettings) -> dict[str, bytes]:
    """Return what a broker retains of ours, by topic.

    Raises:
        BrokerError: When it cannot be reached, or does not let us listen.
    """

    async def look() -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        async with _linked(broker, f"{PREFIX}/#") as session:
            until = time.monotonic() + LOOK_S
            with contextlib.suppress(TimeoutError):
                while time.monotonic() < until and len(found) < MAX_TOPICS:
                    item = await asyncio.wait_for(session.receive(), QUIET_S)
                    if isinstance(item, Delivery):
                        session.acknowledge(item)
                        if item.retain and item.payload:
                            found[item.topic] = item.payload
        return found

    return _run(look())


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
        async with _linked(broker) as session:
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

    return _run(work())


async def _cleared(session: MqttSession, topic: str) -> str:
    """Remove what is retained on a topic; return why not, or nothing."""
    for _ in range(TRIES):
        try:
            await session.publish(topic, b"", retain=True)
        except PublishRefused as error:
            return f"{topic}: {error.reason}"
        except LinkLost:
            await asyncio.sleep(QUIET_S)
            continue
        return ""
    return f"{topic}: the link did not hold"


@contextlib.asynccontextmanager
async def _linked(broker: BrokerSettings, *filters: str) -> AsyncIterator[MqttSession]:
    """Connect as nobody's part; leave nothing behind."""
    session = MqttSession(
        broker,
        client_id=f"entropilot-tidy-{fresh_id()[:12]}",
        subscriptions=filters,
        listens_only=True,
        ending=lambda: SessionEnd.ENDED,
    )
    try:
        async with asyncio.TaskGroup() as group:
            link = group.create_task(session.run())
            try:
                while not isinstance(await session.receive(), LinkUp):
                    pass
                yield session
                await session.close()
            finally:
                link.cancel()
    except BaseExceptionGroup as failures:
        raise first_failure(failures) from None


def _run(work: Coroutine[Any, Any, Made]) -> Made:
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        return runner.run(work)
