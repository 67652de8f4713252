"""Hyper-parameters with one lengthscale a feature (automatic relevance determination).

| here | meaning | shape |
|---|---|---|
| ℓ | lengthscales | (d,) |
| K_f | σ_f² exp(−½ Σ_k (x_ik − x_jk)² / ℓ_k²) | (n, n) |
| W | (ααᵀ − K⁻¹) ∘ K_f | (n, n) |

The derivative by ln ℓ_k is ½ Σ_ij W_ij (x_ik − x_jk)² / ℓ_k², and as W is symmetric the sum is
2 (Σ_i w_i x_ik² − x_kᵀ W x_k) with w = W 1: one product of matrices for all d of them, O(n² d), where a tensor of
gradients of every element of K (as scikit-learn's kernels make it) takes O(n² d) memory too.

References: R. M. Neal, Bayesian Learning for Neural Networks (Springer, 1996), section 4; GPML equation 5.9.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas, lapack

from agent.surrogate.gaussian_process import (
    LENGTHSCALE_BOUNDS,
    NOISE_VARIANCE_BOUNDS,
    SIGNAL_VARIANCE_BOUNDS,
    START,
    best_of_starts,
    cholesky,
)

FloatArray = NDArray[np.float64]

TOLERANCE_NAT: Final = 1e-5
"""What an iteration must bring [nat]. Lengthscales that tell nothing drift for hundreds of iterations that bring a
millionth each; a hundredth and coarser ends are worth as much to a model, but decide otherwise now and then
(DECISIONS.md 68)."""


def most_likely_lengthscales(
    X: FloatArray,
    z: FloatArray,
    unit: float,
    known: tuple[FloatArray, float, float] | None,
    *,
    from_known_alone: bool = False,
    known_noise: FloatArray | None = None,
) -> tuple[FloatArray, float, float]:
    """Maximise the likelihood over all lengthscales, signal and noise variance.

    Args:
        X: Standardised features, shape (n, d).
        z: Standardised values, shape (n,).
        unit: Of the lengthscales: the root-mean-square distance between rows.
        known: Where to begin as well as with equal lengthscales; the more likely end counts.
        from_known_alone: Whether to begin there alone.
        known_noise: Variance of each value beside the noise variance, shape (n,).

    Returns:
        Lengthscales, shape (d,), signal variance and noise variance.
    """
    d = X.shape[1]
    bounds = np.log([np.multiply(LENGTHSCALE_BOUNDS, unit)] * d + [SIGNAL_VARIANCE_BOUNDS, NOISE_VARIANCE_BOUNDS])

    likelihood = LengthscaleLikelihood(X, z, known_noise)

    def negative(theta: FloatArray) -> tuple[float, FloatArray]:
        value, gradient = likelihood(theta)
        return -value, -gradient

    starts = [] if known is None else [np.log(np.concatenate((known[0], known[1:])))]
    if not (starts and from_known_alone):
        starts.append(np.log(np.concatenate((np.full(d, START[0] * unit), START[1:]))))
    found = np.exp(best_of_starts(negative, starts, bounds, tolerance=TOLERANCE_NAT))
    return found[:d], float(found[d]), float(found[d + 1])


class LengthscaleLikelihood:
    """ln p(z | X, θ) and its gradient by θ = (ln ℓ_1 … ln ℓ_d, ln σ_f², ln σ_n²), for one θ after another.

    The matrices lie where those of the last θ were: fresh memory costs as much as what is computed in it.

    Args:
        X: Standardised features, shape (n, d).
        z: Standardised values, shape (n,).
        known_noise: Variance of each value beside σ_n², shape (n,).
    """

    def __init__(self, X: FloatArray, z: FloatArray, known_noise: FloatArray | None = None) -> None:
        n, d = X.shape
        self._X, self._z, self._known_noise = np.ascontiguousarray(X.T), z, known_noise
        self._K_f, self._K = np.empty((n, n)), np.empty((n, n))
        self._scaled_and_one = np.ones((d + 1, n))

    def __call__(self, theta: FloatArray) -> tuple[float, FloatArray]:
        """Return the value, and the gradient, shape (d + 2,)."""
        d, n = self._X.shape
        signal, noise_asked = math.exp(theta[d]), math.exp(theta[d + 1])
        scaled = np.multiply(self._X, np.exp(-theta[:d])[:, None], out=self._scaled_and_one[:d])
        K_f = self._covariances(scaled, signal)
        L, _ = cholesky(K_f, noise_asked, self._known_noise, out=self._K)
        alpha = lapack.dpotrs(L, self._z, lower=1)[0]
        value = -0.5 * float(self._z @ alpha) - float(np.log(L.diagonal()).sum()) - 0.5 * n * math.log(2.0 * math.pi)
        inverse = lapack.dpotri(L, lower=1, overwrite_c=1)[0]  # the lower triangle, as all that follows
        gradient = np.empty(d + 2)
        gradient[d + 1] = 0.5 * noise_asked * (float(alpha @ alpha) - float(inverse.trace()))
        minus_W = blas.dsyr(-1.0, alpha, a=inverse, lower=1, overwrite_a=1)
        minus_W *= K_f.T
        products = blas.dsymm(1.0, minus_W, self._scaled_and_one.T, lower=1).T
        minus_w = products[d]
        gradient[:d] = np.einsum("ki,ki->k", scaled, products[:d]) - np.square(scaled) @ minus_w
        gradient[d] = -0.5 * float(minus_w.sum())
        return value, gradient

    def _covariances(self, scaled: FloatArray, signal: float) -> FloatArray:
        """K_f of columns scaled, shape (d, n)."""
        K = np.matmul(scaled.T, scaled, out=self._K_f)
        halves = 0.5 * K.diagonal()
        K -= halves
        K -= halves[:, None]
        np.minimum(K, 0.0, out=K)  # equal rows leave rounding of either sign
        np.exp(K, out=K)
        K *= signal
        return K
