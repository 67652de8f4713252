"""Hyper-parameters by their posterior mode: for a process over rows of one group, or of several that differ by a level.

| here | meaning | shape |
|---|---|---|
| ℓ | lengthscales of the features | (d,) |
| ℓ_g | the lengthscale that the columns of the groups share | |
| θ | (ln ℓ, ln ℓ_g, ln σ_f², ln σ_n²) | (d + 3,) |
| ρ | ln p(θ), a normal in every component, see `prior_of` | |

A group is a column that is 1/√2 in its rows and 0 in all others, so that two rows of different groups lie
exp(−2 ln ℓ_g) further apart in the square, whichever the two groups are.

The likelihood of a few dozen rows says little about as many lengthscales; where it says nothing the prior decides, and
the fit neither runs into its bounds nor takes noise for signal. θ maximises ln p(z | X, θ) + ρ (`minimise`) from one
start: the present θ, or the modes of the prior.

References: GPML section 5.4.1; R. M. Neal, Bayesian Learning for Neural Networks (Springer, 1996), section 4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.surrogate.gaussian_process import centre_and_scale, check_rows, known_noise
from agent.surrogate.hyperparameters import FittedHyperparameters
from agent.surrogate.minimise import Search
from agent.surrogate.relevance import LengthscaleLikelihood

FloatArray = NDArray[np.float64]

LENGTHSCALE_SHIFT: Final = 0.3
"""ln ℓ has its mode this far above ½ ln d, the logarithm of the distance between two rows of d standardised features,
but for a factor of √2: a lengthscale is believed to be about as large as the distances."""

GROUP_MODE: Final = 0.5
"""Mode of ln ℓ_g: another group correlates by exp(−½ e⁻¹) = 0.83, as families differ less than they agree."""

NOISE_MODE: Final = 0.03
"""Mode of σ_n² [of z]: computed properties repeat themselves to a sixth of their deviation, features given."""

NOISE_START: Final = 0.05
"""σ_n² at the first start [of z]."""

LENGTHSCALE_DEVIATION, GROUP_DEVIATION, SIGNAL_DEVIATION, NOISE_DEVIATION = 1.0, 1.5, 1.5, 2.0
"""Deviations of the logarithms: weak, a factor of three to seven is within one of them."""

FIRST_ITERATIONS: Final = 40
"""Most iterations of the first fit: the prior leaves little to be found beyond."""

FURTHER_ITERATIONS: Final = 15
"""Most steps of a fit that begins where the last one ended, a tenth of the rows before."""

MOST_FIT_ROWS: Final = 300
"""Most values that hyper-parameters are fitted to: the cost grows with the cube, and the prior is weak by then."""

TOLERANCE_NAT: Final = 1e-3
"""What an iteration must bring [nat]: the prior holds what the rows say nothing of, so that little drifts."""

BOUNDS: Final = ((-4.0, 6.0), (-2.0, 5.0), (-4.0, 5.0), (math.log(1e-5), 1.0))
"""Of ln ℓ, ln ℓ_g, ln σ_f² and ln σ_n²: beyond them K is of rank one, or has no Cholesky factor."""


@dataclass(frozen=True, slots=True)
class PosteriorModeFit:
    """Fits hyper-parameters of rows whose last columns are groups.

    Attributes:
        groups: How many of the columns, the last ones, are groups.
    """

    groups: int

    def __call__(
        self, X: FloatArray, y: FloatArray, stds: FloatArray, start: FittedHyperparameters | None
    ) -> FittedHyperparameters:
        """Fit them, see `begin`."""
        search = self.begin(X, y, stds, start)
        search.advance(FIRST_ITERATIONS)
        return search.found

    def begin(
        self, X: FloatArray, y: FloatArray, stds: FloatArray, start: FittedHyperparameters | None
    ) -> PosteriorModeSearch:
        """Begin to fit them.

        Where all values are equal nothing is to be learned, and the present ones (or the modes) stand.

        Args:
            X: Standardised features and groups, finite, shape (n, d + groups), n ≥ 1.
            y: Values, finite, shape (n,).
            stds: Their standard uncertainties, 0 where none is known, shape (n,): σ_n² is what they err beyond.
            start: Where to begin.

        Raises:
            SurrogateError: When the rows are no training set, or K has no Cholesky factor.
        """
        check_rows(X, y)
        d = X.shape[1] - self.groups
        centre, scale, varies = centre_and_scale(y)
        theta = _start(d) if start is None else self._theta_of(start, d)
        iterations = 0 if not varies else FIRST_ITERATIONS if start is None else FURTHER_ITERATIONS
        posterior = Posterior(X, (y - centre) / scale, self.groups, known_noise(stds, scale))
        return PosteriorModeSearch(posterior, theta, iterations, centre, scale)

    def _theta_of(self, known: FittedHyperparameters, d: int) -> FloatArray:
        group = known.lengthscales[d] if self.groups else math.exp(GROUP_MODE)
        return np.log(np.concatenate((known.lengthscales[:d], [group, known.signal_variance, known.noise_variance])))


class PosteriorModeSearch:
    """A fit that may be taken in parts.

    Args:
        posterior: What is maximised.
        theta: Where to begin.
        iterations: Most of them.
        centre: Of the values, as `FittedHyperparameters` has it.
        scale: Likewise.
    """

    def __init__(self, posterior: Posterior, theta: FloatArray, iterations: int, centre: float, scale: float) -> None:
        self._groups, self._centre, self._scale = posterior.groups, centre, scale
        bounds = np.array([BOUNDS[0]] * (len(theta) - 3) + list(BOUNDS[1:]))

        def negative(theta: FloatArray) -> tuple[float, FloatArray]:
            value, gradient = posterior(theta)
            return -value, -gradient

        self._search = Search(negative, theta, bounds, max_iterations=iterations, tolerance=TOLERANCE_NAT)

    @property
    def has_ended(self) -> bool:
        """Whether there is no more to expect."""
        return self._search.has_ended

    def advance(self, iterations: int) -> None:
        """Go on for at most so many iterations."""
        self._search.advance(iterations)

    @property
    def found(self) -> FittedHyperparameters:
        """The most probable ones so far."""
        theta = self._search.x
        d = len(theta) - 3
        lengthscales = np.exp(np.concatenate((theta[:d], np.full(self._groups, theta[d]))))
        signal, noise = math.exp(theta[d + 1]), math.exp(theta[d + 2])
        return FittedHyperparameters(lengthscales, signal, noise, self._centre, self._scale)


class Posterior:
    """ln p(z | X, θ) + ρ, but for a constant, and its gradient.

    Args:
        X: Standardised features and groups, shape (n, d + groups).
        z: Standardised values, shape (n,).
        groups: How many of the columns, the last ones, are groups.
        known_noise: Variance of each value beside σ_n², shape (n,).
    """

    def __init__(self, X: FloatArray, z: FloatArray, groups: int, known_noise: FloatArray) -> None:
        self.groups = groups
        self._likelihood = LengthscaleLikelihood(X, z, known_noise if known_noise.any() else None)
        self._mode, self._deviation = prior_of(X.shape[1] - groups)

    def __call__(self, theta: FloatArray) -> tuple[float, FloatArray]:
        """Return the value, and the gradient, shape (d + 3,)."""
        d = len(theta) - 3
        each = np.concatenate((theta[:d], np.full(self.groups, theta[d]), theta[d + 1 :]))
        value, by_each = self._likelihood(each)
        shared = by_each[d : d + self.groups].sum()
        gradient = np.concatenate((by_each[:d], [shared], by_each[d + self.groups :]))
        off = (theta - self._mode) / self._deviation
        return value - 0.5 * float(off @ off), gradient - off / self._deviation


def _start(d: int) -> FloatArray:
    """Return θ to begin at: the modes, with some noise."""
    theta, _ = prior_of(d)
    theta[d + 2] = math.log(NOISE_START)
    return theta


def prior_of(d: int) -> tuple[FloatArray, FloatArray]:
    """Return mode and deviation of every component of θ for d features, two arrays (d + 3,)."""
    ones = np.ones(d)
    mode = np.concatenate(
        ((0.5 * math.log(max(d, 1)) + LENGTHSCALE_SHIFT) * ones, [GROUP_MODE, 0.0, math.log(NOISE_MODE)])
    )
    deviation = np.concatenate((LENGTHSCALE_DEVIATION * ones, [GROUP_DEVIATION, SIGNAL_DEVIATION, NOISE_DEVIATION]))
    return mode, deviation
