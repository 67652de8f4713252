"""Rows in flight in a growing Gaussian process: appended without their values, which are yet to come.

| here | meaning | shape |
|---|---|---|
| e | errors to come: of the prediction of each row by those before it, in its own deviations | (s, p) |
| Λ | the rows' part of the Cholesky factor, noise included | (p, p) |
| W | their rows of V (`growing`) | (p, m) |

δ and v of an appended row do not need its value, and the errors to come are independent standard normals. So the
values in flight are μ_P + Λ e, the means at the queries μ + Wᵀ e, and the variance there falls by Σ_i W_i² in every
case: exactly what conditioning on the drawn values gives, for all draws at once.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from agent.surrogate.covariances import covariances
from agent.surrogate.growing import GrowingGP

FloatArray = NDArray[np.float64]


class PendingConditioned:
    """A process with rows in flight: its deviations are lower around them, its means depend on what they will bring.

    Args:
        base: The process of the known rows; it stays as it is, and must stay so while this one is used.
    """

    def __init__(self, base: GrowingGP) -> None:
        self._base = base
        self._X = np.empty((0, len(base.lengthscales)))
        self._mean_of_rows: list[float] = []
        self._cross_factor: list[FloatArray] = []
        self._deltas: list[float] = []
        self._W: list[FloatArray] = []
        self._variance = base.variance

    def __len__(self) -> int:
        return len(self._deltas)

    @property
    def rows(self) -> list[FloatArray]:
        """W, a row for each in flight: as `growing.GrowingGP.append` returns them."""
        return self._W

    @property
    def variance(self) -> FloatArray:
        """Variance of the latent f at the queries, given those in flight, shape (m,) [of z]."""
        return self._variance

    def extend(self, X: FloatArray) -> None:
        """Add rows in flight, by their standardised features, shape (p, d)."""
        if len(X) == 0:
            return
        base = self._base
        # Row by row: sums over a row that is not contiguous have other bits, and a row has the same ones when it comes.
        scaled = np.ascontiguousarray(X / base.lengthscales)
        cross_factor = base.cross_factor(scaled)
        for row, cross_row, w in zip(
            scaled, cross_factor, base.columns.further(base.X, scaled, base.factor, cross_factor), strict=True
        ):
            self._append(row, cross_row, w)

    def _append(self, scaled: FloatArray, known: FloatArray, w: FloatArray) -> None:
        """Take in a row with its b and w of the base alone, by the rows in flight before it."""
        base, n = self._base, len(known)
        k = covariances(self._X, scaled[None], base.signal)[:, 0]
        pending = np.empty(len(self))
        for j, (cross_row, delta) in enumerate(zip(self._cross_factor, self._deltas, strict=True)):
            pending[j] = (k[j] - cross_row[:n] @ known - cross_row[n:] @ pending[:j]) / delta
        left = base.signal + base.noise - float(known @ known) - float(pending @ pending)
        delta = math.sqrt(max(left, base.noise))
        for weight, earlier in zip(pending, self._W, strict=True):
            w -= weight * earlier
        w /= delta
        self._X = np.concatenate((self._X, scaled[None]))
        self._mean_of_rows.append(float(known @ base.u))
        self._cross_factor.append(np.concatenate((known, pending)))
        self._deltas.append(delta)
        self._W.append(w)
        self._variance = self._variance - np.square(w[: len(self._variance)])

    def values(self, errors: FloatArray) -> FloatArray:
        """Values that the rows in flight may bring [unit of the property].

        Args:
            errors: e, a case a row, shape (s, p).

        Returns:
            Shape (s, p).
        """
        base, n = self._base, len(self._base.u)
        factor = np.diag(self._deltas)
        for j, cross_row in enumerate(self._cross_factor):
            factor[j, :j] = cross_row[n:]
        z = np.array(self._mean_of_rows) + errors @ factor.T
        values: FloatArray = base.centre + base.scale * z
        return values

    def predict(self, errors: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Means of the latent f at the queries in each case, shape (s, m), and its deviation in all, shape (m,)."""
        base = self._base
        m = len(base.mean)
        means = errors @ np.array(self._W)[:, :m] if self._W else np.zeros((len(errors), m))
        means += base.mean
        means *= base.scale
        means += base.centre
        return means, self.std()

    def std(self) -> FloatArray:
        """Return the deviation of the latent f at the queries, the same in all cases, shape (m,)."""
        deviations: FloatArray = self._base.scale * np.sqrt(np.maximum(self._variance, 0.0))
        return deviations
