"""Ties, improvements, and which rows are learnt from."""

from __future__ import annotations

import numpy as np
import pytest

from agent.acquisition.base import Choice
from agent.acquisition.selection import (
    MAX_REASON_LENGTH,
    best_two,
    expected_improvement,
    short_reason,
    training_positions,
)
from protocols.errors import InvariantViolation


def test_equal_scores_fall_to_the_lowest_index() -> None:
    best, runner_up = best_two(np.array([3, 5, 8, 9]), np.array([0.1, 0.7, 0.7, 0.2]))
    assert best == Choice(5, 0.7)
    assert runner_up == Choice(8, 0.7)


def test_scores_within_the_tolerance_are_equal_and_beyond_it_are_not() -> None:
    indices = np.array([0, 1])
    assert best_two(indices, np.array([1.0, 1.0 + 1e-10]))[0].index == 0
    assert best_two(indices, np.array([1.0, 1.0 + 1e-8]))[0].index == 1
    assert best_two(indices, np.array([-1.0, -1.0 + 1e-10]))[0].index == 0


def test_scores_that_are_all_zero_fall_to_the_lowest_index() -> None:
    assert best_two(np.array([4, 6]), np.zeros(2))[0].index == 4


def test_a_single_candidate_has_no_runner_up() -> None:
    assert best_two(np.array([4]), np.array([0.0])) == (Choice(4, 0.0), None)


def test_a_score_that_is_not_finite_is_our_own_fault() -> None:
    with pytest.raises(InvariantViolation):
        best_two(np.array([0, 1]), np.array([0.0, np.nan]))


def test_improvement_is_that_of_many_draws() -> None:
    rng = np.random.default_rng(0)
    mean, std, best = np.array([0.3, -0.2, -1.0]), np.array([0.5, 0.4, 0.6]), 0.1
    draws = np.maximum(rng.normal(mean, std, size=(400_000, 3)) - best, 0.0)
    assert expected_improvement(mean, std, best) == pytest.approx(draws.mean(axis=0), abs=5 * 0.5 / 400_000**0.5)


def test_improvement_without_spread_is_the_plain_gain() -> None:
    assert expected_improvement(np.array([1.5, 0.5]), np.zeros(2), 1.0).tolist() == [0.5, 0.0]


def test_improvement_falls_steadily_and_is_never_negative_in_the_far_tail() -> None:
    mean = -np.linspace(0.0, 60.0, 4000)
    improvement = expected_improvement(mean, np.ones(4000), 0.0)
    assert (improvement >= 0.0).all()
    assert (np.diff(improvement) <= 0.0).all()


def test_few_rows_are_all_learnt_from() -> None:
    assert training_positions(np.array([2, 5, 9]), np.array([5]), 4).tolist() == [0, 1, 2]


def test_too_many_rows_keep_the_latest_acquisitions_and_an_even_spread_of_the_rest() -> None:
    rows = np.arange(0, 200, 2)
    acquired = np.array([190, 2, 7, 40, 100, 6])  # 7 is no row of this family
    positions = training_positions(rows, acquired, 8)
    kept = rows[positions]
    assert len(kept) == 8
    assert (np.diff(kept) > 0).all()
    assert {40, 100, 6, 2} <= set(kept.tolist())
    others = sorted(set(kept.tolist()) - {40, 100, 6, 2})
    assert others[0] < 20
    assert others[-1] > 130


def test_a_long_reason_is_cut() -> None:
    assert short_reason("a" * 200) == "a" * 200
    assert len(short_reason("a" * 201)) == MAX_REASON_LENGTH
