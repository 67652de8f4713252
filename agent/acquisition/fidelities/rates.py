"""What a question is worth for its cost, where a cheap answer may tell which dear question is worth asking.

| here | meaning | shape |
|---|---|---|
| S | score of a dear value: what it is expected to bring | (a,) |
| C, c | cost of a dear value, and of a cheap one [unit of the budget] | |
| t_k, w_k | nodes of what the cheap value may say, and their weights, Σ w_k = 1 | (k,) |
| S_k | score of the dear value once the cheap one has said t_k | (a, k) |
| G | what the cheap value brings by itself | (a,) |

A dear value brings S / C for each unit. A cheap one first, and the dear one only where it then scores highly enough,
brings for each unit

    max over sets A of outcomes of  (G + Σ_{k ∈ A} w_k S_k) / (c + C Σ_{k ∈ A} w_k)

which is the reservation price of a closed box: the rate r at which G + E[max(S − r C, 0)] = r c (M. L. Weitzman,
Econometrica 47, 641 (1979)). The best set is that of the k highest scores for some k, so the maximum is over sorted
sums. Where the cheap value says nothing all S_k are S, and the rate is S / (C + c): the dear one is asked at once.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

OUTCOMES: Final = 7
"""Nodes of a cheap value to come (Gauss and Hermite): its score is smooth in it, and the rate is of the best."""


def outcomes() -> tuple[FloatArray, FloatArray]:
    """Return t and w, two arrays (k,), of a standard normal."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(OUTCOMES)
    return nodes, weights / weights.sum()


def rate_of_looking(
    scores: FloatArray, weights: FloatArray, gain: FloatArray, cost: float, dear_cost: float
) -> FloatArray:
    """Return what a cheap value, and the dear one where it is worth it, bring for each unit of the budget, shape (a,).

    Args:
        scores: S_k, shape (a, k).
        weights: w, shape (k,).
        gain: G, shape (a,).
        cost: c.
        dear_cost: C.
    """
    order = np.argsort(-scores, axis=1, kind="stable")
    w = weights[order]
    brought = gain[:, None] + np.cumsum(w * np.take_along_axis(scores, order, axis=1), axis=1)
    paid = cost + dear_cost * np.cumsum(w, axis=1)
    best: FloatArray = np.maximum((brought / paid).max(axis=1), gain / cost)
    return best
