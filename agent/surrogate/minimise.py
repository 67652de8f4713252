"""Minimisation inside bounds: projected limited-memory BFGS, for the few tens of parameters of a likelihood.

| here | meaning | shape |
|---|---|---|
| x, g | parameters and gradient | (k,) |
| F | free parameters: those that do not stand at a bound which the descent would cross | |
| S, Y | latest steps, and what they changed in the gradient | (k, m) |
| H | inverse Hessian of the free parameters as S and Y know it | |

Each iteration goes along the projection of x − a H g_F onto the bounds, a = 1, ½, … until the value has fallen by 1e-4
of what the slope promises (Armijo): the two-metric projection of Bertsekas. H is made of the rows of S and Y in F, and
so approximates the inverse of the Hessian *in* F, which the part in F of a whole inverse does not. It is applied in
compact form (Byrd, Nocedal, Schnabel 1994, equation 3.1), with R the upper triangle of SᵀY and D its diagonal,

    H g = γ g + S R⁻ᵀ [(D + γ YᵀY) R⁻¹ Sᵀg − γ Yᵀg] − γ Y R⁻¹ Sᵀg,

a dozen products however long the memory is. SciPy's L-BFGS-B does the same work in more Python than a likelihood of
fifty rows takes; this one comes to its optimum (tests/unit/agent/surrogate/test_minimise.py).

References: D. P. Bertsekas, SIAM J. Control Optim. 20, 221 (1982); R. H. Byrd, J. Nocedal, R. B. Schnabel, Math.
Program. 63, 129 (1994).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

FloatArray = NDArray[np.float64]
Objective = Callable[[FloatArray], tuple[float, FloatArray]]
"""Value and gradient."""

MEMORY: Final = 10
"""Pairs of S and Y that are kept, as L-BFGS-B does."""

SUFFICIENT: Final = 1e-4
"""Part of the promised decrease that a step must bring (Armijo)."""

MOST_HALVINGS: Final = 20
"""Shortenings of one step; a millionth of it and no decrease is rounding."""

SHORTENED: Final = (0.1, 0.5)
"""A shortened step is that of the parabola through both values, within these parts of the one before."""

FLAT: Final = 1e-5
"""Largest element of the projected gradient at an optimum."""

LEAST_CURVATURE: Final = 1e-10
"""A pair counts when s·y is more than this part of y·y: the Hessian along it is positive then."""

CALM_ITERATIONS: Final = 2
"""Iterations in a row that bring less than the tolerance, after which there is no more to expect."""


@dataclass(frozen=True, slots=True, eq=False)
class Minimum:
    """Where a search ended.

    Attributes:
        x: Parameters, shape (k,).
        value: There.
        evaluations: Of the objective.
    """

    x: FloatArray
    value: float
    evaluations: int


def minimise(
    objective: Objective, start: FloatArray, bounds: FloatArray, *, max_iterations: int, tolerance: float
) -> Minimum:
    """Search a minimum inside bounds.

    Args:
        objective: Value and gradient; a value that is not finite is a step too far.
        start: Where to begin, shape (k,); moved into the bounds.
        bounds: Smallest and largest, shape (k, 2).
        max_iterations: Most iterations, each of one evaluation in general.
        tolerance: The search ends when `CALM_ITERATIONS` in a row have not brought so much.
    """
    search = Search(objective, start, bounds, max_iterations=max_iterations, tolerance=tolerance)
    search.advance(max_iterations)
    return Minimum(search.x, search.value, search.evaluations)


class Search:
    """A search that may be taken in parts; arguments as of `minimise`.

    Attributes:
        x: The best parameters so far, shape (k,).
        value: There.
        evaluations: Of the objective.
        has_ended: Whether there is no more to expect.
    """

    def __init__(
        self, objective: Objective, start: FloatArray, bounds: FloatArray, *, max_iterations: int, tolerance: float
    ) -> None:
        self._objective = objective
        self._left, self._tolerance, self._calm = max_iterations, tolerance, 0
        self.has_ended = False
        self._low, self._high = np.ascontiguousarray(bounds.T)
        self.x = self._inside(start)
        self.value, self._g = objective(self.x)
        self.evaluations = 1
        self._pairs = np.empty((2, 0, len(start)))
        """S and Y, a pair a row of each."""

    def advance(self, iterations: int) -> None:
        """Go on for at most so many iterations."""
        for _ in range(min(iterations, self._left)):
            before = self.value
            if not self._step():
                self.has_ended = True
                return
            self._left -= 1
            self._calm = self._calm + 1 if before - self.value < self._tolerance else 0
            if self._calm == CALM_ITERATIONS:
                self.has_ended = True
                return
        self.has_ended = self._left == 0

    def _step(self) -> bool:
        """Go one step; return False where there is none to go."""
        g = self._g
        downhill = self._inside(self.x - g) - self.x  # none where a bound is in the way
        if np.abs(downhill).max() < FLAT:
            return False
        free = downhill.nonzero()[0]
        direction = np.zeros_like(g)
        direction[free] = self._quasi_newton(g, free)
        if not g @ direction < 0.0:
            self._forget()
            direction[free] = -g[free]
        has_scale = self._pairs.shape[1] > 0
        if self._go(direction, 1.0 if has_scale else min(1.0, 1.0 / math.sqrt(direction @ direction))):
            return True
        self._forget()  # what is known of the curvature misleads; without it the next step goes down the gradient
        return has_scale

    def _inside(self, x: FloatArray) -> FloatArray:
        inside: FloatArray = np.minimum(np.maximum(x, self._low), self._high)
        return inside

    def _go(self, direction: FloatArray, length: float) -> bool:
        """Search along the projected direction; take the first step that decreases the value enough."""
        for _ in range(MOST_HALVINGS):
            x = self._inside(self.x + length * direction)
            step = x - self.x
            promised = float(self._g @ step)
            value, gradient = self._objective(x)
            self.evaluations += 1
            if promised < 0.0 and value <= self.value + SUFFICIENT * promised:
                pair = np.stack((step, gradient - self._g))[:, None]
                self._pairs = np.concatenate((self._pairs[:, 1 - MEMORY :], pair), axis=1)
                self.x, self.value, self._g = x, value, gradient
                return True
            length *= _shortened(value - self.value, promised)
        return False

    def _forget(self) -> None:
        self._pairs = self._pairs[:, :0]

    def _quasi_newton(self, g: FloatArray, free: NDArray[np.int64]) -> FloatArray:
        """−H g_F, shape of F."""
        g, pairs = g[free], self._pairs.take(free, axis=2)
        products = pairs @ pairs[1].T  # SYᵀ and YYᵀ, by rows
        curvatures, squares = products.diagonal(axis1=1, axis2=2)
        counts = curvatures > LEAST_CURVATURE * squares
        if not counts.all():
            pairs, products = pairs[:, counts], products[:, counts][:, :, counts]
            curvatures, squares = curvatures[counts], squares[counts]
        if len(curvatures) == 0:
            return -g
        SY, YY = products
        along_s, along_y = pairs @ g
        gamma = curvatures[-1] / squares[-1]
        u = lapack.dtrtrs(SY, along_s)[0]
        weights = lapack.dtrtrs(SY, curvatures * u + gamma * (YY @ u - along_y), trans=1)[0]
        step: FloatArray = (gamma * u) @ pairs[1]
        step -= weights @ pairs[0]
        step -= gamma * g
        return step


def _shortened(rise: float, promised: float) -> float:
    """Part of the step that the parabola through both values, with the slope at the first, has its minimum at."""
    if not (np.isfinite(rise) and promised < 0.0 and rise > promised):
        return SHORTENED[1]
    return min(max(-0.5 * promised / (rise - promised), SHORTENED[0]), SHORTENED[1])
