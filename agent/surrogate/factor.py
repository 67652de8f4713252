"""The lower Cholesky factor of a matrix that grows by a row at a time.

    [K  k; kᵀ κ] = [L 0; bᵀ δ] [L 0; bᵀ δ]ᵀ   with   L b = k,  δ² = κ − b·b

The factor lies in a larger square, the rest of which is that of the identity: a triangular solve then takes the whole
square as it lies, where a part of it would be copied every time, which costs more than the solve.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack, solve_triangular

FloatArray = NDArray[np.float64]


class GrowingFactor:
    """L, with room to grow.

    Args:
        L: The factor to begin with, shape (n, n).
        capacity: Most rows.
    """

    def __init__(self, L: FloatArray, capacity: int) -> None:
        self._n = len(L)
        self._room = np.eye(capacity)
        self._room[: self._n, : self._n] = L

    def __len__(self) -> int:
        """How many rows it has."""
        return self._n

    @property
    def lower(self) -> FloatArray:
        """L, shape (n, n)."""
        return self._room[: self._n, : self._n]

    def append(self, cross_row: FloatArray, delta: float) -> None:
        """Take in the row (bᵀ, δ)."""
        n = self._n
        self._room[n, :n], self._room[n, n] = cross_row, delta
        self._n = n + 1

    def solve(self, k: FloatArray, *, transposed: bool = False) -> FloatArray:
        """Return L⁻¹k, or L⁻ᵀk, for columns k, shape (n, p); of fewer, the first elements of L⁻¹k."""
        padded = np.zeros((len(self._room), k.shape[1]), order="F")
        padded[: len(k)] = k
        whole = solve_triangular(
            self._room, padded, lower=True, trans="T" if transposed else "N", overwrite_b=True, check_finite=False
        )
        solved: FloatArray = whole[: len(k)]
        return solved

    def solve_rest(self, first: FloatArray, k: FloatArray) -> FloatArray:
        """Return what follows the first elements of L⁻¹k, shape (r,), for the further elements of k, shape (n − r,)."""
        if len(k) == 0:
            return k
        at = slice(len(first), self._n)
        left = k - self._room[at, : len(first)] @ first
        solved: FloatArray = lapack.dtrtrs(self._room[at, at], left, lower=1)[0]  # few rows: a call counts
        return solved
