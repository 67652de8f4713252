"""Drift is the line, or the bounded walk, that the settings say, whoever asks when."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from simulators.instrument.calibration import Moment, moment_at
from simulators.instrument.drift import Drift, DriftSettings, folded


def course(count: int, every: int | None = None, instrument: str = "xrd", **settings: Any) -> np.ndarray:
    drift = Drift(DriftSettings(**settings), instrument)
    return np.array([drift.error("energy", moment_at(each, every)) for each in range(1, count + 1)])


def test_a_line_grows_by_its_rate_and_begins_again_at_each_calibration() -> None:
    np.testing.assert_allclose(course(7, 3, rate=-0.5), [0, -0.5, -1, 0, -0.5, -1, 0])


def test_a_line_ends_at_its_bound_in_either_direction() -> None:
    assert course(20, rate=0.5, bound=2.0).tolist()[-3:] == [2.0] * 3
    assert course(20, rate=-0.5, bound=2.0).tolist()[-3:] == [-2.0] * 3


def test_a_line_by_the_hour_follows_the_clock_and_not_the_count() -> None:
    drift = Drift(DriftSettings(rate=0.1, per="hour"), "xrd")
    assert drift.error("energy", Moment(count=50, since=49, period=0, hours=2.5)) == pytest.approx(0.25)


def test_a_walk_has_normal_steps_of_its_rate_and_begins_at_zero() -> None:
    walk = course(3000, kind="random_walk", rate=0.2)
    steps = np.diff(walk)
    assert walk[0] == 0.0
    # Four standard errors of a mean and a deviation of 3,000 steps.
    assert steps.mean() == pytest.approx(0.0, abs=4 * 0.2 / 3000**0.5)
    assert steps.std() == pytest.approx(0.2, abs=4 * 0.2 / 6000**0.5)


def test_a_walk_is_turned_back_at_its_bound_and_steps_no_farther_than_a_free_one() -> None:
    free, bounded = (course(2000, kind="random_walk", rate=0.2, bound=bound) for bound in (None, 1.0))
    assert abs(free).max() > 1.0
    assert abs(bounded).max() <= 1.0
    assert (abs(bounded) > 0.9).any()
    assert (abs(np.diff(bounded)) <= abs(np.diff(free)) + 1e-9).all()
    inside = np.flatnonzero(abs(free) > 1.0)[0]
    np.testing.assert_allclose(bounded[:inside], free[:inside], atol=1e-12)


def test_a_step_does_not_depend_on_who_asked_for_those_before_it() -> None:
    drift = Drift(DriftSettings(kind="random_walk", rate=0.2), "xrd")
    assert drift.error("energy", moment_at(700, None)) == course(700, kind="random_walk", rate=0.2)[-1]


def test_walks_of_instruments_properties_and_periods_are_independent() -> None:
    one, other = (course(400, instrument=name, kind="random_walk", rate=1.0) for name in ("xrd", "afm"))
    # The correlation of 399 independent pairs has a standard error of 0.05.
    assert abs(np.corrcoef(np.diff(one), np.diff(other))[0, 1]) < 0.2
    drift = Drift(DriftSettings(kind="random_walk", rate=1.0), "xrd")
    assert drift.error("energy", moment_at(30, None)) != drift.error("gap", moment_at(30, None))
    periods = course(60, 20, kind="random_walk", rate=1.0).reshape(3, 20)
    assert not np.allclose(periods[0, 1:], periods[1, 1:])


@pytest.mark.parametrize(("far", "where"), [(0.5, 0.5), (1.5, 0.5), (2.5, -0.5), (-1.25, -0.75), (4.25, 0.25)])
def test_two_mirrors_fold_a_line(far: float, where: float) -> None:
    assert folded(far, 1.0) == pytest.approx(where)
