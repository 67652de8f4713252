"""The link of an instrument that gives way to another one of its id: nothing is evaluated by both.

Between service and link it hears the status topic of its own id, and lets no request through before it has listened
whether there is another (`protocols.link.election`). What came meanwhile is neither stored nor acknowledged: the broker
gives it again to whoever stays. It also hears whether the campaign's agent has cleared its status, as one does whose
campaign is over.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, Final

from protocols.errors import BrokerError, MessageError
from protocols.link.election import Election
from protocols.link.transport import Delivery, Incoming, LinkLost, LinkUp, PublishRefused, Transport
from protocols.signing.signature import require_signature
from protocols.signing.status_order import StatusOrder
from protocols.wire.codec import decode
from protocols.wire.messages import Health, Status
from protocols.wire.topics import AGENT_CLIENT, EVERY_CAMPAIGN, Channel, parse
from simulators.messages import status_message

MAX_HELD: Final = 1_024
"""Requests that may wait while it listens; beyond these the link is not read, and the broker keeps them."""


GOODBYE_S: Final = 1.0
"""How long the last status may take at the end [s]; SIGTERM has five seconds in all."""


class SoleOfItsId:
    """A link through which only one instrument of an id gets requests; implements `protocols.link.transport.Transport`.

    Args:
        inner: The link; it subscribes to `protocols.wire.topics.instrument_status_filters` as well.
        simulator: The id.
        campaign: The campaign that it serves; None for every one.
        instance: Names this instrument among those of its id.
        clock: Returns the wall-clock time, a label.
        require_signatures: Whether only a signed word of another instrument counts.
        giving_way: Makes the error of the one who gives way.
    """

    def __init__(
        self,
        inner: Transport,
        *,
        simulator: str,
        campaign: str | None,
        instance: str,
        clock: Callable[[], datetime],
        require_signatures: bool,
        giving_way: Callable[[], BrokerError],
    ) -> None:
        self.campaign_is_over = False
        """Whether the agent of the campaign has cleared what it retained."""
        self._inner = inner
        self._simulator = simulator
        self._serves_all = campaign is None
        self._campaign = campaign or EVERY_CAMPAIGN
        self._instance = instance
        self._clock = clock
        self._require_signatures = require_signatures
        self._status_order = StatusOrder((simulator, instance), began=clock())
        self._election = Election(instance, giving_way)
        self._held: deque[Delivery] = deque()
        self._passed: asyncio.Queue[Incoming] = asyncio.Queue(maxsize=1)
        self._announcing: set[asyncio.Task[None]] = set()

    @property
    def gave_way(self) -> bool:
        """Whether another instrument of this id goes on."""
        return self._election.gave_way

    async def run(self) -> None:
        """Keep connected until cancelled.

        Raises:
            BrokerError: Also when another instrument of this id goes on.
        """
        works = (self._inner.run(), self._sort(), self._admit())
        link, sorting, _ = tasks = [asyncio.ensure_future(work) for work in works]
        try:
            await asyncio.wait({link, sorting}, return_when=asyncio.FIRST_COMPLETED)
            if sorting.done():
                await self._inner.close()
                sorting.result()
            link.result()
        finally:
            for task in (*tasks, *self._announcing):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def receive(self) -> Incoming:
        """Return the next message or change of the link."""
        return await self._passed.get()

    def acknowledge(self, delivery: Delivery) -> None:
        """Tell the broker to forget a message."""
        self._inner.acknowledge(delivery)

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Send a message."""
        await self._inner.publish(topic, payload, retain=retain)

    async def close(self) -> None:
        """Say goodbye; for every campaign it is said here, as the service keeps no status then."""
        if self._serves_all and not self.gave_way:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_S):
                    await self._say(Health.OFFLINE)
        await self._inner.close()

    async def _sort(self) -> None:
        """Take out what is about who is there; hold requests back as long as we listen."""
        while True:
            item = await self._inner.receive()
            if isinstance(item, LinkUp):
                self._connected()
            if not isinstance(item, Delivery):
                await self._passed.put(item)
            elif _channel(item) is Channel.STATUS:
                self._hear(item)
                self._inner.acknowledge(item)
            elif self._election.may_act.is_set() and not self._held:
                await self._passed.put(item)
            else:
                self._held.append(item)
                if len(self._held) >= MAX_HELD:
                    await self._election.may_act.wait()

    async def _admit(self) -> None:
        """Let through what was held, once we have listened."""
        await self._election.may_act.wait()
        while self._held:
            await self._passed.put(self._held.popleft())

    def _connected(self) -> None:
        if self._election.connected(_time()):
            self._spawn(self._election.listen())
        self._spawn(self._say(Health.ONLINE))

    def _hear(self, delivery: Delivery) -> None:
        topic = parse(delivery.topic)
        if topic.client == AGENT_CLIENT:
            self.campaign_is_over = not delivery.payload  # signed with a key that no instrument has
            return
        try:
            require_signature(delivery, always=self._require_signatures)
            message = decode(delivery.topic, delivery.payload)
        except MessageError:
            return  # cleared, or somebody's garbage or forgery: it is no word of another instrument
        if not isinstance(message, Status) or (delivery.signed_by and not self._status_order.is_new(message)):
            return
        if self._election.meet(message, retained=delivery.retain, now=_time()):
            self._spawn(self._say(Health.ONLINE))

    async def _say(self, health: Health) -> None:
        """Say how we are, and whether we were there before."""
        topic, payload = status_message(
            self._campaign, self._simulator, health, self._clock(),
            instance=self._instance, incumbent=self._election.is_incumbent(_time()),
        )  # fmt: skip
        with contextlib.suppress(LinkLost, PublishRefused):  # it is said again when the link is up
            await self._inner.publish(topic, payload, retain=True)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._announcing.add(task)
        task.add_done_callback(self._announcing.discard)


def _channel(delivery: Delivery) -> Channel | None:
    try:
        return parse(delivery.topic).channel
    except MessageError:
        return None


def _time() -> float:
    return asyncio.get_running_loop().time()
