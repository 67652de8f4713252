"""The hyper-parameters of a growing process: fitted from where they were, isotropic or one lengthscale a feature.

A fit begins where the last one ended. It begins at the fixed start as well, and the more likely end counts, when

- there is no last one, or the rows are `SEARCH_AGAIN` times what they were when the fixed start was tried last,
- the caller asks for it, as the model has been wrong (`growing`), or
- the end is one where most is noise: a likelihood of few rows has such an optimum, and a fit from it stays there.

All of it depends on rows and last fit alone, so that a fold of fits over growing rows stays a fold.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from agent.surrogate.gaussian_process import (
    START,
    Hyperparameters,
    centre_and_scale,
    check_rows,
    known_noise,
    most_likely,
    squared_distances,
    typical_distance,
)
from agent.surrogate.relevance import most_likely_lengthscales

FloatArray = NDArray[np.float64]

SEARCH_AGAIN: Final = 1.5
"""Growth of the rows after which the fixed start is tried again: half as many more tell of structure that was noise."""

MOSTLY_NOISE: Final = 0.5
"""Part of noise in all variance from which an end counts as the optimum of noise."""


@dataclass(frozen=True, slots=True, eq=False)
class FittedHyperparameters:
    """Hyper-parameters of a set of rows.

    Attributes:
        lengthscales: ℓ [standardised feature], all the same where the kernel is isotropic, shape (d,).
        signal_variance: σ_f² [of z].
        noise_variance: σ_n² [of z].
        centre: Mean of the values [unit of the property].
        scale: Their deviation, 1 where they are all equal.
        searched_rows: How many rows there were when the fixed start was tried last.
    """

    lengthscales: FloatArray
    signal_variance: float
    noise_variance: float
    centre: float
    scale: float
    searched_rows: int = 0

    @property
    def is_mostly_noise(self) -> bool:
        """Whether they explain little of the values."""
        return self.noise_variance > MOSTLY_NOISE * (self.noise_variance + self.signal_variance)


class FitSearch(Protocol):
    """A fit that is taken in parts."""

    @property
    def has_ended(self) -> bool:
        """Whether there is no more to expect."""
        ...

    @property
    def found(self) -> FittedHyperparameters:
        """The best ones so far."""
        ...

    def advance(self, iterations: int) -> None:
        """Go on for at most so many iterations."""
        ...


class Fit(Protocol):
    """Fits hyper-parameters to rows, values and their standard uncertainties, beginning at the present ones."""

    def __call__(
        self, X: FloatArray, y: FloatArray, stds: FloatArray, start: FittedHyperparameters | None
    ) -> FittedHyperparameters:
        """Fit them at once."""
        ...

    def begin(self, X: FloatArray, y: FloatArray, stds: FloatArray, start: FittedHyperparameters | None) -> FitSearch:
        """Begin to fit them."""
        ...


def fit_hyperparameters(
    X: FloatArray,
    y: FloatArray,
    *,
    ard: bool,
    start: FittedHyperparameters | None,
    search: bool = True,
    stds: FloatArray | None = None,
) -> FittedHyperparameters:
    """Fit them to rows.

    Where all values are equal the likelihood has no maximum inside, and the present values (or the fixed start) stand.

    Args:
        X: Standardised features, finite, shape (n, d), n ≥ 1.
        y: Values, finite, shape (n,).
        ard: One lengthscale a feature.
        start: Where to begin.
        search: Whether to begin at the fixed start as well, in any case.
        stds: Standard uncertainties that came with the values, 0 where none did, shape (n,): σ_n² is what they err
            beyond. None by default.

    Raises:
        SurrogateError: When the rows are no training set, or K has no Cholesky factor.
    """
    check_rows(X, y)
    n, d = X.shape
    D = squared_distances(X, X)
    unit = typical_distance(D)
    centre, scale, varies = centre_and_scale(y)
    if not varies or d == 0:
        stay = start or FittedHyperparameters(np.full(d, START[0] * unit), START[1], START[2], centre, scale)
        return replace(stay, centre=centre, scale=scale)
    z = (y - centre) / scale
    noise = None if stds is None or not stds.any() else known_noise(stds, scale)

    def fitted(known: FittedHyperparameters | None, *, alone: bool) -> FittedHyperparameters:
        found = (
            most_likely_lengthscales(X, z, unit, _each(known), from_known_alone=alone, known_noise=noise)
            if ard
            else _repeated(most_likely(D, z, unit, _one(known), from_known_alone=alone, known_noise=noise), d)
        )
        return FittedHyperparameters(*found, centre, scale, known.searched_rows if known is not None and alone else n)

    if start is not None and not search and n < SEARCH_AGAIN * start.searched_rows:
        found = fitted(start, alone=True)
        if not found.is_mostly_noise:
            return found
    return fitted(start, alone=False)


def _each(known: FittedHyperparameters | None) -> tuple[FloatArray, float, float] | None:
    return None if known is None else (known.lengthscales, known.signal_variance, known.noise_variance)


def _one(known: FittedHyperparameters | None) -> Hyperparameters | None:
    """Return what is known of an isotropic kernel."""
    if known is None:
        return None
    return Hyperparameters(float(known.lengthscales[0]), known.signal_variance, known.noise_variance)


def _repeated(found: Hyperparameters, d: int) -> tuple[FloatArray, float, float]:
    return np.full(d, found.lengthscale), found.signal_variance, found.noise_variance
