"""Weights of one variable on its possible causes: adaptive lasso, its penalty chosen by BIC, from covariances alone.

| here | meaning | shape |
|---|---|---|
| G, c | covariances of the causes, and of the causes with the effect; the effect has variance 1 | (p, p), (p,) |
| w | least-squares weights, G w = c | (p,) |
| b(α) | minimum of ½ bᵀ G' b − c'ᵀ b + α |b|₁, with G' = diag|w| G diag|w| and c' = |w| ∘ c | (p,) |
| β | |w| ∘ b: the weights | (p,) |
| σ² | variance of the residual of w, n/(n − p − 1) times the mean square | |
| BIC | n RSS/σ² + ln n · (number of b ≠ 0), RSS the mean square of the residual of b | |

b(α) is piecewise linear, and BIC least at one of its corners, or so near to it that the published implementations look
at nothing else: `lasso_path` goes from corner to corner (least angle regression with the step of the lasso). A cause
that is required is not shrunk: it is projected out of effect and causes first, and its weight follows from theirs.

The path ends where α is below a floor. scikit-learn's is `PENALTY_FLOOR` in the squared unit of the effect, whatever
that is, so that in a large unit the path ends at once; ours is the same down to a deviation of `LEAST_DEVIATION` units,
and from there a fixed part of the variance. What the unit changes of the weights is parts of 1e-7.

The same as scikit-learn's `LassoLarsIC(criterion="bic")` on columns that are multiplied by |w|.

References: H. Zou, J. Am. Stat. Assoc. 101, 1418 (2006); B. Efron, T. Hastie, I. Johnstone, R. Tibshirani, Ann. Stat.
32, 407 (2004), equations 2.10–2.13 and 3.4–3.6; H. Zou, T. Hastie, R. Tibshirani, Ann. Stat. 35, 2173 (2007) for the
degrees of freedom.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

PENALTY_FLOOR: Final = float(np.finfo(np.float32).eps)
"""Penalty at which scikit-learn ends a path [squared unit of the effect]."""

LEAST_DEVIATION: Final = 0.1
"""Deviation of an effect [its unit] down to which the floor is scikit-learn's own."""

ZERO: Final = float(np.finfo(np.float64).eps)
"""A coefficient up to this is none, as in scikit-learn; they are parts of the least-squares weights."""

LEAST_VARIANCE: Final = 1e-14
"""Least variance of a residual [variance of the effect]: below is rounding, and BIC would divide by it."""

NEW_PART: Final = 1e-12
"""Part of a cause that those on the path leave unexplained, below which it is one of them again and stays out."""

CORNERS_A_CAUSE: Final = 8
"""Most corners of a path for each cause: it has about one, and exponentially many only where it was built to."""


def adaptive_lasso(G: FloatArray, c: FloatArray, n: int, deviation: float, unshrunk: BoolArray) -> FloatArray:
    """Return β of an effect of variance 1, shape (p,).

    Args:
        G: Covariances of the causes, not singular, shape (p, p), p ≥ 1.
        c: Covariances of the causes with the effect, shape (p,).
        n: Rows, more than p + 1.
        deviation: Standard deviation of the effect [its unit]; decides the floor of the penalty only.
        unshrunk: Which causes are required, shape (p,).
    """
    w = np.linalg.solve(G, c)
    variance = max(float(1.0 - w @ c), LEAST_VARIANCE) * n / (n - len(c) - 1)
    if unshrunk.all():
        return np.asarray(w, dtype=np.float64)
    required, free = np.flatnonzero(unshrunk), np.flatnonzero(~unshrunk)
    # What the required causes explain of the free ones and of the effect: nothing where none is required.
    beside = G[np.ix_(free, required)]
    explained = np.linalg.solve(G[np.ix_(required, required)], np.column_stack((beside.T, c[required])))
    size = np.abs(w[free])
    scaled_G = (G[np.ix_(free, free)] - beside @ explained[:, :-1]) * np.outer(size, size)
    scaled_c = (c[free] - beside @ explained[:, -1]) * size
    path = lasso_path(scaled_G, scaled_c, PENALTY_FLOOR / max(deviation, LEAST_DEVIATION) ** 2)
    squares = 1.0 - c[required] @ explained[:, -1] - 2.0 * path @ scaled_c + np.sum((path @ scaled_G) * path, axis=1)
    bic = n * squares / variance + math.log(n) * (np.abs(path) > ZERO).sum(axis=1)
    weights = np.empty_like(c)
    weights[free] = path[np.argmin(bic)] * size
    weights[required] = explained[:, -1] - explained[:, :-1] @ weights[free]
    return weights


