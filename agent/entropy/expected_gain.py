"""The gain of entropy to expect of a candidate whose value is predicted with a normal distribution.

| here | meaning | shape |
|---|---|---|
| s | cases: samples that the family may have by then; one while nothing is in flight | |
| g(y), f(y) | what the value y adds to the entropy of a sample [nat], and max(g(y), 0), see `gain_table` | |
| F(y) | integral of f | |
| μ | mean of the value to come in each case [unit of the property] | (s, c) |
| σ | its deviation in all cases, noise included [unit of the property] | (c,) |
| G | E[f(Y)], Y ~ N(μ, σ²), the mean over the cases [nat] | (c,) |
| h | width of a cell [σ] | |

This is the acquisition function itself: a value that would lower the entropy counts as nothing, as the family keeps
its other values. The published method replaces h after Y by a normal with the same mean and deviation and takes that
one's expected improvement; but g is bounded above by a logarithm and bends at every known value, so it is far from
normal.

G is the mean of f over cells of width h σ, from differences of F, with the weights of a normal of variance 1 − h²/12:
a cell adds h²/12, so that mean and variance are exact whatever f is (dips and kinks included), and the sum over even
points is exact to all powers of h for a normal. Where there are many candidates, G, a smooth function of μ and ln σ,
is made for a grid of these two and interpolated by cubic splines: all μ of one σ at once, as a product of Fourier
transforms of the cells and of the normal. Candidates of similar σ share a grid; those of a σ that is rare are cheaper
one by one. All cases share the grids, and go through tables and transforms together.

The error is below 1e-3 of the largest G, in general below 1e-4 (tests/unit/agent/entropy/test_expected_gain.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft
from scipy.ndimage import map_coordinates, spline_filter1d

from agent.entropy.gain_table import GainTables
from agent.entropy.measure import Added, AddedEach, as_each

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

REACH: Final = 6.0
"""How far the cells reach [σ]; a normal leaves 2e-9 outside."""

CELLS: Final = 97
"""Cells of one expectation, h = 1/8."""

CERTAIN: Final = 1e-9
"""σ below this part of the range of predictions is none: cells would be narrower than the rounding of F."""

BAND: Final = 1.0
"""Width of a band of ln σ. The candidates of one band share a grid, whose step is that of the smallest σ in it."""

SPACING: Final = 0.12
"""Distance of ln σ on the grid: cubic splines then err by less than 1e-4 of the largest G."""

GRID_MARGIN: Final = 3
"""Points of ln σ beyond the candidates' at both ends: what a cubic spline makes of its ends is 2 % of it there."""

REACH_OF_GRID: Final = 1.5 * REACH
"""How far table and cells reach, as exp(`GRID_MARGIN` `SPACING`) = 1.43 [σ]."""

MEANS_PER_DEVIATION: Final = 4.0
"""Points of μ, and so cells, in each of the smallest σ of a band."""

GRID_MOST_MEANS: Final = 8_192
"""Most points of μ on the grid. Candidates of a σ that would need more are integrated one by one."""

CELL_COST: Final = 2.5
"""What a cell of a single candidate takes, a search in the table, in numbers of a grid (15 ns on one core)."""

GRID_COST: Final = 16_384
"""What a grid takes beside its numbers, its calls, likewise."""

CHUNK_NUMBERS: Final = 1 << 16
"""Cells of one block of candidates (512 KiB): what is made of them stays in a core's cache."""


def expected_gain(added: Added, sample: FloatArray, mean: FloatArray, std: FloatArray) -> FloatArray:
    """Expected gain G of every candidate, of one sample [nat].

    Args:
        added: What a value does to the sample.
        sample: The sample, ascending, shape (n,).
        mean: μ, finite, shape (c,), c ≥ 1.
        std: σ, finite and not negative, shape (c,).

    Returns:
        Shape (c,), not negative.
    """
    return mean_expected_gain(as_each(added), sample[None], mean[None], std)


def mean_expected_gain(added: AddedEach, samples: FloatArray, means: FloatArray, std: FloatArray) -> FloatArray:
    """Expected gain G of every candidate, the mean over the cases [nat].

    Args:
        added: What a value does to each sample.
        samples: A sample a row, ascending, shape (s, n).
        means: μ, finite, shape (s, c), c ≥ 1.
        std: σ, finite and not negative, shape (c,).

    Returns:
        Shape (c,), not negative.
    """
    reach = REACH_OF_GRID * float(std.max())
    low, high = float(means.min()) - reach, float(means.max()) + reach
    tables = GainTables(added, samples, low, high, float(std.min()))
    result = np.empty(len(std))
    one_by_one = []
    for rows, has_grid in _bands(means, std, CERTAIN * (high - low)):
        if has_grid:
            result[rows] = _by_grid(tables, means[:, rows], std[rows])
        else:
            one_by_one.append(rows)
    if one_by_one:
        rows = np.concatenate(one_by_one)
        result[rows] = _one_by_one(tables, means[:, rows], std[rows], high - low)
    return result


