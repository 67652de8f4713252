"""Nonlinear least squares by Levenberg and Marquardt: a few tens of parameters, with a Jacobian.

Minimises |r(θ)|²: each step solves (JᵀJ + λ D) δ = −Jᵀr, D the diagonal of JᵀJ, and λ falls tenfold after a step that
lowers the sum and grows tenfold after one that does not.

Reference: D. W. Marquardt, J. Soc. Ind. Appl. Math. 11, 431 (1963).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

FloatArray = NDArray[np.float64]
Residuals = Callable[[FloatArray], tuple[FloatArray, FloatArray]]
"""θ, shape (k,) → r, shape (r,), and ∂r/∂θ, shape (r, k)."""

FIRST_DAMPING: Final = 1e-3
"""λ at the start: nearly a Gauss–Newton step."""

DAMPING_RANGE: Final = (1e-9, 1e9)
"""λ stays between; beyond, a step is the Gauss–Newton step to rounding, or none."""

DIAGONAL_FLOOR: Final = 1e-12
"""Smallest element of D [of the largest]: a parameter that nothing depends on stays where it is."""

RELATIVE_FALL: Final = 1e-7
"""The search ends when a step lowers the sum by less than this part."""


@dataclass(frozen=True, slots=True, eq=False)
class Minimum:
    """Where a search ended.

    Attributes:
        theta: Parameters, shape (k,).
        cost: |r|² there.
    """

    theta: FloatArray
    cost: float


def least_squares(residuals: Residuals, start: FloatArray, *, max_steps: int) -> Minimum:
    """Search from a start.

    Args:
        residuals: r and its Jacobian.
        start: Shape (k,).
        max_steps: Most steps, tried or taken.
    """
    theta, damping = start, FIRST_DAMPING
    r, J = residuals(theta)
    cost = float(r @ r)
    for _ in range(max_steps):
        tried = _stepped(theta, J.T @ J, J.T @ r, damping)
        r_tried, J_tried = residuals(tried)
        cost_tried = float(r_tried @ r_tried)
        if cost_tried < cost:
            calm = cost - cost_tried <= RELATIVE_FALL * cost
            theta, r, J, cost = tried, r_tried, J_tried, cost_tried
            damping = max(damping / 10.0, DAMPING_RANGE[0])
            if calm:
                break
        else:
            damping *= 10.0
            if damping > DAMPING_RANGE[1]:
                break
    return Minimum(theta, cost)


def _stepped(theta: FloatArray, normal: FloatArray, slope: FloatArray, damping: float) -> FloatArray:
    """θ + δ; θ where the normal equations have no Cholesky factor, which more damping mends."""
    diagonal = normal.diagonal().copy()
    largest = float(diagonal.max(initial=0.0))
    if largest == 0.0:
        return theta
    normal.flat[:: len(theta) + 1] += damping * np.maximum(diagonal, DIAGONAL_FLOOR * largest)
    _, step, failed = lapack.dposv(normal, -slope, lower=1)
    return theta if failed else theta + step
