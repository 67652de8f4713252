"""What a value adds to the entropy of a sample, of either sign, as a table; and nodes of a normal to average it over.

| here | meaning |
|---|---|
| g(y) | what the value y adds [nat], negative where it crowds in, see `measure` |
| t_q, ω_q | even nodes, and weights ∝ exp(−t_q²/2) that sum to one (trapezoidal rule) |

The table is straight between known values, their middles and even points, which is where g bends, and then between the
points of a fine lattice of it; `gain_table` is the finer one for gains that count only where they are positive.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.entropy.measure import Added, EntropyMeasure

FloatArray = NDArray[np.float64]

REACH: Final = 4.0
"""How far the nodes reach [σ]; a normal leaves 6e-5 outside."""

NODES: Final = 33
"""Nodes of one expectation, a quarter of a deviation apart: exact for all that is smooth on that scale."""

EVEN_POINTS: Final = 256
"""Even points of a table, beside the known values and the middles between them."""


LATTICE_POINTS: Final = 1_025
"""Points of the lattice that a table is looked up in, without a search: what is bent within a step is straight."""

RANGE_PARTS: Final = 8
"""Parts of the power of two above the width of a range that its ends are rounded to: it grows by a quarter or less."""


class ChangeTable:
    """g over a range of values.

    Args:
        added: What a value does to the sample; None where the sample has no entropy.
        sample: The sample, ascending, shape (n,).
        low: Where the table begins [unit of the property].
        high: Where it ends.
        undefined: g where no value has a defined one [nat].
    """

    def __init__(self, added: Added | None, sample: FloatArray, low: float, high: float, *, undefined: float) -> None:
        lattice, step = np.linspace(low, high, LATTICE_POINTS, retstep=True)
        self._low, self._per_unit = low, 1.0 / float(step) if high > low else 0.0
        self._g = np.full(LATTICE_POINTS, undefined)
        if added is not None:
            middles = 0.5 * (sample[1:] + sample[:-1])
            y = np.sort(np.concatenate((np.linspace(low, high, EVEN_POINTS), sample, middles)))
            g = added.gain(y)
            known = np.isfinite(g)
            if known.any():
                self._g = np.interp(lattice, y[known], g[known])
        self._rise = np.diff(self._g, append=self._g[-1])

    def at(self, mean: FloatArray, std: FloatArray, nodes: FloatArray) -> FloatArray:
        """Return g at μ + σ t, which lies in the range, for μ and σ of shape (c,) and t of (k,); shape (c, k)."""
        places = ((mean - self._low) * self._per_unit)[:, None] + (std * self._per_unit)[:, None] * nodes
        left = places.astype(np.intp)
        g: FloatArray = places
        g -= left
        g *= self._rise.take(left)
        g += self._g.take(left)
        return g


class ChangeTableMemory:
    """Keeps the last table of each of several samples, which is the next one's where neither sample nor range change.

    A range is rounded outwards, so that it changes seldom. What is kept changes no result.
    """

    def __init__(self) -> None:
        self._kept: dict[Hashable, tuple[EntropyMeasure, FloatArray, tuple[float, float], ChangeTable]] = {}

    def of(
        self, key: Hashable, measure: EntropyMeasure, sample: FloatArray, low: float, high: float, *, undefined: float
    ) -> ChangeTable:
        """Return the table of what a value does to a sample.

        Args:
            key: Of the sample among all.
            measure: The entropy that counts.
            sample: Ascending, shape (n,).
            low: Where the table begins, at the latest [unit of the property].
            high: Where it ends, at the earliest.
            undefined: As of `ChangeTable`.
        """
        ends = _rounded(low, high)
        kept = self._kept.get(key)
        if kept is None or kept[0] != measure or kept[2] != ends or not np.array_equal(kept[1], sample):
            table = ChangeTable(measure.added(sample), sample, *ends, undefined=undefined)
            kept = self._kept[key] = (measure, sample, ends, table)
        return kept[3]


def _rounded(low: float, high: float) -> tuple[float, float]:
    """Widen a range to whole parts of a power of two near its width."""
    step = 2.0 ** math.frexp(high - low)[1] / RANGE_PARTS
    return math.floor(low / step) * step, math.ceil(high / step) * step


@lru_cache(maxsize=1)
def normal_nodes() -> tuple[FloatArray, FloatArray]:
    """Return t and ω, two arrays (q,)."""
    nodes = np.linspace(-REACH, REACH, NODES)
    weights = np.exp(-0.5 * np.square(nodes))
    return nodes, weights / weights.sum()
