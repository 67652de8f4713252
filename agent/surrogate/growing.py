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
again, from where they are; likewise after a set share of new rows. A fit that can be taken in parts (`Fit`) is: it is
begun with the row that calls for it, goes on by a few iterations with that row and those after it, and the process is
made again of all rows by then when the first row comes after its end. So no row costs a whole fit. All of it is a fold
over the rows in their order: the same rows in the same order give the same process, whether it grew or was made again.

Rows in flight are appended without their values (`pending_conditioned`): δ and v do not need them.

Where V would not fit into `memory_bytes` it is not kept, and bᵀV = (L⁻ᵀb)ᵀ K(X, Q) is computed again for each row.

Reference: C. E. Rasmussen, C. K. I. Williams, Gaussian Processes for Machine Learning (MIT Press, 2006) ("GPML").
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.surrogate.covariances import Columns, KeptColumns, StreamedColumns, covariances
from agent.surrogate.factor import GrowingFactor
from agent.surrogate.gaussian_process import cholesky, known_noise
from agent.surrogate.hyperparameters import Fit, FitSearch, FittedHyperparameters, fit_hyperparameters
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


SEARCH_WORK: Final = 200_000
"""Iterations of a fit that go with a row, times the square of the rows of the process: about five milliseconds, and
a fit of a hundred rows ends with the row that began it."""

LEAST_ITERATIONS: Final = 2
"""Fewest of them."""

MOST_KEPT: Final = 1_024
"""Most further rows whose b is kept: more than are ever in flight (16 MB, with 2,000 rows)."""

