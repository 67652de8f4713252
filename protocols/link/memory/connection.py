"""One connection of a client to a broker in memory: a wire between two ends, and what each end thinks of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from protocols.link.transport import Delivery, Incoming, LinkUp, Will

if TYPE_CHECKING:
    from protocols.link.memory.broker import Session

Packet = Callable[[], None]
"""What happens when it arrives."""


class Confirmation(Enum):
    """The broker's word on a publish."""

    TAKEN = auto()
    NOBODY_LISTENS = auto()
    REFUSED = auto()
    LOST = auto()
    """None: the connection ended first."""


class Wire:
    """The way of the packets, each direction in order; this one takes no time. A broken direction passes nothing."""

    def __init__(self) -> None:
        self._broken_up = False
        self._broken_down = False

    def up(self, packet: Packet) -> None:
        """Let a packet of the client arrive."""
        if not self._broken_up:
            packet()

    def down(self, packet: Packet, *, may_overtake: bool = False) -> None:  # noqa: ARG002 - where packets take their time
        """Let a packet of the broker arrive; a delivery may overtake others where the way allows it."""
        if not self._broken_down:
            packet()

    def break_up(self) -> None:
        """Let the broker hear the client no more."""
        self._broken_up = True

    def break_down(self) -> None:
        """Let the client hear the broker no more."""
        self._broken_down = True


@dataclass(frozen=True, slots=True)
class AckToken:
    """Which delivery of which connection is acknowledged."""

    connection: Connection
    number: int


class Connection:
    """One connection; a later one of the same client has another inbox.

    Args:
        client_id: The client.
        filters: What it subscribes to.
        will: Its last will.
        password: What it brings.
        wire: Its way to the broker.
    """

    def __init__(
        self, client_id: str, filters: tuple[str, ...], will: Will | None, password: str | None, wire: Wire
    ) -> None:
        self.client_id: Final = client_id
        self.filters: Final = filters
        self.will: Final = will
        self.password: Final = password
        self.wire: Final = wire
        self.inbox: asyncio.Queue[Incoming] = asyncio.Queue()
        """What arrived; bounded by what the broker may leave unacknowledged."""
        self.awaiting: dict[int, asyncio.Future[Confirmation]] = {}
        """Publishes without the broker's word."""
        self.established = asyncio.Event()
        self.ended = asyncio.Event()
        self.reason = ""
        self.is_final = False
        """Whether trying again cannot help."""
        self.session: Session | None = None
        """Set by the broker."""

    @property
    def is_open(self) -> bool:
        """Whether the client may use it."""
        return self.established.is_set() and not self.ended.is_set()

    def welcome(self, *, session_present: bool) -> None:
        """Tell the client that it is connected and subscribed."""

        def arrive() -> None:
            self.established.set()
            self.inbox.put_nowait(LinkUp(session_present))

        self.wire.down(arrive)

    def deliver(self, delivery: Delivery) -> None:
        """Give the client a message."""
        self.wire.down(lambda: self.inbox.put_nowait(delivery), may_overtake=True)

    def confirm(self, number: int, word: Confirmation) -> None:
        """Tell the client what became of a publish."""
        self.wire.down(lambda: self._settle(number, word))

    def hang_up(self, reason: str, *, final: bool = False) -> None:
        """End it at the broker's end, and tell the client so."""
        self.wire.break_up()
        self.wire.down(lambda: self.lose(reason, final=final))

    def lose(self, reason: str, *, final: bool = False) -> None:
        """End it at the client's end."""
        if self.ended.is_set():
            return
        self.reason, self.is_final = reason, final
        self.wire.break_down()
        self.ended.set()
        for number in self.awaiting:
            self._settle(number, Confirmation.LOST)

    def _settle(self, number: int, word: Confirmation) -> None:
        answer = self.awaiting.get(number)
        if answer is not None and not answer.done():
            answer.set_result(word)
