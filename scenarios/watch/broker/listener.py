"""Listens to a broker in a thread of its own, for as long as somebody looks; leaves nothing behind there."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from protocols.concurrency.task_group_errors import first_failure
from protocols.errors import BrokerAway, BrokerError, EntropilotError
from protocols.link.broker_settings import BrokerSettings
from protocols.link.client_ids import listener_client_id
from protocols.link.mqtt import MqttSession
from protocols.link.sessions import SessionEnd
from protocols.link.transport import Delivery, LinkDown, LinkUp
from protocols.signing.key_ring import KeyRing
from protocols.signing.transport import judged
from protocols.wire.fresh_ids import fresh_id
from protocols.wire.topics import AGENT_CLIENT, PREFIX, Channel, Topic, campaigns_filter
from scenarios.watch.broker.view import BrokerView

QUIET_S: Final = 0.5
"""What a broker retains comes at once after the subscription; after so long without any more that was all [s]."""

START_S: Final = 10.0
"""Longest time that what is retained may take to come before the page is shown [s]; the rest comes while it is."""

END_S: Final = 3.0
"""How long the thread may take to leave the broker [s]."""


def filters_for(campaigns: tuple[str, ...]) -> tuple[str, ...]:
    """Return what is listened to.

    Args:
        campaigns: Those that are meant; every one without. They are asked for by name too: some brokers (RabbitMQ) give
            what they retain to nobody else.
    """
    named = tuple(
        each
        for name in campaigns
        for each in (
            str(Topic(name, Channel.CAMPAIGN)),
            str(Topic(name, Channel.METRICS)),
            str(Topic(name, Channel.STATUS, AGENT_CLIENT)),
            f"{PREFIX}/{name}/{Channel.STATUS.value}/+",
            f"{PREFIX}/{name}/{Channel.CAPABILITIES.value}/+",
        )
    )
    if named:
        return named
    return (
        campaigns_filter(),
        f"{PREFIX}/+/{Channel.METRICS.value}",
        f"{PREFIX}/+/{Channel.STATUS.value}/+",
        f"{PREFIX}/+/{Channel.CAPABILITIES.value}/+",
    )


class BrokerListener:
    """Keeps a view of a broker up to date.

    Args:
        broker: Where it is, as whom.
        campaigns: The only ones that are meant; every one without.
    """

    def __init__(self, broker: BrokerSettings, campaigns: tuple[str, ...] = ()) -> None:
        self.broker = broker
        self._filters = filters_for(campaigns)
        self._view = BrokerView()
        self._lock = threading.Lock()
        self._why_down = ""
        self._heard = threading.Event()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)

    def start(self) -> None:
        """Connect, and wait for what is retained.

        Raises:
            BrokerError: When the broker cannot be reached, or does not let us listen.
            SettingsError: When a password or a file of TLS cannot be had.
        """
        self._thread.start()
        self._heard.wait()
        self._raise_failure()

    def close(self) -> None:
        """Leave the broker."""
        if self._loop is not None and self._ended is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended by itself
                self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(END_S)

    @contextlib.contextmanager
    def view(self) -> Iterator[BrokerView]:
        """Give what is known, while nothing joins it."""
        with self._lock:
            yield self._view

    def require_up(self) -> None:
        """Check that the broker is there.

        Raises:
            BrokerAway: When it is not; we go on trying.
            BrokerError: When listening has ended.
        """
        self._raise_failure()
        if self._why_down:
            raise BrokerAway(
                f"The broker {self.broker.redacted_url} cannot be reached: {self._why_down}",
                expected="a broker that answers; what is shown is of before",
                action="nothing here: the link is tried again, and what is new is shown when the broker is back",
            )

    def _raise_failure(self) -> None:
        if isinstance(self._failure, EntropilotError):
            raise self._failure
        if self._failure is not None:
            raise BrokerError(f"Listening to {self.broker.redacted_url} has ended: {self._failure}")

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
                runner.run(self._listen())
        except BaseExceptionGroup as failures:
            self._failure = first_failure(failures)
        except Exception as error:  # noqa: BLE001 - the thread that asked is told
            self._failure = error
        finally:
            self._heard.set()

    async def _listen(self) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        session = MqttSession(
            self.broker,
            client_id=listener_client_id("watch", fresh_id()),
            subscriptions=self._filters,
            listens_only=True,
            ending=lambda: SessionEnd.ENDED,
        )
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(session.run()), group.create_task(self._receive(session))]
            tasks.append(group.create_task(self._say_when_quiet()))
            await self._ended.wait()
            await session.close()
            for task in tasks:
                task.cancel()

    async def _say_when_quiet(self) -> None:
        """Let who asked go on when what is retained has come, or seems to."""
        before, until = -1, time.monotonic() + START_S
        while time.monotonic() < until or self._why_down:  # a broker that never answers ends the link by itself
            await asyncio.sleep(QUIET_S)
            with self._lock:
                now = sum(each.change for each in self._view.campaigns.values())
            if now == before and not self._why_down:
                break
            before = now
        self._heard.set()

    async def _receive(self, session: MqttSession) -> None:
        self._why_down = "it has not answered yet"
        while True:
            item = await session.receive()
            match item:
                case Delivery():
                    session.acknowledge(item)
                    plain = judged(item, KeyRing())
                    with self._lock:
                        self._view.take(plain.topic, plain.payload, datetime.now(UTC))
                case LinkUp():
                    self._why_down = ""
                case LinkDown():
                    self._why_down = item.reason
