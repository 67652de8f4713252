"""The gain of entropy to expect of a candidate whose value is predicted with a normal distribution.

| here | meaning | shape |
|---|---|---|
| g(y), f(y) | what the value y adds to the entropy of the family [nat], and max(g(y), 0), see `gain_table` | |
| F(y) | integral of f | |
| μ, σ | mean and deviation of the value to come, noise included [unit of the property] | (c,) |
| G | E[f(Y)], Y ~ N(μ, σ²) [nat] | (c,) |
| h | width of a cell [σ] | |

This is the acquisition function itself: a value that would lower the entropy counts as nothing, as the family keeps
its other values. The published method replaces h after Y by a normal with the same mean and deviation and takes that
one's expected improvement; but g is bounded above by a logarithm and bends at every known value, so it is far from
normal.

G is the mean of f over cells of width h σ, from differences of F, with the weights of a normal of variance 1 − h²/12:
a cell adds h²/12, so that mean and variance are exact whatever f is (dips and kinks included), and the sum over even
points is exact to all powers of h for a normal. Where there are many candidates, G, a smooth function of μ and ln σ,
is made for a grid of these two and interpolated by cubic splines: all μ of one σ at once, as a product of Fourier
transforms of the cells and of the normal.

The error is below 1e-3 of the largest G, in general below 1e-4 (tests/unit/agent/entropy/test_expected_gain.py).
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft
from scipy.ndimage import map_coordinates

from agent.entropy.gain_table import GainTable
from agent.entropy.measure import Added

FloatArray = NDArray[np.float64]

REACH: Final = 6.0
"""How far the cells reach [σ]; a normal leaves 2e-9 outside."""

CELLS: Final = 97
"""Cells of one expectation, h = 1/8."""

CERTAIN: Final = 1e-9
"""σ below this part of the range of predictions is none: cells would be narrower than the rounding of F."""

GRID_MIN_CANDIDATES: Final = 256
"""Fewer candidates than this are integrated one by one, which takes a millisecond then, as a grid does always."""

GRID_DEVIATIONS: Final = 24
"""Points of ln σ on the grid."""

GRID_MARGIN: Final = 4
"""Points of ln σ beyond the candidates' at both ends: what a cubic spline makes of its ends is a thousandth there."""

LEAST_SPACING: Final = 0.02
"""Smallest distance of ln σ on the grid, for candidates that are all alike."""

GRID_MOST_MEANS: Final = 8_192
"""Most points of μ on the grid. Candidates of a σ that would need more are integrated one by one."""

GRID_WIDEST: Final = 100.0
"""Largest ratio of two σ on the grid, likewise."""

MEANS_PER_DEVIATION: Final = 8.0
"""Points of μ, and so cells, in each of the smallest σ."""

CHUNK_ROWS: Final = 16_384
"""Candidates of one block of cells (12 MiB)."""


def expected_gain(added: Added, sample: FloatArray, mean: FloatArray, std: FloatArray) -> FloatArray:
    """Expected gain G of every candidate [nat].

    Args:
        added: What a value does to the sample.
        sample: The sample, ascending, shape (n,).
        mean: μ, finite, shape (c,), c ≥ 1.
        std: σ, finite and not negative, shape (c,).

    Returns:
        Shape (c,), not negative.
    """
    reach = (REACH + 2.0) * float(std.max())  # the cells at the end, and the margin of the grid
    low, high = float(mean.min()) - reach, float(mean.max()) + reach
    table = GainTable(added, sample, low, high, float(std.min()))
    if len(mean) < GRID_MIN_CANDIDATES:
        return _one_by_one(table, mean, std, high - low)
    least = MEANS_PER_DEVIATION * float(mean.max() - mean.min()) / GRID_MOST_MEANS
    on_grid = std > max(least, float(std.max()) / GRID_WIDEST, CERTAIN * (high - low))
    result = np.empty(len(mean))
    if on_grid.all():
        return _by_grid(table, mean, std)
    if on_grid.any():
        result[on_grid] = _by_grid(table, mean[on_grid], std[on_grid])
    result[~on_grid] = _one_by_one(table, mean[~on_grid], std[~on_grid], high - low)
    return result


def _one_by_one(table: GainTable, mean: FloatArray, std: FloatArray, span: float) -> FloatArray:
    edges, weights = _cells()
    result = table.value(mean)
    uncertain = np.flatnonzero(std > CERTAIN * span)
    for start in range(0, len(uncertain), CHUNK_ROWS):
        rows = uncertain[start : start + CHUNK_ROWS]
        integrals = table.integral(mean[rows, None] + std[rows, None] * edges)
        result[rows] = np.diff(integrals, axis=1) @ weights / std[rows]
    return result


@lru_cache(maxsize=1)
def _cells() -> tuple[FloatArray, FloatArray]:
    """Edges of the cells [σ], and the weight of each by its width [1/σ]."""
    centres, h = np.linspace(-REACH, REACH, CELLS, retstep=True)
    weights = np.exp(-0.5 * np.square(centres) / (1.0 - h * h / 12.0))
    edges = np.append(centres - h / 2, centres[-1] + h / 2)
    return edges, weights / weights.sum() / h


def _by_grid(table: GainTable, mean: FloatArray, std: FloatArray) -> FloatArray:
    log_std = np.log(std)
    narrowest, widest = float(log_std.min()), float(log_std.max())
    spacing = max((widest - narrowest) / (GRID_DEVIATIONS - 1), LEAST_SPACING)
    log_stds = narrowest + spacing * np.arange(-GRID_MARGIN, GRID_DEVIATIONS + GRID_MARGIN)
    means, gains = _gains_on_grid(table, float(mean.min()), float(mean.max()), np.exp(log_stds))
    places = np.empty((2, len(mean)))
    places[0] = (mean - means[0]) / (means[1] - means[0])
    places[1] = (log_std - log_stds[0]) / spacing
    result: FloatArray = map_coordinates(gains, places, order=3, mode="mirror")
    return np.maximum(result, 0.0, out=result)


def _gains_on_grid(table: GainTable, low: float, high: float, stds: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Points of μ from low to high, and G for each of them and of the ascending stds."""
    narrowest = float(stds[GRID_MARGIN])
    low, high = low - narrowest, high + narrowest
    means, step = np.linspace(low, high, math.ceil(MEANS_PER_DEVIATION * (high - low) / narrowest), retstep=True)
    around = math.ceil(REACH * stds[-1] / step)
    edges = low + step * (np.arange(-around, len(means) + around + 1) - 0.5)
    averages = np.diff(table.integral(edges)) / step
    size = next_fast_len(len(averages), real=True)
    spectrum = rfft(averages, size)
    frequencies = 2.0 * math.pi * np.arange(len(spectrum)) / (size * step)
    variances = np.square(stds) - step * step / 12.0
    blurred = irfft(spectrum * np.exp(-0.5 * variances[:, None] * np.square(frequencies)), size, axis=1)
    return means, blurred[:, around : around + len(means)].T
