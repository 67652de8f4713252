"""A client's link to a broker in memory: the loop that connects, pumps and connects again, and what is awaited.

The synchronous broker decides what follows from a packet; here is only who waits for what. `MqttSession` is the model:
one connection at a time, a publish returns with the broker's word, an acknowledgement goes the way its delivery came.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Final

from protocols.errors import BrokerError, invariant
from protocols.link.memory.broker import MemoryBroker
from protocols.link.memory.connection import AckToken, Confirmation, Connection, Wire
from protocols.link.memory.policy import Message
from protocols.link.transport import (
    Delivery,
    Incoming,
    LastWill,
    LinkDown,
    LinkLost,
    NobodyListens,
    NotSent,
    PublishRefused,
    will_of,
)
from protocols.wire.limits import MAX_PUBLISHES_IN_FLIGHT, RECEIVE_MAXIMUM

PUBLISH_TIMEOUT_S: Final = 10.0
"""How long a publish waits for the broker's word, as over a network: a policy may give none."""


class MemoryTransport:
    """A client's link; implements `protocols.link.transport.Transport`.

    Args:
        broker: In this process.
        client_id: Fixed, so that the broker knows us again.
        subscriptions: Topic filters.
        will: The last will, retained; or what makes it for each connection.
        password: What the broker asks for.
    """

    def __init__(
        self,
        broker: MemoryBroker,
        client_id: str,
        subscriptions: tuple[str, ...] = (),
        *,
        will: LastWill | None = None,
        password: str | None = None,
    ) -> None:
        self.client_id = client_id
        self._broker = broker
        self._subscriptions = subscriptions
        self._will = will
        self._password = password
        self._incoming: asyncio.Queue[Incoming] = asyncio.Queue(RECEIVE_MAXIMUM)
        self._opening: Connection | None = None
        self._connection: Connection | None = None
        self._closing = asyncio.Event()
        self._slots = asyncio.Semaphore(MAX_PUBLISHES_IN_FLIGHT)
        self._published = 0
        self._ever_connected = False

    @property
    def held(self) -> int:
        """How many messages and link changes wait in memory to be received."""
        waiting = 0 if self._connection is None else self._connection.inbox.qsize()
        return self._incoming.qsize() + waiting

    async def run(self) -> None:
        """Keep connected; see `Transport.run`. A broker that does not run at the first try counts as nobody there."""
        while not self._closing.is_set():
            connection = self._opening = self._open()
            try:
                await self._until_established(connection)
                if connection.is_open:
                    self._ever_connected, self._connection = True, connection
                    await first_of(self._pump(connection), connection.ended.wait(), self._closing.wait())
                    self._connection = None
            except asyncio.CancelledError:
                self._abandon(connection)
                raise
            if self._closing.is_set():
                return
            connection.lose("not established")
            self._broker.disconnect(connection)
            self._require_hope(connection)
            await self._incoming.put(LinkDown(connection.reason))
            await self._before_retry()

    async def receive(self) -> Incoming:
        """Return the next message or change of the link."""
        return await self._incoming.get()

    def acknowledge(self, delivery: Delivery) -> None:
        """Acknowledge over the connection that delivered; ignored over a later one."""
        token = delivery.ack_token
        invariant(isinstance(token, AckToken), "a delivery of another transport")
        assert isinstance(token, AckToken)  # noqa: S101 - for the type checker
        connection, number = token.connection, token.number
        if connection is self._connection:
            connection.wire.up(lambda: self._broker.acknowledge(connection, number))

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Send and wait for the broker's word; other tasks run before this returns, as they do over a network."""
        async with self._slots:
            connection = self._usable()
            if connection is None:
                raise NotSent
            word = await self._word_on(connection, Message(topic, payload, retain))
        self._judge(topic, word)

    async def close(self) -> None:
        """Disconnect in order: no last will."""
        self._closing.set()
        connection = self._usable()
        if connection is not None:
            self._leave(connection)

    def _open(self) -> Connection:
        """Ask for a connection."""
        connection = Connection(self.client_id, self._subscriptions, will_of(self._will), self._password, self._wire())
        connection.wire.up(lambda: self._broker.connect(connection))
        return connection

    def _wire(self) -> Wire:
        """Make the way of a new connection."""
        return Wire()

    async def _until_established(self, connection: Connection) -> None:
        """Wait for the broker's welcome or refusal; one that does not run gives neither."""
        if self._broker.is_up:
            await first_of(connection.established.wait(), connection.ended.wait(), self._closing.wait())

    async def _before_retry(self) -> None:
        """Wait until trying again may help."""
        await first_of(self._broker.up.wait(), self._closing.wait())

    def _require_hope(self, connection: Connection) -> None:
        """Raise when trying again cannot help."""
        if connection.is_final:
            raise BrokerError(
                f"The broker in memory ended the link: {connection.reason}",
                expected="its password, and one client of this name",
                action="check both where the transport is made",
            )
        if not self._ever_connected:
            raise BrokerError("No broker runs in memory", expected="one that was started", action="start it first")

    def _usable(self) -> Connection | None:
        """Return the connection that we may use: from the broker's welcome on, before the loop has seen it."""
        connection = self._opening
        return connection if connection is not None and connection.is_open else None

    async def _word_on(self, connection: Connection, message: Message) -> Confirmation:
        """Send a message and return the broker's word on it."""
        self._published += 1
        number = self._published
        answer = connection.awaiting[number] = asyncio.get_running_loop().create_future()
        try:
            self._send(connection, number, message)
            word = await self._answered(connection, answer)
        finally:
            connection.awaiting.pop(number, None)
        return word

    def _send(self, connection: Connection, number: int, message: Message) -> None:
        connection.wire.up(lambda: self._broker.publish(connection, number, message))

    async def _answered(self, connection: Connection, answer: asyncio.Future[Confirmation]) -> Confirmation:
        """Wait for an answer; other tasks run meanwhile, and may end the connection."""
        if answer.done():
            await asyncio.sleep(0)
            return Confirmation.LOST if connection.ended.is_set() else answer.result()
        try:
            async with asyncio.timeout(PUBLISH_TIMEOUT_S):
                return await answer
        except TimeoutError:
            return Confirmation.LOST

    def _judge(self, topic: str, word: Confirmation) -> None:
        """Raise what a publisher must know."""
        match word:
            case Confirmation.REFUSED:
                raise PublishRefused(topic, "not authorised")
            case Confirmation.NOBODY_LISTENS:
                raise NobodyListens
            case Confirmation.LOST:
                raise LinkLost

    def _leave(self, connection: Connection) -> None:
        connection.wire.up(lambda: self._broker.disconnect(connection, "closed", will=False))

    def _abandon(self, connection: Connection) -> None:
        """Leave in order although nobody closed us: whoever ran us was cancelled."""
        self._leave(connection)

    async def _pump(self, connection: Connection) -> None:
        while True:
            await self._incoming.put(await connection.inbox.get())


async def first_of(*works: Awaitable[object]) -> None:
    """Wait until one of the works ends, and cancel the others."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
