"""The course of a figure over draws: its band, where it flattens, and who does better."""

from __future__ import annotations

import numpy as np
import pytest

from scenarios.forecast.courses import Course, Difference, difference_at_end


def test_a_band_holds_nine_further_campaigns_in_ten() -> None:
    rng = np.random.default_rng(0)
    held = []
    for _ in range(2_000):
        draws = rng.standard_normal((6, 1))
        low, high = Course(draws).band()
        held.append(low[0] <= rng.standard_normal() <= high[0])
    assert np.mean(held) == pytest.approx(0.9, abs=0.02)


def test_a_band_stays_within_what_the_figure_can_be() -> None:
    low, high = Course(np.array([[0.0, 0.9], [0.1, 1.0]])).band(0.0, 1.0)
    assert low.tolist()[0] == 0.0
    assert high.tolist()[1] == 1.0


@pytest.mark.parametrize(
    ("mean", "flat"),
    [
        ([0.5, 0.3, 0.105, 0.1], 2),
        ([0.1, 0.1, 0.1, 0.1], 0),
        ([0.5, 0.1, 0.3, 0.1], 3),  # it was there, and left again
        ([0.5, 0.4, 0.3, 0.2], 3),
    ],
)
def test_it_is_flat_from_where_it_stays_within_a_hundredth_of_its_end(mean: list[float], flat: int) -> None:
    assert Course(np.array([mean, mean])).flat_from() == flat


@pytest.mark.parametrize(
    ("mean", "flattens", "lowest"),
    [
        ([0.5, *[0.1] * 19], 1, 1),
        ([0.5 - 0.02 * number for number in range(20)], None, None),  # it falls to the end
        ([0.5, *[0.1] * 17, 0.2, 0.2], None, 1),  # it rises again
    ],
)
def test_what_happens_in_the_last_tenth_is_no_flat(mean: list[float], flattens: int | None, lowest: int | None) -> None:
    course = Course(np.array([mean, mean]))
    assert (course.flattens_at(), course.lowest_at()) == (flattens, lowest)


def test_where_a_figure_is_not_defined_nothing_is_said() -> None:
    undefined = Course(np.array([[np.nan, 1.0], [np.nan, np.nan]]))
    assert undefined.flat_from() is None
    assert difference_at_end(undefined, undefined) is None


def test_policies_are_paired_by_draw() -> None:
    luck = np.array([[0.0], [1.0], [2.0], [3.0]])
    found = difference_at_end(Course(luck + np.array([[0.1], [0.12], [0.1], [0.12]])), Course(luck))
    assert found is not None
    assert found.mean == pytest.approx(0.11)
    assert 0.09 < found.low < found.high < 0.13
    assert not found.is_nothing


@pytest.mark.parametrize(
    ("difference", "nothing"),
    [
        (Difference(-0.2, -0.3, -0.1), False),
        (Difference(-0.2, -0.5, 0.1), True),
        (Difference(0.005, 0.004, 0.006), True),
    ],
)
def test_what_is_not_shown_or_too_small_to_matter_is_nothing(difference: Difference, nothing: bool) -> None:
    assert difference.is_nothing is nothing
