"""What campaigns over many draws come to: the course of a figure with its band, where it flattens, who does better.

| here | meaning |
|---|---|
| x_s(n) | a figure after n observations, the pool being draw s of S |
| band | mean ± t √(1 + 1/S) · deviation over s: one more campaign is within it nine times in ten |
| d_s | difference of two policies at the end, on the same draw |
| interval | mean(d) ± t / √S · deviation of d: 90 % of the mean difference |

t is the 95 % point of Student's distribution with S − 1 degrees of freedom. Both say what chance and the pool's
unknown values leave open if the surrogate is right; they do not say how wrong it is. Pure functions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from agent.entropy.bands import UPPER_POINT

FloatArray = NDArray[np.float64]

FLAT: Final = 0.01
"""What is left to gain where a course is flat [nat]."""

LATE: Final = 0.9
"""Share of the campaign after which a course that is flat has hardly become so: it still changed just before."""

AS_WELL: Final = 0.01
"""Difference below which one policy does as well as another [nat]."""


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """A figure along a campaign.

    Attributes:
        draws: Of every draw, NaN where it is not defined, shape (S, t + 1); observation 0 is the start set.
    """

    draws: FloatArray

    @property
    def mean(self) -> FloatArray:
        """Mean over the draws, shape (t + 1,)."""
        mean: FloatArray = self.draws.mean(axis=0)
        return mean

    def band(self, floor: float = -math.inf, ceiling: float = math.inf) -> tuple[FloatArray, FloatArray]:
        """Return both ends of the band, within what the figure can be, two arrays (t + 1,)."""
        count = len(self.draws)
        reach = np.zeros(self.draws.shape[1])
        if count > 1:
            deviation = self.draws.std(axis=0, ddof=1)
            reach = _student(count) * math.sqrt(1.0 + 1.0 / count) * deviation
        return np.maximum(self.mean - reach, floor), np.minimum(self.mean + reach, ceiling)

    def flat_from(self) -> int | None:
        """Return the first observation from which on its mean is within `FLAT` of its end; None where undefined."""
        mean = self.mean
        if not np.isfinite(mean).all():
            return None
        away = np.flatnonzero(np.abs(mean - mean[-1]) > FLAT)
        return int(away[-1]) + 1 if len(away) else 0

    def flattens_at(self) -> int | None:
        """Return from where it is flat; None where it is not defined, or still changes shortly before its end."""
        flat = self.flat_from()
        return None if flat is None or self._is_late(flat) else flat

    def lowest_at(self) -> int | None:
        """Return the observation of its lowest mean; None where that comes late, or is not defined."""
        mean = self.mean
        if not np.isfinite(mean).all():
            return None
        lowest = int(np.argmin(mean))
        return None if self._is_late(lowest) else lowest

    def _is_late(self, observation: int) -> bool:
        last: int = self.draws.shape[1] - 1
        return observation >= LATE * last


@dataclass(frozen=True, slots=True)
class Difference:
    """Two policies at the end, paired by draw: one minus other.

    Attributes:
        mean: Of the differences.
        low: Lower end of the interval.
        high: Upper end.
    """

    mean: float
    low: float
    high: float

    @property
    def is_nothing(self) -> bool:
        """Whether it is smaller than what counts, or not shown."""
        return abs(self.mean) < AS_WELL or self.low <= 0.0 <= self.high


def difference_at_end(one: Course, other: Course) -> Difference | None:
    """Return one minus other at their ends; None where one is not defined."""
    d = one.draws[:, -1] - other.draws[:, -1]
    if not np.isfinite(d).all():
        return None
    mean, count = float(d.mean()), len(d)
    reach = _student(count) * float(d.std(ddof=1)) / math.sqrt(count) if count > 1 else math.inf
    return Difference(mean, mean - reach, mean + reach)


def _student(count: int) -> float:
    return float(stdtrit(count - 1, UPPER_POINT))
