"""What a few seeds can say: means with their uncertainty, and paired tests that admit when there is too little.

| here | meaning |
|---|---|
| x_i | a figure of one policy with seed i, i = 1…n |
| half-width | t(0.975, n − 1) · s / √n, s with n − 1 degrees of freedom: half of the 95 % interval of the mean |
| d_i | x_i − b_i, b_i the same figure of the baseline with the same seed, start set and test set |
| p of t | two-sided paired t test of mean(d) = 0 (Student, Biometrika 6, 1, 1908) |
| p of Wilcoxon | two-sided signed-rank test of d around 0, zeros left out (Wilcoxon, Biometrics Bull. 1, 80, 1945) |

Pairing takes the luck of the start set out: it moves policy and baseline alike. Pure functions; no p-value here is
adjusted for the number of tests, and whoever shows many must say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

CONFIDENCE: Final = 0.95
"""Of every interval; a p-value below 1 − CONFIDENCE counts as shown."""

MIN_PAIRS_FOR_T: Final = 3
"""Fewest pairs for a t test: two have one degree of freedom, and an interval of 12.7 standard errors."""

MIN_PAIRS_FOR_WILCOXON: Final = 6
"""Fewest pairs that differ for a signed-rank test: the smallest p of n is 2^(1 − n), and at five that is 0.06."""

RELATIVE_SPREAD: Final = 1e-9
"""Differences that vary by less than this part of the figures are one number and rounding."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over seeds.

    Attributes:
        mean: In the unit of the values.
        half_width: Of its confidence interval; None for one seed.
        count: How many seeds.
    """

    mean: float
    half_width: float | None
    count: int


@dataclass(frozen=True, slots=True)
class PairedTest:
    """A policy against a baseline, seed by seed.

    Attributes:
        count: Pairs in which both figures are defined.
        difference: Mean of policy − baseline; None without pairs.
        half_width: Of its confidence interval; None with fewer than two pairs.
        p_t: Of the paired t test; None where `note` says why.
        p_wilcoxon: Of the signed-rank test; the same.
        better_in: In how many pairs the policy is better.
        verdict: "better" or "worse" where the t test shows it, else "not shown".
        note: Why a test was not made; empty when both were.
    """

    count: int
    difference: float | None
    half_width: float | None
    p_t: float | None
    p_wilcoxon: float | None
    better_in: int
    verdict: str
    note: str


def half_width_of(rows: FloatArray) -> FloatArray:
    """Return the half-width of the interval of the mean over the first axis: (n, …) → (…); zero for one row."""
    from scipy.stats import t

    count = len(rows)
    if count == 1:
        return np.zeros(rows.shape[1:])
    quantile = float(t.ppf((1 + CONFIDENCE) / 2, count - 1))
    return np.asarray(quantile * rows.std(axis=0, ddof=1) / np.sqrt(count), dtype=np.float64)


def estimate(values: Sequence[float | None]) -> Estimate | None:
    """Return the mean and its interval; None when the figure is not defined with every seed."""
    known = np.array([value for value in values if value is not None], dtype=np.float64)
    if len(known) < len(values) or not len(known):
        return None
    return Estimate(float(known.mean()), float(half_width_of(known)) if len(known) > 1 else None, len(known))


def paired_test(
    values: Sequence[float | None], baseline: Sequence[float | None], *, lower_is_better: bool
) -> PairedTest:
    """Compare a policy with a baseline over the same seeds.

    Args:
        values: Of the policy, by seed; None where not defined.
        baseline: Of the baseline, in the same order.
        lower_is_better: Which sign of the difference is good.
    """
    pairs = [(x, b) for x, b in zip(values, baseline, strict=True) if x is not None and b is not None]
    if not pairs:
        return PairedTest(0, None, None, None, None, 0, "not shown", "defined with no seed for both")
    both = np.array(pairs, dtype=np.float64)
    differences = both[:, 0] - both[:, 1]
    count = len(differences)
    mean = float(differences.mean())
    half_width = float(half_width_of(differences)) if count > 1 else None
    p_t, p_wilcoxon, note = _p_values(differences, scale=float(np.abs(both).max()))
    better = differences < 0 if lower_is_better else differences > 0
    shown = p_t is not None and p_t < 1 - CONFIDENCE
    verdict = ("better" if (mean < 0) == lower_is_better else "worse") if shown else "not shown"
    return PairedTest(count, mean, half_width, p_t, p_wilcoxon, int(better.sum()), verdict, note)


def _p_values(differences: FloatArray, *, scale: float) -> tuple[float | None, float | None, str]:
    """Return p of t, p of Wilcoxon, and why one or both are lacking."""
    from scipy.stats import ttest_1samp, wilcoxon

    count = len(differences)
    if not differences.any():
        return None, None, "equal with every seed"
    if count < MIN_PAIRS_FOR_T:
        return None, None, f"{_seeds(count)} for a test (t needs {MIN_PAIRS_FOR_T}, Wilcoxon {MIN_PAIRS_FOR_WILCOXON})"
    p_t, note = None, ""
    if np.ptp(differences) <= RELATIVE_SPREAD * scale:
        note = "the same difference with every seed, which leaves t no spread"
    else:
        p_t = float(ttest_1samp(differences, 0.0).pvalue)
    unequal = differences[differences != 0]
    if len(unequal) < MIN_PAIRS_FOR_WILCOXON:
        few = f"Wilcoxon needs {MIN_PAIRS_FOR_WILCOXON} seeds that differ, and there are {len(unequal)}"
        return p_t, None, "; ".join(part for part in (note, few) if part)
    return p_t, float(wilcoxon(unequal).pvalue), note


def _seeds(count: int) -> str:
    return "one seed is too few" if count == 1 else f"{count} seeds are too few"
