"""The hyper-parameters of a growing process: fitted from where they were, isotropic or one lengthscale a feature."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.surrogate.gaussian_process import (
    START,
    Hyperparameters,
    centre_and_scale,
    check_rows,
    most_likely,
    squared_distances,
    typical_distance,
)
from agent.surrogate.relevance import most_likely_lengthscales

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class FittedHyperparameters:
    """Hyper-parameters of a set of rows.

    Attributes:
        lengthscales: ℓ [standardised feature], all the same where the kernel is isotropic, shape (d,).
        signal_variance: σ_f² [of z].
        noise_variance: σ_n² [of z].
        centre: Mean of the values [unit of the property].
        scale: Their deviation, 1 where they are all equal.
    """

    lengthscales: FloatArray
    signal_variance: float
    noise_variance: float
    centre: float
    scale: float


def fit_hyperparameters(
    X: FloatArray, y: FloatArray, *, ard: bool, start: FittedHyperparameters | None
) -> FittedHyperparameters:
    """Fit them to rows.

    Where all values are equal the likelihood has no maximum inside, and the present values (or the fixed start) stand.

    Args:
        X: Standardised features, finite, shape (n, d), n ≥ 1.
        y: Values, finite, shape (n,).
        ard: One lengthscale a feature.
        start: Where to begin.

    Raises:
        SurrogateError: When the rows are no training set, or K has no Cholesky factor.
    """
    check_rows(X, y)
    d = X.shape[1]
    D = squared_distances(X, X)
    unit = typical_distance(D)
    centre, scale, varies = centre_and_scale(y)
    if not varies or d == 0:
        stay = start or FittedHyperparameters(np.full(d, START[0] * unit), START[1], START[2], centre, scale)
        return FittedHyperparameters(stay.lengthscales, stay.signal_variance, stay.noise_variance, centre, scale)
    z = (y - centre) / scale
    if ard:
        known = None if start is None else (start.lengthscales, start.signal_variance, start.noise_variance)
        return FittedHyperparameters(*most_likely_lengthscales(X, z, unit, known), centre, scale)
    found = most_likely(D, z, unit, None if start is None else _isotropic(start))
    return FittedHyperparameters(
        np.full(d, found.lengthscale), found.signal_variance, found.noise_variance, centre, scale
    )


def _isotropic(known: FittedHyperparameters) -> Hyperparameters:
    return Hyperparameters(float(known.lengthscales[0]), known.signal_variance, known.noise_variance)
