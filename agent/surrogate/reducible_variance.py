"""How far a value would lower what a growing process does not know of a whole pool.

| here | meaning | shape |
|---|---|---|
| R | reference rows: some of the queries, which stand for the pool | (r,) |
| C | posterior covariances of the reference rows with the queries, C = k(R, Q) − V_Rᵀ V | (r, m) |
| s | Σ_R C², a sum over the reference rows | (m,) |
| s² | posterior variance of the latent f, without noise | (m,) |
| ΔV | s / (s² + σ_n²): by so much V = Σ_R s² falls when the value of a query becomes known | (m,) |

ΔV does not depend on the value, and is exact (D. A. Cohn, Z. Ghahramani, M. I. Jordan, J. Artif. Intell. Res. 4, 129
(1996), equation 9, with a Gaussian process; S. Seo et al., IJCNN 3, 241 (2000), equation 10). A new row v of V, of the
values that came or that are in flight, changes it by

    s ← s − 2 v ∘ (Cᵀ v_R) + v² (v_R·v_R),   C ← C − v_R vᵀ

For rows in flight C itself stays: (C − Σ_j w_jR w_jᵀ)ᵀ w_R = Cᵀ w_R − Σ_j w_j (w_jR·w_R).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas

from agent.surrogate.covariances import covariances
from agent.surrogate.growing import GrowingGP
from agent.surrogate.queries import Queries

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]


class ReducibleVariance:
    """ΔV of every query, kept while a process grows.

    Args:
        process: The process; its V is kept whole.
        queries: What it is asked about.
        reference: Places of the reference rows among the queries, ascending, shape (r,).
    """

    def __init__(self, process: GrowingGP, queries: Queries, reference: IndexArray) -> None:
        self._process, self._reference = process, reference
        rows = np.concatenate([block for _, block, _ in queries.blocks()])
        C = np.asarray(covariances(rows[reference], rows, process.signal), dtype=np.float64)
        V = process.whitened
        C -= V[:, reference].T @ V
        self._C = np.asfortranarray(C)
        self._squares = np.einsum("ij,ij->j", self._C, self._C)

    def append(self, v: FloatArray) -> None:
        """Take in a row of V, shape (m,)."""
        at_reference = v[self._reference]
        self._squares += _change(v, at_reference @ self._C, at_reference)
        self._C = blas.dger(-1.0, at_reference, v, a=self._C, overwrite_a=1)

    def fall(self, pending: Sequence[FloatArray], variance: FloatArray) -> tuple[FloatArray, float]:
        """Return ΔV, shape (m,), and V.

        Args:
            pending: Rows of V of what is in flight, in their order, each of shape (m,).
            variance: s² at the queries, those in flight included, shape (m,) [of z].
        """
        squares = self._squares
        if pending:
            W = np.array(pending)
            W_R = W[:, self._reference]
            products, known = W_R @ self._C, W_R @ W_R.T
            for j, w in enumerate(W):
                squares = squares + _change(w, products[j] - known[j, :j] @ W[:j], W_R[j])
        fall: FloatArray = np.maximum(squares, 0.0) / (np.maximum(variance, 0.0) + self._process.noise)
        return fall, float(np.maximum(variance[self._reference], 0.0).sum())


def _change(v: FloatArray, product: FloatArray, at_reference: FloatArray) -> FloatArray:
    """By how much s changes with a row v, for product = Cᵀ v_R."""
    change: FloatArray = v * (v * float(at_reference @ at_reference) - 2.0 * product)
    return change
