"""A broker in memory and the transport to it: a `Transport` as `protocols.link` promises it, without time or sockets.

The bus routes as an MQTT 5 broker does: topic filters, retained messages, last wills, shared subscriptions, persistent
sessions with redelivery, and a bound of unacknowledged messages. Everything happens in the order of the calls, so the
same calls give the same deliveries. `tests/contract/test_transport.py` holds it to what the real brokers do.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from protocols.errors import BrokerError, invariant
from protocols.link.mqtt import Will
from protocols.link.transport import Delivery, Incoming, LinkDown, LinkLost, LinkUp, NobodyListens, PublishRefused
from protocols.wire.limits import RECEIVE_MAXIMUM

SHARE = "$share/"


def matches(topic_filter: str, topic: str) -> bool:
    """Tell whether a filter takes a topic: `+` is one level, `#` the rest, and neither starts with a `$`."""
    wanted, levels = topic_filter.split("/"), topic.split("/")
    if topic.startswith("$") and wanted[0] in {"+", "#"}:
        return False
    for place, level in enumerate(wanted):
        if level == "#":
            return True
        if place >= len(levels) or level not in {"+", levels[place]}:
            return False
    return len(wanted) == len(levels)


@dataclass(frozen=True, slots=True)
class Letter:
    """A message inside the bus."""

    topic: str
    payload: bytes
    retain: bool = False


@dataclass(frozen=True, slots=True)
class _Receipt:
    connection: Connection
    number: int


@dataclass(slots=True, eq=False)
class Connection:
    """One connection of a client; a later one has another inbox and other receipts."""

    will: Will | None
    incoming: asyncio.Queue[Incoming] = field(default_factory=asyncio.Queue)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    reason: str = ""
    fatal: bool = False


@dataclass(slots=True, eq=False)
class Session:
    """What the bus keeps of a client while it is away."""

    client_id: str
    filters: tuple[str, ...] = ()
    queue: deque[Letter] = field(default_factory=deque)
    unacknowledged: dict[int, Letter] = field(default_factory=dict)
    next_number: int = 1
    connection: Connection | None = None


class MemoryBus:
    """The broker.

    Args:
        password: What a client must bring; None lets everybody in.
        may_publish: The access list: client id and topic -> allowed.
        receive_maximum: How many messages a client may have unacknowledged.
    """

    def __init__(
        self,
        *,
        password: str | None = None,
        may_publish: Callable[[str, str], bool] = lambda _client_id, _topic: True,
        receive_maximum: int = RECEIVE_MAXIMUM,
    ) -> None:
        self.log: list[tuple[str, Letter]] = []
        self.retained: dict[str, bytes] = {}
        self.sessions: dict[str, Session] = {}
        self.is_up = asyncio.Event()
        self.is_up.set()
        self._password = password
        self._may_publish = may_publish
        self._receive_maximum = receive_maximum
        self._turn: dict[str, int] = {}

    def transport(
        self,
        client_id: str,
        subscriptions: tuple[str, ...] = (),
        *,
        will: Will | None = None,
        password: str | None = None,
    ) -> MemoryTransport:
        """Make a client's link; it connects when it runs."""
        return MemoryTransport(self, client_id, subscriptions, will, password)

    def cut(self, client_id: str) -> None:
        """End a client's connection without a word, as a pulled cable does; the bus sends its last will."""
        self._end(self.sessions[client_id], "the link was cut")

    def stop(self, *, forget: bool) -> None:
        """End the bus; with `forget`, everything that it kept is lost."""
        self.is_up.clear()
        for session in self.sessions.values():
            self._end(session, "the broker ended", will=False)
        if forget:
            self.sessions.clear()
            self.retained.clear()

    def start(self) -> None:
        """Start the bus again."""
        self.is_up.set()

    def route(self, sender: str, letter: Letter) -> bool:
        """Retain, queue and deliver a message; return whether anybody gets it."""
        self.log.append((sender, letter))
        if letter.retain and letter.payload:
            self.retained[letter.topic] = letter.payload
        elif letter.retain:
            self.retained.pop(letter.topic, None)
        live = Letter(letter.topic, letter.payload)
        groups: dict[str, list[Session]] = {}
        taken = False
        for session in list(self.sessions.values()):
            if any(not each.startswith(SHARE) and matches(each, letter.topic) for each in session.filters):
                self._queue(session, live)
                taken = True
            for shared in session.filters:
                if shared.startswith(SHARE) and matches(_plain(shared), letter.topic):
                    groups.setdefault(shared, []).append(session)
        for shared, members in groups.items():
            ready = [member for member in members if member.connection is not None] or members
            turn = self._turn.get(shared, 0)
            self._turn[shared] = turn + 1
            self._queue(ready[turn % len(ready)], live)
        return taken or bool(groups)

    def connect(
        self, client_id: str, filters: tuple[str, ...], will: Will | None, password: str | None
    ) -> tuple[Session, Connection]:
        """Open a connection, taking over an earlier one of the same id.

        Raises:
            BrokerError: When the password is wrong.
        """
        if self._password is not None and password != self._password:
            raise BrokerError("The bus refuses us: bad user name or password", expected="its password")
        present = client_id in self.sessions
        session = self.sessions.setdefault(client_id, Session(client_id))
        if session.connection is not None:
            session.connection.fatal = True
            self._end(session, f"another client took the id {client_id!r}")
        connection = session.connection = Connection(will)
        connection.incoming.put_nowait(LinkUp(present))
        again = [session.unacknowledged[number] for number in sorted(session.unacknowledged)]
        session.unacknowledged.clear()
        session.queue.extendleft(reversed(again))
        session.filters = filters
        self._push(session)
        for each in filters:
            for topic, payload in self.retained.items():
                if not each.startswith(SHARE) and matches(each, topic):
                    self._queue(session, Letter(topic, payload, retain=True))
        return session, connection

    def leave(self, session: Session, connection: Connection) -> None:
        """End a connection in order: the last will is not sent."""
        if session.connection is connection:
            self._end(session, "closed", will=False)

    def acknowledge(self, session: Session, number: int) -> None:
        """Forget a message that the client has taken."""
        session.unacknowledged.pop(number, None)
        self._push(session)

    def allows(self, client_id: str, topic: str) -> bool:
        """Whether the access list lets a client publish there."""
        return self._may_publish(client_id, topic)

    def _queue(self, session: Session, letter: Letter) -> None:
        session.queue.append(letter)
        self._push(session)

    def _push(self, session: Session) -> None:
        connection = session.connection
        while connection is not None and session.queue and len(session.unacknowledged) < self._receive_maximum:
            letter, number = session.queue.popleft(), session.next_number
            session.next_number += 1
            session.unacknowledged[number] = letter
            receipt = _Receipt(connection, number)
            connection.incoming.put_nowait(Delivery(letter.topic, letter.payload, letter.retain, 1, receipt))

    def _end(self, session: Session, reason: str, *, will: bool = True) -> None:
        connection, session.connection = session.connection, None
        if connection is None:
            return
        connection.reason = reason
        connection.ended.set()
        if will and connection.will is not None:
            self.route(session.client_id, Letter(connection.will.topic, connection.will.payload, retain=True))


