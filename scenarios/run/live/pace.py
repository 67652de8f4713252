"""How fast results come, and how a figure went: what the live view keeps of the past, bounded however long a run is.

It reads no clock: whoever notes something says when.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

WINDOW_S: Final = 5.0
"""The pace is that of the results of the last seconds..."""

LEAST_RESULTS: Final = 8
"""...and of so many at least: a lab that needs minutes for one has a pace too."""

MOST_POINTS: Final = 400
"""Most points of a course; of more every second one is dropped: no terminal is wider."""


@dataclass(slots=True)
class Pace:
    """When the last results came; silence since then slows the pace down."""

    _at: deque[tuple[float, int]] = field(default_factory=deque)

    def note(self, now: float, observation: int) -> None:
        """Take in that so many results have come by now [s]."""
        self._at.append((now, observation))
        while len(self._at) > LEAST_RESULTS and now - self._at[0][0] > WINDOW_S:
            self._at.popleft()

    def __len__(self) -> int:
        """Return how many results are kept."""
        return len(self._at)

    def per_second(self, now: float) -> float | None:
        """Return the results per second up to now; None before the second result."""
        if len(self._at) < 2:  # noqa: PLR2004 - a pace needs two results
            return None
        recent = [each for each in self._at if now - each[0] <= WINDOW_S]
        first, low = recent[0] if len(recent) > LEAST_RESULTS else self._at[0]
        return (self._at[-1][1] - low) / (now - first) if now > first else None


@dataclass(slots=True)
class Course:
    """A figure by observation, thinned out alike everywhere."""

    _points: list[tuple[int, float | None]] = field(default_factory=list)
    _every: int = 1

    def note(self, observation: int, value: float | None) -> None:
        """Take in a figure; the latest is always there."""
        points = self._points
        if len(points) > 1 and points[-1][0] % self._every and points[-1][0] != points[0][0]:
            points.pop()  # the latest before this one
        points.append((observation, value))
        if len(points) > MOST_POINTS:
            self._every *= 2
            first, last = points[0], points[-1]
            self._points = [first, *(each for each in points[1:-1] if each[0] % self._every == 0), last]

    def points(self) -> tuple[tuple[int, float | None], ...]:
        """Return observation and figure, ascending."""
        return tuple(self._points)
