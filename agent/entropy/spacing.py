"""The m-spacing estimator that decisions stand on: defined for every n ≥ 1, safe with ties, one formula for all n.

| here | meaning | shape |
|---|---|---|
| x | the sample in ascending order | (n,) |
| m | window, m = ⌊√n + ½⌋ | |
| i⁻, i⁺ | ends of window i: max(i − m, 0) and min(i + m, n − 1) | (n,) |
| j_i | spacings in window i, i⁺ − i⁻ | (n,) |
| r | resolution: the smallest difference of values that means anything | |
| ℓ(w) | ln √(w² + r²): the logarithm of a width, as far as it can be told | |
| h | Σ_i [ℓ(x_{i⁺} − x_{i⁻}) − ψ(j_i)] / n + ψ(n + 1) [nat] | |

The windows are Vasicek's, cut off at the ends as Ebrahimi has them. The constant of each is that of its own number of
spacings: j spacings of n uniform values sum to a Beta(j, n + 1 − j) variable, whose mean logarithm is ψ(j) − ψ(n + 1).
So h of a uniform sample is unbiased for every n and m (while r is small), where Vasicek's, Ebrahimi's and van Es's
constants are asymptotic or leave out the ends. With ℓ in place of ln, equal values cost ln r instead of −∞, and h is
continuous in every value; widths above 10 r change by less than 0.005 nat. One value alone has h = ln r + 1.

Adding a value y to the sample changes only the windows around it. With y between x_{p−1} and x_p,

    h(y) = A_p + [ℓ(y − a_p) + ℓ(b_p − y)] / (n + 1),

a_p and b_p being the far ends of the two windows that end in y, and A_p a difference of prefix sums; beyond the ends of
the sample all m + 1 windows there end in y. `Insertion` holds these for every gap: O(n) once, then O(log n) a value.

What y gains is h(y) − h, with the same window m for both, as h steps a little with m. So it does with n where windows
are closed: their widths stay r, though n + 1 values have narrower ones than n. h(y) is therefore taken at the
resolution r exp(−Δc), Δc being what the constant grows from n to n + 1, so that one more of many equal values gains
nothing.

References: O. Vasicek, J. R. Stat. Soc. B 38, 54 (1976); B. van Es, Scand. J. Stat. 19, 61 (1992); N. Ebrahimi,
K. Pflughoeft, E. S. Soofi, Stat. Probab. Lett. 20, 225 (1994); for the digamma constants J. Beirlant, E. J. Dudewicz,
L. Györfi, E. C. van der Meulen, Int. J. Math. Stat. Sci. 6, 17 (1997).
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

CONSTANTS_KEPT: Final = 4096
"""Constants kept by sample size and window."""

ENDS_KEPT: Final = 32
"""Ends of windows kept, likewise: samples grow by one, and a few families take turns."""

TAIL_NUMBERS: Final = 1 << 18
"""Numbers of one block of values beyond the ends, each with m + 1 windows: 2 MiB, which stays in a core's cache."""


def window(n: int) -> int:
    """Return m = ⌊√n + ½⌋."""
    return math.floor(math.sqrt(n) + 0.5)


def spacing_entropy(x: FloatArray, resolution: float, m: int | None = None) -> float:
    """Estimate the differential entropy of a sample [nat].

    Args:
        x: Ascending, finite, shape (n,), n ≥ 1.
        resolution: r > 0, in the unit of x.
        m: The window; by default ⌊√n + ½⌋.
    """
    return float(spacing_entropies(x[None], resolution, m)[0])


def spacing_entropies(X: FloatArray, resolution: float, m: int | None = None) -> FloatArray:
    """Estimate the entropy of several samples of one size, a sample a row, shape (s, n); returns shape (s,)."""
    n = X.shape[1]
    m = window(n) if m is None else m
    low, high = _ends(n, m)
    widths = X.take(high, axis=1) - X.take(low, axis=1)
    entropies: FloatArray = log_width(widths, resolution).mean(axis=1) + _constant(n, m)
    return entropies


def log_width(width: FloatArray, resolution: float) -> FloatArray:
    """Return ℓ(w) = ln √(w² + r²); the sign of w does not matter."""
    logarithm: FloatArray = np.square(width)
    logarithm += resolution * resolution
    np.log(logarithm, out=logarithm)
    logarithm *= 0.5
    return logarithm


class Insertion:
    """h of a sample with one value added, as a function of that value; and what it gains over the sample alone.

    Args:
        x: Ascending, finite, shape (n,), n ≥ 1.
        resolution: r > 0, in the unit of x.

    Attributes:
        each: The same, as one of several.
        before: h of the sample alone, with the window of n + 1 values [nat].
        resolution: r exp(−Δc), that of h of the enlarged sample.
    """

    def __init__(self, x: FloatArray, resolution: float) -> None:
        self._x = x
        self.each = Insertions(x[None], resolution)
        self.before, self.resolution = float(self.each.before[0]), self.each.resolution

    def after(self, y: FloatArray) -> FloatArray:
        """Entropy of the sample with each value added, one at a time [nat]; shape of y, which is (g,) and finite."""
        return self.each.after(np.zeros(len(y), dtype=np.int64), np.searchsorted(self._x, y), y)

    def gain(self, y: FloatArray) -> FloatArray:
        """What each value adds to the entropy [nat]; shape of y."""
        return self.after(y) - self.before


