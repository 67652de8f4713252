"""How often something may be done: so many in a row, then so many a second. Pure: the time is given."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Rate:
    """A bucket that fills by itself, and from which each act takes one.

    Attributes:
        per_second: How many come back in a second; as many may be done in a row.
        left: How many may be done now.
        at: When that was counted [s].
    """

    per_second: float
    left: float = 0.0
    at: float | None = None

    def is_within(self, now: float) -> bool:
        """Count one more, unless it is too many.

        Args:
            now: A time that never goes back [s].
        """
        grown = self.per_second if self.at is None else self.left + (now - self.at) * self.per_second
        self.left, self.at = min(grown, self.per_second), now
        if self.left < 1.0:
            return False
        self.left -= 1.0
        return True
