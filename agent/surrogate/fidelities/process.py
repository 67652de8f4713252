"""What is known of every candidate by every method, as values come in one after the other.

| here | meaning | shape |
|---|---|---|
| Q | columns: the value, without noise, of every candidate by every method; method by method, target last | (M m,) |
| V | L⁻¹ K(values, Q) of the values so far | (n, M m) |
| μ, s² | mean and variance of the columns | (M m,) |
| g | smooth part of the dear value of reference candidates, which stand for the pool: what a model could know | (r,) |
| C | covariances of g with the columns | (r, M m) |

A value of column q with noise n takes v = (k(q, Q) − V_qᵀ V) / δ, δ² = s²_q + n, w = C_q / δ and e = (z − μ_q) / δ:

    μ ← μ + v e,  s² ← s² − v²,  C ← C − w vᵀ,  var g ← var g − w²

Every value is of a column, so no factor of K is needed. A value in flight is one whose e is 0.

The sum of squares of C_q over its δ² is what the value of q teaches of the dear property of the pool, whatever it is
(D. A. Cohn, Z. Ghahramani, M. I. Jordan, J. Artif. Intell. Res. 4, 129 (1996), equation 9).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from agent.surrogate.fidelities.covariance import similarities
from agent.surrogate.fidelities.posterior import LEAST_NOISE, Fitted, Rows
from agent.surrogate.gaussian_process import cholesky

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]


class FidelityProcess:
    """A process over a fixed set of candidates.

    Args:
        X: Standardised features and groups of the candidates, shape (m, d + groups).
        reference: Places of those that stand for the pool, shape (r,).
        fitted: Hyper-parameters.
        methods: M.
    """

    def __init__(self, X: FloatArray, reference: IndexArray, fitted: Fitted, methods: int) -> None:
        self._scaled = X / fitted.lengthscales
        self._reference, self._relations, self._methods = reference, fitted.relations, methods
        self.size = len(X)
        self._V = np.empty((0, methods * self.size))
        self._n = 0

    def begin(self, rows: Rows, room: int) -> None:
        """Take in the first values at once, whose `candidate` is a place among those of the process.

        Args:
            rows: The values.
            room: How many more are to come.

        Raises:
            SurrogateError: When K has no Cholesky factor.
        """
        relations, target = self._relations, self._methods - 1
        E_all = similarities(self._scaled[rows.candidate], self._scaled)
        same = rows.candidate[:, None] == np.arange(self.size)
        K_Q = np.concatenate(
            [relations.between(E_all, same, rows.method, np.full(self.size, b)) for b in range(self._methods)], axis=1
        )
        columns = rows.method * self.size + rows.candidate
        L, _ = cholesky(K_Q[:, columns], LEAST_NOISE, rows.noise)
        V = solve_triangular(L, K_Q, lower=True, check_finite=False)
        u = solve_triangular(L, rows.z, lower=True, check_finite=False)
        self._n = len(rows.z)
        self._V = np.empty((self._n + room, V.shape[1]))
        self._V[: self._n] = V
        self.mean = u @ V
        prior = relations.smooth.diagonal() + relations.rough.diagonal() + relations.offset
        self.variance = np.repeat(prior, self.size) - np.einsum("ij,ij->j", V, V)
        E_g = similarities(self._scaled[self._reference], self._scaled)
        K_g = np.concatenate([relations.smooth[target, b] * E_g for b in range(self._methods)], axis=1)
        V_g = solve_triangular(L, K_g[:, columns].T, lower=True, check_finite=False)
        self.C = K_g - V_g.T @ V
        self.variance_g = relations.smooth[target, target] - np.einsum("ij,ij->j", V_g, V_g)

    @property
    def is_full(self) -> bool:
        """Whether there is no room for another value."""
        return self._n == len(self._V)

    def copy(self) -> FidelityProcess:
        """Return one that goes its own way: for values in flight."""
        other = object.__new__(FidelityProcess)
        other._scaled, other._reference, other._relations = self._scaled, self._reference, self._relations
        other._methods, other.size, other._n = self._methods, self.size, self._n
        other._V = self._V[: self._n]
        other.mean, other.variance = self.mean, self.variance.copy()
        other.C, other.variance_g = self.C.copy(), self.variance_g.copy()
        return other

    def append(self, column: int, z: float, noise: float) -> float:
        """Take in a value; return e, the error of its prediction in its own deviations."""
        v, delta = self._row(column, noise)
        error = (z - float(self.mean[column])) / delta
        self.mean = self.mean + v * error
        self._V[self._n] = v
        self._n += 1
        return error

    def request(self, column: int, noise: float) -> None:
        """Let a value be in flight: what is known after it, wherever it will lie. For a copy."""
        v, _ = self._row(column, noise)
        self._V = np.concatenate((self._V, v[None]))
        self._n += 1

    def between(self, method: int) -> FloatArray:
        """Covariances of every candidate's value by a method with its dear value, shape (m,)."""
        target = self._methods - 1
        a, t = slice(method * self.size, (method + 1) * self.size), slice(target * self.size, None)
        relations = self._relations
        prior = relations.smooth[method, target] + relations.rough[method, target]
        V = self._V[: self._n]
        covariance: FloatArray = prior - np.einsum("ij,ij->j", V[:, a], V[:, t])
        return covariance

    def _row(self, column: int, noise: float) -> tuple[FloatArray, float]:
        """Take in a value's v and w but not what it is; return v and δ."""
        place, method = column % self.size, column // self.size
        E = similarities(self._scaled[place : place + 1], self._scaled)
        same = np.arange(self.size)[None] == place
        relations, a = self._relations, np.array([method])
        k = np.concatenate([relations.between(E, same, a, np.full(self.size, b))[0] for b in range(self._methods)])
        k -= self._V[: self._n, column] @ self._V[: self._n]
        delta = math.sqrt(max(float(self.variance[column]), 0.0) + noise + LEAST_NOISE)
        v = k / delta
        w = self.C[:, column] / delta
        self.variance -= np.square(v)
        self.variance_g -= np.square(w)
        self.C -= np.outer(w, v)
        return v, delta