def _bands(means: FloatArray, std: FloatArray, certain: float) -> Iterator[tuple[IndexArray, bool]]:
    """Yield candidates of similar σ, and whether a grid costs less than each of them for itself."""
    width, widest = float(means.max() - means.min()), float(std.max())
    least = max(MEANS_PER_DEVIATION * width / GRID_MOST_MEANS, certain)
    may_have_grid = std > least
    if not may_have_grid.all():
        yield np.flatnonzero(~may_have_grid), False
    bands = np.full(len(std), -1)
    bands[may_have_grid] = np.log(widest / std[may_have_grid]) / BAND
    for band in np.flatnonzero(np.bincount(bands[may_have_grid])).tolist():
        rows = np.flatnonzero(bands == band)
        narrowest, widest = float(std[rows].min()), float(std[rows].max())
        stds = math.log(widest / narrowest) / SPACING + 2.0 * GRID_MARGIN + 1.0
        points = MEANS_PER_DEVIATION * (width + 2.0 * REACH_OF_GRID * widest) / narrowest
        cells = len(rows) * CELLS * CELL_COST
        yield rows, stds * points + GRID_COST / len(means) < cells


def _one_by_one(tables: GainTables, means: FloatArray, std: FloatArray, span: float) -> FloatArray:
    edges, weights = _cells()
    result: FloatArray = tables.value(means).mean(axis=0)
    uncertain = np.flatnonzero(std > CERTAIN * span)
    rows = max(1, CHUNK_NUMBERS // (len(means) * len(edges)))
    for start in range(0, len(uncertain), rows):
        chunk = uncertain[start : start + rows]
        places = means[:, chunk, None] + std[chunk, None] * edges
        integrals = tables.integral(places.reshape(len(means), -1)).reshape(places.shape)
        result[chunk] = (np.diff(integrals, axis=2) @ weights).mean(axis=0) / std[chunk]
    return result


@lru_cache(maxsize=1)
def _cells() -> tuple[FloatArray, FloatArray]:
    """Edges of the cells [σ], and the weight of each by its width [1/σ]."""
    centres, h = np.linspace(-REACH, REACH, CELLS, retstep=True)
    weights = np.exp(-0.5 * np.square(centres) / (1.0 - h * h / 12.0))
    edges = np.append(centres - h / 2, centres[-1] + h / 2)
    return edges, weights / weights.sum() / h


def _by_grid(tables: GainTables, means: FloatArray, std: FloatArray) -> FloatArray:
    log_std = np.log(std)
    first = float(log_std.min())
    above = math.ceil((float(log_std.max()) - first) / SPACING) + 1
    log_stds = first + SPACING * np.arange(-GRID_MARGIN, above + GRID_MARGIN)
    points, gains = _gains_on_grid(tables, float(means.min()), float(means.max()), np.exp(log_stds))
    places = np.empty((2, len(std)))
    places[0] = (log_std - log_stds[0]) / SPACING
    result = np.zeros(len(std))
    for mean, of_case in zip(means, gains, strict=True):
        places[1] = (mean - points[0]) / (points[1] - points[0])
        result += map_coordinates(of_case, places, order=3, mode="mirror", prefilter=False)
    result /= len(means)
    return np.maximum(result, 0.0, out=result)


def _gains_on_grid(tables: GainTables, low: float, high: float, stds: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Points of μ from low to high, and the splines of G for each case, each of the ascending stds, and each point."""
    narrowest = float(stds[GRID_MARGIN])
    low, high = low - narrowest, high + narrowest
    points, step = np.linspace(low, high, math.ceil(MEANS_PER_DEVIATION * (high - low) / narrowest), retstep=True)
    around = math.ceil(REACH * stds[-1] / step)
    edges = low + step * (np.arange(-around, len(points) + around + 1) - 0.5)
    averages = np.diff(tables.integral(edges), axis=1) / step
    size = next_fast_len(averages.shape[1], real=True)
    spectrum = rfft(averages, size, axis=1)
    frequencies = 2.0 * math.pi * np.arange(spectrum.shape[1]) / (size * step)
    variances = np.square(stds) - step * step / 12.0
    kernels = np.exp(-0.5 * variances[:, None] * np.square(frequencies))
    blurred = irfft(spectrum[:, None] * kernels, size, axis=2)[:, :, around : around + len(points)]
    splines = spline_filter1d(spline_filter1d(blurred, axis=1, mode="mirror"), axis=2, mode="mirror")
    return points, splines
