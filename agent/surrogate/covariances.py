"""Covariances between training rows and queries: kept whitened where they fit into memory, else computed again.

Notation as in `growing`. All rows here are divided by their lengthscales, so that

    k(a, b) = σ_f² exp(a·b − |a|²/2 − |b|²/2).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import get_blas_funcs

from agent.surrogate.factor import GrowingFactor
from agent.surrogate.queries import Queries

FloatArray = NDArray[np.float64]
Floats = NDArray[np.floating[Any]]


AHEAD_BYTES: Final = 1 << 26
"""Most memory of what is kept for rows in flight (64 MiB: sixteen of them over a million queries in single precision);
what was kept is dropped then, and those that are still in flight are computed once more."""


def covariances(
    A: Floats, B: Floats, signal_variance: float, half_squares_B: Floats | None = None, out: Floats | None = None
) -> Floats:
    """Covariances k of scaled rows, shapes (a, d) and (b, d) give (a, b), in their precision.

    Args:
        A: Shape (a, d).
        B: Shape (b, d).
        signal_variance: σ_f².
        half_squares_B: |b|²/2, if known, shape (b,).
        out: Where to put them.
    """
    half_A = 0.5 * np.einsum("ij,ij->i", A, A)
    half_B = 0.5 * np.einsum("ij,ij->i", B, B) if half_squares_B is None else half_squares_B
    K: Floats = np.matmul(A, B.T, out=out)
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
        """Return k(x, Q) − bᵀV of further rows x, shape (p, d), and their b, shape (p, n); a row for each.

        Its first m elements are meant; others may follow, which are carried along.
        """
        ...

    def keep(self, v: FloatArray, row: int) -> None:
        """Let v, as long as those of `further`, be this row of V."""
        ...


class KeptColumns:
    """V is kept whole, with room to grow.

    Args:
        queries: Q.
        signal_variance: σ_f².
        capacity: Most training rows.
    """

    def __init__(self, queries: Queries, signal_variance: float, capacity: int) -> None:
        self._queries, self._signal, self._capacity = queries, signal_variance, capacity
        self._V: Floats = np.empty((0, len(queries)), dtype=queries.dtype)
        self._since = self._V
        self._ahead: dict[bytes, Floats] = {}
        self._companion: Callable[[FloatArray], FloatArray] | None = None

    @property
    def whitened(self) -> FloatArray:
        """V of the rows that `solve` was given, shape (n, m)."""
        return self._V.astype(np.float64, copy=False)

    def further_rows(self, n: int) -> FloatArray:
        """Return the rows of V after those, as they were kept, when there are n in all."""
        return self._since[: n - len(self._V)].astype(np.float64, copy=False)

    def accompany(self, companion: Callable[[FloatArray], FloatArray]) -> None:
        """Let further rows of V be followed by a linear function of themselves from now on, both of shape (m,)."""
        self._companion = companion
        self._ahead.clear()
        self._since = np.empty((len(self._since), 2 * len(self._queries)), dtype=self._V.dtype)

    def solve(self, X: FloatArray, L: FloatArray, u: FloatArray) -> tuple[FloatArray, FloatArray]:
        """See `Columns`."""
        m, dtype = len(self._queries), self._V.dtype
        self._V, self._since = np.empty((len(X), m), dtype=dtype), np.empty((self._capacity - len(X), m), dtype=dtype)
        return _solve(self._queries, self._signal, (X, L, u), self._V)

    def further(self, X: FloatArray, more: FloatArray, factor: GrowingFactor, cross_factor: FloatArray) -> FloatArray:  # noqa: ARG002 - the protocol's signature
        """See `Columns`: of V, what came since `solve` is read for all rows, and the rest once for each of them.

        A row in flight is asked for at one decision after the other, and then taken in.
        """
        begun, weights = len(self._V), cross_factor.astype(self._V.dtype, copy=False)
        v = np.stack([self._ahead_of(x, own[:begun]) for x, own in zip(more, weights, strict=True)])
        if begun < len(X):
            v -= weights[:, begun:] @ self._since[: len(X) - begun]
        return v.astype(np.float64, copy=False)

    def keep(self, v: FloatArray, row: int) -> None:
        """See `Columns`."""
        self._since[row - len(self._V)] = v

    def _ahead_of(self, x: FloatArray, weights: Floats) -> Floats:
        """Return k(x, Q) − bᵀV of the first rows, and its companion."""
        key = x.tobytes()
        if key not in self._ahead:
            if (len(self._ahead) + 1) * self._since.itemsize * self._since.shape[1] > AHEAD_BYTES:
                self._ahead.clear()
            row, ahead = x[None].astype(self._V.dtype, copy=False), np.empty(len(self._queries), dtype=self._V.dtype)
            for at, block, halves in self._queries.blocks():
                ahead[at] = covariances(row, block, self._signal, halves)[0]
            ahead -= weights @ self._V
            if self._companion is not None:
                followed = self._companion(ahead.astype(np.float64, copy=False))
                ahead = np.concatenate((ahead, followed.astype(ahead.dtype, copy=False)))
            self._ahead[key] = ahead
        return self._ahead[key]


class StreamedColumns:
    """Nothing is kept: K(X, Q) is computed block by block whenever it is needed (arguments as `KeptColumns`)."""

    def __init__(self, queries: Queries, signal_variance: float) -> None:
        self._queries, self._signal = queries, signal_variance
        self._reference: FloatArray | None = None
        self._V_R: FloatArray = np.empty((0, 0))

    def accompany(self, reference: FloatArray, V_R: FloatArray) -> None:
        """Let further rows of V be followed by Cᵀ v_R from now on (`streamed_variance`), both of shape (m,).

        Args:
            reference: R, scaled rows, shape (r, d).
            V_R: V at these, shape (n, r).
        """
        self._reference, self._V_R = reference, V_R

    def reference_grows(self, v_R: FloatArray) -> None:
        """Take in what the row of V that was taken in last is at the reference rows, shape (r,)."""
        self._V_R = np.concatenate((self._V_R, v_R[None]))

    def solve(self, X: FloatArray, L: FloatArray, u: FloatArray) -> tuple[FloatArray, FloatArray]:
        """See `Columns`."""
        return _solve(self._queries, self._signal, (X, L, u), None)

    def further(self, X: FloatArray, more: FloatArray, factor: GrowingFactor, cross_factor: FloatArray) -> FloatArray:
        """See `Columns`; bᵀV = (L⁻ᵀ b)ᵀ K(X, Q), and K is computed once, however many rows there are."""
        weights = factor.solve(cross_factor.T, transposed=True).T
        dtype = self._queries.dtype
        # One product for both: the further rows stand below the known ones, each with the weight 1 for itself.
        rows = np.concatenate((X, more))
        signed = np.concatenate((-weights, np.eye(len(more))), axis=1)
        if self._reference is not None:
            rows, signed = self._accompanied(rows, signed, more, factor, cross_factor)
        rows, signed = rows.astype(dtype), signed.astype(dtype)
        p, parts = len(more), len(signed) // len(more)
        v = np.empty((p, parts * len(self._queries)))
        by_part = v.reshape(p, parts, len(self._queries))
        for at, block, halves in self._queries.blocks():
            by_part[:, :, at] = (signed @ covariances(rows, block, self._signal, halves)).reshape(p, parts, -1)
        return v

    def _accompanied(
        self, rows: FloatArray, signed: FloatArray, more: FloatArray, factor: GrowingFactor, cross_factor: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Add the reference rows, and below what makes v of each further row what makes Cᵀ v_R of it."""
        R, p, n = np.asarray(self._reference), len(more), cross_factor.shape[1]
        v_R = np.asarray(covariances(more, R, self._signal), dtype=np.float64) - cross_factor @ self._V_R
        of_known = factor.solve(self._V_R @ v_R.T, transposed=True).T
        both = np.zeros((p, 2, n + p + len(R)))
        both[:, 0, : n + p] = signed
        both[:, 1, :n] = -of_known
        both[:, 1, n + p :] = v_R
        return np.concatenate((rows, R)), both.reshape(2 * p, -1)

    def keep(self, v: FloatArray, row: int) -> None:
        """See `Columns`: it is not kept."""


def _solve(
    queries: Queries, signal: float, training: tuple[FloatArray, FloatArray, FloatArray], V: Floats | None
) -> tuple[FloatArray, FloatArray]:
    X, L, u = (np.ascontiguousarray(array, dtype=queries.dtype) for array in training)
    (trsm,) = get_blas_funcs(("trsm",), (L,))
    mean, variance = np.empty(len(queries)), np.empty(len(queries))
    for at, rows, halves in queries.blocks():
        K = covariances(X, rows, signal, halves, out=None if V is None else V[: len(X), at])
        # K lies row by row: for LAPACK that is Kᵀ, and (L⁻¹K)ᵀ = Kᵀ L⁻ᵀ is solved for where it lies.
        whitened = trsm(1.0, L.T, K.T, side=1, overwrite_b=1).T
        if V is not None and not K.flags.c_contiguous:
            V[: len(X), at] = whitened
        mean[at] = u @ whitened
        variance[at] = signal - np.einsum("ij,ij->j", whitened, whitened)
    return mean, variance
