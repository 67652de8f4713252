"""A growing process over members of a pool, kept from one decision to the next.

It is a fold over rows in canonical order: the start set in pool order, then the acquisitions in order of admission. It
is continued where the rows are still the same ones; where they are not (an observation added manually, another
campaign) it is made again. So it depends on the context of the decision alone, and keeping it only saves time.
"""

from __future__ import annotations

import numpy as np

from agent.acquisition.base import AcquisitionContext, FloatArray, IndexArray
from agent.surrogate.growing import GrowingGP, GrowthSettings
from agent.surrogate.pool_blocks import rows_of
from agent.surrogate.queries import Queries
from agent.surrogate.standardise import Standardisation


def canonical_order(context: AcquisitionContext) -> tuple[IndexArray, int]:
    """Return positions in `context.observed` in canonical order, and how many of them belong to the start set."""
    is_start = np.ones(len(context.observed), dtype=bool)
    positions = np.searchsorted(context.observed, context.acquired)
    is_start[positions] = False
    started = np.flatnonzero(is_start)
    return np.concatenate((started, positions)), len(started)


class GrownSurrogate:
    """The process of some members of a pool.

    Args:
        features: Of the whole pool, shape (n, d).
        members: Pool indices that it is asked about, ascending, shape (m,).
        columns: Statistics of the features.
        growth: How it grows.
        least_rows: Fewest rows that it is made of; it begins with these, or with the start set.
    """

    def __init__(
        self,
        features: FloatArray,
        members: IndexArray,
        columns: Standardisation,
        growth: GrowthSettings,
        *,
        least_rows: int,
    ) -> None:
        self._features, self._members, self._columns = features, members, columns
        self._growth, self._least_rows = growth, least_rows
        self._rows: IndexArray = np.empty(0, dtype=np.int64)
        self._values: FloatArray = np.empty(0)
        self._stds: FloatArray = np.empty(0)
        self._started = -1
        self._process: GrowingGP | None = None

    def standardised(self, rows: IndexArray) -> FloatArray:
        """Standardised features of pool members, shape (r, d)."""
        return self._columns.apply(rows_of(self._features, rows))

    def follow(self, rows: IndexArray, values: FloatArray, stds: FloatArray, started: int) -> GrowingGP | None:
        """Return the process, grown up to the last row; None while there are too few.

        Args:
            rows: Pool indices of the values in canonical order, shape (k,).
            values: Their values [unit of the property], shape (k,).
            stds: Standard uncertainties that came with them, 0 where none did, shape (k,) [unit of the property].
            started: How many of them belong to the start set.
        """
        if len(rows) < self._least_rows:
            return None
        known = len(self._rows)
        is_continued = started == self._started and np.array_equal(rows[:known], self._rows)
        is_continued = is_continued and np.array_equal(values[:known], self._values)
        if self._process is None or not (is_continued and np.array_equal(stds[:known], self._stds)):
            known = max(started, self._least_rows)
            self._started, self._process = started, self.made_of(rows[:known], values[:known], stds[:known])
        for row, value, std in zip(rows[known:], values[known:], stds[known:], strict=True):
            self._process.append(self.standardised(np.array([row]))[0], float(value), float(std))
        self._rows, self._values, self._stds = rows, values, stds
        return self._process

    def made_of(self, rows: IndexArray, values: FloatArray, stds: FloatArray) -> GrowingGP:
        """Return a process that begins with these rows, shapes (k,); it is not kept."""
        queries = Queries(self._features, self._members, self._columns)
        return GrowingGP(queries, self.standardised(rows), values, self._growth, stds)
