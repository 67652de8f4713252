"""One family that gives up rows one at a time: the gain of every removal is known at every moment, and is exact.

| here | meaning | shape |
|---|---|---|
| x | the kept values in ascending order; of equal ones the later row first | (k,) |
| m | window, ⌊√k + ½⌋ (`spacing.window`): that of the sample before a removal, for both sides of it | |
| s | fine window, ⌊√m + ½⌋ | |
| ℓ(w) | logarithm of a width, as far as the resolution tells (`spacing.log_width`) | |
| L_i | ℓ(x_{min(i+m, k−1)} − x_{max(i−m, 0)}): the windows of h (`spacing`) | (k,) |
| A_i | ℓ(x_{min(i+m+1, k−1)} − x_{max(i−m, 0)}): windows of one spacing more | (k,) |
| T | Σ_i L_i, so that h = T/k + constant(k, m) | |
| G_q, F_q | what T gains when x_q is removed [nat], with windows m and s | (k,) |

Without x_q the windows i < q that reach it end one value further, those i > q begin one value earlier, and L_q is gone.
As window i, begun one value earlier, is window i − 1, ended one value later,

    G_q = Σ_{i=q−m}^{q+m−1} A_i − Σ_{i=q−m}^{q+m} L_i        (0 < q < k − 1, and i kept inside of 0 … k − 1),

a difference of prefix sums. At the two ends of the sample the windows lose their fixed end instead. A removal changes
G within 2m + 1 places of it and nowhere else, so these are made again: O(√k) logarithms and one shift of memory. Gains
can rise as well as fall when a neighbour goes, so that a queue of stale gains (lazy greedy; M. Minoux, 1978) would miss
the best one; here none is stale. When m steps, all is made again: once in about 2√k removals.

Which row is the most redundant is told by G + F, and what its removal changes by the mean of both estimates. G alone
does not see clumps narrower than its window, and leaves them standing beside holes; F alone does not see beyond values
that are rounded to a grid. Together they level a distribution at both scales.

Gains are rounded to `GAIN_STEP`, far above the error of their sums, so that what is equal in exact arithmetic is equal
here. Ties fall to the lower value, and of equal values the later row goes: the first stays.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma

from agent.entropy.spacing import log_width, window
from protocols.errors import invariant

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

GAIN_STEP: Final = 2.0**-30
"""Gains are told apart to this [nat]; sums over a window are exact to 1e-12."""

GOLDEN: Final = 0.6180339887498949
"""(√5 − 1)/2: the multiples of no number, modulo one, are spread more evenly (Knuth, TAOCP 3, section 6.4)."""

WINDOWS_KEPT: Final = 4096
"""Windows whose constants are kept: those of samples up to 16 million values."""


class Thinning:
    """The rows of one family that are still kept.

    Args:
        values: Finite, shape (k,), k ≥ 1.
        rows: Their row numbers, shape (k,).
        resolution: r > 0, in the unit of the values.
    """

    def __init__(self, values: FloatArray, rows: IndexArray, resolution: float) -> None:
        order = np.lexsort((-rows, values))
        self._r = resolution
        # Kept rows lie in [first, first + size) of these; whichever side of a removal is shorter moves up.
        self._all_x, self._all_rows = values[order], rows[order]
        self._all_gains, self._all_fine, self._all_both = np.empty((3, len(order)))
        self._first, self.size, self._removed = 0, len(order), 0
        self._make_again()

    @property
    def rows(self) -> IndexArray:
        """The kept rows, in order of their values."""
        return self._all_rows[self._first : self._first + self.size]

    @property
    def entropy(self) -> float:
        """Differential entropy h of the kept values [nat]."""
        return self._total / self.size + size_constant(self.size, self._m)

    def entropy_without(self, place: int) -> float:
        """Entropy without the value at a place, with the same window as `entropy` [nat]; of two rows at least."""
        total = self._total + float(self._all_gains[self._first + place])
        return total / (self.size - 1) + size_constant(self.size - 1, self._m)

    def change_without(self, place: int) -> float:
        """What the removal of a value changes in the entropy, mean of both windows' estimates [nat]; two rows at least.

        A window's constant changes as well: that of the samples before and after is taken.
        """
        k, at = self.size, self._first + place
        change = 0.0
        for total, gains, m in (
            (self._total, self._all_gains, self._m),
            (self._fine_total, self._all_fine, self._s),
        ):
            after = (total + float(gains[at])) / (k - 1) + size_constant(k - 1, m)
            change += 0.5 * (after - total / k - size_constant(k, m))
        return change

    def densest(self) -> int:
        """Place of the most redundant row, greatest in G + F: one where the values lie closest."""
        return int(self._all_both[self._first : self._first + self.size].argmax())

    def in_turn(self) -> int:
        """Place of the row that goes next when the distribution is to stay as it is; of three or more, never an end.

        Multiples of the golden ratio run evenly over the ranks, so that every part of the sample gives its share.
        """
        inner = max(self.size - 2, 1)
        place = min(1, self.size - 1) + int(inner * ((self._removed + 1) * GOLDEN % 1.0))
        x = self._x
        return int(np.searchsorted(x, x[place]))  # of equal values the first stays

    def remove(self, place: int) -> int:
        """Give up the value at a place; return its row."""
        invariant(self.size > 1, "a family keeps its last row")
        row = int(self._all_rows[self._first + place])
        self._total += float(self._all_gains[self._first + place])
        self._fine_total += float(self._all_fine[self._first + place])
        self._close_up(place)
        self._removed += 1
        if window(self.size) != self._m:
            self._make_again()
        else:
            self._renew(place)
        return row

    @property
    def _x(self) -> FloatArray:
        return self._all_x[self._first : self._first + self.size]

    def _close_up(self, place: int) -> None:
        first, end, at = self._first, self._first + self.size, self._first + place
        for each in (self._all_x, self._all_rows, self._all_gains, self._all_fine, self._all_both):
            if 2 * place < self.size:
                each[first + 1 : at + 1] = each[first:at]
            else:
                each[at : end - 1] = each[at + 1 : end]
        self._first += 2 * place < self.size
        self.size -= 1

    def _renew(self, place: int) -> None:
        """Make the gains again that the removal of a value from this place has changed."""
        for gains, m in ((self._all_fine, self._s), (self._all_gains, self._m)):
            low, high = max(place - 2 * m - 1, 0), min(place + 2 * m + 1, self.size)
            changed = slice(self._first + low, self._first + high)
            gains[changed] = removal_gains(self._x, m, self._r, low, high)
        np.add(self._all_gains[changed], self._all_fine[changed], out=self._all_both[changed])

    def _make_again(self) -> None:
        """Take the windows of the present size, and make all sums again."""
        x, k = self._x, self.size
        m = self._m = window(k)
        self._s = window(m)
        self._total, self._fine_total = float(window_sum(x, m, self._r)), float(window_sum(x, self._s, self._r))
        every = slice(self._first, self._first + k)
        self._all_gains[every] = removal_gains(x, m, self._r, 0, k)
        self._all_fine[every] = removal_gains(x, self._s, self._r, 0, k)
        np.add(self._all_gains[every], self._all_fine[every], out=self._all_both[every])


def window_sum(x: FloatArray, m: int, r: float) -> FloatArray:
    """T of ascending samples with window m: of one of shape (k,), or of several of one size, shape (…, k)."""
    i, last = np.arange(x.shape[-1]), x.shape[-1] - 1
    widths = x[..., np.minimum(i + m, last)] - x[..., np.maximum(i - m, 0)]
    summed: FloatArray = log_width(widths, r).sum(axis=-1)
    return summed


def removal_gains(x: FloatArray, m: int, r: float, low: int, high: int) -> FloatArray:
    """G of the places low … high − 1 with window m: of one sample, or of several of one size, shape (…, high − low)."""
    k = x.shape[-1]
    if k == 1:
        return np.zeros(x.shape)
    inside = low >= 2 * m and high + 2 * m <= k
    near = (
        x[..., low - 2 * m : high + 2 * m]
        if inside
        else x.take(np.arange(low - 2 * m, high + 2 * m), axis=-1, mode="clip")
    )
    windows = log_width(near[..., 2 * m :] - near[..., : -2 * m], r)  # L_i of i = low − m … high + m − 1
    wider = log_width(near[..., 2 * m + 1 :] - near[..., : -2 * m - 1], r)  # A_i of i = low − m … high + m − 2
    if not inside:
        i = np.arange(low - m, high + m)
        windows[..., (i < 0) | (i >= k)] = 0.0
        wider[..., (i[:-1] < 0) | (i[:-1] >= k - 1)] = 0.0
    up_to_window, up_to_wider = _sums_before(windows), _sums_before(wider)
    count = high - low
    gained = (
        up_to_wider[..., 2 * m :]
        - up_to_wider[..., :count]
        - up_to_window[..., 2 * m + 1 :]
        + up_to_window[..., :count]
    )
    if low == 0:
        gained[..., 0] = _gain_of_the_first(x[..., : 2 * m + 1], m, r)
    if high == k:
        gained[..., -1] = _gain_of_the_first(-x[..., : -2 * m - 2 : -1], m, r)
    rounded: FloatArray = np.rint(gained / GAIN_STEP) * GAIN_STEP
    return rounded


def _sums_before(terms: FloatArray) -> FloatArray:
    sums = np.zeros((*terms.shape[:-1], terms.shape[-1] + 1))
    np.cumsum(terms, axis=-1, out=sums[..., 1:])
    return sums


def _gain_of_the_first(head: FloatArray, m: int, r: float) -> FloatArray:
    """G of the lowest value, from the first 2m + 1 values (or all): its windows begin at the next one instead."""
    last = head.shape[-1] - 1
    ends = head[..., np.minimum(np.arange(min(m, last) + 1) + m, last)]
    after = log_width(ends[..., 1:] - head[..., 1:2], r).sum(axis=-1)
    gained: FloatArray = after - log_width(ends - head[..., :1], r).sum(axis=-1)
    return gained


def size_constant(k: int, m: int) -> float:
    """The part of h that depends on size and window alone, ψ(k + 1) − mean ψ(j_i) (`spacing`), without a loop over k.

    Of k > 2m windows all but m at each end hold 2m spacings.
    """
    if k <= 2 * m:
        i = np.arange(k)
        j = np.minimum(i + m, k - 1) - np.maximum(i - m, 0)
        return float(digamma(k + 1) - digamma(np.maximum(j, 1)).mean())
    ends, inner = _digammas(m)
    return float(digamma(k + 1)) - (2.0 * ends + (k - 2 * m) * inner) / k


@lru_cache(maxsize=WINDOWS_KEPT)
def _digammas(m: int) -> tuple[float, float]:
    """Σ ψ(j) over the cut windows of one end, j = m … 2m − 1, and ψ(2m)."""
    return float(digamma(np.arange(m, 2 * m)).sum()), float(digamma(2 * m))
