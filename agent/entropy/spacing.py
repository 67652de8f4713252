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
    n = len(x)
    m = window(n) if m is None else m
    low, high = _ends(n, m)
    return float(log_width(x[high] - x[low], resolution).mean()) + _constant(n, m)


def log_width(width: FloatArray, resolution: float) -> FloatArray:
    """Return ℓ(w) = ln √(w² + r²); the sign of w does not matter."""
    logarithm: FloatArray = 0.5 * np.log(np.square(width) + resolution * resolution)
    return logarithm


class Insertion:
    """h of a sample with one value added, as a function of that value; and what it gains over the sample alone.

    Args:
        x: Ascending, finite, shape (n,), n ≥ 1.
        resolution: r > 0, in the unit of x.

    Attributes:
        before: h of the sample alone, with the window of n + 1 values [nat].
        resolution: r exp(−Δc), that of h of the enlarged sample.
    """

    def __init__(self, x: FloatArray, resolution: float) -> None:
        n = len(x)
        m = window(n + 1)
        self._constant = _constant(n + 1, m)
        self.before = spacing_entropy(x, resolution, m)
        self.resolution = resolution * math.exp(_constant(n, m) - self._constant)
        self._x, self._r, self._n, self._m = x, self.resolution, n, m
        p = np.arange(n + 1)
        self._fixed = self._fixed_windows(p)
        self._below, self._has_below = x[np.maximum(p - 2 * m, 0)], p >= m
        self._above, self._has_above = x[np.minimum(p + 2 * m, n) - 1], p + m <= n
        self._fixed /= n + 1

    def after(self, y: FloatArray) -> FloatArray:
        """Entropy of the sample with each value added, one at a time [nat]; shape of y, which is (g,) and finite."""
        x, r = self._x, self._r
        gap = np.searchsorted(x, y)
        moving = np.zeros(len(y))
        below, above = log_width(y - self._below[gap], r), log_width(self._above[gap] - y, r)
        inner = (gap > 0) & (gap < self._n)
        moving += np.where(inner & self._has_below[gap], below, 0.0)
        moving += np.where(inner & self._has_above[gap], above, 0.0)
        first, last = _tail_ends(self._n, self._m)
        for beyond, ends in ((gap == 0, x[first]), (gap == self._n, x[last])):
            moving[beyond] = _tail(y[beyond], ends, r)
        return self._fixed[gap] + moving / (self._n + 1) + self._constant

    def gain(self, y: FloatArray) -> FloatArray:
        """What each value adds to the entropy [nat]; shape of y."""
        return self.after(y) - self.before

    def _fixed_windows(self, p: IndexArray) -> FloatArray:
        """Sum of the logarithms of the windows that do not end in the added value, for every gap p; shape (n + 1,)."""
        x, r, n, m = self._x, self._r, self._n, self._m
        i = np.arange(n)
        left = log_width(x[i[m:]] - x[np.maximum(i[: n - m] - m, 0)], r) if m < n else np.empty(0)
        right = log_width(x[np.minimum(i[m:] + m, n - 1)] - x[i[m:] - m], r) if m < n else np.empty(0)
        j = np.arange(n + 1)
        # Windows of the enlarged sample with the added value inside: one spacing fewer of the sample alone.
        spanning = log_width(x[np.minimum(j + m, n) - 1] - x[np.minimum(np.maximum(j - m, 0), n - 1)], r)
        sums_left, sums_right, sums_spanning = (np.concatenate(([0.0], np.cumsum(s))) for s in (left, right, spanning))
        from_left = sums_left[np.clip(p - m, 0, len(left))]
        from_right = sums_right[-1] - sums_right[np.clip(p, 0, len(right))]
        inside = sums_spanning[np.minimum(p + m, n + 1)] - sums_spanning[np.maximum(p - m + 1, 0)]
        inside[[0, n]] = 0.0  # beyond the ends no window spans it
        fixed: FloatArray = from_left + from_right + inside
        return fixed


def _ends(n: int, m: int) -> tuple[IndexArray, IndexArray]:
    i = np.arange(n)
    return np.maximum(i - m, 0), np.minimum(i + m, n - 1)


def _tail_ends(n: int, m: int) -> tuple[IndexArray, IndexArray]:
    """Far ends, in the sample, of the windows that end in a value below all others, and in one above all others."""
    low, high = _ends(n + 1, m)
    return high[low == 0] - 1, low[high == n]


def _tail(y: FloatArray, ends: FloatArray, r: float) -> FloatArray:
    total = np.empty(len(y))
    rows = max(1, TAIL_NUMBERS // max(1, len(ends)))
    for start in range(0, len(y), rows):
        chunk = slice(start, start + rows)
        total[chunk] = log_width(y[chunk, None] - ends, r).sum(axis=1)
    return total


@lru_cache(maxsize=CONSTANTS_KEPT)
def _constant(n: int, m: int) -> float:
    """ψ(n + 1) − mean ψ(j_i); a single value's window of no spacing counts as one."""
    from scipy.special import digamma

    low, high = _ends(n, m)
    return float(digamma(n + 1) - digamma(np.maximum(high - low, 1)).mean())
