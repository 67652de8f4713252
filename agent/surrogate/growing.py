"""A Gaussian process that grows by one row at a time over fixed queries: what a campaign asks a thousand times.

| here | meaning | shape |
|---|---|---|
| X, z | training rows (standardised, divided by the lengthscales) and values (y − centre) / scale | (n, d), (n,) |
| Q | queries, likewise | (m, d) |
| L | lower Cholesky factor of K(X, X) + σ_n² I | (n, n) |
| u | L⁻¹ z, the whitened values | (n,) |
| V | L⁻¹ K(X, Q), the whitened covariances | (n, m) |
| μ, s² | Vᵀu and σ_f² − Σ_i V_i², the latent posterior at the queries | (m,) |

A new row x with value z appends a row to each (bordering; it is algorithm 2.1 of GPML for the row that is added):

    b = L⁻¹ k(X, x),  δ² = σ_f² + σ_n² − b·b,  L ← [L 0; bᵀ δ],  e = (z − b·u) / δ,  u ← [u; e],
    v = (k(x, Q) − bᵀV) / δ,  V ← [V; v],  μ ← μ + v e,  s² ← s² − v²

which is O(n² + n m) in place of O(n³ + n² m). e is the error of the prediction of z in its own deviations: when the
squares of the latest e are more than their number allows, the evidence has dropped and the hyper-parameters are fitted
again, from where they are; likewise after a set share of new rows. All of it is a fold over the rows in their order:
the same rows in the same order give the same process, whether it grew or was made again.

Rows in flight are appended without their values (`pending_conditioned`): δ and v do not need them.

Where V would not fit into `memory_bytes` it is not kept, and bᵀV = (L⁻ᵀb)ᵀ K(X, Q) is computed again for each row.

Reference: C. E. Rasmussen, C. K. I. Williams, Gaussian Processes for Machine Learning (MIT Press, 2006) ("GPML").
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.surrogate.covariances import Columns, KeptColumns, StreamedColumns, covariances
from agent.surrogate.factor import GrowingFactor
from agent.surrogate.gaussian_process import cholesky
from agent.surrogate.hyperparameters import FittedHyperparameters, fit_hyperparameters
from agent.surrogate.queries import Queries
from protocols.errors import InvariantViolation

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

REFIT_SHARE: Final = 0.1
"""New rows, as a share of the rows of the last fit, after which hyper-parameters are fitted again: a tenth more rows
moves them by a fraction of their own uncertainty."""

REFIT_LEAST: Final = 5
"""Fewest new rows between two fits that follow this schedule."""

SURPRISE_ROWS: Final = 3
"""Fewest new rows that can show that the evidence has dropped."""

SURPRISE_DEVIATIONS: Final = 4.0
"""The squares of k errors sum to k ± √(2k) under the model; beyond so many deviations it is wrong."""


Fit = Callable[[FloatArray, FloatArray, FloatArray, FittedHyperparameters | None], FittedHyperparameters]
"""Fits hyper-parameters to rows, values and their standard uncertainties, beginning at the present ones."""


@dataclass(frozen=True, slots=True)
class GrowthSettings:
    """How a process grows.

    Attributes:
        ard: One lengthscale a feature instead of one for all.
        max_fit_rows: Most rows that hyper-parameters are fitted on.
        max_rows: Most rows of the process when it is fitted; of more it keeps the latest half and an even spread of
            the others.
        memory_bytes: Most memory of V.
        refit_share: New rows, as a share of those of the last fit, after which it is fitted again.
        fit: What fits the hyper-parameters, from rows, values, their uncertainties and the present ones; if None, the
            likelihood alone, which takes all values for equally certain.
    """

    ard: bool = False
    max_fit_rows: int = 500
    max_rows: int = 2_000
    memory_bytes: int = 1 << 30
    refit_share: float = REFIT_SHARE
    fit: Fit | None = None


class GrowingGP:
    """A process over fixed queries.

    Args:
        queries: Q; this process scales them.
        X: First training rows, standardised, shape (n, d), n ≥ 1.
        y: Their values [unit of the property], shape (n,).
        growth: How it grows.
        stds: Standard uncertainties that came with the values, shape (n,); 0 where none did, as by default.

    Raises:
        SurrogateError: When the rows are no training set, or K has no Cholesky factor.
    """

    def __init__(
        self, queries: Queries, X: FloatArray, y: FloatArray, growth: GrowthSettings, stds: FloatArray | None = None
    ) -> None:
        self._queries, self._growth = queries, growth
        self._all_X, self._all_y = X, y
        self._all_stds = np.zeros(len(y)) if stds is None else stds
        self._fitted: FittedHyperparameters | None = None
        self.n_fits = 0
        self._n = self._refit_after = 0
        self.mean = self.variance = np.empty(0)
        self._refit(search=True)

    @property
    def noise_std(self) -> float:
        """Standard deviation of the noise [unit of the property]."""
        return self.scale * math.sqrt(self.noise)

    @property
    def lengthscale(self) -> float:
        """The lengthscale, or the geometric mean of several [standardised feature]."""
        return float(np.exp(np.log(self.lengthscales).mean())) if len(self.lengthscales) else 1.0

    def append(self, x: FloatArray, y: float, std: float = 0.0) -> FloatArray | None:
        """Take in one row; fit again when it is time.

        Args:
            x: Standardised features, shape (d,).
            y: Value [unit of the property].
            std: Its standard uncertainty, beyond the noise of all values [unit of the property].

        Returns:
            v, shape (m,): covariances among the queries a, b have fallen by v_a v_b. None where it was fitted again.
        """
        self._all_X = np.concatenate((self._all_X, x[None]))
        self._all_y = np.append(self._all_y, y)
        self._all_stds = np.append(self._all_stds, std)
        surprised = self._is_surprised()
        if surprised or len(self._errors) + 1 >= self._refit_after:
            self._refit(search=surprised)
            return None
        scaled = x / self.lengthscales
        cross_factor = self.cross_factor(scaled[None])
        cross_row = cross_factor[0]
        # δ² is at least the noise, but for rounding.
        noise = self.noise + float(self._known_noise(np.array([std]))[0])
        delta = math.sqrt(max(self.signal + noise - float(cross_row @ cross_row), noise))
        error = ((y - self.centre) / self.scale - float(cross_row @ self.u)) / delta
        v: FloatArray = self.columns.further(self.X, scaled[None], self.factor, cross_factor)[0] / delta
        self.columns.keep(v, self._n)
        n = self._n
        self._room_X[n], self._room_u[n] = scaled, error
        self.factor.append(cross_row, delta)
        self._n = n + 1
        self.mean += v * error
        self.variance -= np.square(v)
        self._errors.append(error)
        return v

    def predict(self) -> tuple[FloatArray, FloatArray]:
        """Mean and standard deviation of the latent f at the queries [unit of the property], two arrays (m,)."""
        return self.centre + self.scale * self.mean, self.scale * np.sqrt(np.maximum(self.variance, 0.0))

    @property
    def whitened(self) -> FloatArray:
        """V, shape (n, m); only where it is kept."""
        columns = self.columns
        if not isinstance(columns, KeptColumns):
            raise InvariantViolation("the whitened covariances are not kept")
        return columns.whitened(self._n)

    @property
    def X(self) -> FloatArray:  # noqa: N802 - the field's own name
        """Training rows, standardised and scaled, shape (n, d)."""
        return self._room_X[: self._n]

    @property
    def u(self) -> FloatArray:
        """Whitened values, shape (n,)."""
        return self._room_u[: self._n]

    def cross_factor(self, scaled: FloatArray) -> FloatArray:
        """Return b of further rows, whose scaled features have shape (p, d); shape (p, n)."""
        return self.factor.solve(np.asarray(covariances(self.X, scaled, self.signal), dtype=np.float64)).T

    def _known_noise(self, stds: FloatArray) -> FloatArray:
        """Return the variances that came with values, of z, shape (k,)."""
        variances: FloatArray = np.square(stds / self.scale)
        return variances

    def _is_surprised(self) -> bool:
        k = len(self._errors)
        squares = math.fsum(e * e for e in self._errors)
        return k >= SURPRISE_ROWS and squares > k + SURPRISE_DEVIATIONS * math.sqrt(2.0 * k)

    def _refit(self, *, search: bool) -> None:
        """Fit the hyper-parameters from where they are, and make the process again (GPML algorithm 2.1).

        Args:
            search: Whether to look for better ones elsewhere in any case.
        """
        growth = self._growth
        rows = _latest_and_spread(len(self._all_y), growth.max_rows)
        X, y = self._all_X[rows], self._all_y[rows]
        sample = _latest_and_spread(len(y), growth.max_fit_rows)
        if growth.fit is None:
            found = fit_hyperparameters(X[sample], y[sample], ard=growth.ard, start=self._fitted, search=search)
        else:
            found = growth.fit(X[sample], y[sample], self._all_stds[rows][sample], self._fitted)
        self._fitted = found
        self.lengthscales, self.signal = found.lengthscales, found.signal_variance
        self.centre, self.scale = found.centre, found.scale
        self._n = n = len(y)
        self._refit_after = max(REFIT_LEAST, math.ceil(growth.refit_share * n))
        self._make_room(n + self._refit_after)
        self._room_X[:n] = X / self.lengthscales
        K = np.asarray(covariances(self.X, self.X, self.signal), dtype=np.float64)
        K.flat[:: n + 1] += self._known_noise(self._all_stds[rows])
        L, self.noise = cholesky(K, found.noise_variance)
        self.factor = GrowingFactor(L, n + self._refit_after)
        z = (y - self.centre) / self.scale
        self._room_u[:n] = self.factor.solve(z[:, None])[:, 0]
        self.mean, self.variance = self.columns.solve(self.X, self.factor.lower, self.u)
        self._errors: list[float] = []
        self.n_fits += 1

    def _make_room(self, capacity: int) -> None:
        self._room_X = np.empty((capacity, len(self.lengthscales)))
        self._room_u = np.empty(capacity)
        self._queries.scale(self.lengthscales, capacity)
        itemsize = np.dtype(self._queries.dtype).itemsize
        self.columns: Columns = StreamedColumns(self._queries, self.signal)  # frees the old one before the new is made
        if capacity * len(self._queries) * itemsize <= self._growth.memory_bytes:
            self.columns = KeptColumns(self._queries, self.signal, capacity)


def _latest_and_spread(n: int, most: int) -> IndexArray:
    """Positions of at most so many of n rows: the latest half and an even spread over the others, ascending."""
    if n <= most:
        return np.arange(n)
    others = n - most // 2
    spread = np.arange(most - most // 2) * others // (most - most // 2)
    return np.concatenate((spread, np.arange(others, n)))
