"""What an earlier log adds to a belief, with a bias variance of its own that is learned: it is never trusted.

| here | meaning | shape |
|---|---|---|
| cell | rows of the log that tell the same levels of the same factors | c of them |
| ȳ, e | mean value of each cell, and variance of that mean: pooled variance within cells over their sizes | (c,) |
| L | what ȳ would be of designs drawn evenly: mean of f over all designs with the cell's levels | (c, n) |
| b | bias: whoever made the log chose what is withheld, for reasons that are withheld too | (c,) |

    ȳ = L f + b + noise,   b ~ N(0, v B),   B = 0.8 [same level of the queried factor] + 0.2 [same cell]

v is the value of a grid under which ȳ is most likely given all labels so far. A log that contradicts them is given a
large one, and then says next to nothing of the effects: a bias that is shared by a level of the queried factor is just
what an effect looks like. With v fixed near zero the log is taken at its word: the demonstration of what confounding
does (`trust_log`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from agent.causal.belief import Belief
from agent.pool.designs import Designs
from agent.pool.earlier_log import WITHHELD, EarlierLog
from agent.surrogate.errors import SurrogateError

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

SHARED_BIAS: Final = 0.8
"""Part of a bias that all cells of one level of the queried factor have in common."""

BIAS_GRID: Final = (0.0025, 0.0075, 0.025, 0.075, 0.25, 0.5, 1.0, 2.0, 4.0)
"""v that are tried [variance of the log's values]: from next to none to twice the deviation of all values."""

TRUSTED: Final = 2.5e-4
"""v of a log that is taken at its word [the same]."""

LEAST_NOISE: Final = 1e-6
"""Least variance of a mean [the same], so that equal values in all cells leave a matrix with a Cholesky factor."""


@dataclass(frozen=True, slots=True, eq=False)
class LogCells:
    """The cells of a log; made by `cells_of`.

    Attributes:
        means: ȳ, shape (c,) [unit].
        noise: e, shape (c,) [unit²].
        averages: L, shape (c, n).
        bias: B, shape (c, c).
        spread: Variance of all values of the log [unit²].
    """

    means: FloatArray
    noise: FloatArray
    averages: FloatArray
    bias: FloatArray
    spread: float


def cells_of(log: EarlierLog, designs: Designs, candidates: int) -> LogCells | None:
    """Return the cells of a log that the designs have; None where there are none, or the values do not vary."""
    told, cell_of = np.unique(log.codes, axis=0, return_inverse=True)
    cell_of = cell_of.reshape(-1)
    fits = np.all((told[:, None, :] == WITHHELD) | (told[:, None, :] == designs.codes), axis=2)
    kept = np.flatnonzero(fits.any(axis=1))
    spread = float(log.values.var()) if len(log.values) else 0.0
    if len(kept) == 0 or spread == 0.0:
        return None
    sizes = np.bincount(cell_of, minlength=len(told)).astype(np.float64)
    means = np.bincount(cell_of, log.values, minlength=len(told)) / sizes
    repeated = sizes[cell_of] > 1.0
    within = np.square(log.values - means[cell_of])[repeated].sum()
    freedom = repeated.sum() - np.count_nonzero(sizes > 1.0)
    pooled = max(within / freedom if freedom else spread, LEAST_NOISE * spread)
    averages = np.zeros((len(kept), candidates))
    for row, cell in zip(averages, kept, strict=True):
        made = designs.candidate[fits[cell]]
        np.add.at(row, made, 1.0 / len(made))
    queried = told[kept, designs.query]
    bias = SHARED_BIAS * (queried[:, None] == queried) + (1.0 - SHARED_BIAS) * np.eye(len(kept))
    return LogCells(means[kept], pooled / sizes[kept], averages, bias, spread)


def bias_variance(belief: Belief, cells: LogCells) -> float:
    """Return the v of the grid under which the log is most likely [unit²]; of equal ones the larger."""
    grid = [v * cells.spread for v in BIAS_GRID]
    return max(reversed(grid), key=lambda v: _likelihood(belief, cells, v))


def with_log(belief: Belief, cells: LogCells, variance: float) -> Belief:
    """Condition a belief about the candidates themselves on a log with this bias variance [unit²].

    Raises:
        SurrogateError: When the covariance of the cells has no Cholesky factor.
    """
    L, expected = _factor(belief, cells, variance)
    cross = cells.averages @ belief.covariance
    white = lapack.dtrtrs(L, np.column_stack((cross, cells.means - expected)), lower=1)[0]
    V, u = white[:, :-1], white[:, -1]
    return replace(belief, mean=belief.mean + u @ V, covariance=belief.covariance - V.T @ V)


def _likelihood(belief: Belief, cells: LogCells, variance: float) -> float:
    L, expected = _factor(belief, cells, variance)
    u = lapack.dtrtrs(L, cells.means - expected, lower=1)[0]
    return -0.5 * float(u @ u) - float(np.log(np.diag(L)).sum())


def _factor(belief: Belief, cells: LogCells, variance: float) -> tuple[FloatArray, FloatArray]:
    """Cholesky factor of the covariance of ȳ, shape (c, c), and what it is expected to be, shape (c,)."""
    C = cells.averages @ belief.covariance @ cells.averages.T + variance * cells.bias + np.diag(cells.noise)
    L, failed = lapack.dpotrf(C, lower=1, clean=1)
    if failed:
        raise SurrogateError(
            f"The covariance of {len(C)} cells of the log has no Cholesky factor",
            expected="a positive definite matrix",
            action="look for values of absurd magnitude in the log",
        )
    return L, cells.averages @ belief.mean
