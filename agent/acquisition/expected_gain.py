"""The gain of entropy to expect of a candidate whose value is predicted with a normal distribution.

| here | meaning | shape |
|---|---|---|
| g(y) | what the value y adds to the entropy of the family [nat], see `measure` | |
| μ, σ | mean and deviation of the value to come, noise included [unit of the property] | (c,) |
| G | E[max(g(Y), 0)], Y ~ N(μ, σ²) [nat] | (c,) |

This is the acquisition function itself: a value that would lower the entropy counts as nothing, as the family keeps
its other values. The published method replaces h after Y by a normal with the same mean and deviation and takes that
one's expected improvement; but g is bounded above by a logarithm and bends at every known value, so it is far from
normal.

g is read from a table that holds every known value, between which it is smooth, and integrated by the trapezoidal rule
over nodes σ / 8 apart. A kink of slope s costs at most s σ / 1000 then, a thousandth of the gain that its slope could
make. G is a smooth function of μ and ln σ; where there are many candidates it is integrated on a grid of these two and
interpolated by cubic splines.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RectBivariateSpline

from agent.acquisition.measure import Added

FloatArray = NDArray[np.float64]

REACH: Final = 6.0
"""How far the nodes reach [σ]; a normal leaves 2e-9 outside."""

NODES: Final = 97
"""Nodes of one expectation: an eighth of σ apart."""

TABLE_POINTS: Final = 512
"""Even points of the table over all predictions; g is smooth beyond the sample."""

POINTS_PER_GAP: Final = 4
"""Points of the table in each gap between known values, where g is a sum of two logarithms."""

CLOSE_UP_VALUES: Final = 8
"""Samples up to this size get close points around each value: with windows of one or two spacings g dips there. Larger
ones get them around their ends, where g bends most."""

CLOSE_UP_STEPS: Final = 120
"""Close points on each side of a value, in a geometric sequence over six decades."""

GRID_MIN_CANDIDATES: Final = 8_192
"""Fewer candidates than this are integrated one by one."""

GRID_DEVIATIONS: Final = 24
"""Points of ln σ on the grid."""

GRID_MEANS: Final = (192, 4_096)
"""Fewest and most points of μ on the grid."""

MEANS_PER_DEVIATION: Final = 5.0
"""Points of μ in each of the smallest σ: G is smooth over σ, and cubic splines then err by 1e-4 of its scale."""

CHUNK_ROWS: Final = 16_384
"""Candidates of one block of nodes (12 MiB)."""


def expected_gain(added: Added, sample: FloatArray, mean: FloatArray, std: FloatArray) -> FloatArray:
    """Expected gain G of every candidate [nat].

    Args:
        added: What a value does to the sample.
        sample: The sample, ascending, shape (n,).
        mean: μ, finite, shape (c,).
        std: σ, finite and not negative, shape (c,).

    Returns:
        Shape (c,), not negative.
    """
    table = _Table.of(added, sample, float((mean - REACH * std).min()), float((mean + REACH * std).max()))
    grid = _grid(mean, std) if len(mean) >= GRID_MIN_CANDIDATES else None
    if grid is None:
        return table.integrate(mean, std)
    means, log_stds = grid
    at_mean, at_std = (axis.ravel() for axis in np.meshgrid(means, np.exp(log_stds), indexing="ij"))
    values = table.integrate(at_mean, at_std).reshape(len(means), len(log_stds))
    spline = RectBivariateSpline(means, log_stds, values)
    smooth: FloatArray = np.concatenate(
        [
            spline.ev(mean[at : at + CHUNK_ROWS], np.log(std[at : at + CHUNK_ROWS]))
            for at in range(0, len(mean), CHUNK_ROWS)
        ]
    )
    return np.maximum(smooth, 0.0, out=smooth)


class _Table:
    """max(g, 0) between the points where g is known."""

    def __init__(self, points: FloatArray, gains: FloatArray) -> None:
        self._points, self._gains = points, gains

    @classmethod
    def of(cls, added: Added, sample: FloatArray, low: float, high: float) -> _Table:
        within = np.arange(POINTS_PER_GAP) / POINTS_PER_GAP
        inside = (sample[:-1, None] + np.diff(sample)[:, None] * within).ravel()
        parts = [inside, sample[-1:], np.linspace(low, high, TABLE_POINTS)]
        steps = np.geomspace(1e-6, 1.0, CLOSE_UP_STEPS) * max(high - low, sample[-1] - sample[0])
        centres = sample if len(sample) <= CLOSE_UP_VALUES else sample[[0, -1]]
        parts += [(centres[:, None] + sign * steps).ravel() for sign in (-1.0, 1.0)]
        points = np.unique(np.concatenate(parts))
        gains = added.gain(points)
        usable = np.isfinite(gains)  # a tie may have no entropy, but such points have no probability
        return cls(points[usable], gains[usable])

    def integrate(self, mean: FloatArray, std: FloatArray) -> FloatArray:
        """E[max(g(Y), 0)] by the trapezoidal rule, shape (c,)."""
        nodes, weights = _normal_nodes()
        if len(self._points) == 0:
            return np.zeros(len(mean))
        result = np.empty(len(mean))
        for start in range(0, len(mean), CHUNK_ROWS):
            chunk = slice(start, start + CHUNK_ROWS)
            gains = np.interp(mean[chunk, None] + std[chunk, None] * nodes, self._points, self._gains)
            result[chunk] = np.maximum(gains, 0.0, out=gains) @ weights
        return result


def _grid(mean: FloatArray, std: FloatArray) -> tuple[FloatArray, FloatArray] | None:
    """Points of μ and of ln σ that cover the candidates; None where a grid would cost more than they do."""
    low, high = float(mean.min()), float(mean.max())
    narrowest, widest = float(std.min()), float(std.max())
    if narrowest <= 0.0 or high <= low:
        return None
    means = math.ceil(MEANS_PER_DEVIATION * (high - low) / narrowest)
    if means > GRID_MEANS[1] or max(means, GRID_MEANS[0]) * GRID_DEVIATIONS > len(mean):
        return None
    margin = 1e-6 + 1e-6 * abs(math.log(narrowest))  # so that all σ lie inside although they may be the same
    log_stds = np.linspace(math.log(narrowest) - margin, math.log(widest) + margin, GRID_DEVIATIONS)
    return np.linspace(low, high, max(means, GRID_MEANS[0])), log_stds


@lru_cache(maxsize=1)
def _normal_nodes() -> tuple[FloatArray, FloatArray]:
    """Nodes [σ] and weights of an expectation over a normal."""
    nodes = np.linspace(-REACH, REACH, NODES)
    weights = np.exp(-0.5 * np.square(nodes))
    return nodes, weights / weights.sum()
