"""A stretch of time by the wall clock."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interval:
    """When something began and ended [ns since 1970]."""

    start_ns: int
    end_ns: int

    @property
    def seconds(self) -> float:
        """How long it took [s]; never negative, however the clock was set."""
        return max(0, self.end_ns - self.start_ns) / 1e9
