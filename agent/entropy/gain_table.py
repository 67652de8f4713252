"""What a value adds to the entropy of samples, as tables that are as fine as they have to be.

| here | meaning | shape |
|---|---|---|
| s | samples of one size n, the cases | |
| g(y) | what the value y adds [nat], see `measure` | |
| f(y) | max(g(y), 0), between the points of the table a straight line | |
| F(y) | ∫ f from the first point to y, a parabola between points | |

g bends at every known value and has narrow dips at some of them (logarithms of widths). A table begins with the known
values and even points, and every interval is halved until the line is right to `TOLERANCE` of the largest gain, or so
narrow that what it lacks is lost in the narrowest prediction. Averages of f over an interval are differences of F, so
that no dip is missed and none is counted for more than its width.

All samples are halved together, interval by interval: what a round costs is mostly the calls that it makes, which are
the same for one sample and for sixteen. Points of all tables stand in one array, sample after sample.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.entropy.measure import AddedEach

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

TOLERANCE: Final = 1e-4
"""Error of the table that is left [the largest gain in it]."""

EVEN_POINTS: Final = 96
"""Even points to begin with, besides the known values."""

ROUNDS: Final = 24
"""Most times that an interval is halved."""

LEAST_GAIN: Final = 0.02
"""Least gain that counts, times the size of the enlarged sample [nat]: a value changes a few of so many
windows."""


class GainTables:
    """f and F of each sample over a range of values.

    Args:
        added: What a value does to each sample.
        samples: A sample a row, ascending, shape (s, n).
        low: Where the range begins [unit of the property].
        high: Where it ends.
        narrowest: Smallest deviation of a prediction [unit of the property].
    """

    def __init__(self, added: AddedEach, samples: FloatArray, low: float, high: float, narrowest: float) -> None:
        points = _refined(added, samples, np.linspace(low, high, EVEN_POINTS), narrowest)
        self._y, self._f, self._ends = _with_zeros(points, len(samples))
        np.maximum(self._f, 0.0, out=self._f)
        widths = np.diff(self._y)
        widths[self._ends[1:-1] - 1] = 0.0  # from the last point of a table to the first of the next
        self._slopes = np.divide(np.diff(self._f), widths, out=np.zeros(len(widths)), where=widths > 0.0)
        areas = 0.5 * (self._f[1:] + self._f[:-1]) * widths
        self._F = np.zeros(len(self._y))
        for start, stop in self._tables():
            np.cumsum(areas[start : stop - 1], out=self._F[start + 1 : stop])

    def __len__(self) -> int:
        """How many points they have together."""
        return len(self._y)

    def value(self, y: FloatArray) -> FloatArray:
        """Return f of each sample at each y of its row, shape (s, k)."""
        return np.stack(
            [np.interp(row, self._y[a:b], self._f[a:b]) for row, (a, b) in zip(y, self._tables(), strict=True)]
        )

    def integral(self, y: FloatArray) -> FloatArray:
        """Return F of each sample at each y of its row, shape (s, k), or of one row for all; y lies in the range."""
        rows = np.broadcast_to(y, (len(self._ends) - 1, y.shape[-1]))
        at = np.empty(rows.shape, dtype=np.int64)
        for case, (start, stop) in enumerate(self._tables()):
            np.add(np.searchsorted(self._y[start + 1 : stop - 1], rows[case]), start, out=at[case])
        further = rows - self._y[at]
        result: FloatArray = self._slopes[at]
        result *= 0.5 * further
        result += self._f[at]
        result *= further
        result += self._F[at]
        return result

    def _tables(self) -> list[tuple[int, int]]:
        return list(zip(self._ends[:-1].tolist(), self._ends[1:].tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class _Points:
    """Points of all tables, each with its sample, its value and its gain; shapes (p,)."""

    case: IndexArray
    y: FloatArray
    g: FloatArray


@dataclass(frozen=True, slots=True)
class _Intervals:
    """Intervals between points: sample, gap of the sample that holds them, ends, gains at the ends; shapes (i,)."""

    case: IndexArray
    gap: IndexArray
    left: FloatArray
    right: FloatArray
    g_left: FloatArray
    g_right: FloatArray

    def only(self, which: IndexArray) -> _Intervals:
        """Return some of them."""
        return _Intervals(*(getattr(self, name)[which] for name in self.__slots__))

    def halves(self, middle: FloatArray, g_middle: FloatArray) -> _Intervals:
        """Return both halves of each."""
        return _Intervals(
            np.repeat(self.case, 2),
            np.repeat(self.gap, 2),
            _interleaved(self.left, middle),
            _interleaved(middle, self.right),
            _interleaved(self.g_left, g_middle),
            _interleaved(g_middle, self.g_right),
        )


def _interleaved(first: FloatArray, second: FloatArray) -> FloatArray:
    return np.stack((first, second), axis=1).ravel()


def _refined(added: AddedEach, samples: FloatArray, even: FloatArray, narrowest: float) -> _Points:
    """Halve the intervals between points where g needs it; return all points by sample, ascending."""
    points, intervals = _begun(added, samples, even)
    found, n = [points], samples.shape[1]
    largest = np.full(len(samples), LEAST_GAIN / (n + 1))
    np.maximum.at(largest, points.case, points.g)
    for _ in range(ROUNDS):
        middle = 0.5 * (intervals.left + intervals.right)
        inside = np.flatnonzero((intervals.left < middle) & (middle < intervals.right))
        if len(inside) == 0:
            break
        if len(inside) < len(middle):
            intervals, middle = intervals.only(inside), middle[inside]
        g = _finite(added.gain(intervals.case, intervals.gap, middle))
        found.append(_Points(intervals.case, middle, g))
        np.maximum.at(largest, intervals.case, g)
        rough = np.flatnonzero(_is_rough(intervals, g, TOLERANCE * largest[intervals.case], narrowest))
        intervals = intervals.only(rough).halves(middle[rough], g[rough])
    return _in_order(found)


def _begun(added: AddedEach, samples: FloatArray, even: FloatArray) -> tuple[_Points, _Intervals]:
    """Return the points to begin with, and the intervals between them.

    All known values are points, so that what lies between two points lies in one gap of the sample.
    """
    s = len(samples)
    y = np.sort(np.concatenate((samples, np.broadcast_to(even, (s, len(even)))), axis=1), axis=1)
    gap = np.stack([np.searchsorted(x, row) for x, row in zip(samples, y, strict=True)])
    case = np.broadcast_to(np.arange(s)[:, None], y.shape)
    points = _Points(case.ravel(), y.ravel(), _finite(added.gain(case.ravel(), gap.ravel(), y.ravel())))
    g = points.g.reshape(y.shape)
    gaps = case[:, 1:].ravel(), gap[:, 1:].ravel()
    ends = y[:, :-1].ravel(), y[:, 1:].ravel(), g[:, :-1].ravel(), g[:, 1:].ravel()
    return points, _Intervals(*gaps, *ends)


def _is_rough(
    intervals: _Intervals, g_middle: FloatArray, tolerance: FloatArray, narrowest: float
) -> NDArray[np.bool_]:
    """Tell where a line from end to end misses what is gained in the middle, and somebody would notice."""
    g_left, g_right = intervals.g_left, intervals.g_right
    error = np.abs(g_middle - 0.5 * (g_left + g_right))
    counts = np.maximum(np.maximum(g_left, g_right), g_middle) + error > 0.0
    if narrowest > 0.0:
        error *= np.minimum((intervals.right - intervals.left) / narrowest, 1.0)
    rough: NDArray[np.bool_] = counts & (error > tolerance)
    return rough


def _in_order(found: list[_Points]) -> _Points:
    """Sort points by sample and value; of equal ones keep one."""
    case = np.concatenate([points.case for points in found])
    y = np.concatenate([points.y for points in found])
    order = np.argsort(y)
    narrow = np.min_scalar_type(int(case.max()))  # few bits are sorted by counting
    order = order[np.argsort(case[order].astype(narrow), kind="stable")]
    case, y = case[order], y[order]
    new = np.ones(len(y), dtype=bool)
    new[1:] = (y[1:] != y[:-1]) | (case[1:] != case[:-1])
    return _Points(case[new], y[new], np.concatenate([points.g for points in found])[order][new])


def _with_zeros(points: _Points, samples: int) -> tuple[FloatArray, FloatArray, IndexArray]:
    """Add the points where the line between two others crosses zero, so that max(·, 0) is a line there too.

    Returns:
        Points and their gains, shapes (p,), and where each sample's begin and the last one's end, shape (s + 1,).
    """
    case, y, g = points.case, points.y, points.g
    crosses = np.flatnonzero(((g[:-1] < 0.0) != (g[1:] < 0.0)) & (case[:-1] == case[1:]))
    before, after = g[crosses], g[crosses + 1]
    zeros = y[crosses] + (y[crosses + 1] - y[crosses]) * (before / (before - after))
    ends = np.zeros(samples + 1, dtype=np.int64)
    np.cumsum(np.bincount(case, minlength=samples) + np.bincount(case[crosses], minlength=samples), out=ends[1:])
    return np.insert(y, crosses + 1, zeros), np.insert(g, crosses + 1, 0.0), ends


def _finite(g: FloatArray) -> FloatArray:
    """Where g is undefined, or −∞ (a tie without entropy), nothing is gained."""
    known = np.isfinite(g)
    if known.all():
        return g
    return np.where(known, g, min(0.0, float(g[known].min(initial=math.inf))))
