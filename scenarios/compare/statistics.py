"""What a few seeds can say: means with their uncertainty, and a paired test that admits when there is too little.

| here | meaning |
|---|---|
| x_i | a figure of one policy with seed i, i = 1…n |
| half-width | t(0.975, n − 1) · s / √n, s with n − 1 degrees of freedom: half of the 95 % interval of the mean |
| d_i | x_i − b_i, b_i the same figure of another policy with the same seed, start set and test set |
| p | share of the 2^n sign vectors s with |Σ s_i d_i| ≥ |Σ d_i|: exact, two-sided sign-flip test of mean(d) (Fisher) |
| interval | means that this test does not refuse at 5 %: between order statistics of the means of all subsets of d |
| Holm p | p corrected for the other comparisons of its family: whoever shows a p says which family that is |

Pairing takes the luck of the start set out: it moves both policies alike. Under the null hypothesis, that neither is
better, the sign of each d_i is a coin; nothing is assumed of its size, which a t test of ten seeds would have to. The
smallest p of n pairs is 2^(1 − n): below six pairs nothing can be shown at 5 %, and there is no interval.
The interval is the test's inverse (Hartigan): each gap between the sorted means of the 2^n − 1 subsets has the
probability 2^−n to hold the true one, if the d_i are symmetric about it. So it leaves out zero just where p < 0.05.
Above `MOST_EXACT_PAIRS` pairs, random signs and subsets stand for all, drawn with a fixed seed (Phipson and Smyth).

References: R. A. Fisher, The Design of Experiments (Oliver and Boyd, 1935), section 21; J. A. Hartigan, J. Am. Stat.
Assoc. 64, 1303 (1969); S. Holm, Scand. J. Stat. 6, 65 (1979); B. Phipson, G. K. Smyth, Stat. Appl. Genet. Mol. Biol. 9,
39 (2010). Pure functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import floor
from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

CONFIDENCE: Final = 0.95
"""Of every interval; a p-value below 1 − CONFIDENCE counts as shown."""

TEST: Final = (
    "two-sided sign-flip test of the mean difference over seeds; Holm over the comparisons of the judged policy with "
    "the others in one figure; figures are not corrected for each other"
)
"""What a p-value here is, for whoever reads one."""

MOST_EXACT_PAIRS: Final = 16
"""Most pairs whose sign vectors are all tried [pair]: 65,536 of them, in milliseconds."""

DRAWS: Final = 1 << 16
"""Sign vectors drawn for more pairs: p errs by less than 0.001 at 0.05."""

BLOCK_DRAWS: Final = 1 << 12
"""Of them at once (32 MiB of 1,000 pairs)."""

DRAW_SEED: Final = 0x51C
"""Of these draws, so that the same figures have the same p."""

EQUAL: Final = "equal with every seed"
"""Why a comparison of two figures that never differ shows nothing."""

RELATIVE_ROUNDING: Final = 1e-12
"""Sums that differ by less than this part are equal: what is equal in exact arithmetic counts as at least as large."""


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
    """A policy against another one, seed by seed.

    Attributes:
        count: Pairs in which both figures are defined.
        difference: Mean of policy − other; None without pairs.
        low: Lower end of its interval; None with too few pairs for one.
        high: Upper end; likewise.
        p: Of the sign-flip test; None without pairs.
        p_holm: The same, corrected for the other comparisons of its family; equal to p where there are none.
        family_size: Comparisons in the family, this one included.
        better_in: In how many pairs the policy is better.
        verdict: "better" or "worse" where p_holm shows it, else "not shown".
        note: Why nothing could be shown whatever the figures are; empty where it could.
    """

    count: int
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    p_holm: float | None
    family_size: int
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


def paired_test(values: Sequence[float | None], others: Sequence[float | None], *, lower_is_better: bool) -> PairedTest:
    """Compare a policy with another over the same seeds, as the only comparison of its family.

    Args:
        values: Of the policy, by seed; None where not defined.
        others: Of the other policy, in the same order.
        lower_is_better: Which sign of the difference is good.
    """
    pairs = [(x, b) for x, b in zip(values, others, strict=True) if x is not None and b is not None]
    if not pairs:
        nothing = "defined with no seed for both"
        return PairedTest(0, None, None, None, None, None, 1, 0, "not shown", nothing)
    both = np.array(pairs, dtype=np.float64)
    d = both[:, 0] - both[:, 1]
    low, high = mean_interval(d)
    p = sign_flip_p(d)
    better = int((d < 0 if lower_is_better else d > 0).sum())
    test = PairedTest(len(d), float(d.mean()), low, high, p, p, 1, better, "not shown", "")
    return _judged(test, lower_is_better=lower_is_better)


def corrected(tests: Sequence[PairedTest], *, lower_is_better: bool) -> list[PairedTest]:
    """Return the tests of one family with p-values and verdicts corrected for each other (Holm)."""
    made = [(test.p, place) for place, test in enumerate(tests) if test.p is not None]
    result = list(tests)
    largest = 0.0
    for rank, (p, place) in enumerate(sorted(made)):
        largest = min(1.0, max(largest, (len(made) - rank) * p))
        test = replace(tests[place], p_holm=largest, family_size=len(made))
        result[place] = _judged(test, lower_is_better=lower_is_better)
    return result


def seeds_needed(comparisons: int) -> int:
    """Return the fewest seeds with which the clearest of so many comparisons can be shown."""
    needed = 1
    while comparisons * 2.0 ** (1 - needed) >= 1 - CONFIDENCE:
        needed += 1
    return needed


def sign_flip_p(d: FloatArray) -> float:
    """Return the two-sided p of the mean of differences, shape (n,), n ≥ 1."""
    sums, _ = _subset_sums(d)
    total = float(d.sum())
    at_least = int((np.abs(total - 2.0 * sums) >= abs(total) * (1.0 - RELATIVE_ROUNDING)).sum())
    return at_least / len(sums)


def mean_interval(d: FloatArray) -> tuple[float | None, float | None]:
    """Return the ends of the interval of the mean; None for both with too few differences, shape (n,)."""
    sums, sizes = _subset_sums(d)
    means = np.sort(sums[1:] / sizes[1:])  # the first subset is the empty one
    tail = floor((1 - CONFIDENCE) / 2 * len(sums))
    return (float(means[tail - 1]), float(means[-tail])) if tail else (None, None)


def _judged(test: PairedTest, *, lower_is_better: bool) -> PairedTest:
    """Return a test with its verdict, and a note where no figures could have shown anything."""
    if test.p_holm is None or test.difference is None:
        return test
    if test.difference == 0.0 and test.better_in == 0 and test.p == 1.0:
        return replace(test, note=EQUAL)
    needed = seeds_needed(test.family_size)
    if test.count < needed:
        few = f"with {test.count} seed{'s' * (test.count != 1)} no difference can be; it takes {needed}"
        return replace(test, verdict="not shown", note=few)
    shown = test.p_holm < 1 - CONFIDENCE
    better = (test.difference < 0) == lower_is_better
    return replace(test, verdict=("better" if better else "worse") if shown else "not shown", note="")


def _subset_sums(d: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return sum and size of subsets of d, the empty one first: of all of them, or of some that are drawn."""
    if len(d) > MOST_EXACT_PAIRS:
        return _drawn_subset_sums(d)
    sums, sizes = np.zeros(1), np.zeros(1)
    for each in d:
        sums, sizes = np.concatenate((sums, sums + each)), np.concatenate((sizes, sizes + 1.0))
    return sums, sizes


def _drawn_subset_sums(d: FloatArray) -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(DRAW_SEED)
    sums, sizes = np.zeros(1 + DRAWS), np.zeros(1 + DRAWS)
    for start in range(1, 1 + DRAWS, BLOCK_DRAWS):
        chosen = rng.integers(0, 2, size=(BLOCK_DRAWS, len(d))).astype(np.float64)
        chosen[chosen.sum(axis=1) == 0.0, 0] = 1.0  # one in 2^17 draws at most
        at = slice(start, start + BLOCK_DRAWS)
        sums[at], sizes[at] = chosen @ d, chosen.sum(axis=1)
    return sums, sizes
