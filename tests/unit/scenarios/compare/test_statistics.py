"""Means with their uncertainty and paired tests: against SciPy and by hand, and honest about few seeds."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from scenarios.compare.statistics import (
    MOST_EXACT_PAIRS,
    Estimate,
    PairedTest,
    corrected,
    estimate,
    half_width_of,
    mean_interval,
    paired_test,
    seeds_needed,
    sign_flip_p,
)

RANDOM = np.random.default_rng(2)
X = RANDOM.normal(1.0, 0.3, 8)
B = X + RANDOM.normal(0.2, 0.1, 8)


def compared(x: np.ndarray, b: np.ndarray, *, lower_is_better: bool = True) -> PairedTest:
    return paired_test(x.tolist(), b.tolist(), lower_is_better=lower_is_better)


def test_an_interval_is_that_of_students_t() -> None:
    found = estimate(X.tolist())
    low, high = stats.t.interval(0.95, len(X) - 1, loc=X.mean(), scale=stats.sem(X))
    assert found is not None
    assert found.half_width is not None
    assert (found.mean - found.half_width, found.mean + found.half_width) == pytest.approx((low, high), rel=1e-12)


def test_an_interval_of_three_is_what_a_table_of_t_gives() -> None:
    found = estimate([1.0, 2.0, 3.0])
    assert found is not None
    assert found.half_width == pytest.approx(4.302653 / np.sqrt(3), rel=1e-6)  # t(0.975, 2) · s / √3, s = 1


def test_half_widths_are_taken_over_the_seeds_only() -> None:
    rows = np.array([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0]])
    assert half_width_of(rows).tolist() == pytest.approx([4.302653 / np.sqrt(3), 0.0], rel=1e-6)
    assert half_width_of(rows[:1]).tolist() == [0, 0]


def test_one_seed_has_no_interval_and_a_figure_that_is_not_always_defined_no_mean() -> None:
    assert estimate([0.5]) == Estimate(0.5, None, 1)
    assert estimate([0.5, None]) is None
    assert estimate([]) is None


@pytest.mark.parametrize("count", [1, 2, 5, 9])
def test_p_is_the_share_of_sign_vectors_with_as_large_a_sum(count: int) -> None:
    d = np.random.default_rng(count).normal(0.3, 1.0, count)
    sums = [abs(float(np.dot(signs, d))) for signs in itertools.product((1, -1), repeat=count)]
    assert sign_flip_p(d) == np.mean([s >= abs(d.sum()) - 1e-12 for s in sums])


def test_p_is_scipys_permutation_test() -> None:
    d = X - B
    found = stats.permutation_test((d,), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert sign_flip_p(d) == pytest.approx(found.pvalue)


def test_the_smallest_p_is_one_of_all_signs_alike() -> None:
    assert sign_flip_p(np.arange(1.0, 11.0)) == 2.0**-9
    assert sign_flip_p(np.full(6, 0.1)) == 2.0**-5


@pytest.mark.parametrize("seed", range(40))
def test_the_interval_leaves_zero_out_just_where_the_test_shows_a_difference(seed: int) -> None:
    rng = np.random.default_rng(seed)
    d = rng.normal(rng.uniform(0, 1.2), 1.0, rng.integers(6, 12))
    low, high = mean_interval(d)
    assert low is not None
    assert high is not None
    assert low < d.mean() < high
    assert (low > 0 or high < 0) == (sign_flip_p(d) < 0.05)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(1000):
        low, high = mean_interval(rng.normal(0.7, 2.0, 8))
        held += low is not None and high is not None and low <= 0.7 <= high
    # Nominal 1 − 2·6/256 = 0.953; six deviations of a thousand trials.
    assert held == pytest.approx(953, abs=6 * np.sqrt(1000 * 0.953 * 0.047))


@pytest.mark.parametrize("count", range(1, 6))
def test_fewer_than_six_differences_have_no_interval(count: int) -> None:
    assert mean_interval(np.arange(1.0, count + 1)) == (None, None)


def test_many_pairs_are_drawn_and_come_near_to_what_a_t_test_says() -> None:
    d = np.random.default_rng(3).normal(0.35, 1.0, 40)
    assert len(d) > MOST_EXACT_PAIRS
    expected = stats.ttest_1samp(d, 0.0)
    assert sign_flip_p(d) == pytest.approx(expected.pvalue, abs=0.01)
    interval = expected.confidence_interval(0.95)
    assert mean_interval(d) == pytest.approx((interval.low, interval.high), abs=0.05)
    assert sign_flip_p(d) == sign_flip_p(d)


def test_pairing_sees_a_small_difference_that_the_scatter_of_the_seeds_hides() -> None:
    assert stats.ttest_ind(X, B).pvalue > 0.05
    found = compared(X, B)
    assert found.difference == pytest.approx((X - B).mean())
    assert (found.count, found.verdict, found.note) == (8, "better", "")


def test_what_is_better_depends_on_which_way_is_good() -> None:
    assert compared(X, B, lower_is_better=False).verdict == "worse"
    assert compared(B, X).verdict == "worse"
    assert compared(X, B).better_in + compared(X, B, lower_is_better=False).better_in == 8


def test_too_few_seeds_show_nothing_and_say_so() -> None:
    four = paired_test([1.0, 1.0, 1.0, 1.0], [5.0, 6.0, 7.0, 8.0], lower_is_better=True)
    assert (four.verdict, four.better_in, four.p) == ("not shown", 4, 2.0**-3)
    assert four.note == "with 4 seeds no difference can be; it takes 6"
    assert paired_test([1.0], [1.5], lower_is_better=True).note == "with 1 seed no difference can be; it takes 6"


@pytest.mark.parametrize(("comparisons", "needed"), [(1, 6), (2, 7), (3, 7), (4, 8), (5, 8), (12, 9)])
def test_the_more_comparisons_the_more_seeds(comparisons: int, needed: int) -> None:
    assert seeds_needed(comparisons) == needed
    d = np.arange(1.0, needed + 1)
    tests = [compared(np.zeros(needed), d)] + [compared(d, d + (-1.0) ** np.arange(needed))] * (comparisons - 1)
    assert corrected(tests, lower_is_better=True)[0].verdict == "better"
    fewer = [compared(np.zeros(needed - 1), d[1:])] * comparisons
    found = corrected(fewer, lower_is_better=True)[0]
    assert found.verdict == "not shown"
    assert found.note == f"with {needed - 1} seeds no difference can be; it takes {needed}"


def test_the_correction_is_holms() -> None:
    """By hand: sorted p of 0.01, 0.02, 0.04 become 3 · 0.01, 2 · 0.02, and no less than that."""
    tests = [PairedTest(10, -1.0, -2.0, -0.5, p, p, 1, 9, "better", "") for p in (0.04, 0.01, 0.02)]
    found = corrected(tests, lower_is_better=True)
    assert [test.p_holm for test in found] == pytest.approx([0.04, 0.03, 0.04])
    assert [test.family_size for test in found] == [3, 3, 3]
    weak = corrected([*tests, PairedTest(10, -1.0, -2.0, 0.5, 0.5, 0.5, 1, 6, "not shown", "")], lower_is_better=True)
    assert [test.p_holm for test in weak] == pytest.approx([0.08, 0.04, 0.06, 0.5])
    assert [test.verdict for test in weak] == ["not shown", "better", "not shown", "not shown"]


def test_a_comparison_that_is_not_defined_is_not_counted() -> None:
    nothing = paired_test([None], [1.0], lower_is_better=True)
    assert (nothing.count, nothing.difference, nothing.note) == (0, None, "defined with no seed for both")
    one, other = corrected([compared(X, B), nothing], lower_is_better=True)
    assert (one.family_size, one.p_holm) == (1, one.p)
    assert other == nothing


def test_equal_figures_are_called_equal() -> None:
    found = paired_test([0.1, 0.2, 0.3], [0.1, 0.2, 0.3], lower_is_better=True)
    assert (found.difference, found.p, found.better_in, found.note) == (0, 1.0, 0, "equal with every seed")


def test_seeds_in_which_a_figure_is_not_defined_are_left_out_and_counted() -> None:
    found = paired_test([None, 1.0, 2.0, 3.0], [1.0, None, 2.5, 3.7], lower_is_better=True)
    assert (found.count, found.difference) == (2, pytest.approx(-0.6))
