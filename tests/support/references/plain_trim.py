"""Trimming as its definition says it: every removal of every family is tried on the whole sample, at every step."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from agent.entropy.spacing import spacing_entropy, window
from agent.entropy.subset import AT_LEVEL, LEVEL_ROWS
from agent.entropy.thinning import GAIN_STEP

GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0


def plain_rows_to_keep(
    codes: NDArray[np.int64], values: NDArray[np.float64], keep: int, *, resolution: float
) -> NDArray[np.int64]:
    """Return the same rows as `rows_to_keep`, in O(n³)."""
    # Ascending values; of equal values the later row first, because it is the one to go.
    families = [
        sorted((float(values[row]), -int(row)) for row in np.flatnonzero(codes == code))
        for code in range(codes.max() + 1)
    ]
    removed = [0] * len(families)
    entropies = [spacing_entropy(np.array([x for x, _ in each]), resolution) for each in families]
    large = [h for h, each in zip(entropies, families, strict=True) if len(each) >= LEVEL_ROWS]
    level = max(large or entropies)
    for _ in range(len(values) - keep):
        options = [
            (*_best(each, count, level, resolution), code)
            for code, (each, count) in enumerate(zip(families, removed, strict=True))
            if len(each) > 1
        ]
        change = max(option[0] for option in options)
        _, place, code = next(option for option in options if option[0] == change)
        del families[code][place]
        removed[code] += 1
    return np.sort(np.array([-row for each in families for _, row in each], dtype=np.int64))


def _best(family: list[tuple[float, int]], removed: int, level: float, r: float) -> tuple[float, int]:
    x = np.array([value for value, _ in family])
    k = len(x)
    m = window(k)
    h = spacing_entropy(x, r, m)
    after = [spacing_entropy(np.delete(x, place), r, m) for place in range(k)]
    inner = max(k - 2, 1)
    place = list(x).index(x[min(1, k - 1) + math.floor(inner * ((removed + 1) * GOLDEN % 1.0))])
    if min(h, after[place]) < level - AT_LEVEL:
        coarse, fine = (_steps(x, r, each) for each in (m, window(m)))
        both = [a + b for a, b in zip(coarse, fine, strict=True)]
        place = both.index(max(both))
        rest = np.delete(x, place)
        changes = [spacing_entropy(rest, r, each) - spacing_entropy(x, r, each) for each in (m, window(m))]
        after[place] = h + sum(changes) / 2
    change = (k - 1) * (min(after[place], level) - math.log(k - 1)) - k * (min(h, level) - math.log(k))
    return change, place


def _steps(x: NDArray[np.float64], r: float, m: int) -> list[int]:
    """What the sum of the windows' logarithms gains without each value, in the steps in which gains are compared."""

    def total(sample: NDArray[np.float64]) -> float:
        i = np.arange(len(sample))
        widths = sample[np.minimum(i + m, len(sample) - 1)] - sample[np.maximum(i - m, 0)]
        return float((0.5 * np.log(widths**2 + r * r)).sum())

    return [round((total(np.delete(x, place)) - total(x)) / GAIN_STEP) for place in range(len(x))]
