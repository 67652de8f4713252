"""A broker and links to it in virtual time, where every packet takes its way and much can happen to it.

It behaves as an MQTT 5 broker does towards `protocols.link.mqtt.MqttSession`: persistent sessions, shared
subscriptions, retained messages, last wills, flow control, acknowledgements; connections that are noticed to be dead by
their keep-alive only. Between client and broker packets keep their order (TCP), unless the seed reorders what is
delivered.
Messages are lost, repeated and damaged inside the broker, where TCP gives no protection.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import hashlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from protocols.errors import BrokerError, MessageError
from protocols.link.mqtt import Will
from protocols.link.transport import Delivery, Incoming, LinkDown, LinkLost, LinkUp
from protocols.wire.codec import decode
from protocols.wire.limits import MAX_PUBLISHES_IN_FLIGHT, RECEIVE_MAXIMUM
from protocols.wire.messages import CandidateFailure, CandidateResult, Control
from tests.simulation.world import Life, World
from tests.support.memory_bus import SHARE, matches

KEEPALIVE_S: Final = 15.0
CONNECT_TIMEOUT_S: Final = 10.0
FIRST_CONNECT_TIMEOUT_S: Final = 15.0
PUBLISH_TIMEOUT_S: Final = 10.0
RECONNECT_MIN_S: Final = 0.5
RECONNECT_MAX_S: Final = 30.0
"""The defaults of `protocols.link.broker_settings`."""

AFTER: Final = 1e-6
"""Pause between packets that would arrive at once: the loop would shuffle them [s]."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message inside the broker."""

    topic: str
    payload: bytes
    retain: bool = False

    @property
    def digest(self) -> str:
        """A short name for the trace."""
        return hashlib.sha256(self.topic.encode() + self.payload).hexdigest()[:8]


@dataclass(slots=True, eq=False)
class Session:
    """What the broker keeps of a client."""

    client_id: str
    filters: tuple[str, ...] = ()
    queue: deque[Letter] = field(default_factory=deque)
    unacknowledged: dict[int, Letter] = field(default_factory=dict)
    next_number: int = 1
    connection: Connection | None = None


class Pipe:
    """One direction of one connection."""

    def __init__(self, link: Link, direction: str) -> None:
        self._link = link
        self._direction = direction
        self._last = 0.0
        self.broken = False
        self.held: list[Callable[[], None]] = []

    def send(self, arrive: Callable[[], None], *, may_overtake: bool = False) -> None:
        """Let a packet arrive after its way; one that is clogged waits for the way to be free."""
        world = self._link.world
        at = world.loop.time() + world.rng.expovariate(1 / world.faults.latency_s)
        if may_overtake and world.strikes("reorder"):
            world.count("message reordered")
            at += world.rng.expovariate(1.0)
        else:
            at = self._last = max(at, self._last + AFTER)
        world.loop.call_at(at, self._arrive, arrive)

    def _arrive(self, arrive: Callable[[], None]) -> None:
        if self.broken:
            return
        if self._direction in self._link.clogged:
            self.held.append(arrive)
        else:
            arrive()

    def unclog(self) -> None:
        """Let go what was held, in order."""
        held, self.held = self.held, []
        for arrive in held:
            self.send(arrive)


class Connection:
    """One connection: two pipes, and what each end thinks of it."""

    def __init__(self, link: Link, will: Will | None) -> None:
        self.link = link
        self.will = will
        self.up = Pipe(link, "up")
        self.down = Pipe(link, "down")
        self.established = asyncio.Event()
        self.ended = asyncio.Event()
        self.reason = ""
        self.inbox: asyncio.Queue[Incoming] = asyncio.Queue()
        self.awaiting: dict[int, asyncio.Future[bool]] = {}
        self.session: Session | None = None

    def lose(self, reason: str) -> None:
        """End it as the client sees it."""
        if self.ended.is_set():
            return
        self.reason = reason
        self.down.broken = True
        self.ended.set()
        for answer in self.awaiting.values():
            if not answer.done():
                answer.cancel() if self.link.is_dead else answer.set_exception(LinkLost())


@dataclass(frozen=True, slots=True)
class _Receipt:
    connection: Connection
    number: int


