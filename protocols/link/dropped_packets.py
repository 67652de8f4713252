"""Finds out that a broker ends the connection of who sends it a large packet: over MQTT 3.1.1 it can say nothing else.

Only a suspicion: a link may end for any reason while a packet is on its way. So it takes the same size twice in a row,
larger than all that the broker has ever confirmed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A packet that seems to be too large."""

    packet_bytes: int
    """Its size [byte]."""
    taken_bytes: int
    """The largest one that was ever confirmed [byte]."""

    def __str__(self) -> str:
        return (
            f"the broker ended the connection twice when a packet of {self.packet_bytes} bytes was sent, larger than "
            f"any that it took (at most {self.taken_bytes} bytes): it may take none so large"
        )


class DroppedPackets:
    """Remembers which packets were on their way when the link ended."""

    def __init__(self) -> None:
        self._taken = 0
        self._last_dropped = 0

    def confirmed(self, packet_bytes: int) -> None:
        """Note a packet that the broker has confirmed."""
        self._taken = max(self._taken, packet_bytes)

    def link_ended(self, unconfirmed: Iterable[int]) -> Suspicion | None:
        """Note the packets that were unconfirmed when the link ended; return what is to be suspected.

        Args:
            unconfirmed: Their sizes [byte].
        """
        largest = max(unconfirmed, default=0)
        if largest <= self._taken:
            self._last_dropped = 0
            return None
        again = largest == self._last_dropped
        self._last_dropped = largest
        return Suspicion(largest, self._taken) if again else None
