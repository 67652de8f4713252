"""Which of some variables comes first: the pairwise likelihood ratio, of as few pairs as will do.

| here | meaning | shape |
|---|---|---|
| Z | all variables, of mean 0 and variance 1 | (d, n) |
| T | what is left of those without a place: T_i Z is the residual of variable i on those in the order | (d, d) |
| S | covariances of these residuals | (d, d) |
| z_i, ρ | T_i Z / √S_ii, of variance 1, and their correlations | (n,), (k, k) |
| f, g | n/(n − 1) and 2 f − f² = 1 − 1/(n − 1)² | |
| r_i^(j) | (z_i − f ρ_ij z_j) / √(1 − g ρ_ij²): the residual of i on j, of variance 1 | (n,) |
| D_ij | H(z_j) + H(r_i^(j)) − H(z_i) − H(r_j^(i)), > 0 if i rather causes j; D_ji = −D_ij [nat] | (k, k) |
| √M_i | √(Σ_j min(0, D_ij)²): what speaks against i as the first of those that are left [nat] | (k,) |

When m has its place, T_i ← T_i − f (S_im/S_mm) T_m and S ← S − g S_m S_mᵀ/S_mm: residuals are never written down, each
is a combination of Z that `entropies` makes in a block. f is 1 in the papers. All published programs divide a
covariance over n − 1 by a variance over n; so does this one, or its order would differ from theirs in one set of 200 of
1,000 rows, and in one of 12 of 60.

What costs time is H of the residuals. (1) M grows with every pair that is looked at, so the pairs of that variable are
looked at whose M is least so far, until one has them all and none can come below. (2) H(r_i^(m)) is H(z_i) of the next
step. (3) H is computed in single precision. Its error moves D, and √M, the length of a part of a row of D, by less than
`SINGLE_ERROR` times the longest combination of Z; where more than one variable lies within twice that of the least √M,
these are compared again in double precision, in those pairs whose D may be negative. So the first is that of double
precision.

Two variables that are one to rounding tell nothing of each other: D = 0. S with g = 1, the Schur complement, says what
of a variable is not explained by those in the order: nothing but rounding of a linear function.

References: A. Hyvärinen, S. M. Smith, J. Mach. Learn. Res. 14, 111 (2013), for D, with H as in `entropies`; S. Shimizu
et al., J. Mach. Learn. Res. 12, 1225 (2011), for its use; (1) is akin to the threshold of A. Shahbazinia, S.
Salehkaleybar, M. Hashemi, J. Parallel Distrib. Comput. 176, 114 (2023).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from agent.causal.graph.entropies import entropies

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

SINGLE_ERROR: Final = 4e-6
"""More than what single precision moves D and √M by, for combinations of Z of length 1 [nat]. The largest seen is 2e-6,
of 30 rows of heavy-tailed or binary noise; of 1,000 rows and more of other noise 2e-7 (`python -m
tests.benchmarks.lingam --errors`)."""

DOUBLE_ERROR: Final = 1e-12
"""Likewise of double precision [nat]: what lies nearer is equal, and falls to the lowest place."""

ONE_VARIABLE: Final = 1e-10
"""1 − ρ² below which two variables are one to rounding: ρ of a multiple misses 1 by 1e-15."""

DETERMINED: Final = 1e-10
"""Part of a variable's variance below which what is left is rounding: of a linear function it is 1e-15, of a mass
beside counts of atoms, of which only isotopes make it differ, 1e-7."""


class Residuals:
    """What is left of the variables that have no place in the order yet.

    Args:
        Z: Variables of mean 0 and variance 1 (or 0), shape (d, n).
        S: Their covariances, shape (d, d).
    """

    def __init__(self, Z: FloatArray, S: FloatArray) -> None:
        self._Z, self._single = Z, Z.astype(np.float32)
        n = Z.shape[1]
        self._f = n / (n - 1)
        self._g = 2.0 * self._f - self._f**2
        self._S, self._T = S, np.eye(len(Z))
        self._unexplained = S
        self._own = np.full(len(Z), np.nan)
        self._guess = np.zeros(len(Z))

    def determined(self, left: Sequence[int]) -> list[int]:
        """Return which variables are constant or a linear function of those in the order."""
        return [i for i in left if self._unexplained[i, i] < DETERMINED]

    def take_first(self, left: Sequence[int], candidates: Sequence[int]) -> int:
        """Give the candidate of the least M its place, and return it.

        Args:
            left: Variables without a place, none of which is determined.
            candidates: Those of them that may be the first, ascending, at least one.
        """
        m, own = candidates[0], np.full(len(self._Z), np.nan)
        if len(candidates) > 1:
            place, own[left], self._guess[left] = self._compare(left, [left.index(i) for i in candidates])
            m = left[place]
        slope = self._S[m] / self._S[m, m]
        self._T = self._T - self._f * np.outer(slope, self._T[m])
        self._S = self._S - self._g * np.outer(slope, self._S[m])
        self._own = own
        row = self._unexplained[m]
        self._unexplained = self._unexplained - np.outer(row, row) / row[m]
        return m

    def _compare(self, left: Sequence[int], among: Sequence[int]) -> tuple[int, FloatArray, FloatArray]:
        """Return the place in `left` of the first, H of the residuals of all on it, and what is known of √M."""
        std = np.sqrt(np.diag(self._S)[left])
        combinations = self._T[left] / std[:, None]
        correlations = self._S[np.ix_(left, left)] / np.outer(std, std)
        slopes, guess = (self._f, self._g), self._guess[left]
        pairs = _Pairs(self._single, combinations, correlations, slopes, self._own[left])
        error = SINGLE_ERROR * pairs.longest
        nearest = pairs.nearest(among, guess, 2.0 * error)
        if len(nearest) > 1:
            exact = _Pairs(self._Z, combinations, correlations, slopes, np.full(len(left), np.nan))
            exact.pass_over(pairs.clear_causes(nearest, error))
            nearest = exact.nearest(nearest, guess, 2.0 * DOUBLE_ERROR * pairs.longest)
        return nearest[0], pairs.of_residuals[:, nearest[0]], pairs.roots()


class _Pairs:
    """D of the pairs that were looked at, in the precision of Z.

    Args:
        Z: All variables, shape (d, n).
        combinations: Of Z that make the z_i, shape (k, d).
        correlations: ρ, shape (k, k).
        slopes: f and g.
        own: H(z_i) as far as known, else NaN, shape (k,).

    Attributes:
        longest: No combination that is made is longer.
        of_residuals: H(r_i^(j)), NaN where it was not computed, shape (k, k).
    """

    def __init__(
        self,
        Z: NDArray[Any],
        combinations: FloatArray,
        correlations: FloatArray,
        slopes: tuple[float, float],
        own: FloatArray,
    ) -> None:
        self._Z, self._combinations, self._correlations = Z, combinations, correlations
        self._f, self._g = slopes
        unexplained = 1.0 - np.square(correlations)
        np.fill_diagonal(unexplained, 0.0)
        self._is_known = unexplained < ONE_VARIABLE
        self._D = np.zeros_like(correlations)
        self._own = own.copy()
        self.of_residuals = np.full_like(correlations, np.nan)
        self.longest = self._longest(unexplained)

    def _longest(self, unexplained: FloatArray) -> float:
        """Return the length of the longest combination that z_i or r_i^(j) is, without those of one variable."""
        products = self._combinations @ self._combinations.T
        squares = np.diag(products)
        slopes = self._f * self._correlations
        of_residuals = squares[:, None] - 2.0 * slopes * products + np.square(slopes) * squares
        np.divide(of_residuals, unexplained, out=of_residuals, where=~self._is_known)
        return float(np.sqrt(max(squares.max(), of_residuals.max(where=~self._is_known, initial=0.0))))

    def clear_causes(self, candidates: Sequence[int], error: float) -> BoolArray:
        """Return in which pairs a candidate causes, beyond an error, what is no candidate, shape (k, k)."""
        is_candidate = np.zeros(len(self._D), dtype=bool)
        is_candidate[candidates] = True
        return np.greater(self._D, error) & is_candidate[:, None] & ~is_candidate

    def pass_over(self, pairs: BoolArray) -> None:
        """Take D of some pairs for positive, which adds nothing to M of the first, shape (k, k)."""
        self._is_known |= pairs

    def roots(self) -> FloatArray:
        """Return √M of every variable over the pairs that were looked at: it cannot come below, shape (k,)."""
        result: FloatArray = np.sqrt(np.square(np.minimum(self._D, 0.0)).sum(axis=1))
        return result

    def nearest(self, candidates: Sequence[int], guess: FloatArray, margin: float) -> list[int]:
        """Look at pairs until it is sure which candidates have √M within a margin of the least; return them, ascending.

        Args:
            candidates: Places among the k.
            guess: Of candidates of the same √M so far, that of the least guess is looked at first, shape (k,).
            margin: In the unit of √M.
        """
        places = np.array(candidates)
        while True:
            roots = self.roots()[places]
            near = roots <= roots.min() + margin
            unsure = np.flatnonzero(near & ~self._is_known[places].all(axis=1))
            if not len(unsure):
                return [int(place) for place in places[near]]
            self._look_at(int(places[min(unsure, key=lambda k: (roots[k], guess[places[k]]))]))

    def _look_at(self, i: int) -> None:
        """Compute D of all pairs of one variable that are not known."""
        partners = np.flatnonzero(~self._is_known[i])
        rho = self._correlations[i, partners, None]
        one, others = self._combinations[i], self._combinations[partners]
        residuals = np.concatenate((one - self._f * rho * others, others - self._f * rho * one))
        residuals /= np.tile(np.sqrt(1.0 - self._g * np.square(rho)), (2, 1))
        involved = np.append(partners, i)
        unknown = involved[np.isnan(self._own[involved])]
        H = entropies(self._Z, np.concatenate((residuals, self._combinations[unknown])))
        of_one, of_others, self._own[unknown] = np.split(H, (len(partners), 2 * len(partners)))
        self.of_residuals[i, partners], self.of_residuals[partners, i] = of_one, of_others
        self._D[i, partners] = self._own[partners] + of_one - self._own[i] - of_others
        self._D[partners, i] = -self._D[i, partners]
        self._is_known[i, partners] = self._is_known[partners, i] = True