class SimBroker:
    """The broker."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.sessions: dict[str, Session] = {}
        self.retained: dict[str, bytes] = {}
        self.is_up = True
        self.links: dict[str, Link] = {}
        self._turn: dict[str, int] = {}
        self._snapshot: tuple[dict[str, Session], dict[str, bytes]] = ({}, {})

    def connect(self, connection: Connection) -> None:
        """Take a client in; an older connection of the same client ends."""
        if not self.is_up:
            return
        link = connection.link
        present = link.client_id in self.sessions
        session = self.sessions.setdefault(link.client_id, Session(link.client_id))
        if session.connection is not None:
            self.lost(session.connection)
        session.connection, connection.session = connection, session
        session.filters = link.subscriptions
        session.queue.extendleft(reversed([session.unacknowledged[n] for n in sorted(session.unacknowledged)]))
        session.unacknowledged.clear()
        self.world.trace("connect", link.client_id, present)

        def welcome() -> None:
            connection.established.set()
            connection.inbox.put_nowait(LinkUp(present))

        connection.down.send(welcome)
        self.push(session)
        for each in session.filters:
            for topic, payload in list(self.retained.items()):
                if not each.startswith(SHARE) and matches(each, topic):
                    self.queue(session, Letter(topic, payload, retain=True))

    def lost(self, connection: Connection, *, will: bool = True) -> None:
        """End a connection as the broker sees it, and say the last will."""
        session = connection.session
        connection.up.broken = True
        if session is None or session.connection is not connection:
            return
        session.connection = None
        self.world.trace("lost", session.client_id, will)
        connection.down.send(lambda: connection.lose("the broker closed the connection"))
        if will and connection.will is not None and self.is_up:
            self.route(session.client_id, Letter(connection.will.topic, connection.will.payload, retain=True))

    def crash(self, memory: str) -> None:
        """End the broker; `memory` is kept, wiped, or stale: what it was at the last `remember`."""
        self.world.trace("broker crash", memory)
        self.is_up = False
        for session in self.sessions.values():
            if session.connection is not None:
                self.lost(session.connection)
        if memory == "wiped":
            self.sessions, self.retained = {}, {}
        elif memory == "stale":
            self.sessions, self.retained = self._snapshot
            self._snapshot = ({}, {})

    def remember(self) -> None:
        """Save what a crash may later bring back, as a broker does from time to time."""
        sessions = {}
        for name, each in self.sessions.items():
            kept = deque([*each.unacknowledged.values(), *each.queue])
            sessions[name] = Session(name, each.filters, kept)
        self._snapshot = (sessions, copy.copy(self.retained))

    def start(self) -> None:
        """Start it again."""
        self.world.trace("broker up")
        self.is_up = True

    def publish(self, connection: Connection, number: int, letter: Letter) -> None:
        """Take a message of a client and confirm it."""
        if connection.session is None or not self.is_up:
            return
        world = self.world
        if world.strikes("drop"):
            world.count("message dropped")
            taken = world.rng.random() < 0.5  # confirmed and lost, or lost without a word
            if not taken:
                return
        else:
            taken = self.route(connection.session.client_id, letter) or letter.retain or world.faults.forgetful
        if not world.strikes("drop"):
            connection.down.send(lambda: _confirm(connection, number, taken))

    def route(self, sender: str, letter: Letter) -> bool:
        """Retain, queue and deliver a message; return whether anybody gets it."""
        self.world.count("messages")
        self.world.trace("route", sender, letter.topic.removeprefix("entropilot/v1/"), letter.digest)
        if letter.retain:
            self.retained[letter.topic] = letter.payload
        live = Letter(letter.topic, letter.payload)
        groups: dict[str, list[Session]] = {}
        taken = False
        for session in list(self.sessions.values()):
            if any(not each.startswith(SHARE) and matches(each, letter.topic) for each in session.filters):
                self._deliver(session, live)
                taken = True
            for shared in session.filters:
                if shared.startswith(SHARE) and matches(shared.split("/", 2)[2], letter.topic):
                    groups.setdefault(shared, []).append(session)
        for shared, members in groups.items():
            ready = [member for member in members if member.connection is not None] or members
            self._turn[shared] = turn = self._turn.get(shared, 0) + 1
            self._deliver(ready[turn % len(ready)], live)
        return taken or bool(groups)

    def _deliver(self, session: Session, letter: Letter) -> None:
        """Queue a message for a client, unless it is lost; with what the link makes of it."""
        world = self.world
        if world.strikes("drop"):
            world.count("message dropped")
            return
        for fault in ("flip", "truncate"):
            if world.strikes(fault) and (damaged := _damaged(world, fault, letter)) is not None:
                world.count(f"message damaged: {fault}")
                self.queue(session, damaged)
                if world.rng.random() < 0.5:
                    return
        if world.strikes("duplicate"):
            world.count("message duplicated")
            world.loop.call_later(
                world.rng.expovariate(1 / world.rng.choice((0.1, 5.0, 60.0))), self._again, session, letter
            )
        delay = world.faults.wire.get("delay", 0.0)
        if delay and world.faulty and world.rng.random() < 0.3:
            world.count("message delayed")
            world.loop.call_later(world.rng.expovariate(1 / delay), self._again, session, letter)
        else:
            self.queue(session, letter)

    def _again(self, session: Session, letter: Letter) -> None:
        if self.sessions.get(session.client_id) is session:
            self.queue(session, letter)

    def queue(self, session: Session, letter: Letter) -> None:
        """Put a message into a client's queue."""
        session.queue.append(letter)
        self.push(session)

    def push(self, session: Session) -> None:
        """Send what the client may have unacknowledged."""
        connection = session.connection
        while connection is not None and session.queue and len(session.unacknowledged) < RECEIVE_MAXIMUM:
            letter, number = session.queue.popleft(), session.next_number
            session.next_number += 1
            session.unacknowledged[number] = letter
            delivery = Delivery(letter.topic, letter.payload, letter.retain, 1, _Receipt(connection, number))
            connection.down.send(lambda item=delivery: connection.inbox.put_nowait(item), may_overtake=True)  # type: ignore[misc]

    def acknowledge(self, connection: Connection, number: int) -> None:
        """Forget a message."""
        session = connection.session
        if session is not None and session.connection is connection:
            session.unacknowledged.pop(number, None)
            self.push(session)


