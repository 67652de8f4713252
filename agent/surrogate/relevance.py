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
from scipy.linalg import lapack

from agent.surrogate.covariances import covariances
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
) -> tuple[FloatArray, float, float]:
    """Maximise the likelihood over all lengthscales, signal and noise variance.

    Args:
        X: Standardised features, shape (n, d).
        z: Standardised values, shape (n,).
        unit: Of the lengthscales: the root-mean-square distance between rows.
        known: Where to begin as well as with equal lengthscales; the more likely end counts.
        from_known_alone: Whether to begin there alone.

    Returns:
        Lengthscales, shape (d,), signal variance and noise variance.
    """
    d = X.shape[1]
    bounds = np.log([np.multiply(LENGTHSCALE_BOUNDS, unit)] * d + [SIGNAL_VARIANCE_BOUNDS, NOISE_VARIANCE_BOUNDS])

    def negative(theta: FloatArray) -> tuple[float, FloatArray]:
        value, gradient = likelihood_and_gradient(theta, X, z)
        return -value, -gradient

    starts = [] if known is None else [np.log(np.concatenate((known[0], known[1:])))]
    if not (starts and from_known_alone):
        starts.append(np.log(np.concatenate((np.full(d, START[0] * unit), START[1:]))))
    found = np.exp(best_of_starts(negative, starts, bounds, tolerance=TOLERANCE_NAT))
    return found[:d], float(found[d]), float(found[d + 1])


def likelihood_and_gradient(
    theta: FloatArray, X: FloatArray, z: FloatArray, known_noise: FloatArray | None = None
) -> tuple[float, FloatArray]:
    """Return ln p(z | X, θ) and its gradient by θ = (ln ℓ_1 … ln ℓ_d, ln σ_f², ln σ_n²), shape (d + 2,).

    Args:
        theta: θ.
        X: Standardised features, shape (n, d).
        z: Standardised values, shape (n,).
        known_noise: Variance of each value beside σ_n², shape (n,).
    """
    n, d = X.shape
    scaled = X * np.exp(-theta[:d])
    signal, noise_asked = math.exp(theta[d]), math.exp(theta[d + 1])
    K_f: FloatArray = covariances(scaled, scaled, signal).astype(np.float64, copy=False)
    L, _ = cholesky(K_f if known_noise is None else K_f + np.diag(known_noise), noise_asked)
    alpha = lapack.dpotrs(L, z, lower=1)[0]
    value = -0.5 * float(z @ alpha) - float(np.log(L.diagonal()).sum()) - 0.5 * n * math.log(2.0 * math.pi)
    lower = lapack.dpotri(L, lower=1, overwrite_c=1)[0]  # its upper triangle is 0, as that of L
    by_noise = 0.5 * noise_asked * (float(alpha @ alpha) - float(lower.trace()))
    W = lower + lower.T
    W.reshape(-1, order="A")[:: n + 1] *= 0.5  # the diagonal was counted twice
    np.subtract(np.multiply.outer(alpha, alpha), W, out=W)
    W *= K_f
    rows = W.sum(axis=1)
    gradient = np.empty(d + 2)
    gradient[:d] = rows @ np.square(scaled) - np.einsum("ik,ik->k", scaled, W @ scaled)
    gradient[d:] = 0.5 * float(rows.sum()), by_noise
    return value, gradient
