"""What a broker retains of ours, heard by somebody who comes for a moment and leaves nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Coroutine
from typing import Any, Final, TypeVar

from protocols.concurrency.task_group_errors import first_failure
from protocols.errors import MessageError
from protocols.link.broker_settings import BrokerSettings
from protocols.link.client_ids import listener_client_id
from protocols.link.mqtt import MqttSession
from protocols.link.sessions import SessionEnd
from protocols.link.transport import Delivery, LinkUp
from protocols.signing.key_ring import KeyRing
from protocols.signing.transport import judged
from protocols.wire.fresh_ids import fresh_id
from protocols.wire.topics import RETAINED, parse

QUIET_S: Final = 1.0
"""What a broker retains comes at once after the subscription; after so long without any more that was all [s]."""

LOOK_S: Final = 30.0
"""How long we listen at most after the least time [s]: of a broker that retains more than comes meanwhile we hear a
part."""

MAX_TOPICS: Final = 100_000
"""Most messages that are looked at in one go."""

Made = TypeVar("Made")


def retained_on(
    broker: BrokerSettings, filters: tuple[str, ...], *, least_s: float = 0.0, also_live: bool = False
) -> dict[str, bytes]:
    """Return what a broker retains, by topic: the payloads without the signatures around them.

    Args:
        broker: Where it is.
        filters: Where to listen.
        least_s: How long at least, however quiet it is [s].
        also_live: Whether what is said meanwhile counts as well, where it is said to be retained.

    Raises:
        BrokerError: When it cannot be reached, or does not let us listen.
    """

    async def look() -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        async with linked(broker, "look", *filters) as session:
            began = time.monotonic()
            while (spent_s := time.monotonic() - began) < least_s + LOOK_S and len(found) < MAX_TOPICS:
                try:
                    async with asyncio.timeout(max(QUIET_S, least_s - spent_s)):
                        item = await session.receive()
                except TimeoutError:
                    break
                if isinstance(item, Delivery):
                    session.acknowledge(item)
                    _note(found, judged(item, KeyRing()), also_live=also_live)
        return found

    return run_to_its_end(look())


@contextlib.asynccontextmanager
async def linked(broker: BrokerSettings, what: str, *filters: str) -> AsyncIterator[MqttSession]:
    """Connect as nobody's part; leave nothing behind.

    Args:
        broker: Where it is.
        what: What for, for the client id.
        filters: What to subscribe to.
    """
    session = MqttSession(
        broker,
        client_id=listener_client_id(what, fresh_id()),
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


def run_to_its_end(work: Coroutine[Any, Any, Made]) -> Made:
    """Run what talks to a broker, on the only loop that aiomqtt runs on everywhere."""
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        return runner.run(work)


def _note(found: dict[str, bytes], item: Delivery, *, also_live: bool) -> None:
    """Note what is retained, or that it is no more."""
    if not item.payload:
        found.pop(item.topic, None)
    elif item.retain or (also_live and _is_to_be_retained(item.topic)):
        found[item.topic] = item.payload


def _is_to_be_retained(topic: str) -> bool:
    try:
        return parse(topic).channel in RETAINED
    except MessageError:
        return False
