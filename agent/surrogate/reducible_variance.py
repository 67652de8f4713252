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

C itself stays as it was when the process was made, as it is large: with the rows w_j since then, those in flight among
them, (C − Σ_j w_jR w_jᵀ)ᵀ v_R = Cᵀ v_R − Σ_j w_j (w_jR·v_R). The first term is linear in v, and v is a sum of rows
before it and of one that is asked for at many decisions: so it is carried along with v (`covariances.KeptColumns`), and
C is read once for a row, however long it is in flight.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

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
        process: The process, just made; its V is kept whole.
        queries: What it is asked about.
        reference: Places of the reference rows among the queries, ascending, shape (r,).
    """

    def __init__(self, process: GrowingGP, queries: Queries, reference: IndexArray) -> None:
        self._process, self._reference = process, reference
        rows = np.concatenate([block for _, block, _ in queries.blocks()])
        V = process.kept_columns.whitened
        C = np.asarray(covariances(rows, rows[reference], process.signal), dtype=np.float64).T
        C = blas.dgemm(-1.0, V[:, reference].T, V.T, trans_b=1, beta=1.0, c=C, overwrite_c=1)
        self._squares = np.einsum("ij,ij->j", C, C)
        process.kept_columns.accompany(partial(_at_reference, reference, C))

    def append(self, v: FloatArray) -> None:
        """Take in the row that the process has taken in last, as it returned it."""
        self._squares += self._changes(v[None], self._since[:-1])[0]

    def fall(self, pending: Sequence[FloatArray], variance: FloatArray) -> tuple[FloatArray, float]:
        """Return ΔV, shape (m,), and V.

        Args:
            pending: Rows of V of what is in flight, in their order, as `append` takes them.
            variance: s² at the queries, those in flight included, shape (m,) [of z].
        """
        squares = self._squares
        if pending:
            for change in self._changes(np.array(pending), self._since):
                squares = squares + change
        fall: FloatArray = np.maximum(squares, 0.0) / (np.maximum(variance, 0.0) + self._process.noise)
        return fall, float(np.maximum(variance[self._reference], 0.0).sum())

    @property
    def _since(self) -> FloatArray:
        """Rows of V since the process was made, with Cᵀ v_R of each, shape (k, 2 m)."""
        return self._process.kept_columns.further_rows(len(self._process.u))

    def _changes(self, rows: FloatArray, before: FloatArray) -> FloatArray:
        """By how much s changes with one row after the other, shape (p, 2 m), each with Cᵀ v_R; shape (p, m)."""
        m = len(self._squares)
        v, products, before = rows[:, :m], rows[:, m:], before[:, :m]
        at_reference, before_at_reference = v[:, self._reference], before[:, self._reference]
        inner = at_reference @ at_reference.T
        products = products - (at_reference @ before_at_reference.T) @ before
        changes = np.empty_like(v)
        for j, row in enumerate(v):
            product = products[j] - inner[j, :j] @ v[:j]
            changes[j] = row * (row * inner[j, j] - 2.0 * product)
        return changes


def _at_reference(reference: IndexArray, C: FloatArray, v: FloatArray) -> FloatArray:
    """Return Cᵀ v_R, shape (m,): a function of the module's own, so that a policy can be pickled."""
    found: FloatArray = v[reference] @ C
    return found
