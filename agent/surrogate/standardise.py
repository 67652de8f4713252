"""Puts features on one scale: x ↦ (x − centre) / scale, column by column.

The statistics come from the whole pool, which is fixed and free of labels: they do not move as results arrive, so a
lengthscale means the same in every decision of a campaign.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

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
    """Measure the columns of a feature matrix of shape (n, d)."""
    centre = features.mean(axis=0)
    scale = features.std(axis=0)
    varying = scale > CONSTANT_RATIO * np.abs(features).max(axis=0)
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