class Insertions:
    """`Insertion` for several samples of one size: all windows of all of them at once.

    Args:
        X: A sample a row, ascending, finite, shape (s, n), n ≥ 1.
        resolution: r > 0, in the unit of X.

    Attributes:
        before: h of each sample alone, with the window of n + 1 values, shape (s,) [nat].
        resolution: r exp(−Δc), that of h of the enlarged samples.
    """

    def __init__(self, X: FloatArray, resolution: float) -> None:
        n = X.shape[1]
        m = window(n + 1)
        self._constant = _constant(n + 1, m)
        self.before = spacing_entropies(X, resolution, m)
        self.resolution = resolution * math.exp(_constant(n, m) - self._constant)
        self._X, self._r, self._n, self._m = X, self.resolution, n, m
        p = np.arange(n + 1)
        inner = (p > 0) & (p < n)
        self._fixed = (self._fixed_windows(p) / (n + 1)).ravel()
        self._below, self._has_below = X.take(np.maximum(p - 2 * m, 0), axis=1).ravel(), inner & (p >= m)
        self._above, self._has_above = X.take(np.minimum(p + 2 * m, n) - 1, axis=1).ravel(), inner & (p + m <= n)

    def after(self, case: IndexArray, gap: IndexArray, y: FloatArray) -> FloatArray:
        """Entropy of a sample with a value added, value by value [nat].

        Args:
            case: Which sample each value is added to, shape (g,).
            gap: How many values of that sample are less than it, shape (g,).
            y: The values, finite, shape (g,).

        Returns:
            Shape (g,).
        """
        at, r = case * (self._n + 1) + gap, self._r
        moving = np.where(self._has_below[gap], log_width(y - self._below[at], r), 0.0)
        moving += np.where(self._has_above[gap], log_width(self._above[at] - y, r), 0.0)
        for end, ends in zip((0, self._n), _tail_ends(self._n, self._m), strict=True):
            beyond = np.flatnonzero(gap == end)
            if len(beyond):
                moving[beyond] = _tail(y[beyond], self._X.take(ends, axis=1), case[beyond], r)
        entropies: FloatArray = self._fixed[at] + moving / (self._n + 1) + self._constant
        return entropies

    def gain(self, case: IndexArray, gap: IndexArray, y: FloatArray) -> FloatArray:
        """What each value adds to the entropy of its sample [nat], shape (g,); arguments as of `after`."""
        return self.after(case, gap, y) - self.before[case]

    def _fixed_windows(self, p: IndexArray) -> FloatArray:
        """Sum of the logarithms of the windows without the added value at an end, for every gap p; (s, n + 1)."""
        n, m = self._n, self._m
        i = np.arange(n)
        left = self._log_widths(i[m:], np.maximum(i[: n - m] - m, 0)) if m < n else np.empty((len(self._X), 0))
        right = self._log_widths(np.minimum(i[m:] + m, n - 1), i[m:] - m) if m < n else left
        j = np.arange(n + 1)
        # Windows of the enlarged sample with the added value inside: one spacing fewer of the sample alone.
        spanning = self._log_widths(np.minimum(j + m, n) - 1, np.minimum(np.maximum(j - m, 0), n - 1))
        sums_left, sums_right, sums_spanning = map(_running_sums, (left, right, spanning))
        from_left = sums_left.take(np.clip(p - m, 0, left.shape[1]), axis=1)
        from_right = sums_right[:, -1:] - sums_right.take(np.clip(p, 0, right.shape[1]), axis=1)
        inside = sums_spanning.take(np.minimum(p + m, n + 1), axis=1)
        inside -= sums_spanning.take(np.maximum(p - m + 1, 0), axis=1)
        inside[:, [0, n]] = 0.0  # beyond the ends no window spans it
        fixed: FloatArray = from_left + from_right + inside
        return fixed

    def _log_widths(self, high: IndexArray, low: IndexArray) -> FloatArray:
        return log_width(self._X.take(high, axis=1) - self._X.take(low, axis=1), self._r)


def _running_sums(terms: FloatArray) -> FloatArray:
    """Sums of the first 0, 1, … terms of each row, shape (s, k + 1)."""
    sums = np.zeros((len(terms), terms.shape[1] + 1))
    np.cumsum(terms, axis=1, out=sums[:, 1:])
    return sums


@lru_cache(maxsize=ENDS_KEPT)
def _ends(n: int, m: int) -> tuple[IndexArray, IndexArray]:
    i = np.arange(n)
    return np.maximum(i - m, 0), np.minimum(i + m, n - 1)


@lru_cache(maxsize=ENDS_KEPT)
def _tail_ends(n: int, m: int) -> tuple[IndexArray, IndexArray]:
    """Far ends, in the sample, of the windows that end in a value below all others, and in one above all others."""
    low, high = _ends(n + 1, m)
    return high[low == 0] - 1, low[high == n]


def _tail(y: FloatArray, ends: FloatArray, case: IndexArray, r: float) -> FloatArray:
    """Sum of the windows that end in a value beyond the sample: values (g,), far ends by sample (s, w), cases (g,)."""
    total = np.empty(len(y))
    rows = max(1, TAIL_NUMBERS // max(1, ends.shape[1]))
    for start in range(0, len(y), rows):
        chunk = slice(start, start + rows)
        total[chunk] = log_width(y[chunk, None] - ends[case[chunk]], r).sum(axis=1)
    return total


@lru_cache(maxsize=CONSTANTS_KEPT)
def _constant(n: int, m: int) -> float:
    """ψ(n + 1) − mean ψ(j_i); a single value's window of no spacing counts as one."""
    from scipy.special import digamma

    low, high = _ends(n, m)
    return float(digamma(n + 1) - digamma(np.maximum(high - low, 1)).mean())
