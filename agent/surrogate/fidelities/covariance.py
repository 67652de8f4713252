"""How values of one property by several methods vary together: every cheaper method measures the dear one, and errs.

| here | meaning | shape |
|---|---|---|
| f(x) | smooth part of the dear value: what the features tell | |
| e_i | rough part of the dear value of candidate i: what they do not | |
| y_iT | dear value, f(x_i) + e_i | |
| y_im | value of i by method m, ρ_m y_iT + o_m + δ_m(x_i) + ε_im: slope, offset, smooth and rough error | |
| E | exp(−½ Σ_k (x_ik − x_jk)² / ℓ_k²), of f and of every δ_m | (n, n) |
| σ², ν | variances of f and e | |
| β_m, τ_m | variances of δ_m and ε_m | |
| r | 1 for the target, ρ_m for method m | |

    cov(y_ia, y_jb) = (r_a r_b σ² + [a = b = m] β_m) E_ij + [i = j] (r_a r_b ν + [a = b = m] τ_m) + [a = b = m] o²

It is the autoregressive model of Kennedy and O'Hagan, read from the dear end, so that any number of cheap methods stand
beside each other; one lengthscale a feature serves all parts. What is new to it are the rough parts: where features
tell little of a candidate, a cheap value of *this* candidate still does.

Reference: M. C. Kennedy, A. O'Hagan, Biometrika 87, 1 (2000); L. Le Gratiet, J. Garnier, Int. J. Uncertain. Quantif. 4,
365 (2014).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

OFFSET_VARIANCE: Final = 1.0
"""Prior variance of o_m [of standardised values]: a method may be off by as much as candidates differ."""


@dataclass(frozen=True, slots=True, eq=False)
class Relations:
    """How the values of M methods vary together, the target last [of standardised values].

    Attributes:
        smooth: Factors of E, shape (M, M).
        rough: Added where two values are of one candidate, shape (M, M).
        offset: Added where two values are by one method, shape (M,); 0 for the target.
    """

    smooth: FloatArray
    rough: FloatArray
    offset: FloatArray

    @classmethod
    def of(
        cls, signal: float, rough: float, slopes: FloatArray, smooth_errors: FloatArray, rough_errors: FloatArray
    ) -> Relations:
        """Put them together.

        Args:
            signal: σ².
            rough: ν.
            slopes: ρ of the cheaper methods, shape (M − 1,).
            smooth_errors: β, shape (M − 1,).
            rough_errors: τ, shape (M − 1,).
        """
        r = np.append(slopes, 1.0)
        product = np.outer(r, r)
        offset = np.append(np.full(len(slopes), OFFSET_VARIANCE), 0.0)
        return cls(
            signal * product + np.diag(np.append(smooth_errors, 0.0)),
            rough * product + np.diag(np.append(rough_errors, 0.0)),
            offset,
        )

    def between(self, E: FloatArray, same: NDArray[np.bool_], a: IndexArray, b: IndexArray) -> FloatArray:
        """Covariances of values, shape (p, q).

        Args:
            E: Of their features, shape (p, q).
            same: Whether they are of one candidate, shape (p, q).
            a: Methods of the first ones, shape (p,).
            b: Of the others, shape (q,).
        """
        at = np.ix_(a, b)
        K: FloatArray = self.smooth[at] * E + self.rough[at] * same
        return K + np.diag(self.offset)[at]


def similarities(A: FloatArray, B: FloatArray) -> FloatArray:
    """E of rows that are divided by their lengthscales, shapes (p, d) and (q, d) give (p, q)."""
    E = A @ B.T
    E -= 0.5 * np.einsum("ij,ij->i", A, A)[:, None]
    E -= 0.5 * np.einsum("ij,ij->i", B, B)
    np.minimum(E, 0.0, out=E)  # equal rows leave rounding of either sign
    return np.exp(E, out=E)
