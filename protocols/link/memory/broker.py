"""A broker in memory: routes as an MQTT 5 broker does, in the order of the calls, so the same calls give the same.

Topic filters, retained messages, last wills, shared subscriptions, persistent sessions with redelivery, a bound of
unacknowledged messages and one of queued ones. `tests/contract/test_transport.py` holds it to what real brokers do.
Nothing here awaits or takes time; `protocols.link.memory.policy` says what else may happen to a message.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from protocols.link.memory.connection import AckToken, Confirmation, Connection
from protocols.link.memory.policy import BrokerPolicy, Message
from protocols.link.transport import Delivery
from protocols.wire.limits import RECEIVE_MAXIMUM

SHARE: Final = "$share/"

MAX_QUEUED_MESSAGES: Final = 10_000
"""Messages that wait for one client, as with our Mosquitto; what comes on top is lost, and its sender repeats it."""


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


@dataclass(slots=True, eq=False)
class Session:
    """What the broker keeps of a client while it is away."""

    client_id: str
    filters: tuple[str, ...] = ()
    queue: deque[Message] = field(default_factory=deque)
    unacknowledged: dict[int, Message] = field(default_factory=dict)
    next_number: int = 1
    connection: Connection | None = None

    def subscribes(self, topic: str) -> bool:
        """Tell whether it gets every message of a topic."""
        return any(not each.startswith(SHARE) and matches(each, topic) for each in self.filters)

    def shares(self, topic: str) -> list[str]:
        """Return the shared subscriptions of which it is a member and that take a topic."""
        return [each for each in self.filters if each.startswith(SHARE) and matches(each.split("/", 2)[2], topic)]

    def requeue(self) -> None:
        """Put what was not acknowledged before everything else, in order."""
        again = [replace(self.unacknowledged[number], again=True) for number in sorted(self.unacknowledged)]
        self.queue.extendleft(reversed(again))
        self.unacknowledged.clear()


class MemoryBroker:
    """The broker.

    Args:
        password: What a client must bring; None lets everybody in.
        may_publish: The access list: client id and topic -> allowed.
        receive_maximum: How many messages a client may have unacknowledged.
        policy: What else happens to messages.
    """

    def __init__(
        self,
        *,
        password: str | None = None,
        may_publish: Callable[[str, str], bool] = lambda _client_id, _topic: True,
        receive_maximum: int = RECEIVE_MAXIMUM,
        policy: BrokerPolicy | None = None,
    ) -> None:
        self.sessions: dict[str, Session] = {}
        self.retained: dict[str, bytes] = {}
        self.up = asyncio.Event()
        """Set while it runs, as from the beginning."""
        self.up.set()
        self._password = password
        self._may_publish = may_publish
        self._receive_maximum = receive_maximum
        self._policy = policy or BrokerPolicy()
        self._turn: dict[str, int] = {}

    @property
    def is_up(self) -> bool:
        """Whether it runs."""
        return self.up.is_set()

    def start(self) -> None:
        """Start it again."""
        self.up.set()

    def stop(self, *, forget: bool) -> None:
        """End it, and every connection without a last will; with `forget`, everything that it kept is lost."""
        self.up.clear()
        for session in self.sessions.values():
            if session.connection is not None:
                self.disconnect(session.connection, "the broker ended")
        if forget:
            self.sessions, self.retained = {}, {}

    def cut(self, client_id: str) -> None:
        """End a client's connection without a word, as a pulled cable does; its last will is sent."""
        connection = self.sessions[client_id].connection
        if connection is not None:
            self.disconnect(connection, "the link was cut")

    def connect(self, connection: Connection) -> None:
        """Take a client in; an earlier connection of the same id ends for good."""
        if not self.is_up:
            return
        if self._password not in {None, connection.password}:
            connection.hang_up("the broker refuses us: bad user name or password", final=True)
            return
        client_id = connection.client_id
        present = client_id in self.sessions
        session = self.sessions.setdefault(client_id, Session(client_id))
        if session.connection is not None:
            self.disconnect(session.connection, f"another client took the id {client_id!r}", final=True)
        session.connection, connection.session = connection, session
        session.filters = connection.filters
        session.requeue()
        self._policy.connected(client_id, session_present=present)
        connection.welcome(session_present=present)
        self._push(session)
        for each in session.filters:
            for topic, payload in list(self.retained.items()):
                if not each.startswith(SHARE) and matches(each, topic):
                    self.queue(session, Message(topic, payload, retain=True))

    def disconnect(
        self,
        connection: Connection,
        reason: str = "the broker closed the connection",
        *,
        will: bool = True,
        final: bool = False,
    ) -> None:
        """End a connection as the broker sees it, and say the last will."""
        session = connection.session
        if session is None or session.connection is not connection:
            connection.wire.break_up()
            return
        session.connection = None
        self._policy.disconnected(session.client_id, will=will)
        connection.hang_up(reason, final=final)
        if will and connection.will is not None and self.is_up:
            said = connection.will
            self.route(session.client_id, Message(said.topic, said.without_properties, retain=True))

    def publish(self, connection: Connection, number: int, message: Message) -> None:
        """Take a message of a client and confirm it."""
        session = connection.session
        if session is None or not self.is_up:
            return
        if not self._may_publish(session.client_id, message.topic):
            connection.confirm(number, Confirmation.REFUSED)
            return

        def confirm(taken: bool) -> None:  # noqa: FBT001 - the policy's word
            reached = taken or message.retain
            connection.confirm(number, Confirmation.TAKEN if reached else Confirmation.NOBODY_LISTENS)

        self._policy.accept(partial(self.route, session.client_id, message), confirm)

    def route(self, sender: str, message: Message) -> bool:
        """Retain, queue and deliver a message; return whether anybody gets it."""
        self._policy.routed(sender, message)
        if message.retain:
            self._retain(message)
        live = Message(message.topic, message.payload)
        groups: dict[str, list[Session]] = {}
        taken = False
        for session in list(self.sessions.values()):
            if session.subscribes(message.topic):
                self._policy.deliver(live, partial(self._queue_for, session))
                taken = True
            for shared in session.shares(message.topic):
                groups.setdefault(shared, []).append(session)
        for shared, members in groups.items():
            ready = [member for member in members if member.connection is not None] or members
            self._turn[shared] = turn = self._turn.get(shared, 0) + 1
            self._policy.deliver(live, partial(self._queue_for, ready[turn % len(ready)]))
        return taken or bool(groups)

    def acknowledge(self, connection: Connection, number: int) -> None:
        """Forget a message that the client has taken over the connection that it has now."""
        session = connection.session
        if session is not None and session.connection is connection:
            session.unacknowledged.pop(number, None)
            self._push(session)

    def queue(self, session: Session, message: Message) -> None:
        """Put a message into a client's queue, and send what it may have."""
        if len(session.queue) < MAX_QUEUED_MESSAGES:
            session.queue.append(message)
        self._push(session)

    def _queue_for(self, session: Session, message: Message) -> None:
        """Queue a message that may come late: the session it was meant for may be forgotten meanwhile."""
        if self.sessions.get(session.client_id) is session:
            self.queue(session, message)

    def _retain(self, message: Message) -> None:
        if message.payload:
            self.retained[message.topic] = message.payload
        else:
            self.retained.pop(message.topic, None)

    def _push(self, session: Session) -> None:
        """Send what the client may have unacknowledged."""
        connection = session.connection
        while connection is not None and session.queue and len(session.unacknowledged) < self._receive_maximum:
            message, number = session.queue.popleft(), session.next_number
            session.next_number += 1
            session.unacknowledged[number] = message
            token = AckToken(connection, number)
            delivery = Delivery(message.topic, message.payload, message.retain, 1, token, redelivered=message.again)
            connection.deliver(delivery)
