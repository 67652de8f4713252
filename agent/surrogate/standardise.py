"""Puts features on one scale: x ↦ (x − centre) / scale, column by column.

The statistics come from the whole pool, which is fixed and free of labels: they do not move as results arrive, so a
lengthscale means the same in every decision of a campaign. They are summed in double precision, block by block, so that
a pool in a file is never read whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.surrogate.errors import SurrogateError
from agent.surrogate.pool_blocks import blocks_of

FloatArray = NDArray[np.float64]

CONSTANT_RATIO: Final = 1e-12
"""A column whose spread is below this part of its magnitude is constant but for rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class Standardisation:
    """Statistics of the columns.

    Attributes:
        centre: Mean of each column, shape (d,).
        scale: Population standard deviation, 1 where a column is constant, shape (d,).
        varying: Which columns are not constant, shape (d,).
    """

    centre: FloatArray
    scale: FloatArray
    varying: NDArray[np.bool_]

    def apply(self, rows: FloatArray) -> FloatArray:
        """Standardise rows of shape (r, d); constant columns are left out, as no distance depends on them."""
        return (rows[:, self.varying] - self.centre[self.varying]) / self.scale[self.varying]


def measure_columns(features: FloatArray) -> Standardisation:
    """Measure the columns of a feature matrix of shape (n, d), which may be a memory map.

    Raises:
        SurrogateError: When a feature is not finite.
    """
    n, d = features.shape
    centre, squares, largest = np.zeros(d), np.zeros(d), np.zeros(d)
    for block in blocks_of(features):
        centre += block.sum(axis=0)
        np.maximum(largest, np.abs(block).max(axis=0), out=largest)
    centre /= n
    if not np.isfinite(centre).all():
        raise SurrogateError(
            f"The features of the pool have a value in column {int(np.argmin(np.isfinite(centre)))} that is not finite",
            expected="finite numbers",
            action="fill or drop these rows, or leave the column out",
        )
    for block in blocks_of(features):
        squares += np.square(block - centre).sum(axis=0)
    scale = np.sqrt(squares / n)
    varying = scale > CONSTANT_RATIO * largest
    return Standardisation(centre, np.where(varying, scale, 1.0), varying)


class ColumnMemory:
    """Remembers the statistics of the last feature matrix: a pool is constant over a campaign. Changes no result."""

    def __init__(self) -> None:
        self._last: tuple[FloatArray, Standardisation] | None = None

    def of(self, features: FloatArray) -> Standardisation:
        """Return the statistics of the columns of a matrix, which must not be changed in place."""
        if self._last is None or self._last[0] is not features:
            self._last = (features, measure_columns(features))
        return self._last[1]
