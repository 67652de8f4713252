"""How far a value would lower what a growing process does not know, where neither V nor C are kept.

Notation as in `reducible_variance`, which keeps C, shape (r, m): for ten million queries it would take gigabytes. Here
the whitened covariances of the reference rows alone are kept, V_R of shape (n, r), and what is needed of C is computed
with the next row of V, in the same pass over the queries (`covariances.StreamedColumns`):

    C = k(R, Q) − V_Rᵀ V  with  V = L⁻¹ k(X, Q),  so  Cᵀ v_R = k(Q, R) v_R − k(Q, X) L⁻ᵀ(V_R v_R)

Here C is that of all known rows, not of those that the process was made of. What is kept is s, a number for each query:
s ← s − 2 v ∘ (Cᵀ v_R) + v² (v_R·v_R). It is the same ΔV but for rounding.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agent.surrogate.covariances import StreamedColumns, covariances
from agent.surrogate.growing import GrowingGP
from agent.surrogate.queries import Queries

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]


class StreamedReducibleVariance:
    """ΔV of every query, kept while a process grows (arguments and methods as `ReducibleVariance`).

    Args:
        process: The process, just made; its V is not kept.
        columns: Its covariances with the queries.
        queries: What it is asked about.
        reference: Places of the reference rows among the queries, ascending, shape (r,).
    """

    def __init__(self, process: GrowingGP, columns: StreamedColumns, queries: Queries, reference: IndexArray) -> None:
        self._process, self._columns, self._reference = process, columns, reference
        rows = np.asarray(queries.rows(reference), dtype=np.float64)
        V_R = process.factor.solve(np.asarray(covariances(process.X, rows, process.signal), dtype=np.float64))
        self._squares = self._summed(queries, rows, process.factor.solve(V_R, transposed=True))
        columns.accompany(rows, V_R)

    def append(self, v: FloatArray) -> None:
        """See `ReducibleVariance`."""
        m = len(self._squares)
        of_queries, product = v[:m], v[m:]
        at_reference = of_queries[self._reference]
        self._squares += _change(of_queries, product, float(at_reference @ at_reference))
        self._columns.reference_grows(at_reference)

    def fall(self, pending: Sequence[FloatArray], variance: FloatArray) -> tuple[FloatArray, float]:
        """See `ReducibleVariance`."""
        m = len(self._squares)
        squares = self._squares
        at_reference = [row[:m][self._reference] for row in pending]
        for j, row in enumerate(pending):
            product = row[m:]
            for i in range(j):
                product = product - float(at_reference[i] @ at_reference[j]) * pending[i][:m]
            squares = squares + _change(row[:m], product, float(at_reference[j] @ at_reference[j]))
        fall: FloatArray = np.maximum(squares, 0.0)
        fall /= np.maximum(variance, 0.0) + self._process.noise
        return fall, float(np.maximum(variance[self._reference], 0.0).sum())

    def _summed(self, queries: Queries, rows: FloatArray, weights: FloatArray) -> FloatArray:
        """Return Σ_R C² of every query; the weights are L⁻ᵀ V_R, shape (n, r)."""
        process, dtype = self._process, queries.dtype
        n = len(process.X)
        both = np.concatenate((process.X, rows)).astype(dtype)
        signed = np.ascontiguousarray(weights.T, dtype=dtype)
        squares = np.empty(len(queries))
        for at, block, halves in queries.blocks():
            K = covariances(both, block, process.signal, halves)
            C = K[n:] - signed @ K[:n]
            squares[at] = np.einsum("ij,ij->j", C, C)
        return squares


def _change(v: FloatArray, product: FloatArray, inner: float) -> FloatArray:
    """By how much s changes with a row of V, shape (m,)."""
    change: FloatArray = inner * v
    change -= 2.0 * product
    change *= v
    return change
