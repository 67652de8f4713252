"""The variances of a model's blocks, at their posterior mode given values (ML-II with priors).

| here | meaning | shape |
|---|---|---|
| r | values less the mean of the model [its unit] | (k,) |
| K | K_0 + Σ_b v_b K_b + noise | (k, k) |
| λ | ln v | (b,) |

λ maximises

    −½ rᵀK⁻¹r − ½ ln |K| − ½ Σ_b (λ_b − λ_b⁰)² / τ²

by `surrogate.minimise` from λ⁰, the logarithm of the starting variances: every fit begins there, so that it depends on
its rows alone. The likelihood of a few dozen values says little about most blocks; where it says nothing the prior
stands, and neither is a block of ten candidates taken for noise nor the noise for a block.

Reference: C. E. Rasmussen, C. K. I. Williams, Gaussian Processes for Machine Learning (MIT Press, 2006), sections 5.4.1
and equation 5.9.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from agent.surrogate.minimise import minimise

FloatArray = NDArray[np.float64]

LOG_DEVIATION: Final = 1.0
"""τ: a factor of e either way is within one deviation of a starting variance."""

BELOW, ABOVE = 6.0, 4.0
"""How far λ may go below and above its start: beyond, a block is nothing, or all there is."""

MAX_ITERATIONS: Final = 25
"""Of one fit: the prior leaves little to be found beyond."""

TOLERANCE_NAT: Final = 1e-3
"""What an iteration must bring [nat]."""


def most_probable(stack: FloatArray, known: FloatArray, residual: FloatArray, start: FloatArray) -> FloatArray:
    """Return the variances at the mode, shape (b,).

    Args:
        stack: K_b among the rows, shape (b, k, k).
        known: K_0 and noise among the rows, shape (k, k).
        residual: r, shape (k,).
        start: Starting variances, positive, shape (b,).
    """
    origin = np.log(start)

    def negative(log_variances: FloatArray) -> tuple[float, FloatArray]:
        value, gradient = log_posterior(log_variances, origin, stack, known, residual)
        return -value, -gradient

    bounds = np.column_stack((origin - BELOW, origin + ABOVE))
    found = minimise(negative, origin, bounds, max_iterations=MAX_ITERATIONS, tolerance=TOLERANCE_NAT)
    variances: FloatArray = np.exp(found.x)
    return variances


def log_posterior(
    log_variances: FloatArray, origin: FloatArray, stack: FloatArray, known: FloatArray, residual: FloatArray
) -> tuple[float, FloatArray]:
    """Return what λ maximises, but for a constant, and its gradient, shape (b,); −∞ where K has no Cholesky factor."""
    variances = np.exp(log_variances)
    K = known + np.tensordot(variances, stack, 1)
    L, failed = lapack.dpotrf(K, lower=1, clean=1, overwrite_a=1)
    if failed:
        return -np.inf, np.zeros(len(origin))
    alpha = lapack.dpotrs(L, residual, lower=1)[0]
    lower = lapack.dpotri(L, lower=1)[0]  # lower triangle of K⁻¹, upper one 0
    inverse = lower + np.tril(lower, -1).T
    off = (log_variances - origin) / LOG_DEVIATION
    value = -0.5 * float(residual @ alpha) - float(np.log(np.diag(L)).sum()) - 0.5 * float(off @ off)
    traces = np.tensordot(stack, np.outer(alpha, alpha) - inverse, 2)
    return value, 0.5 * variances * traces - off / LOG_DEVIATION
