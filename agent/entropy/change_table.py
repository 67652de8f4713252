"""What a value adds to the entropy of a sample, of either sign, as a table; and nodes of a normal to average it over.

| here | meaning |
|---|---|
| g(y) | what the value y adds [nat], negative where it crowds in, see `measure` |
| t_q, ω_q | even nodes, and weights ∝ exp(−t_q²/2) that sum to one (trapezoidal rule) |

The table is straight between known values, their middles and even points, which is where g bends; `gain_table` is the
finer one for gains that count only where they are positive.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.entropy.measure import Added

FloatArray = NDArray[np.float64]

REACH: Final = 4.0
"""How far the nodes reach [σ]; a normal leaves 6e-5 outside."""

NODES: Final = 33
"""Nodes of one expectation, a quarter of a deviation apart: exact for all that is smooth on that scale."""

EVEN_POINTS: Final = 256
"""Even points of a table, beside the known values and the middles between them."""


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
        self._y, self._g = np.array([low, high]), np.full(2, undefined)
        if added is None:
            return
        middles = 0.5 * (sample[1:] + sample[:-1])
        y = np.sort(np.concatenate((np.linspace(low, high, EVEN_POINTS), sample, middles)))
        g = added.gain(y)
        known = np.isfinite(g)
        if known.any():
            self._y, self._g = y[known], g[known]

    def at(self, y: FloatArray) -> FloatArray:
        """Return g at each y, of its shape."""
        g: FloatArray = np.interp(y, self._y, self._g)
        return g


@lru_cache(maxsize=1)
def normal_nodes() -> tuple[FloatArray, FloatArray]:
    """Return t and ω, two arrays (q,)."""
    nodes = np.linspace(-REACH, REACH, NODES)
    weights = np.exp(-0.5 * np.square(nodes))
    return nodes, weights / weights.sum()
