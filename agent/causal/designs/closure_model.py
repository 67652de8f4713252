"""What a model of a closure does: rows and values in, mean and covariance of all candidates out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack, solve_triangular

from agent.surrogate.errors import SurrogateError

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

NUGGET: Final = 2.5e-5
"""Variance of the noise of a value that came without an uncertainty [unit² of the model]: computed values repeat
themselves, and a two-hundredth of a deviation keeps every covariance matrix positive definite."""


@dataclass(frozen=True, slots=True, eq=False)
class ClosurePrior:
    """A joint normal over all candidates before the values are conditioned on, its hyper-parameters fitted to them.

    Attributes:
        mean: Shape (n,) [unit].
        covariance: Shape (n, n) [unit²].
        cautious: The same for choosing candidates, see `blocks`, shape (n, n) [unit²].
        nugget: Variance of the noise of every value, beside the uncertainty that came with it [unit²].
        has_scale: Whether it is known how large differences of the property are: until then no width means anything.
    """

    mean: FloatArray
    covariance: FloatArray
    cautious: FloatArray
    nugget: float
    has_scale: bool


class ClosureModel(Protocol):
    """A model; a pure function of the rows that it is fitted to."""

    name: str
    """For settings, reasons and reports."""
    in_unit: bool
    """Whether it knows how large differences of the property are before there is a value."""

    def fit(self, rows: IndexArray, values: FloatArray, noise: FloatArray) -> ClosurePrior:
        """Fit hyper-parameters to rows; none at all give the prior.

        Args:
            rows: Candidates with a value, each once, shape (k,).
            values: Shape (k,) [unit].
            noise: Variances that came with the values, 0 where none did, shape (k,) [unit²].
        """
        ...


def conditioned(
    mean: FloatArray, covariance: FloatArray, rows: IndexArray, values: FloatArray, noise: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Condition a joint normal on values of some of its components (GPML equations 2.23 and 2.24).

    Args:
        mean: Shape (n,).
        covariance: Shape (n, n).
        rows: Which components, shape (k,).
        values: Shape (k,).
        noise: Their variances, positive, shape (k,).

    Raises:
        SurrogateError: When their covariance has no Cholesky factor.
    """
    if len(rows) == 0:
        return mean, covariance
    K = covariance[np.ix_(rows, rows)]
    K.flat[:: len(rows) + 1] += noise
    L, failed = lapack.dpotrf(K, lower=1, clean=1, overwrite_a=1)
    if failed:
        raise SurrogateError(
            f"The covariance of {len(rows)} values has no Cholesky factor",
            expected="a positive definite matrix",
            action="look for values or features of absurd magnitude",
        )
    V = solve_triangular(L, covariance[rows], lower=True, check_finite=False)
    u = solve_triangular(L, values - mean[rows], lower=True, check_finite=False)
    return mean + u @ V, covariance - V.T @ V
