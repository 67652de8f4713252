"""How much a recording may grow by messages that change nothing: a flood of them must not fill the disk.

A bucket: it is full at first, each such message takes its bytes out, and it fills again slowly. What finds it empty is
counted and not written. What changed the campaign is always written, and costs nothing here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

IDLE_BYTES: Final = 4 << 20
"""What messages that change nothing may fill at once [byte]: ten thousand repeated answers, or three thousand of a
stranger's with their beginnings."""

IDLE_BYTES_PER_S: Final = 64.0
"""How fast there is room for more [byte/s]: 5.5 MB a day; four instruments that repeat their status every half minute
need half of it."""


class IdleAllowance:
    """What messages that change nothing may still take.

    Args:
        capacity_bytes: At the beginning, and at most.
        bytes_per_s: How fast it fills again.
        clock: Monotonic time [s].
    """

    def __init__(
        self,
        capacity_bytes: float = IDLE_BYTES,
        bytes_per_s: float = IDLE_BYTES_PER_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._capacity = capacity_bytes
        self._rate = bytes_per_s
        self._clock = clock
        self._left = float(capacity_bytes)
        self._filled_at = clock()

    def take(self, size_bytes: int) -> bool:
        """Take the bytes of a message out; return whether they were there."""
        now = self._clock()
        self._left = min(self._capacity, self._left + self._rate * (now - self._filled_at))
        self._filled_at = now
        if size_bytes > self._left:
            return False
        self._left -= size_bytes
        return True
