"""Gaussian-process regression: the surrogate that predicts a property with its uncertainty.

| here | meaning | shape |
|---|---|---|
| X, y | training features (standardised by the caller) and values | (n, d), (n,) |
| z | (y − centre) / scale: values of mean 0 and deviation 1 | (n,) |
| D | squared distances between rows, computed once a fit | (n, n) |
| ℓ, σ_f², σ_n² | lengthscale [feature], signal and noise variance [of z] | |
| θ | (ln ℓ, ln σ_f², ln σ_n²) | (3,) |
| Σ | variances that came with the values [of z], diagonal; nothing where none did | (n, n) |
| K | σ_f² exp(−D / 2ℓ²) + σ_n² I + Σ | (n, n) |
| L, α | lower Cholesky factor of K, and K⁻¹ z | (n, n), (n,) |

z is taken as a draw of a process with a constant mean, a scaled isotropic squared-exponential kernel and Gaussian
noise, as ET-AL has it. θ maximises

    ln p(z | X, θ) = −½ zᵀα − Σ_i ln L_ii − (n/2) ln 2π

inside bounds, by projected L-BFGS (`minimise`) with the analytic gradient ∂/∂θ_j = ½ tr((ααᵀ − K⁻¹) ∂K/∂θ_j). `fit`
begins at one fixed start and carries no state from one fit to the next: it depends on X and y alone. (`growing` begins
where it was.)

Bits: with one BLAS thread the same X and y, in the same order of rows, give the same bits on one machine. More
threads may change the last bits, so whoever runs decisions sets one thread and compares scores with a tolerance.

References: C. E. Rasmussen, C. K. I. Williams, Gaussian Processes for Machine Learning (MIT Press, 2006),
algorithm 2.1 ("GPML 2.1" below) and equation 5.9; H. Zhang et al., Appl. Phys. Rev. 10, 021403 (2023).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack, solve_triangular

from agent.surrogate.errors import SurrogateError
from agent.surrogate.minimise import minimise

FloatArray = NDArray[np.float64]

LENGTHSCALE_BOUNDS: Final = (1e-2, 1e2)
"""In units of the root-mean-square distance between rows: below, rows tell nothing of each other; above, f is flat."""

SIGNAL_VARIANCE_BOUNDS: Final = (1e-3, 1e3)
"""In units of the variance of y, which a process of long lengthscale may exceed."""

NOISE_VARIANCE_BOUNDS: Final = (1e-6, 1e1)
"""In units of the variance of y; the floor keeps the condition number of K below 1e12 for 1,000 rows."""

START: Final = (1.0, 1.0, 0.1)
"""Lengthscale, signal and noise variance, in the same units: a smooth function with a little noise."""

MAX_ITERATIONS: Final = 100
"""L-BFGS steps; three parameters take about twenty."""

TOLERANCE_NAT: Final = 1e-9
"""What an iteration must bring [nat]: below, the value of a likelihood of some hundred nat is rounding."""

JITTERS: Final = (0.0, 1e-10, 1e-8, 1e-6, 1e-4)
"""Tried in turn as an addition to the diagonal [of the largest diagonal element], then the fit gives up."""

CONSTANT_RATIO: Final = 1e-12
"""Values whose spread is below this part of their magnitude are equal but for rounding."""

COINCIDENCE_RATIO: Final = 1e-13
"""Squared distances below this part of the squared norms are rounding: the rows are the same."""

MOST_KNOWN_NOISE: Final = 1e6
"""Largest variance that counts of a value's own uncertainty [of z]: a value that is a thousand deviations wide tells
nothing, and a greater one would only take the digits of the others."""

PREDICTION_CHUNK_NUMBERS: Final = 1 << 21
"""Numbers of one block of covariances (16 MiB): memory does not grow with the pool."""


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """Of the kernel: lengthscale [feature], signal and noise variance [of the standardised values z]."""

    lengthscale: float
    signal_variance: float
    noise_variance: float


@dataclass(frozen=True, slots=True, eq=False)
class FittedGP:
    """A posterior over functions; made by `fit`.

    Attributes:
        X: Training features, shape (n, d).
        z: Standardised training values, shape (n,).
        centre: Mean of y, in its unit.
        scale: Deviation of y, in its unit.
        hyperparameters: θ in plain numbers.
        log_marginal_likelihood: ln p(z | X, θ) [nat].
        cholesky: L, shape (n, n).
        weights: α, shape (n,).
        known_noise: Diagonal of Σ, shape (n,); None where no value came with an uncertainty.
    """

    X: FloatArray
    z: FloatArray
    centre: float
    scale: float
    hyperparameters: Hyperparameters
    log_marginal_likelihood: float
    cholesky: FloatArray
    weights: FloatArray
    known_noise: FloatArray | None = None

    @property
    def noise_std(self) -> float:
        """Standard deviation of the noise, in the unit of y."""
        return self.scale * math.sqrt(self.hyperparameters.noise_variance)

    def predict(self, X: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Mean and standard deviation of the latent f (without noise), in the unit of y.

        Args:
            X: Standardised features, shape (c, d).

        Returns:
            Two arrays of shape (c,).
        """
        mean, variance = np.empty(len(X)), np.empty(len(X))
        rows = max(1, PREDICTION_CHUNK_NUMBERS // len(self.z))
        for start in range(0, len(X), rows):
            chunk = slice(start, start + rows)
            covariance = _covariance(squared_distances(self.X, X[chunk]), self.hyperparameters)
            mean[chunk] = self.weights @ covariance  # GPML 2.1 line 4
            v = solve_triangular(self.cholesky, covariance, lower=True, check_finite=False)  # line 5
            variance[chunk] = self.hyperparameters.signal_variance - np.einsum("ij,ij->j", v, v)  # line 6
        # Rounding may leave a variance of −1e-16 where a noise-free row was seen.
        return self.centre + self.scale * mean, self.scale * np.sqrt(np.maximum(variance, 0.0))

    def with_fantasies(self, X: FloatArray) -> FittedGP:
        """Condition on rows as if their predicted means had been observed (hyper-parameters stay).

        The posterior mean does not move; the standard deviation falls around these rows.

        Args:
            X: Standardised features of the rows in flight, shape (r, d).
        """
        if len(X) == 0:
            return self
        mean, _ = self.predict(X)
        z = np.concatenate((self.z, (mean - self.centre) / self.scale))
        known = None if self.known_noise is None else np.concatenate((self.known_noise, np.zeros(len(X))))
        return _posterior(
            np.concatenate((self.X, X)), z, self.centre, self.scale, self.hyperparameters, known_noise=known
        )


def fit(X: FloatArray, y: FloatArray, stds: FloatArray | None = None) -> FittedGP:
    """Fit the process, hyper-parameters included.

    With one row, or with all values equal, the likelihood has no maximum inside: the start values stand (and the scale
    is 1 in the unit of y, as nothing tells it). Repeated rows, and rows that are all the same, need no exception.

    Args:
        X: Standardised features, finite, shape (n, d), n ≥ 1.
        y: Values, finite, shape (n,).
        stds: Standard uncertainties that came with them, 0 where none did, shape (n,) [unit of y]; none by default.

    Raises:
        SurrogateError: When the rows are no training set, or K has no Cholesky factor.
    """
    check_rows(X, y)
    D = squared_distances(X, X)
    unit = typical_distance(D)
    centre, scale, varies = centre_and_scale(y)
    known = None if stds is None or not stds.any() else known_noise(stds, scale)
    if not varies:
        start = Hyperparameters(START[0] * unit, START[1], START[2])
        return _posterior(X, (y - centre) / scale, centre, scale, start, known_noise=known)
    z = (y - centre) / scale
    return _posterior(X, z, centre, scale, most_likely(D, z, unit, known_noise=known), known_noise=known)


def known_noise(stds: FloatArray, scale: float) -> FloatArray:
    """Return the variances that came with values [of z], shape (n,).

    Args:
        stds: Standard uncertainties, at least 0, shape (n,) [unit of the values].
        scale: Deviation of the values, in the same unit.
    """
    widest = math.sqrt(MOST_KNOWN_NOISE)
    variances: FloatArray = np.square(np.minimum(stds, widest * scale) / scale)
    return variances


def squared_distances(A: FloatArray, B: FloatArray) -> FloatArray:
    """Squared Euclidean distances between rows: shapes (a, d) and (b, d) give (a, b); equal rows give exactly 0."""
    squares = np.einsum("ij,ij->i", A, A)[:, None] + np.einsum("ij,ij->i", B, B)
    D: FloatArray = squares - 2.0 * (A @ B.T)
    # What is left of |a|² + |b|² − 2ab between equal rows is rounding, of either sign.
    D[COINCIDENCE_RATIO * squares >= D] = 0.0
    return D


def likelihood_and_gradient(
    theta: FloatArray, D: FloatArray, z: FloatArray, known_noise: FloatArray | None = None
) -> tuple[float, FloatArray]:
    """Return ln p(z | X, θ) and its gradient by θ = (ln ℓ, ln σ_f², ln σ_n²).

    Two traces need no matrix, because K α = z and K⁻¹ K = I:
    αᵀ K_f α = αᵀz − σ_n² αᵀα − αᵀΣα and tr(K⁻¹ K_f) = n − σ_n² tr(K⁻¹) − tr(K⁻¹ Σ), K_f the part of K without noise.

    Args:
        theta: Shape (3,).
        D: Squared distances, shape (n, n).
        z: Standardised values, shape (n,).
        known_noise: Diagonal of Σ, shape (n,).
    """
    n = len(z)
    hyper = Hyperparameters(*(math.exp(t) for t in theta))
    K_f = _covariance(D, hyper)
    L, noise = cholesky(K_f, hyper.noise_variance, known_noise)
    alpha = lapack.dpotrs(L, z, lower=1)[0]
    value = _log_likelihood(L, alpha, z)
    inverse_lower = lapack.dpotri(L, lower=1)[0]  # upper triangle 0, as in L
    inverse_trace = float(np.trace(inverse_lower))
    alpha_squared = float(alpha @ alpha)
    # ∂K/∂ln ℓ = K_f ∘ D / ℓ² has a zero diagonal, so twice the lower triangle is the whole trace.
    dK = K_f * D
    by_lengthscale = (float(alpha @ dK @ alpha) - 2.0 * float(np.vdot(inverse_lower.T, dK))) / hyper.lengthscale**2
    by_signal = float(alpha @ z) - noise * alpha_squared - (n - noise * inverse_trace)
    if known_noise is not None:
        by_signal -= float(known_noise @ (np.square(alpha) - inverse_lower.diagonal()))
    by_noise = hyper.noise_variance * (alpha_squared - inverse_trace)
    return value, 0.5 * np.array([by_lengthscale, by_signal, by_noise])  # GPML equation 5.9


def most_likely(
    D: FloatArray,
    z: FloatArray,
    unit: float,
    known: Hyperparameters | None = None,
    *,
    from_known_alone: bool = False,
    known_noise: FloatArray | None = None,
) -> Hyperparameters:
    """Maximise the likelihood over θ.

    Args:
        D: Squared distances, shape (n, n).
        z: Standardised values, shape (n,).
        unit: The lengthscale's (see its bounds).
        known: Where to begin as well as at the fixed start; the more likely end counts.
        from_known_alone: Whether to begin there alone.
        known_noise: Diagonal of Σ, shape (n,).
    """
    in_unit = np.array([math.log(unit), 0.0, 0.0])
    bounds = np.log([LENGTHSCALE_BOUNDS, SIGNAL_VARIANCE_BOUNDS, NOISE_VARIANCE_BOUNDS]) + in_unit[:, None]

    def negative(theta: FloatArray) -> tuple[float, FloatArray]:
        value, gradient = likelihood_and_gradient(theta, D, z, known_noise)
        return -value, -gradient

    starts = [] if known is None else [np.log([known.lengthscale, known.signal_variance, known.noise_variance])]
    if not (starts and from_known_alone):
        starts.append(np.log(START) + in_unit)
    return Hyperparameters(*np.exp(best_of_starts(negative, starts, bounds)).tolist())


def best_of_starts(
    negative: Callable[[FloatArray], tuple[float, FloatArray]],
    starts: Sequence[FloatArray],
    bounds: FloatArray,
    *,
    tolerance: float = TOLERANCE_NAT,
) -> FloatArray:
    """Minimise from every start inside the bounds; return the best end, of equal ones the first.

    A likelihood of few rows has an optimum where all is noise; one fit after the other from the same place stays there.

    Args:
        negative: Value and gradient of what is minimised.
        starts: Each of shape (k,).
        bounds: Smallest and largest, shape (k, 2).
        tolerance: A search ends when its iterations bring less [of the value].
    """
    ends = [minimise(negative, start, bounds, max_iterations=MAX_ITERATIONS, tolerance=tolerance) for start in starts]
    return min(ends, key=lambda end: end.value).x


def _posterior(
    X: FloatArray,
    z: FloatArray,
    centre: float,
    scale: float,
    hyper: Hyperparameters,
    *,
    known_noise: FloatArray | None = None,
) -> FittedGP:
    K_f = _covariance(squared_distances(X, X), hyper)
    L, _ = cholesky(K_f, hyper.noise_variance, known_noise)  # GPML 2.1 line 2
    alpha = lapack.dpotrs(L, z, lower=1)[0]  # line 3
    return FittedGP(X, z, centre, scale, hyper, _log_likelihood(L, alpha, z), L, alpha, known_noise)


def _log_likelihood(L: FloatArray, alpha: FloatArray, z: FloatArray) -> float:
    """GPML 2.1 line 7."""
    n = len(z)
    return -0.5 * float(z @ alpha) - float(np.log(np.diag(L)).sum()) - 0.5 * n * math.log(2.0 * math.pi)


def _covariance(D: FloatArray, hyper: Hyperparameters) -> FloatArray:
    """σ_f² exp(−D / 2ℓ²), of the shape of D."""
    K: FloatArray = np.exp(D * (-0.5 / hyper.lengthscale**2))
    K *= hyper.signal_variance
    return K


def cholesky(
    K_f: FloatArray, noise_variance: float, known_noise: FloatArray | None = None, out: FloatArray | None = None
) -> tuple[FloatArray, float]:
    """Return the lower factor of K_f + noise I, and the noise with the jitter that it took.

    Args:
        K_f: Covariances, symmetric, shape (n, n).
        noise_variance: Of every row.
        known_noise: What is to be added for each row, shape (n,).
        out: Where to put the factor, row by row the transposed one, of the shape of K_f; its own memory by default.

    Raises:
        SurrogateError: When even the last jitter does not make it positive definite.
    """
    n = len(K_f)
    diagonal = K_f.diagonal() if known_noise is None else K_f.diagonal() + known_noise
    largest = float(diagonal.max()) + noise_variance
    for jitter in JITTERS:
        noise = noise_variance + jitter * largest
        K = np.empty(K_f.shape) if out is None else out
        K[:] = K_f
        K.reshape(-1)[:: n + 1] = diagonal + noise
        # K is symmetric: its transpose is the same matrix in LAPACK's order of columns, without a copy.
        L, failed = lapack.dpotrf(K.T, lower=1, clean=1, overwrite_a=1)
        if not failed:
            return L, noise
    raise SurrogateError(
        f"The kernel matrix of {n} rows has no Cholesky factor, even with {JITTERS[-1]:g} of its diagonal added",
        expected="a positive definite matrix",
        action="look for features of absurd magnitude, or choose a policy without a surrogate (random, round_robin)",
    )


def check_rows(X: FloatArray, y: FloatArray) -> None:
    """Refuse rows that are no training set.

    Raises:
        SurrogateError: With what was found.
    """
    if X.ndim != 2 or y.ndim != 1 or len(X) != len(y) or len(y) == 0:  # noqa: PLR2004 - a matrix has two axes
        raise SurrogateError(
            f"Features have shape {X.shape} and values have shape {y.shape}",
            expected="(n, d) and (n,) with n of at least 1",
        )
    if not (np.isfinite(X).all() and np.isfinite(y).all()):
        raise SurrogateError(
            "A training row has a feature or a value that is not finite",
            expected="finite numbers",
            action="look at the features of the pool",
        )


def centre_and_scale(y: FloatArray) -> tuple[float, float, bool]:
    """Return mean and deviation of y (1 when it does not vary), and whether it varies."""
    scale = float(y.std())
    varies = scale > CONSTANT_RATIO * float(np.abs(y).max())
    return float(y.mean()), scale if varies else 1.0, varies


def typical_distance(D: FloatArray) -> float:
    """Return the root-mean-square distance between different rows; 1 when there is none."""
    n = len(D)
    mean_square = float(D.sum()) / max(1, n * (n - 1))
    return math.sqrt(mean_square) if mean_square > 0.0 else 1.0
