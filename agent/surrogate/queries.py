"""The rows that a surrogate is asked about: fixed over a campaign, read in blocks, scaled on the way.

A pool that is larger than memory stays where it is (a memory map, say); only a block of it is ever copied.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from agent.surrogate.pool_blocks import rows_of
from agent.surrogate.standardise import Standardisation

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]
Floats = NDArray[np.floating[Any]]

KEPT_BYTES: Final = 1 << 29
"""Scaled rows are kept up to this size (512 MiB: two million rows of 64 features in single precision)."""

BLOCK_ROWS: Final = 4_096
"""Rows of one block: with 1,000 training rows its covariances take 16 MiB in single precision. Four times as many are
slower by half, as they leave the cache."""

SINGLE_PRECISION_FROM: Final = 50_000_000
"""Covariances between training rows and queries from which all of them are in single precision (200 MB): its rounding,
1e-6 of σ_f, is far below the noise."""


class Queries:
    """Some rows of a pool, standardised and divided by lengthscales.

    Args:
        features: Of the whole pool, shape (N, d); may be a memory map, which is then read block by block.
        indices: Rows that are asked about, ascending, shape (m,).
        columns: Statistics of the columns.
    """

    def __init__(self, features: FloatArray, indices: IndexArray, columns: Standardisation) -> None:
        self._features, self._indices, self._columns = features, indices, columns
        self._lengthscales = np.ones(int(columns.varying.sum()))
        self._kept: Floats | None = None
        self._half_squares: Floats = np.empty(0)
        self.dtype: type[np.floating[Any]] = np.float64

    def __len__(self) -> int:
        return len(self._indices)

    def scale(self, lengthscales: FloatArray, training_rows: int) -> None:
        """Divide by lengthscales, shape (d,), from now on; in the precision that suits so many training rows."""
        self._lengthscales = lengthscales
        self.dtype = np.float32 if training_rows * len(self) >= SINGLE_PRECISION_FROM else np.float64
        self._kept = None
        if len(self) * len(lengthscales) * np.dtype(self.dtype).itemsize <= KEPT_BYTES:
            kept = np.empty((len(self), len(lengthscales)), dtype=self.dtype)
            for at, rows in self._read():
                kept[at] = rows
            self._kept, self._half_squares = kept, _half_squares(kept)

    def blocks(self) -> Iterator[tuple[slice, Floats, Floats]]:
        """Yield block by block: places, scaled rows of shape (b, d), and half of their squared norms, shape (b,)."""
        if self._kept is None:
            for at, rows in self._read():
                yield at, rows, _half_squares(rows)
            return
        for at in _blocks(len(self)):
            yield at, self._kept[at], self._half_squares[at]

    def rows(self, places: IndexArray) -> Floats:
        """Return the scaled rows at some places, shape (r, d)."""
        return self._standardised_at(places) / self._lengthscales

    def _read(self) -> Iterator[tuple[slice, Floats]]:
        for at in _blocks(len(self)):
            rows = self._standardised(at) / self._lengthscales
            yield at, rows.astype(self.dtype, copy=False)

    def _standardised(self, at: slice) -> FloatArray:
        return self._standardised_at(np.arange(at.start, at.stop))

    def _standardised_at(self, places: IndexArray) -> FloatArray:
        return self._columns.apply(rows_of(self._features, self._indices[places]))


def _half_squares(rows: Floats) -> Floats:
    halves: Floats = 0.5 * np.einsum("ij,ij->i", rows, rows)
    return halves


def _blocks(length: int) -> Iterator[slice]:
    for start in range(0, length, BLOCK_ROWS):
        yield slice(start, min(start + BLOCK_ROWS, length))
