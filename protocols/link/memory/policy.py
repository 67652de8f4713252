"""What a broker in memory may do beside its duty: the seam for whoever simulates trouble, counts or keeps a log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """A message inside the broker."""

    topic: str
    payload: bytes
    retain: bool = False
    again: bool = False
    """Whether it was sent before, and its acknowledgement never came."""


class BrokerPolicy:
    """A broker that does its duty; override what is to be otherwise."""

    def connected(self, client_id: str, *, session_present: bool) -> None:
        """Note that a client was taken in."""

    def disconnected(self, client_id: str, *, will: bool) -> None:
        """Note that a connection ended, and whether with a last will."""

    def routed(self, sender: str, message: Message) -> None:
        """Note a message before it goes to those who listen."""

    def accept(self, route: Callable[[], bool], confirm: Callable[[bool], None]) -> None:
        """Take a client's message: route it, which tells whether anybody gets it, and confirm it with that."""
        confirm(route())

    def deliver(self, message: Message, queue: Callable[[Message], None]) -> None:
        """Put a routed message into the queue of one who listens."""
        queue(message)
