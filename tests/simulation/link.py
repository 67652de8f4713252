"""Links to the broker in virtual time, where every packet takes its way and much can happen to it.

A link behaves as `protocols.link.mqtt.MqttSession` does: it backs off, gives up a publish that has no answer, and
notices a dead connection by its keep-alive only. Between client and broker packets keep their order (TCP), unless the
seed reorders what is delivered. Its process may die at every send.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from typing import TYPE_CHECKING, Final

from protocols.errors import BrokerError, MessageError
from protocols.link.memory.connection import AckToken, Confirmation, Connection, Packet, Wire
from protocols.link.memory.policy import Message
from protocols.link.memory.transport import MemoryTransport, first_of
from protocols.link.transport import Delivery, Incoming, LastWill
from protocols.wire.codec import decode
from protocols.wire.limits import RECEIVE_MAXIMUM
from protocols.wire.messages import CandidateFailure, CandidateResult, Control, ControlReceipt
from tests.simulation.world import Life

if TYPE_CHECKING:
    from tests.simulation.broker import SimBroker

KEEPALIVE_S: Final = 15.0
CONNECT_TIMEOUT_S: Final = 10.0
FIRST_CONNECT_TIMEOUT_S: Final = 15.0
RECONNECT_MIN_S: Final = 0.5
RECONNECT_MAX_S: Final = 30.0
"""The defaults of `protocols.link.broker_settings`."""

AFTER: Final = 1e-6
"""Pause between packets that would arrive at once: the loop would shuffle them [s]."""


class Pipe:
    """One direction of one connection."""

    def __init__(self, link: Link, direction: str) -> None:
        self._link = link
        self._direction = direction
        self._last = 0.0
        self.broken = False
        self.held: list[Packet] = []

    def send(self, packet: Packet, *, may_overtake: bool = False) -> None:
        """Let a packet arrive after its way; one that is clogged waits for the way to be free."""
        world = self._link.world
        at = world.loop.time() + world.rng.expovariate(1 / world.faults.latency_s)
        if may_overtake and world.strikes("reorder"):
            world.count("message reordered")
            at += world.rng.expovariate(1.0)
        else:
            at = self._last = max(at, self._last + AFTER)
        world.loop.call_at(at, self._arrive, packet)

    def _arrive(self, packet: Packet) -> None:
        if self.broken:
            return
        if self._direction in self._link.clogged:
            self.held.append(packet)
        else:
            packet()

    def unclog(self) -> None:
        """Let go what was held, in order."""
        held, self.held = self.held, []
        for packet in held:
            self.send(packet)


class SlowWire(Wire):
    """Two pipes."""

    def __init__(self, link: Link) -> None:
        self.pipes = {"up": Pipe(link, "up"), "down": Pipe(link, "down")}

    def up(self, packet: Packet) -> None:
        self.pipes["up"].send(packet)

    def down(self, packet: Packet, *, may_overtake: bool = False) -> None:
        self.pipes["down"].send(packet, may_overtake=may_overtake)

    def break_up(self) -> None:
        self.pipes["up"].broken = True

    def break_down(self) -> None:
        self.pipes["down"].broken = True


class Link(MemoryTransport):
    """A client's link."""

    def __init__(
        self, broker: SimBroker, life: Life, client_id: str, subscriptions: tuple[str, ...], will: LastWill | None
    ) -> None:
        super().__init__(broker, client_id, subscriptions, will=will)
        self.world = broker.world
        before = broker.links.get(client_id)
        self.clogged: set[str] = set() if before is None else before.clogged
        self._life = life
        self._clogs = 0
        self._failures = 0
        self._started: float | None = None
        broker.links[client_id] = self
        life.at_death.append(self._die)

    async def receive(self) -> Incoming:
        """Return the next item; of a message that must change nothing, its delivery is remembered."""
        item = await super().receive()
        if isinstance(item, Delivery) and (item.topic, item.payload) in self.world.bad:
            self.world.bad_tokens.add(item.ack_token)
        return item

    def acknowledge(self, delivery: Delivery) -> None:
        """Tell the broker to forget a message, over the connection that delivered it."""
        self._life.point("acknowledge", "before an acknowledgement")
        token = delivery.ack_token
        assert isinstance(token, AckToken)
        if token.connection is self._connection:
            self._note(delivery)
            super().acknowledge(delivery)
            self._life.point("acknowledge", "after an acknowledgement")

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Send with QoS 1 and wait for the broker's word."""
        self._life.point("publish", "before a publish")
        self._note_told(topic, payload)
        await super().publish(topic, payload, retain=retain)

    async def close(self) -> None:
        """Disconnect in order: no last will."""
        self._life.require()
        await super().close()

    def cut(self) -> None:
        """Cut the connection: both ends notice at once."""
        for connection in (self._connection, self._opening):
            if connection is not None:
                self._broker.disconnect(connection)
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
                assert isinstance(connection.wire, SlowWire)
                for direction in directions:
                    connection.wire.pipes[direction].unclog()

    def _wire(self) -> Wire:
        return SlowWire(self)

    async def _until_established(self, connection: Connection) -> None:
        if self._started is None:
            self._started = self.world.loop.time()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CONNECT_TIMEOUT_S if self._broker.is_up else 0.1):
                await first_of(connection.established.wait(), connection.ended.wait(), self._closing.wait())
        if connection.is_open:
            self._failures = 0

    async def _before_retry(self) -> None:
        self._failures += 1
        ceiling = min(RECONNECT_MAX_S, RECONNECT_MIN_S * 2.0 ** min(self._failures - 1, 16))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), self.world.rng.uniform(RECONNECT_MIN_S / 2, ceiling))

    def _require_hope(self, connection: Connection) -> None:
        assert self._started is not None
        if not self._ever_connected and self.world.loop.time() - self._started > FIRST_CONNECT_TIMEOUT_S:
            raise BrokerError("No MQTT broker answers")

    def _usable(self) -> Connection | None:
        """Return the connection, dead or not: over a network nobody knows."""
        return self._connection

    def _send(self, connection: Connection, number: int, message: Message) -> None:
        self._life.require()
        super()._send(connection, number, message)
        self._life.point("publish", "in the middle of a publish")

    def _judge(self, topic: str, word: Confirmation) -> None:
        if word is not Confirmation.LOST:
            self._life.point("publish", "after a publish")
        super()._judge(topic, word)

    def _abandon(self, connection: Connection) -> None:
        """Say nothing: the dead do not take leave."""

    async def _pump(self, connection: Connection) -> None:
        while True:
            await self._incoming.put(await connection.inbox.get())
            self.world.gauge("link", self._incoming.qsize(), RECEIVE_MAXIMUM)

    def _miss_client(self, connection: Connection, clogs: int) -> None:
        if clogs == self._clogs and self._life.alive:
            self.world.count("dead link noticed by the client")
            connection.lose("keep-alive")

    def _miss_broker(self, connection: Connection, clogs: int) -> None:
        if clogs == self._clogs:
            self.world.count("dead link noticed by the broker")
            self._broker.disconnect(connection)

    def _die(self) -> None:
        """The process is dead: its socket is closed, or the machine is gone and nobody says so."""
        for connection in (self._connection, self._opening):
            if connection is None:
                continue
            connection.wire.break_down()
            if self.world.rng.random() < 0.7:
                connection.wire.up(lambda c=connection: self._broker.disconnect(c))  # type: ignore[misc]
            else:
                self.world.loop.call_later(1.5 * KEEPALIVE_S, self._broker.disconnect, connection)

    def _note_told(self, topic: str, payload: bytes) -> None:
        """Write down which row an operator is told that a control has made."""
        if b'"type":"control_receipt"' not in payload:
            return
        receipt = decode(topic, payload)
        if isinstance(receipt, ControlReceipt) and receipt.row is not None and receipt.answers is not None:
            self.world.broker_ledger.life = receipt.row
            self.world.broker_ledger.note("told", receipt.answers, status=receipt.status.value)

    def _note(self, delivery: Delivery) -> None:
        """Write down what the agent tells the broker to forget."""
        if not self.client_id.endswith("agent") or self.world.is_bad(delivery):
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
