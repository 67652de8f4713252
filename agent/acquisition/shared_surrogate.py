"""The surrogate of all families together: for a family that has too few rows for one of its own."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from agent.acquisition.base import AcquisitionContext, FloatArray, IndexArray
from agent.acquisition.selection import DEFAULT_MAX_TRAINING_ROWS, training_positions
from agent.surrogate.gaussian_process import FittedGP, fit
from agent.surrogate.pool_blocks import BLOCK_ROWS, rows_of
from agent.surrogate.standardise import Standardisation


class SharedSurrogate:
    """Fitted when it is asked for.

    Args:
        context: Of the decision.
        values: Of the property, shape (k,).
        stds: Standard uncertainties that came with them, 0 where none did, shape (k,).
        columns: Statistics of the features.
    """

    def __init__(
        self, context: AcquisitionContext, values: FloatArray, stds: FloatArray, columns: Standardisation
    ) -> None:
        self._context, self._values, self._stds, self._columns = context, values, stds, columns

    def rows(self, indices: IndexArray) -> FloatArray:
        """Standardised features of pool members, shape (r, d)."""
        return self._columns.apply(rows_of(self._context.pool.features, indices))

    @cached_property
    def process(self) -> FittedGP | None:
        """The process; None while nothing is known."""
        observed = self._context.observed
        if len(observed) == 0:
            return None
        chosen = training_positions(observed, self._context.acquired, DEFAULT_MAX_TRAINING_ROWS)
        return fit(self.rows(observed[chosen]), self._values[chosen], self._stds[chosen])

    def predict(self, process: FittedGP, indices: IndexArray) -> tuple[FloatArray, FloatArray]:
        """Mean and deviation of the latent property at pool members, two arrays (r,); read block by block."""
        mean, std = np.empty(len(indices)), np.empty(len(indices))
        for start in range(0, len(indices), BLOCK_ROWS):
            block = slice(start, start + BLOCK_ROWS)
            mean[block], std[block] = process.predict(self.rows(indices[block]))
        return mean, std
