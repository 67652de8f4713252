"""The greatest entropy that a family could have with some further values of those that it might get.

| here | meaning | shape |
|---|---|---|
| x | known values, all of which stay | (k,) |
| y | values that could be had; s draws of them | (s, m) |
| b | how many of them at most | |
| h(n) | entropy of the n values that are left when the most redundant of y go, one at a time [nat] | (s,) |

The most redundant is the one of y with the greatest G + F of `thinning`, made again for all draws at once: they have
one size, so that a few array operations do for all of them.

What is returned is the largest h(n) for n from min(k + b, k + m) down to max(k, `LEVEL_ROWS`), and at least that of x
alone. An entropy of fewer values is up to chance, and the largest of many such would be a lucky one; where x and y
together are fewer than `LEVEL_ROWS`, as many of y are taken as may be.

The removals are greedy, so there may be a subset with a little more.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from agent.entropy.measure import EntropyMeasure
from agent.entropy.spacing import window
from agent.entropy.subset import LEVEL_ROWS
from agent.entropy.thinning import removal_gains, size_constant, window_sum

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


def attainable_entropies(known: FloatArray, further: FloatArray, most: int, measure: EntropyMeasure) -> FloatArray:
    """Return the greatest entropy of all known and at most so many further values, NaN where undefined; shape (s,).

    Args:
        known: x, finite, shape (k,).
        further: y, finite, shape (s, m).
        most: b, at least 0.
        measure: The entropy that counts; values go by the m-spacing estimator of its resolution.
    """
    draws, m = further.shape
    now = measure.entropy(np.sort(known)) if len(known) else None
    floor = np.full(draws, -math.inf if now is None else now)
    largest = len(known) + min(most, m)
    if largest > len(known) and draws:
        x, is_known = _ascending(known, further)
        best = _best_subsets(x, is_known, largest, min(max(len(known), LEVEL_ROWS), largest), measure.resolution)
        found = [measure.entropy(each) for each in best]
        floor = np.maximum(floor, [-math.inf if h is None else h for h in found])
    return np.where(np.isfinite(floor), floor, math.nan)


def _ascending(known: FloatArray, further: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Return known and further values of every draw in ascending order, shape (s, k + m), and which are known."""
    values = np.concatenate((np.broadcast_to(known, (len(further), len(known))), further), axis=1)
    order = np.argsort(values, axis=1, kind="stable")
    return np.take_along_axis(values, order, axis=1), order < len(known)


def _best_subsets(x: FloatArray, is_known: BoolArray, largest: int, least: int, r: float) -> list[FloatArray]:
    """Return of every draw the values with the greatest h(n), largest ≥ n ≥ least."""
    best = np.full(len(x), -math.inf)
    kept: list[FloatArray] = list(x)
    while True:
        k = x.shape[1]
        m = window(k)
        if k <= largest:
            h = window_sum(x, m, r) / k + size_constant(k, m)
            for draw in np.flatnonzero(h > best):
                best[draw], kept[draw] = h[draw], x[draw]
        if k == least:
            return kept
        redundancy = removal_gains(x, m, r, 0, k) + removal_gains(x, window(m), r, 0, k)
        goes = np.where(is_known, -math.inf, redundancy).argmax(axis=1)
        stays = np.ones(x.shape, dtype=bool)
        stays[np.arange(len(x)), goes] = False
        x, is_known = x[stays].reshape(len(x), k - 1), is_known[stays].reshape(len(x), k - 1)
