"""Joint draws of values to come: what a pool may hold, as far as the known values tell.

| here | meaning | shape |
|---|---|---|
| X, z | known rows and values (y − centre) / scale | (n, d), (n,) |
| Q | rows whose values are not known | (m, d) |
| L | lower Cholesky factor of K(X, X) + σ_n² I | (n, n) |
| B | L⁻¹ K(X, Q) | (n, m) |
| μ, Σ | BᵀL⁻¹z and K(Q, Q) − BᵀB + σ_n² I, the posterior of the values, noise included | (m,), (m, m) |
| e | standard normals | (s, m) |

A draw is μ + Λ e with Λ Λᵀ = Σ (GPML, equation 2.26 and appendix A.2). Rows that are alike are drawn alike: were each
drawn from its own μ and Σ_ii, the values of a whole group would always be spread as their sum is on the average, and a
campaign that is wrong about a group as a whole would not occur.

Unlike a growing process this one is fitted once, to all rows at once: it depends on them alone, not on their order.

Reference: C. E. Rasmussen, C. K. I. Williams, Gaussian Processes for Machine Learning (MIT Press, 2006) ("GPML").
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from agent.surrogate.covariances import covariances
from agent.surrogate.gaussian_process import cholesky
from agent.surrogate.prior import MOST_FIT_ROWS, PosteriorModeFit

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

MOST_ROWS: Final = 2_000
"""Most rows of the process, evenly spread."""


class PosteriorDraws:
    """A process over known rows, for draws at others.

    Args:
        X: Known rows, standardised features and then groups (`prior`), finite, shape (n, d), n ≥ 1.
        y: Their values [unit of the property], finite, shape (n,).
        groups: How many of the columns, the last ones, are groups.

    Raises:
        SurrogateError: When the rows are no training set, or K has no Cholesky factor.
    """

    def __init__(self, X: FloatArray, y: FloatArray, groups: int) -> None:
        kept = _spread(len(y), MOST_ROWS)
        X, y = X[kept], y[kept]
        sample = _spread(len(y), MOST_FIT_ROWS)
        found = PosteriorModeFit(groups)(X[sample], y[sample], np.zeros(len(sample)), None)
        self._lengthscales, self._signal = found.lengthscales, found.signal_variance
        self._centre, self._scale = found.centre, found.scale
        self._X = X / self._lengthscales
        K = np.asarray(covariances(self._X, self._X, self._signal), dtype=np.float64)
        self._L, self._noise = cholesky(K, found.noise_variance)
        self._u = _solved(self._L, (y - self._centre) / self._scale)

    def means(self, Q: FloatArray) -> FloatArray:
        """Return the predicted values of further rows, shape (m, d); shape (m,) [unit of the property]."""
        means: FloatArray = self._centre + self._scale * (self._u @ self._whitened(Q / self._lengthscales))
        return means

    def draw(self, Q: FloatArray, normals: FloatArray) -> FloatArray:
        """Draw the values of further rows together.

        Args:
            Q: Standardised features and groups, shape (m, d).
            normals: e, shape (s, m).

        Returns:
            A draw a row, shape (s, m) [unit of the property].
        """
        if len(Q) == 0:
            return np.zeros(normals.shape)
        scaled = Q / self._lengthscales
        B = self._whitened(scaled)
        covariance = np.asarray(covariances(scaled, scaled, self._signal), dtype=np.float64) - B.T @ B
        factor, _ = cholesky(covariance, self._noise)
        draws: FloatArray = self._centre + self._scale * (self._u @ B + normals @ factor.T)
        return draws

    def _whitened(self, scaled: FloatArray) -> FloatArray:
        return _solved(self._L, np.asarray(covariances(self._X, scaled, self._signal), dtype=np.float64))


def _solved(L: FloatArray, k: FloatArray) -> FloatArray:
    solved: FloatArray = solve_triangular(L, k, lower=True, check_finite=False)
    return solved


def _spread(n: int, most: int) -> IndexArray:
    """Positions of at most so many of n rows, evenly spread."""
    return np.arange(n) if n <= most else np.arange(most) * n // most