class Link:
    """A client's link to the broker; implements `protocols.link.transport.Transport`."""

    def __init__(
        self, broker: SimBroker, life: Life, client_id: str, subscriptions: tuple[str, ...], will: Will | None
    ) -> None:
        self.world = broker.world
        self.client_id = client_id
        self.subscriptions = subscriptions
        before = broker.links.get(client_id)
        self.clogged: set[str] = set() if before is None else before.clogged
        self._broker = broker
        self._life = life
        self._will = will
        self._incoming: asyncio.Queue[Incoming] = asyncio.Queue(RECEIVE_MAXIMUM)
        self._connection: Connection | None = None
        self._opening: Connection | None = None
        self._closing = asyncio.Event()
        self._slots = asyncio.Semaphore(MAX_PUBLISHES_IN_FLIGHT)
        self._published = 0
        self._clogs = 0
        broker.links[client_id] = self
        life.at_death.append(self._die)

    async def run(self) -> None:
        """Keep connected; see `Transport.run`."""
        world, started, ever, failures = self.world, self.world.loop.time(), False, 0
        while not self._closing.is_set():
            connection = self._opening = Connection(self, self._will)
            connection.up.send(lambda c=connection: self._broker.connect(c))  # type: ignore[misc]
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CONNECT_TIMEOUT_S if self._broker.is_up else 0.1):
                    await _first(connection.established.wait(), connection.ended.wait(), self._closing.wait())
            if connection.established.is_set() and not connection.ended.is_set():
                ever, failures, self._connection = True, 0, connection
                await _first(self._pump(connection), connection.ended.wait(), self._closing.wait())
                self._connection = None
            if self._closing.is_set():
                return
            connection.lose("not established")
            self._broker.lost(connection)
            if not ever and world.loop.time() - started > FIRST_CONNECT_TIMEOUT_S:
                raise BrokerError("No MQTT broker answers")
            await self._incoming.put(LinkDown(connection.reason))
            failures += 1
            ceiling = min(RECONNECT_MAX_S, RECONNECT_MIN_S * 2.0 ** min(failures - 1, 16))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), world.rng.uniform(RECONNECT_MIN_S / 2, ceiling))

    async def receive(self) -> Incoming:
        """Return the next message or change of the link."""
        return await self._incoming.get()

    def acknowledge(self, delivery: Delivery) -> None:
        """Tell the broker to forget a message, over the connection that delivered it."""
        self._life.point("acknowledge", "before an acknowledgement")
        receipt = delivery.receipt
        assert isinstance(receipt, _Receipt)
        if receipt.connection is self._connection:
            self._note(delivery)
            connection = receipt.connection
            connection.up.send(lambda: self._broker.acknowledge(connection, receipt.number))
            self._life.point("acknowledge", "after an acknowledgement")

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Send with QoS 1 and wait for the broker's word."""
        self._life.point("publish", "before a publish")
        async with self._slots:
            connection = self._connection
            if connection is None:
                raise LinkLost
            self._life.require()
            self._published += 1
            number, letter = self._published, Letter(topic, payload, retain)
            answer = connection.awaiting[number] = self.world.loop.create_future()
            connection.up.send(lambda: self._broker.publish(connection, number, letter))
            try:
                self._life.point("publish", "in the middle of a publish")
                async with asyncio.timeout(PUBLISH_TIMEOUT_S):
                    taken = await answer
            except TimeoutError:
                raise LinkLost from None
            finally:
                connection.awaiting.pop(number, None)
        self._life.point("publish", "after a publish")
        if not taken:
            raise LinkLost

    async def close(self) -> None:
        """Disconnect in order: no last will."""
        self._life.require()
        self._closing.set()
        if self._connection is not None:
            connection = self._connection
            connection.up.send(lambda: self._broker.lost(connection, will=False))

    @property
    def is_dead(self) -> bool:
        """Whether its process is dead: nobody awaits anything any more."""
        return not self._life.alive

    def cut(self) -> None:
        """Cut the connection: both ends notice at once."""
        for connection in (self._connection, self._opening):
            if connection is not None:
                self._broker.lost(connection)
                connection.lose("the link was cut")

    def clog(self, *directions: str) -> None:
        """Let nothing pass any more; who expects to hear something notices by his keep-alive."""
        self.clogged |= set(directions)
        self._clogs += 1
        loop, rng = self.world.loop, self.world.rng
        connection = self._connection
        if connection is not None:  # no answer to a ping comes back, whichever direction is blocked
            loop.call_later(rng.uniform(1, 2) * KEEPALIVE_S, self._miss_client, connection, self._clogs)
            if "up" in self.clogged:
                loop.call_later(1.5 * KEEPALIVE_S, self._miss_broker, connection, self._clogs)

    def unclog(self, *directions: str) -> None:
        """Let everything pass again."""
        self.clogged -= set(directions)
        self._clogs += 1
        for connection in (self._connection, self._opening):
            if connection is not None:
                for direction in directions:
                    (connection.up if direction == "up" else connection.down).unclog()

    def _miss_client(self, connection: Connection, clogs: int) -> None:
        if clogs == self._clogs and self._life.alive:
            self.world.count("dead link noticed by the client")
            connection.lose("keep-alive")

    def _miss_broker(self, connection: Connection, clogs: int) -> None:
        if clogs == self._clogs:
            self.world.count("dead link noticed by the broker")
            self._broker.lost(connection)

    def _die(self) -> None:
        """The process is dead: its socket is closed, or the machine is gone and nobody says so."""
        for connection in (self._connection, self._opening):
            if connection is None:
                continue
            connection.down.broken = True
            if self.world.rng.random() < 0.7:
                connection.up.send(lambda c=connection: self._broker.lost(c))  # type: ignore[misc]
            else:
                self.world.loop.call_later(1.5 * KEEPALIVE_S, self._broker.lost, connection)

    def _note(self, delivery: Delivery) -> None:
        """Write down what the agent tells the broker to forget."""
        if not self.client_id.endswith("agent") or (delivery.topic, delivery.payload) in self.world.bad:
            return
        digest = hashlib.sha256(delivery.payload).hexdigest()
        try:
            message = decode(delivery.topic, delivery.payload)
        except MessageError:
            return
        if isinstance(message, CandidateResult | CandidateFailure):
            kind, which = ("result" if isinstance(message, CandidateResult) else "failure"), message.attempt_id
        elif isinstance(message, Control):
            kind, which = "control", message.message_id
        else:
            return
        ledger, witnessed = self.world.broker_ledger, self.world.witnessed
        ledger.life = witnessed[-1][0] if witnessed else 0
        ledger.note("acknowledged", which, digest=digest, status=kind)

    async def _pump(self, connection: Connection) -> None:
        while True:
            await self._incoming.put(await connection.inbox.get())
            self.world.gauge("link", self._incoming.qsize(), RECEIVE_MAXIMUM)


def _confirm(connection: Connection, number: int, taken: bool) -> None:
    answer = connection.awaiting.get(number)
    if answer is not None and not answer.done():
        answer.set_result(taken)


def _damaged(world: World, fault: str, letter: Letter) -> Letter | None:
    """Damage a message; None when the damage would make another valid message, which a checksum would have caught."""
    payload = bytearray(letter.payload)
    if fault == "truncate" or not payload:
        payload = payload[: world.rng.randrange(len(payload) + 1)]
    else:
        for _ in range(world.rng.randint(1, 3)):
            payload[world.rng.randrange(len(payload))] ^= 1 << world.rng.randrange(8)
    damaged = Letter(letter.topic, bytes(payload))
    try:
        decode(damaged.topic, damaged.payload)
    except MessageError:
        world.bad.add((damaged.topic, damaged.payload))
        return damaged
    return None


async def _first(*works: object) -> None:
    """Wait until one of the coroutines ends, and cancel the others."""
    tasks = [asyncio.ensure_future(work) for work in works]  # type: ignore[call-overload]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