SEARCH_ROWS: Final = 16
"""Most rows that come while hyper-parameters are fitted; what was found by then is taken."""


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
        fit: What fits the hyper-parameters, in parts; if None, the likelihood alone, at once.
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
        self._search: FitSearch | None = None
        self._first: dict[bytes, FloatArray] = {}
        self.n_fits = 0
        self._n = self._made_of = self._refit_after = 0
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
            v: covariances among the queries a, b have fallen by v_a v_b; after its m elements those that its columns
            carry along (`covariances.KeptColumns`). None where it was made again.
        """
        self._all_X = np.concatenate((self._all_X, x[None]))
        self._all_y = np.append(self._all_y, y)
        self._all_stds = np.append(self._all_stds, std)
        if self._is_to_be_made_again():
            return None
        scaled = x / self.lengthscales
        cross_factor = self.cross_factor(scaled[None])
        cross_row = cross_factor[0]
        # δ² is at least the noise, but for rounding.
        noise = self.noise + float(known_noise(np.array([std]), self.scale)[0])
        delta = math.sqrt(max(self.signal + noise - float(cross_row @ cross_row), noise))
        error = ((y - self.centre) / self.scale - float(cross_row @ self.u)) / delta
        v: FloatArray = self.columns.further(self.X, scaled[None], self.factor, cross_factor)[0] / delta
        self.columns.keep(v, self._n)
        n = self._n
        self._room_X[n], self._room_u[n] = scaled, error
        self.factor.append(cross_row, delta)
        self._n = n + 1
        of_queries = v[: len(self.mean)]
        self.mean += of_queries * error
        self.variance -= np.square(of_queries)
        self._errors.append(error)
        if self._search is not None:
            self._search.advance(max(LEAST_ITERATIONS, SEARCH_WORK // n**2))
        return v

    def predict(self) -> tuple[FloatArray, FloatArray]:
        """Mean and standard deviation of the latent f at the queries [unit of the property], two arrays (m,)."""
        return self.centre + self.scale * self.mean, self.scale * np.sqrt(np.maximum(self.variance, 0.0))

    @property
    def kept_columns(self) -> KeptColumns:
        """The covariances with the queries; only where they are kept."""
        if not isinstance(self.columns, KeptColumns):
            raise InvariantViolation("the whitened covariances are not kept")
        return self.columns

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
        b = np.empty((len(scaled), self._n))
        made_of = self._made_of
        for own, x in zip(b, scaled, strict=True):
            own[:made_of] = self._first_cross_factor(x)
            k = np.asarray(covariances(self.X[made_of:], x[None], self.signal), dtype=np.float64)[:, 0]
            own[made_of:] = self.factor.solve_rest(own[:made_of], k)
        return b

    def _first_cross_factor(self, x: FloatArray) -> FloatArray:
        """Return b of a row for the rows that the process was made of; kept, as a row in flight is asked for often.

        It has the same bits whenever it is asked for: `covariances.KeptColumns` keeps what follows from it.
        """
        key = x.tobytes()
        if key not in self._first:
            if len(self._first) == MOST_KEPT:
                self._first.clear()
            k = np.asarray(covariances(self.X[: self._made_of], x[None], self.signal), dtype=np.float64)
            self._first[key] = self.factor.solve(k)[:, 0]
        return self._first[key]

    def _is_to_be_made_again(self) -> bool:
        """Make the process again, or begin to fit it, when it is time; tell whether it was made again."""
        if self._search is not None:
            if not (self._search.has_ended or self._n == len(self._room_X)):
                return False
            self._adopt(self._search.found, self._rows())
            return True
        surprised = self._is_surprised()
        if not surprised and len(self._errors) + 1 < self._refit_after:
            return False
        if self._growth.fit is None:
            self._refit(search=surprised)
            return True
        self._search = self._growth.fit.begin(*self._fit_rows(self._rows()), self._fitted)
        return False

    def _is_surprised(self) -> bool:
        k = len(self._errors)
        squares = math.fsum(e * e for e in self._errors)
        return k >= SURPRISE_ROWS and squares > k + SURPRISE_DEVIATIONS * math.sqrt(2.0 * k)

    def _refit(self, *, search: bool) -> None:
        """Fit the hyper-parameters from where they are, and make the process again (GPML algorithm 2.1).

        Args:
            search: Whether to look for better ones elsewhere in any case.
        """
        growth, rows = self._growth, self._rows()
        X, y, stds = self._fit_rows(rows)
        if growth.fit is None:
            found = fit_hyperparameters(X, y, ard=growth.ard, start=self._fitted, search=search, stds=stds)
        else:
            found = growth.fit(X, y, stds, self._fitted)
        self._adopt(found, rows)

    def _rows(self) -> IndexArray:
        """Rows that the process is made of."""
        return _latest_and_spread(len(self._all_y), self._growth.max_rows)

    def _fit_rows(self, rows: IndexArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Those that hyper-parameters are fitted to: features, values and uncertainties."""
        sample = rows[_latest_and_spread(len(rows), self._growth.max_fit_rows)]
        return self._all_X[sample], self._all_y[sample], self._all_stds[sample]

    def _adopt(self, found: FittedHyperparameters, rows: IndexArray) -> None:
        """Make the process again with these hyper-parameters (GPML algorithm 2.1)."""
        X, y = self._all_X[rows], self._all_y[rows]
        self._fitted, self._search = found, None
        self.lengthscales, self.signal = found.lengthscales, found.signal_variance
        self.centre, self.scale = found.centre, found.scale
        self._n = self._made_of = n = len(y)
        self._refit_after = max(REFIT_LEAST, math.ceil(self._growth.refit_share * n))
        capacity = n + self._refit_after + (0 if self._growth.fit is None else SEARCH_ROWS)
        self._make_room(capacity)
        self._room_X[:n] = X / self.lengthscales
        K = np.asarray(covariances(self.X, self.X, self.signal), dtype=np.float64)
        K.flat[:: n + 1] += known_noise(self._all_stds[rows], self.scale)
        L, self.noise = cholesky(K, found.noise_variance)
        self.factor = GrowingFactor(L, capacity)
        self._first.clear()
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
