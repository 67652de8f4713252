"""What the broker knows of one client, whether it is here or away: its subscriptions, and what waits for it. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final, Protocol

from protocols.link.memory.broker import SHARE, matches
from scenarios.broker.embedded.limits import MAX_HALF_DONE, MAX_QUEUED, MAX_QUEUED_BYTES, MAX_UNACKNOWLEDGED
from scenarios.broker.embedded.packets import Message

LAST_NUMBER: Final = 65_535
"""Largest number of a packet."""


class Link(Protocol):
    """A connection, as the router sees it."""

    def wake(self) -> None:
        """Send what there is to send."""

    def hang_up(self) -> None:
        """End it."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message on its way to a client; `number` is 0 where its quality is 0."""

    message: Message
    number: int
    again: bool


@dataclass(slots=True)
class Waiting:
    """Memory of all that waits for all clients."""

    all_bytes: int = 0


@dataclass(slots=True, eq=False)
class Session:
    """One client."""

    client_id: str
    owner: str
    """Whose it is: an id is not given to another user."""
    is_clean: bool
    waiting: Waiting = field(default_factory=Waiting)
    """Shared by all."""
    will: Message | None = None
    filters: dict[str, int] = field(default_factory=dict)
    link: Link | None = None
    half_done: set[int] = field(default_factory=set)
    """Numbers of messages of quality 2 that it has begun to hand over, and that were routed."""
    waiting_bytes: int = 0
    """Memory of what waits for it, or is unacknowledged."""
    _queue: deque[Message] = field(default_factory=deque)
    _unacknowledged: dict[int, Message] = field(default_factory=dict)
    _again: deque[int] = field(default_factory=deque)
    _last_number: int = 0

    def quality_of(self, topic: str) -> int | None:
        """Return the best quality that it asked for a topic, shared subscriptions left out; None for none."""
        return max(
            (qos for name, qos in self.filters.items() if not name.startswith(SHARE) and matches(name, topic)),
            default=None,
        )

    def shares(self, topic: str) -> list[str]:
        """Return its shared subscriptions that take a topic."""
        return [
            name
            for name in self.filters
            if name.startswith(SHARE) and name.count("/") > 1 and matches(name.split("/", 2)[2], topic)
        ]

    def takes(self, message: Message) -> bool:
        """Tell whether there is room for a message, and anybody to keep it for."""
        return (
            (self.link is not None or (message.qos > 0 and not self.is_clean))
            and len(self._queue) < MAX_QUEUED
            and self.waiting_bytes + message.cost <= MAX_QUEUED_BYTES
        )

    def add(self, message: Message) -> None:
        """Let a message wait."""
        self._queue.append(message)
        self._weigh(message.cost)

    def drop_oldest(self) -> bool:
        """Drop the message that waits for longest; what is under way stays. Return whether there was one."""
        if not self._queue:
            return False
        self._weigh(-self._queue.popleft().cost)
        return True

    def forget(self) -> None:
        """Forget all that waits: the session ends."""
        self._weigh(-self.waiting_bytes)
        self._queue.clear()
        self._unacknowledged.clear()

    def begin_half(self, number: int) -> bool:
        """Note a message of quality 2 that it begins to hand over; return False when there are too many."""
        if len(self.half_done) == MAX_HALF_DONE:
            return False
        self.half_done.add(number)
        return True

    def begin_again(self) -> None:
        """Send what was not acknowledged once more, in order, before all else: a new connection."""
        self._again = deque(self._unacknowledged)

    def next_outgoing(self) -> Outgoing | None:
        """Return what is to be sent now, or None when nothing waits or the client holds enough unacknowledged."""
        while self._again:
            number = self._again.popleft()
            if number in self._unacknowledged:
                return Outgoing(self._unacknowledged[number], number, again=True)
        if not self._queue or (self._queue[0].qos and len(self._unacknowledged) >= MAX_UNACKNOWLEDGED):
            return None
        message = self._queue.popleft()
        if not message.qos:
            self._weigh(-message.cost)
            return Outgoing(message, 0, again=False)
        number = self._free_number()
        self._unacknowledged[number] = message
        return Outgoing(message, number, again=False)

    def acknowledge(self, number: int) -> None:
        """Forget a message that the client has taken."""
        message = self._unacknowledged.pop(number, None)
        if message is not None:
            self._weigh(-message.cost)

    def _weigh(self, more: int) -> None:
        self.waiting_bytes += more
        self.waiting.all_bytes += more

    def _free_number(self) -> int:
        while True:
            self._last_number = self._last_number % LAST_NUMBER + 1
            if self._last_number not in self._unacknowledged:
                return self._last_number
