"""Finds out that a broker ends the connection of who sends it a large packet, or a message that it denies.

Over MQTT 3.1.1 it can say nothing else, and some say nothing else over MQTT 5. Only a suspicion: a link may end for any
reason while a packet is on its way. So it takes the same size twice in a row, larger than all that the broker has ever
confirmed, or the same topic twice in a row, on which it has never confirmed any.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

MAX_TOPICS: Final = 1_024
"""Topics that are remembered to be taken: a part sends on a few for each of its partners."""

Packet = tuple[str, int]
"""Topic and size [byte]."""


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A packet that seems to end the connection."""

    topic: str
    """Its topic."""
    packet_bytes: int
    """Its size [byte]."""
    taken_bytes: int
    """The largest one that was ever confirmed [byte]."""

    def __str__(self) -> str:
        if self.packet_bytes <= self.taken_bytes:
            return (
                f"the broker ended the connection twice when a message on {self.topic} was sent, on which it has never "
                "taken any: it may not let us publish there"
            )
        return (
            f"the broker ended the connection twice when a packet of {self.packet_bytes} bytes was sent, larger than "
            f"any that it took (at most {self.taken_bytes} bytes): it may take none so large, or none on {self.topic}"
        )


class DroppedPackets:
    """Remembers which packets were on their way when the link ended."""

    def __init__(self) -> None:
        self._taken_bytes = 0
        self._taken_topics: dict[str, None] = {}
        self._last_bytes = 0
        self._last_topics: frozenset[str] = frozenset()

    def confirmed(self, packet: Packet) -> None:
        """Note a packet that the broker has confirmed."""
        topic, size = packet
        self._taken_bytes = max(self._taken_bytes, size)
        if len(self._taken_topics) < MAX_TOPICS:
            self._taken_topics[topic] = None

    def link_ended(self, unconfirmed: Iterable[Packet]) -> Suspicion | None:
        """Note the packets that were unconfirmed when the link ended; return what is to be suspected."""
        sent = tuple(unconfirmed)
        topic, size = max(sent, key=lambda packet: packet[1], default=("", 0))
        by_size = self._taken_bytes < size == self._last_bytes
        topics = frozenset(name for name, _ in sent if name not in self._taken_topics)
        again = topics & self._last_topics if len(self._taken_topics) < MAX_TOPICS else frozenset()
        self._last_bytes, self._last_topics = size if size > self._taken_bytes else 0, topics
        if by_size:
            return Suspicion(topic, size, self._taken_bytes)
        return Suspicion(min(again), 0, self._taken_bytes) if again else None