class MemoryTransport:
    """A client's link to the bus; a `protocols.link.transport.Transport`. Make it with `MemoryBus.transport`."""

    def __init__(
        self, bus: MemoryBus, client_id: str, subscriptions: tuple[str, ...], will: Will | None, password: str | None
    ) -> None:
        self._bus = bus
        self._client_id = client_id
        self._subscriptions = subscriptions
        self._will = will
        self._password = password
        self._incoming: asyncio.Queue[Incoming] = asyncio.Queue(RECEIVE_MAXIMUM)
        self._session: Session | None = None
        self._connection: Connection | None = None
        self._closing = asyncio.Event()

    @property
    def held(self) -> int:
        """How many messages and link changes wait in memory to be received."""
        waiting = 0 if self._connection is None else self._connection.incoming.qsize()
        return self._incoming.qsize() + waiting

    async def run(self) -> None:
        """Keep connected; see `Transport.run`. A bus that is not up at the first try counts as nobody there."""
        if not self._bus.is_up.is_set():
            raise BrokerError("No bus answers", expected="a bus that is up", action="start it")
        while not self._closing.is_set():
            await _first(self._bus.is_up.wait(), self._closing.wait())
            if self._closing.is_set():
                return
            session, connection = self._bus.connect(self._client_id, self._subscriptions, self._will, self._password)
            self._session, self._connection = session, connection
            try:
                await _first(self._pump(connection), connection.ended.wait(), self._closing.wait())
            finally:
                self._connection = None
                self._bus.leave(session, connection)
            if connection.fatal:
                raise BrokerError(f"The bus ended the link: {connection.reason}", expected="one client of this name")
            if not self._closing.is_set():
                await self._incoming.put(LinkDown(connection.reason))

    async def receive(self) -> Incoming:
        """Return the next message or change of the link."""
        return await self._incoming.get()

    def acknowledge(self, delivery: Delivery) -> None:
        """Acknowledge over the connection that delivered; ignored over a later one."""
        receipt = delivery.receipt
        invariant(isinstance(receipt, _Receipt), "a delivery of another transport")
        assert isinstance(receipt, _Receipt)
        if self._session is not None and receipt.connection is self._session.connection:
            self._bus.acknowledge(self._session, receipt.number)

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Hand a message to the bus; other tasks run before this returns, as they do over a network."""
        connection = self._connection
        if connection is None or connection.ended.is_set():
            raise LinkLost
        if not self._bus.allows(self._client_id, topic):
            raise PublishRefused(topic, "not authorised")
        taken = self._bus.route(self._client_id, Letter(topic, payload, retain))
        await asyncio.sleep(0)
        if connection.ended.is_set():
            raise LinkLost  # it was routed and the sender cannot know
        if not (taken or retain):
            raise NobodyListens

    async def close(self) -> None:
        """Say goodbye: no last will."""
        self._closing.set()
        if self._session is not None and self._connection is not None:
            self._bus.leave(self._session, self._connection)

    async def _pump(self, connection: Connection) -> None:
        while True:
            await self._incoming.put(await connection.incoming.get())


async def _first(*works: object) -> None:
    """Wait until one of the coroutines ends, and cancel the others."""
    tasks = [asyncio.ensure_future(work) for work in works]  # type: ignore[call-overload]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _plain(shared: str) -> str:
    return shared.split("/", 2)[2]
