"""Means with their uncertainty and paired tests: against SciPy and manually, and honest about few seeds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from scenarios.compare.statistics import (
    MIN_PAIRS_FOR_T,
    MIN_PAIRS_FOR_WILCOXON,
    Estimate,
    estimate,
    half_width_of,
    paired_test,
)

RANDOM = np.random.default_rng(2)
X = RANDOM.normal(1.0, 0.3, 8)
B = X + RANDOM.normal(0.2, 0.1, 8)


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


def test_the_paired_tests_are_scipys() -> None:
    found = paired_test(X.tolist(), B.tolist(), lower_is_better=True)
    assert found.difference == pytest.approx((X - B).mean())
    assert found.p_t == pytest.approx(stats.ttest_rel(X, B).pvalue)
    assert found.p_wilcoxon == pytest.approx(stats.wilcoxon(X, B).pvalue)
    assert found.half_width is not None
    interval = stats.ttest_rel(X, B).confidence_interval(0.95)
    assert found.half_width == pytest.approx((interval.high - interval.low) / 2)
    assert (found.count, found.note) == (8, "")


def test_pairing_sees_a_small_difference_that_the_scatter_of_the_seeds_hides() -> None:
    assert stats.ttest_ind(X, B).pvalue > 0.05
    found = paired_test(X.tolist(), B.tolist(), lower_is_better=True)
    assert found.p_t is not None
    assert found.p_t < 0.01
    assert found.verdict == "better"


def test_what_is_better_depends_on_which_way_is_good() -> None:
    assert paired_test(X.tolist(), B.tolist(), lower_is_better=False).verdict == "worse"
    assert paired_test(B.tolist(), X.tolist(), lower_is_better=False).verdict == "better"
    found = paired_test(X.tolist(), B.tolist(), lower_is_better=True)
    assert found.better_in + paired_test(X.tolist(), B.tolist(), lower_is_better=False).better_in == 8


def test_too_few_seeds_make_no_test_and_say_so() -> None:
    two = paired_test([1.0, 2.0], [1.5, 2.2], lower_is_better=True)
    assert (two.p_t, two.p_wilcoxon, two.verdict) == (None, None, "not shown")
    assert two.note == "2 seeds are too few for a test (t needs 3, Wilcoxon 6)"
    assert two.half_width is not None
    one = paired_test([1.0], [1.5], lower_is_better=True)
    assert (one.difference, one.half_width, one.better_in) == (-0.5, None, 1)
    assert one.note.startswith("one seed is too few")


@pytest.mark.parametrize("count", range(MIN_PAIRS_FOR_T, MIN_PAIRS_FOR_WILCOXON))
def test_a_signed_rank_test_that_could_show_nothing_is_not_made(count: int) -> None:
    found = paired_test(X[:count].tolist(), B[:count].tolist(), lower_is_better=True)
    assert found.p_t is not None
    assert found.p_wilcoxon is None
    assert found.note == f"Wilcoxon needs 6 seeds that differ, and there are {count}"
    assert stats.wilcoxon(np.arange(1.0, count + 1)).pvalue >= 0.05  # the most that so many pairs can say
    assert stats.wilcoxon(np.arange(1.0, MIN_PAIRS_FOR_WILCOXON + 1)).pvalue < 0.05


def test_equal_figures_are_not_tested() -> None:
    found = paired_test([0.1, 0.2, 0.3], [0.1, 0.2, 0.3], lower_is_better=True)
    assert (found.difference, found.p_t, found.p_wilcoxon, found.better_in) == (0, None, None, 0)
    assert found.note == "equal with every seed"


def test_the_same_difference_every_time_has_no_t() -> None:
    base = np.array([0.1, 0.2, 0.3, 0.7, 0.9, 1.1])
    found = paired_test((base + 0.1).tolist(), base.tolist(), lower_is_better=True)
    assert found.p_t is None
    assert "no spread" in found.note
    assert found.p_wilcoxon == pytest.approx(2 / 2**6)


def test_seeds_in_which_a_figure_is_not_defined_are_left_out_and_counted() -> None:
    found = paired_test([None, 1.0, 2.0, 3.0], [1.0, None, 2.5, 3.7], lower_is_better=True)
    assert (found.count, found.difference) == (2, pytest.approx(-0.6))
    nothing = paired_test([None], [1.0], lower_is_better=True)
    assert (nothing.count, nothing.difference, nothing.note) == (0, None, "defined with no seed for both")


def test_zero_differences_do_not_count_for_the_signed_ranks() -> None:
    differences = np.array([0.0, 0.0, 0.1, 0.2, 0.3, 0.4, 0.5])
    found = paired_test(differences.tolist(), [0.0] * 7, lower_is_better=False)
    assert found.p_wilcoxon is None
    assert "6 seeds that differ, and there are 5" in found.note