def lasso_path(G: FloatArray, c: FloatArray, floor: float) -> FloatArray:
    """Return the corners of the lasso's path from 0 to least squares, shape (m, p), m ≥ 1.

    At the penalty α the active coefficients have |c − G b| = α, the others less. As α falls by γ, the active ones
    change by γ d with G_AA d = sign(c − G b)_A: until another reaches α, or one of them reaches 0, whichever is first.

    Args:
        G: Positive semidefinite, shape (p, p).
        c: Shape (p,).
        floor: Penalty at which the path ends, if it has not come to least squares.
    """
    b = np.zeros_like(c)
    corners = [b]
    outside = np.ones(len(c), dtype=bool)
    active: list[int] = []
    signs: list[float] = []
    enters = int(np.argmax(np.abs(c)))
    penalty = float(np.abs(c[enters]))
    while penalty > floor and len(corners) < CORNERS_A_CAUSE * len(c):
        correlation = c - G @ b
        if enters >= 0:
            outside[enters] = False
            active.append(enters)
            signs.append(1.0 if correlation[enters] > 0.0 else -1.0)
        direction, is_new = _direction(G, active, signs)
        if not is_new:
            active.pop()
            signs.pop()
            direction, _ = _direction(G, active, signs)
        enters, entry = _next_entry(correlation, G[:, active] @ direction, penalty, outside)
        leaves, leave = _next_leave(b[active], direction)
        step = min(entry, leave, penalty)
        b = b.copy()
        b[active] += step * direction
        penalty -= step
        if leave < entry:
            enters = -1
            if leave <= step:
                place = active.pop(leaves)
                del signs[leaves]
                b[place], outside[place] = 0.0, True
        corners.append(b)
    return np.array(corners)


def _direction(G: FloatArray, active: list[int], signs: list[float]) -> tuple[FloatArray, bool]:
    """Return d with G_AA d = signs, and whether the last active cause is more than a linear function of the others.

    The square of the last pivot of the Cholesky factor is what the others leave unexplained of it.
    """
    factor, direction, failed = lapack.dposv(G[active][:, active], signs)
    unexplained = 0.0 if failed else float(factor[-1, -1]) ** 2
    return direction, unexplained > NEW_PART * float(G[active[-1], active[-1]])


def _next_entry(correlation: FloatArray, fall: FloatArray, penalty: float, outside: BoolArray) -> tuple[int, float]:
    """Return which cause outside reaches the penalty first, and by how much that has fallen then; inf where none does.

    Args:
        correlation: c − G b, shape (p,).
        fall: By how much it falls as the penalty falls by 1, shape (p,).
        penalty: α.
        outside: Which causes may enter, shape (p,).
    """
    gap = np.maximum(np.array((penalty - correlation, penalty + correlation)), 0.0)
    closing = np.array((1.0 - fall, 1.0 + fall))
    steps = np.full_like(gap, np.inf)
    np.divide(gap, closing, out=steps, where=outside & (closing > 0.0))
    place = int(np.argmin(steps)) % len(fall)
    return place, float(steps[:, place].min())


def _next_leave(b: FloatArray, direction: FloatArray) -> tuple[int, float]:
    """Return which active coefficient reaches 0 first, and by how much the penalty has fallen then (inf: none)."""
    steps = np.full(len(b), np.inf)
    np.divide(-b, direction, out=steps, where=b * direction < 0.0)
    place = int(np.argmin(steps))
    return place, float(steps[place])
