"""The gaps between the families, and by how much a value to come would close them.

| here | meaning | shape |
|---|---|---|
| h_g | entropy of family g [nat], requests in flight included | (f,) |
| T | max_g h_g | |
| L | Σ_g (T − h_g)² [nat²] | |
| δ | what the value adds to the entropy of its family, of either sign [nat] | (c, k) |
| w_k | weights of the nodes k of the value to come, Σ w_k = 1 | (k,) |
| E[ΔL] | Σ_k w_k (L − L after δ_k) [nat²] | (c,) |

T is taken anew after every value: one that raises a family above T opens the gaps of all others. A fall of the richest
family itself closes gaps without giving anything; it earns nothing (`credit` of it, at most), while its rise counts.

The expectation is that of an expected improvement (D. R. Jones, M. Schonlau, W. J. Welch, J. Glob. Optim. 13, 455
(1998)), of the whole dataset in place of the best value.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from scipy.special import ndtri

from agent.acquisition.base import FloatArray
from agent.entropy.change_table import normal_nodes

JOINT_NODES: Final = 64
"""Quasi-random nodes of several properties, whose grid would grow with the power of their number."""

TABLE_REACH: Final = 4.2
"""How far a table reaches beyond the predicted means [deviation]: the nodes, and a margin."""

FIRST_VALUE_GAIN: Final = 1.0
"""What a value adds to a family that has none, whose entropy counts as ln r: that of one value, ln r + 1 [nat]."""


def squared_gaps(h: FloatArray) -> float:
    """Return L [nat²]."""
    return float(np.square(h.max() - h).sum())


def expected_fall(h: FloatArray, code: int, added: FloatArray, weights: FloatArray, credit: float) -> FloatArray:
    """Return E[ΔL] of candidates of one family, shape (c,) [nat²].

    Args:
        h: Entropies of all families, finite, shape (f,).
        code: Of the family.
        added: δ, shape (c, k).
        weights: Of the nodes, shape (k,).
        credit: Share of a fall of the richest family that counts, from 0 to 1.
    """
    others = np.delete(h, code)
    new = h[code] + added
    top = np.maximum(new, others.max(initial=-math.inf))
    # Σ (top − h_j)² over the others, without an array of all of them; and the family's own gap.
    after = top * len(others)
    after -= 2.0 * float(others.sum())
    after *= top
    np.subtract(top, new, out=new)
    new *= new
    after += new
    fall: FloatArray = squared_gaps(h) - float(others @ others) - after @ weights
    if h[code] == h.max():
        fall = np.where(fall > 0.0, credit * fall, fall)
    return fall


def nodes(properties: int) -> tuple[FloatArray, FloatArray]:
    """Return nodes of a standard normal in so many dimensions, shape (properties, k), and their weights, shape (k,)."""
    if properties == 1:
        even, weights = normal_nodes()
        return even[None], weights
    root = _plastic_root(properties)
    steps = root ** -np.arange(1.0, properties + 1.0)
    half = ndtri((0.5 + np.outer(steps, np.arange(1, JOINT_NODES // 2 + 1))) % 1.0)
    at = np.concatenate((half, -half), axis=1)
    at = np.linalg.solve(np.linalg.cholesky(at @ at.T / JOINT_NODES), at)  # variances 1 and covariances 0, exactly
    return at, np.full(JOINT_NODES, 1.0 / JOINT_NODES)


def _plastic_root(d: int) -> float:
    """Return the root of x^(d+1) = x + 1 above 1, whose powers make an additive recurrence that fills d dimensions.

    Reference: M. Roberts, The unreasonable effectiveness of quasirandom sequences (2018).
    """
    x = 2.0
    for _ in range(64):
        x = (1.0 + x) ** (1.0 / (d + 1.0))
    return x
