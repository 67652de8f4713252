"""What a value adds to the entropy of a sample, as a table that is as fine as it has to be.

| here | meaning |
|---|---|
| g(y) | what the value y adds [nat], see `measure` |
| f(y) | max(g(y), 0), between the points of the table a straight line |
| F(y) | ∫ f from the first point to y, a parabola between points |

g bends at every known value and has narrow dips at some of them (logarithms of widths). The table begins with the known
values and even points, and every interval is halved until the line is right to `TOLERANCE` of the largest gain, or so
narrow that what it lacks is lost in the narrowest prediction. Averages of f over an interval are differences of F, so
that no dip is missed and none is counted for more than its width.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.entropy.measure import Added

FloatArray = NDArray[np.float64]

TOLERANCE: Final = 1e-4
"""Error of the table that is left [the largest gain in it]."""

EVEN_POINTS: Final = 96
"""Even points to begin with, besides the known values."""

ROUNDS: Final = 24
"""Most times that an interval is halved."""

LEAST_GAIN: Final = 0.02
"""Least gain that counts, times the size of the enlarged sample [nat]: a value changes a few of so many
windows."""


class GainTable:
    """f and F over a range of values.

    Args:
        added: What a value does to the sample.
        sample: The sample, ascending, shape (n,).
        low: Where the range begins [unit of the property].
        high: Where it ends.
        narrowest: Smallest deviation of a prediction [unit of the property].
    """

    def __init__(self, added: Added, sample: FloatArray, low: float, high: float, narrowest: float) -> None:
        first = np.union1d(sample, np.linspace(low, high, EVEN_POINTS))
        y, g = _with_zeros(*_refined(added, first, LEAST_GAIN / (len(sample) + 1), narrowest))
        self._y, self._f = y, np.maximum(g, 0.0)
        widths = np.diff(y)
        self._slopes = np.divide(np.diff(self._f), widths, out=np.zeros(len(widths)), where=widths > 0.0)
        self._F = np.concatenate(([0.0], np.cumsum(0.5 * (self._f[1:] + self._f[:-1]) * widths)))

    def __len__(self) -> int:
        """How many points it has."""
        return len(self._y)

    def value(self, y: FloatArray) -> FloatArray:
        """Return f at each y, of its shape."""
        return np.interp(y, self._y, self._f)

    def integral(self, y: FloatArray) -> FloatArray:
        """Return F at each y, of its shape; y lies in the range."""
        at = np.searchsorted(self._y[1:-1], y)
        further = y - self._y[at]
        result: FloatArray = self._F[at] + further * (self._f[at] + 0.5 * further * self._slopes[at])
        return result


def _refined(added: Added, y: FloatArray, least: float, narrowest: float) -> tuple[FloatArray, FloatArray]:
    """Halve the intervals between points y where g needs it; return all points, ascending, and g at them."""
    g = _finite(added.gain(y))
    all_y, all_g = [y], [g]
    left, right, g_left, g_right = y[:-1], y[1:], g[:-1], g[1:]
    largest = float(g.max(initial=least))
    for _ in range(ROUNDS):
        if len(left) == 0:
            break
        middle = 0.5 * (left + right)
        g_middle = _finite(added.gain(middle))
        all_y.append(middle)
        all_g.append(g_middle)
        largest = max(largest, float(g_middle.max()))
        error = np.abs(g_middle - 0.5 * (g_left + g_right))
        counts = np.maximum(np.maximum(g_left, g_right), g_middle) + error > 0.0
        if narrowest > 0.0:
            error *= np.minimum((right - left) / narrowest, 1.0)
        halved = counts & (error > TOLERANCE * largest) & (left < middle) & (middle < right)
        left, right = np.concatenate((left[halved], middle[halved])), np.concatenate((middle[halved], right[halved]))
        g_left = np.concatenate((g_left[halved], g_middle[halved]))
        g_right = np.concatenate((g_middle[halved], g_right[halved]))
    points, first = np.unique(np.concatenate(all_y), return_index=True)
    return points, np.concatenate(all_g)[first]


def _with_zeros(y: FloatArray, g: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Add the points where the line between two others crosses zero, so that max(·, 0) is a line there too."""
    crosses = np.flatnonzero((g[:-1] < 0.0) != (g[1:] < 0.0))
    before, after = g[crosses], g[crosses + 1]
    zeros = y[crosses] + (y[crosses + 1] - y[crosses]) * (before / (before - after))
    return np.insert(y, crosses + 1, zeros), np.insert(g, crosses + 1, 0.0)


def _finite(g: FloatArray) -> FloatArray:
    """Where g is undefined, or −∞ (a tie without entropy), nothing is gained."""
    known = np.isfinite(g)
    if known.all():
        return g
    return np.where(known, g, min(0.0, float(g[known].min(initial=math.inf))))
