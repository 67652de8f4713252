"""Covariances between training rows and queries: kept whitened where they fit into memory, else computed again.

Notation as in `growing`. All rows here are divided by their lengthscales, so that

    k(a, b) = σ_f² exp(a·b − |a|²/2 − |b|²/2).
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from agent.surrogate.factor import GrowingFactor
from agent.surrogate.queries import Queries

FloatArray = NDArray[np.float64]
Floats = NDArray[np.floating[Any]]


def covariances(A: Floats, B: Floats, signal_variance: float, half_squares_B: Floats | None = None) -> Floats:
    """Covariances k of scaled rows, shapes (a, d) and (b, d) give (a, b), in their precision.

    Args:
        A: Shape (a, d).
        B: Shape (b, d).
        signal_variance: σ_f².
        half_squares_B: |b|²/2, if known, shape (b,).
    """
    half_A = 0.5 * np.einsum("ij,ij->i", A, A)
    half_B = 0.5 * np.einsum("ij,ij->i", B, B) if half_squares_B is None else half_squares_B
    K: Floats = A @ B.T
    K -= half_A[:, None]
    K -= half_B
    np.minimum(K, 0.0, out=K)  # equal rows leave rounding of either sign
    np.exp(K, out=K)
    K *= signal_variance
    return K


class Columns(Protocol):
    """What a growing process needs of the covariances with its queries; V = L⁻¹ K(X, Q)."""

    def solve(self, X: FloatArray, L: FloatArray, u: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return mean Vᵀu and variance σ_f² − Σ V² at the queries, for rows X of shape (n, d)."""
        ...

    def further(self, X: FloatArray, more: FloatArray, factor: GrowingFactor, cross_factor: FloatArray) -> FloatArray:
        """Return k(x, Q) − bᵀV of further rows x, shape (p, d), and their b, shape (p, n); shape (p, m)."""
        ...

    def keep(self, v: FloatArray, row: int) -> None:
        """Let v be this row of V."""
        ...


class KeptColumns:
    """V is kept whole, with room to grow.

    Args:
        queries: Q.
        signal_variance: σ_f².
        capacity: Most training rows.
    """

    def __init__(self, queries: Queries, signal_variance: float, capacity: int) -> None:
        self._queries, self._signal = queries, signal_variance
        self._V = np.empty((capacity, len(queries)), dtype=queries.dtype)

    def whitened(self, n: int) -> FloatArray:
        """Return the first n rows of V, shape (n, m)."""
        return self._V[:n].astype(np.float64, copy=False)

    def solve(self, X: FloatArray, L: FloatArray, u: FloatArray) -> tuple[FloatArray, FloatArray]:
        """See `Columns`."""
        return _solve(self._queries, self._signal, (X, L, u), self._V)

    def further(self, X: FloatArray, more: FloatArray, factor: GrowingFactor, cross_factor: FloatArray) -> FloatArray:  # noqa: ARG002 - the protocol's signature
        """See `Columns`: V is read once, however many rows there are."""
        dtype = self._V.dtype
        v = np.empty((len(more), len(self._queries)), dtype=dtype)
        rows = more.astype(dtype, copy=False)
        for at, block, halves in self._queries.blocks():
            v[:, at] = covariances(rows, block, self._signal, halves)
        v -= cross_factor.astype(dtype, copy=False) @ self._V[: len(X)]
        return v.astype(np.float64, copy=False)

    def keep(self, v: FloatArray, row: int) -> None:
        """See `Columns`."""
        self._V[row] = v


class StreamedColumns:
    """Nothing is kept: K(X, Q) is computed block by block whenever it is needed (arguments as `KeptColumns`)."""

    def __init__(self, queries: Queries, signal_variance: float) -> None:
        self._queries, self._signal = queries, signal_variance

    def solve(self, X: FloatArray, L: FloatArray, u: FloatArray) -> tuple[FloatArray, FloatArray]:
        """See `Columns`."""
        return _solve(self._queries, self._signal, (X, L, u), None)

    def further(self, X: FloatArray, more: FloatArray, factor: GrowingFactor, cross_factor: FloatArray) -> FloatArray:
        """See `Columns`; bᵀV = (L⁻ᵀ b)ᵀ K(X, Q), and K is computed once, however many rows there are."""
        weights = factor.solve(cross_factor.T, transposed=True).T
        dtype = self._queries.dtype
        # One product for both: the further rows stand below the known ones, each with the weight 1 for itself.
        rows = np.concatenate((X, more)).astype(dtype)
        signed = np.concatenate((-weights, np.eye(len(more))), axis=1).astype(dtype)
        v = np.empty((len(more), len(self._queries)))
        for at, block, halves in self._queries.blocks():
            v[:, at] = signed @ covariances(rows, block, self._signal, halves)
        return v

    def keep(self, v: FloatArray, row: int) -> None:
        """See `Columns`: it is not kept."""


def _solve(
    queries: Queries, signal: float, training: tuple[FloatArray, FloatArray, FloatArray], V: Floats | None
) -> tuple[FloatArray, FloatArray]:
    X, L, u = (np.ascontiguousarray(array, dtype=queries.dtype) for array in training)
    mean, variance = np.empty(len(queries)), np.empty(len(queries))
    for at, rows, halves in queries.blocks():
        K = covariances(X, rows, signal, halves)
        whitened = solve_triangular(L, K, lower=True, check_finite=False, overwrite_b=True)
        if V is not None:
            V[: len(X), at] = whitened
        mean[at] = u @ whitened
        variance[at] = signal - np.einsum("ij,ij->j", whitened, whitened)
    return mean, variance
