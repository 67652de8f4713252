"""The change of entropy to expect of a candidate whose value is predicted with a normal distribution, with its sign.

| here | meaning | shape |
|---|---|---|
| g(y) | what the value y adds to the entropy of the family, negative where it crowds in [nat], see `measure` | |
| μ, σ | mean and deviation of the value to come, noise included [unit of the property] | (c,) |
| E[g(Y)] | Y ~ N(μ, σ²) [nat] | (c,) |
| t_q, ω_q | even nodes, and weights ∝ exp(−t_q²/2) that sum to one (trapezoidal rule) | (q,) |

E[g(Y)] = Σ_q ω_q g(μ + σ t_q), g read from a table over its known values, their middles, and even points. Its brother
`expected_gain` counts a value that would lower the entropy as nothing, which is right for a policy that enriches one
family; where families are weighed against each other, what a redundant value costs counts too.

The error is below 2 % of the largest |E[g]| for deviations above a hundredth of the sample's
(tests/unit/agent/entropy/test_expected_change.py); g has kinks and narrow dips that even nodes may miss.
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
"""Nodes of one expectation, a quarter of a deviation apart."""

EVEN_POINTS: Final = 257
"""Even points of the table, besides the known values."""

CHUNK_ROWS: Final = 8_192
"""Candidates of one block of nodes (2 MiB)."""


def expected_change(added: Added, sample: FloatArray, mean: FloatArray, std: FloatArray) -> FloatArray:
    """Return E[g(Y)] of every candidate [nat].

    Args:
        added: What a value does to the sample.
        sample: The sample, ascending, shape (n,).
        mean: μ, finite, shape (c,), c ≥ 1.
        std: σ, finite and not negative, shape (c,).

    Returns:
        Shape (c,); zero everywhere when no value has a defined gain.
    """
    low, high = float((mean - REACH * std).min()), float((mean + REACH * std).max())
    middles = 0.5 * (sample[1:] + sample[:-1])
    y = np.unique(np.concatenate((np.linspace(low, high, EVEN_POINTS), sample, middles)))
    g = added.gain(y)
    usable = np.isfinite(g)
    if not usable.any():
        return np.zeros(len(mean))
    nodes, weights = _normal()
    changes = np.empty(len(mean))
    for start in range(0, len(mean), CHUNK_ROWS):
        at = slice(start, start + CHUNK_ROWS)
        changes[at] = np.interp(mean[at, None] + std[at, None] * nodes, y[usable], g[usable]) @ weights
    return changes


@lru_cache(maxsize=1)
def _normal() -> tuple[FloatArray, FloatArray]:
    nodes = np.linspace(-REACH, REACH, NODES)
    weights = np.exp(-0.5 * np.square(nodes))
    return nodes, weights / weights.sum()
