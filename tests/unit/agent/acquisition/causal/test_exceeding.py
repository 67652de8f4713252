"""Who most likely exceeds: against probabilities by hand, and where they are all 0 or 1."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from agent.acquisition.causal.exceeding import AS_LIKELY, most_likely, said_of_exceeding

LEFT = np.array([1, 2, 4])
MEAN = np.array([9.0, 4.0, 4.5, 9.0, 3.0])
STD = np.array([0.1, 2.0, 0.2, 0.1, 1.0])


def test_the_largest_probability_wins_and_is_the_score() -> None:
    best, second = most_likely(LEFT, MEAN, STD, 5.0)
    assert (best.index, best.score) == (1, pytest.approx(norm.sf(0.5)))
    assert second is not None
    assert (second.index, second.score) == (4, pytest.approx(norm.sf(2.0)))


def test_among_those_that_are_as_likely_something_else_decides() -> None:
    mean = np.array([0.0, 5.0, 5.1, 0.0, 3.0])
    best, second = most_likely(LEFT, mean, np.ones(5), 4.0, np.array([0.0, 2.0, 1.0, 0.0, 9.0]))
    assert norm.cdf(1.0) > AS_LIKELY * norm.cdf(1.1)
    assert best.index == 1
    assert second is not None
    assert second.index == 2


def test_who_is_far_more_likely_needs_nothing_else() -> None:
    best, second = most_likely(LEFT, MEAN, STD, 5.0, np.array([0.0, 0.0, 5.0, 0.0, 9.0]))
    assert best.index == 1
    assert second is not None


@pytest.mark.parametrize("threshold", [-1e6, 1e6])
def test_probabilities_that_are_all_alike_are_told_apart_by_the_distance(threshold: float) -> None:
    best, _ = most_likely(LEFT, MEAN, np.ones(5), threshold, np.array([0.0, 1.0, 0.0, 0.0, 0.0]))
    assert best.index == (2 if threshold > 0 else 1)
    assert best.score == (0.0 if threshold > 0 else 1.0)


def test_what_is_known_exceeds_or_does_not() -> None:
    best, _ = most_likely(LEFT, MEAN, np.zeros(5), 4.2)
    assert (best.index, best.score) == (2, 1.0)


def test_one_candidate_has_no_runner_up() -> None:
    best, second = most_likely(np.array([3]), MEAN, STD, 5.0, np.zeros(5))
    assert best.index == 3
    assert second is None


def test_a_reason_says_how_likely_it_is() -> None:
    best, _ = most_likely(LEFT, MEAN, STD, 5.0)
    assert said_of_exceeding(best, 5.0) == "most likely above 5: 0.31"
    far, _ = most_likely(LEFT, MEAN, STD, 9.0)
    assert said_of_exceeding(far, 9.0) == "nothing is likely to exceed 9; this is the most likely (0.0062)"
