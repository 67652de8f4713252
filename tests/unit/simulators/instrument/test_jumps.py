"""A jump stays until the next calibration, and jumps add up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from simulators.instrument.calibration import moment_at
from simulators.instrument.jumps import Jumps, JumpSettings


def course(
    count: int, every: int | None = None, instrument: str = "xrd", value: float = 0.0, **settings: Any
) -> np.ndarray:
    jumps = Jumps(JumpSettings(**settings), instrument)
    return np.array([jumps.error("energy", value, moment_at(each, every)) for each in range(1, count + 1)])


def test_an_offset_lasts_from_its_count_to_the_next_calibration() -> None:
    found = course(10, 5, at=(3, 9), offset=0.5)
    np.testing.assert_allclose(found, [0, 0, 0.5, 0.5, 0.5, 0, 0, 0, 0.5, 0.5])


def test_jumps_add_up_where_nobody_calibrates() -> None:
    np.testing.assert_allclose(course(5, at=(2, 4), offset=-1.0), [0, -1, -1, -2, -2])


def test_gains_are_shares_of_the_value_and_multiply() -> None:
    np.testing.assert_allclose(course(3, at=(2, 3), gain=0.1, value=-10.0), [0.0, -1.0, -2.1])


def test_jumps_at_random_come_as_often_as_they_say_and_are_the_same_again() -> None:
    jumps = Jumps(JumpSettings(rate=0.02, offset=1.0), "xrd")
    met = jumps.since_calibration(moment_at(5000, None))
    # Four standard errors of a count of 5,000.
    assert len(met) == pytest.approx(100, abs=4 * (5000 * 0.02 * 0.98) ** 0.5)
    assert met == tuple(sorted(set(met)))
    assert jumps.since_calibration(moment_at(met[0], None)) == met[:1], "the same, whatever comes later"
    assert Jumps(JumpSettings(rate=0.02), "afm").since_calibration(moment_at(5000, None)) != met


def test_sizes_drawn_at_random_have_the_deviation_they_state() -> None:
    sizes = np.array([course(2, at=(2,), offset=2.0, distribution="normal", seed=seed)[1] for seed in range(2000)])
    # Four standard errors of a mean and a deviation of 2,000 draws.
    assert sizes.mean() == pytest.approx(0.0, abs=4 * 2.0 / 2000**0.5)
    assert sizes.std() == pytest.approx(2.0, abs=4 * 2.0 / 4000**0.5)


def test_a_count_before_the_first_is_refused() -> None:
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        JumpSettings(at=(0,))
