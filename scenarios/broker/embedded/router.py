"""Who gets what: clients come and go, subscribe and publish, and what follows is decided here. No I/O, no clock.

Everything is bounded (`limits`), and what is dropped or refused is counted, never silent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from protocols.link.memory.broker import SHARE, matches
from scenarios.broker.embedded.limits import (
    MAX_ALL_QUEUED_BYTES,
    MAX_FILTERS,
    MAX_RETAINED,
    MAX_RETAINED_BYTES,
    MAX_SESSIONS,
)
from scenarios.broker.embedded.packets import Greeting, Message
from scenarios.broker.embedded.sessions import Link, Session, Waiting
from scenarios.broker.embedded.users import Action, User
from scenarios.broker.embedded.writing import REFUSED_FILTER, Refusal

BEST_QUALITY: Final = 1
"""Best quality at which messages are delivered: a subscription that asks for more is granted this."""


class NotTakenIn(Exception):
    """A client is refused."""

    def __init__(self, why: Refusal) -> None:
        self.why = why
        super().__init__(why.name)


class Router:
    """All sessions of a broker, and what it retains.

    Args:
        user_of: Finds whose name and password these are; None for nobody's.
    """

    def __init__(self, user_of: Callable[[str, bytes], User | None]) -> None:
        self.counts: Counter[str] = Counter()
        """Of what was refused or dropped."""
        self.waiting = Waiting()
        self._user_of = user_of
        self._users: dict[str, User] = {}
        self._sessions: dict[str, Session] = {}  # those that are away first: they are forgotten in this order
        self._retained: dict[str, Message] = {}
        self._retained_bytes = 0
        self._turn = 0

    def take_in(self, greeting: Greeting, link: Link, *, is_full: bool = False) -> tuple[Session, bool]:
        """Take a client in, whose earlier connection ends; return its session, and whether it was known.

        Nothing is changed before name and password are right.

        Args:
            greeting: What it says.
            link: Its connection.
            is_full: Whether there is room for it in the place of its earlier connection alone.

        Raises:
            NotTakenIn: When they are wrong, the last will is not allowed, the client id is another user's, or all is
                full.
        """
        user = self._user_of(greeting.username, greeting.password)
        if user is None:
            raise self._refused("refused", Refusal.NOT_AUTHORISED)
        will, name = greeting.will, greeting.client_id
        if will is not None and not user.may(Action.WRITE, will.topic):
            raise self._refused("wills refused", Refusal.NOT_AUTHORISED)
        if not name and not greeting.is_clean:
            raise self._refused("client ids refused", Refusal.CLIENT_ID)
        name = name or f"{user.name} {id(link)}"
        known = self._sessions.get(name)
        if known is not None and known.owner != user.name:
            raise self._refused("client ids refused", Refusal.CLIENT_ID)
        if is_full and (known is None or known.link is None):
            raise self._refused("connections refused", Refusal.UNAVAILABLE)
        self._users[user.name] = user
        if known is not None and known.link is not None:
            self.leave(known, known.link, says_goodbye=False)
        kept = self._sessions.pop(name, None)  # a clean one went with its connection
        if kept is not None and greeting.is_clean:
            kept.forget()
            kept = None
        session = kept or Session(name, user.name, greeting.is_clean, self.waiting)
        self._make_room()
        self._sessions[name] = session
        session.link, session.will = link, will
        session.begin_again()
        return session, kept is not None

    def leave(self, session: Session, link: Link, *, says_goodbye: bool) -> None:
        """Note that a connection has ended; publish its last will unless the client said goodbye."""
        link.hang_up()
        if session.link is not link:
            return
        session.link = None
        will, session.will = session.will, None
        del self._sessions[session.client_id]
        if session.is_clean:
            session.forget()
        else:
            self._sessions[session.client_id] = session  # of those who are away, it has gone last
        if will is not None and not says_goodbye:
            self.publish(session, will)

    def subscribe(self, session: Session, filters: tuple[tuple[str, int], ...]) -> tuple[int, ...]:
        """Add subscriptions; return for each the quality that is granted, or a refusal.

        A filter wider than what its client may read is granted, and gives what it may: every message is looked at.
        """
        granted = []
        for name, qos in filters:
            if name not in session.filters and len(session.filters) == MAX_FILTERS:
                self.counts["subscriptions refused"] += 1
                granted.append(REFUSED_FILTER)
                continue
            session.filters[name] = min(qos, BEST_QUALITY)
            granted.append(session.filters[name])
            for message in list(self._retained.values()):
                if not name.startswith(SHARE) and matches(name, message.topic):
                    self._give(session, message, session.filters[name])
        return tuple(granted)

    def unsubscribe(self, session: Session, filters: tuple[tuple[str, int], ...]) -> None:
        """Take subscriptions away."""
        for name, _ in filters:
            session.filters.pop(name, None)

    def publish(self, session: Session, message: Message) -> None:
        """Retain a message if it says so, and give it to all who listen; one that is not allowed is counted."""
        if not self._users[session.owner].may(Action.WRITE, message.topic):
            self.counts["messages refused"] += 1
            return
        if message.retain:
            self._retain(message)
        live = replace(message, retain=False)
        groups: dict[str, list[Session]] = {}
        for each in list(self._sessions.values()):
            qos = each.quality_of(message.topic)
            if qos is not None:
                self._give(each, live, qos)
            for shared in each.shares(message.topic):
                groups.setdefault(shared, []).append(each)
        for shared, members in groups.items():
            here = [member for member in members if member.link is not None] or members
            self._turn += 1
            taker = here[self._turn % len(here)]
            self._give(taker, live, taker.filters[shared])

    def _give(self, session: Session, message: Message, qos: int) -> None:
        """Let a message wait for a client, or count why not."""
        if not self._users[session.owner].may(Action.READ, message.topic):
            return
        meant = replace(message, qos=min(qos, message.qos))
        if not session.takes(meant):
            if session.link is not None or not session.is_clean:
                self.counts["messages dropped"] += 1
            return
        session.add(meant)
        while self.waiting.all_bytes > MAX_ALL_QUEUED_BYTES and self._drop_one():
            self.counts["messages dropped"] += 1
        if session.link is not None:
            session.link.wake()

    def _drop_one(self) -> bool:
        """Drop the oldest of the client for whom most waits."""
        return any(session.drop_oldest() for session in self._by_waiting())

    def _by_waiting(self) -> Iterator[Session]:
        yield from sorted(self._sessions.values(), key=lambda session: -session.waiting_bytes)

    def _retain(self, message: Message) -> None:
        before = self._retained.pop(message.topic, None)
        self._retained_bytes -= 0 if before is None else before.cost
        if not message.payload:
            return
        if len(self._retained) == MAX_RETAINED or self._retained_bytes + message.cost > MAX_RETAINED_BYTES:
            self.counts["messages not retained"] += 1
            return
        self._retained[message.topic] = message
        self._retained_bytes += message.cost

    def _make_room(self) -> None:
        """Forget who has been away for longest, where there is no room for one more."""
        if len(self._sessions) >= MAX_SESSIONS:
            away = next((name for name, each in self._sessions.items() if each.link is None), None)
            if away is not None:
                self.counts["clients forgotten"] += 1
                self._sessions.pop(away).forget()

    def _refused(self, what: str, why: Refusal) -> NotTakenIn:
        self.counts[what] += 1
        return NotTakenIn(why)
