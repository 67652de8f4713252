"""Hyper-parameters of several methods together, at the mode of their posterior.

θ = (ln ℓ_1 … ln ℓ_d, ln ℓ_g, ln σ², ln ν, then ρ, ln β and ln τ of all cheaper methods), see `covariance`. Its priors
are those of one method alone (`prior`), ν in the place of the noise, and for a cheaper method: it measures the same,
and errs by about a third of what candidates differ by. The gradient is ½ tr(W ∂K/∂θ), W = ααᵀ − K⁻¹, and every ∂K but
those by the lengthscales is of low rank beside E, or beside [i = j]:

    ½ tr(W ∂K/∂ρ_m) = (W_E)_m· r σ² + (W_S)_m· r ν,  W_E = W ∘ E and W_S = W ∘ [i = j], summed over the rows of methods.

Reference: C. E. Rasmussen, C. K. I. Williams, Gaussian Processes for Machine Learning (MIT Press, 2006), equation 5.9.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from agent.surrogate.fidelities.covariance import Relations, similarities
from agent.surrogate.gaussian_process import cholesky
from agent.surrogate.minimise import minimise
from agent.surrogate.prior import BOUNDS, TOLERANCE_NAT, prior_of

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

LEAST_NOISE: Final = 1e-5
"""Variance of every value beside what is known of its noise [of standardised values]: K keeps its Cholesky factor."""

SLOPE_MODE, SLOPE_DEVIATION = 1.0, 0.5
"""Of ρ: a cheap value of a property is a value of that property, more or less."""

SMOOTH_ERROR_MODE, SMOOTH_ERROR_DEVIATION = 0.1, 1.5
"""Of β, the deviation of its logarithm: methods differ by a third of what candidates do, give or take."""

ROUGH_ERROR_MODE, ROUGH_ERROR_DEVIATION = 0.03, 2.0
"""Of τ, likewise; the mode and width of the noise of one method alone."""

SLOPE_BOUNDS: Final = (-3.0, 3.0)
ERROR_BOUNDS: Final = (math.log(1e-5), 2.0)
"""Of ρ; of ln β and ln τ. Beyond, a method is worthless, or takes the Cholesky factor from K."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Values that a process is fitted to.

    Attributes:
        X: Standardised features and groups of their candidates, shape (n, d + groups).
        candidate: Which candidate, shape (n,).
        method: By which method, the target being the last, shape (n,).
        z: Standardised values, shape (n,).
        noise: Known variance of each [of z], shape (n,).
    """

    X: FloatArray
    candidate: IndexArray
    method: IndexArray
    z: FloatArray
    noise: FloatArray

    def at(self, places: IndexArray) -> Rows:
        """Return some of them."""
        return Rows(self.X[places], self.candidate[places], self.method[places], self.z[places], self.noise[places])


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """What was found.

    Attributes:
        theta: θ.
        lengthscales: Of features and groups, shape (d + groups,).
        relations: Of the methods.
    """

    theta: FloatArray
    lengthscales: FloatArray
    relations: Relations


class Posterior:
    """ln p(z | θ) + ln p(θ), but for a constant, and its gradient.

    Args:
        rows: The values.
        groups: How many of the columns of X, the last ones, are groups.
        methods: M.
    """

    def __init__(self, rows: Rows, groups: int, methods: int) -> None:
        self._rows, self._groups, self._methods = rows, groups, methods
        self._same = rows.candidate[:, None] == rows.candidate
        self._by_method = np.zeros((methods, len(rows.z)))
        self._by_method[rows.method, np.arange(len(rows.z))] = 1.0
        self._mode, self._deviation = fidelity_prior(rows.X.shape[1] - groups, methods)

    def __call__(self, theta: FloatArray) -> tuple[float, FloatArray]:
        """Return the value, and the gradient, of the shape of θ."""
        rows, d = self._rows, self._rows.X.shape[1] - self._groups
        found = fitted_of(theta, d, self._groups, self._methods)
        scaled = rows.X / found.lengthscales
        E = similarities(scaled, scaled)
        relations, at = found.relations, np.ix_(rows.method, rows.method)
        smooth = relations.smooth[at]
        smooth *= E
        K = smooth + relations.rough[at] * self._same + np.diag(relations.offset)[at]
        L, _ = cholesky(K, LEAST_NOISE, rows.noise)
        alpha = lapack.dpotrs(L, rows.z, lower=1)[0]
        value = -0.5 * float(rows.z @ alpha) - float(np.log(L.diagonal()).sum())
        inverse = np.tril(lapack.dpotri(L, lower=1)[0])
        W = np.outer(alpha, alpha) - inverse - inverse.T
        W.flat[:: len(alpha) + 1] += inverse.diagonal()
        gradient = np.concatenate(
            (self._by_lengthscales(W * smooth, scaled, d), self._by_relations(W, E, theta[d + 1 :]))
        )
        off = (theta - self._mode) / self._deviation
        return value - 0.5 * float(off @ off), gradient - off / self._deviation

    def _by_lengthscales(self, WK: FloatArray, scaled: FloatArray, d: int) -> FloatArray:
        each = (WK.sum(axis=1) @ np.square(scaled)) - np.einsum("ik,ik->k", scaled, WK @ scaled)
        return np.append(each[:d], each[d:].sum())

    def _by_relations(self, W: FloatArray, E: FloatArray, tail: FloatArray) -> FloatArray:
        signal, rough, slopes, smooth_errors, rough_errors = _parts(tail, self._methods)
        r = np.append(slopes, 1.0)
        of_smooth = self._by_method @ (W * E) @ self._by_method.T
        of_rough = self._by_method @ (W * self._same) @ self._by_method.T
        by_slope = (of_smooth @ r * signal + of_rough @ r * rough)[:-1]
        return np.concatenate(
            (
                [0.5 * signal * float(r @ of_smooth @ r), 0.5 * rough * float(r @ of_rough @ r)],
                by_slope,
                0.5 * smooth_errors * of_smooth.diagonal()[:-1],
                0.5 * rough_errors * of_rough.diagonal()[:-1],
            )
        )


def fit(rows: Rows, groups: int, methods: int, start: FloatArray | None, iterations: int) -> Fitted:
    """Find θ.

    Args:
        rows: The values, at least one.
        groups: How many of the columns of X, the last ones, are groups.
        methods: M.
        start: Where to begin; by default at the mode of the prior.
        iterations: Most iterations.

    Raises:
        SurrogateError: When K has no Cholesky factor.
    """
    d = rows.X.shape[1] - groups
    mode, _ = fidelity_prior(d, methods)
    if not rows.z.any():  # all values are equal: nothing is to be learned
        return fitted_of(mode if start is None else start, d, groups, methods)
    posterior, cheaper = Posterior(rows, groups, methods), methods - 1
    bounds = [BOUNDS[0]] * d + list(BOUNDS[1:]) + [SLOPE_BOUNDS] * cheaper + [ERROR_BOUNDS] * (2 * cheaper)

    def negative(theta: FloatArray) -> tuple[float, FloatArray]:
        value, gradient = posterior(theta)
        return -value, -gradient

    begin = mode if start is None else start
    found = minimise(negative, begin, np.array(bounds), max_iterations=iterations, tolerance=TOLERANCE_NAT)
    return fitted_of(found.x, d, groups, methods)


def fidelity_prior(d: int, methods: int) -> tuple[FloatArray, FloatArray]:
    """Return mode and deviation of every component of θ for d features, two arrays."""
    mode, deviation = prior_of(d)
    ones = np.ones(methods - 1)
    modes = (SLOPE_MODE * ones, math.log(SMOOTH_ERROR_MODE) * ones, math.log(ROUGH_ERROR_MODE) * ones)
    deviations = (SLOPE_DEVIATION * ones, SMOOTH_ERROR_DEVIATION * ones, ROUGH_ERROR_DEVIATION * ones)
    return np.concatenate((mode, *modes)), np.concatenate((deviation, *deviations))


def fitted_of(theta: FloatArray, d: int, groups: int, methods: int) -> Fitted:
    """Return what θ means."""
    lengthscales = np.exp(np.concatenate((theta[:d], np.full(groups, theta[d]))))
    return Fitted(theta, lengthscales, Relations.of(*_parts(theta[d + 1 :], methods)))


def _parts(tail: FloatArray, methods: int) -> tuple[float, float, FloatArray, FloatArray, FloatArray]:
    """Return σ², ν, ρ, β and τ."""
    slopes, smooth_errors, rough_errors = tail[2:].reshape(3, methods - 1)
    return math.exp(tail[0]), math.exp(tail[1]), slopes, np.exp(smooth_errors), np.exp(rough_errors)
