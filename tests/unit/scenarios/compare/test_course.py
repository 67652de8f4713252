"""What the course of a campaign tells: where the mean gap was best, what was lost since, and its area."""

from __future__ import annotations

import pytest

from agent.entropy.bias import BiasPoint
from scenarios.compare.course import Course, course_measures, course_of
from scenarios.run.trajectory import Trajectory


def run(*gaps: float | None, every: int = 1) -> Trajectory:
    points = [BiasPoint(("a", "b"), (1, 1), (0.0, 0.0), gap, gap, gap, "a") for gap in gaps]
    return Trajectory("p", "u", tuple((every * place, point) for place, point in enumerate(points)))


def told(course: Course | None) -> tuple[float, ...]:
    assert course is not None
    return (course.best_at, course.regret, course.area)


def test_best_regret_and_area_are_those_of_the_definition() -> None:
    assert told(course_of(run(1.0, 0.4, 0.2, 0.2, 0.5))) == pytest.approx((2, 0.3, (0.7 + 0.3 + 0.2 + 0.35) / 4))
    assert told(course_of(run(1.0, 0.0, every=50))) == (50, 0.0, 0.5)
    assert told(course_of(run(0.7))) == (0, 0.0, 0.7)


def test_observations_without_a_mean_gap_are_passed_over() -> None:
    assert told(course_of(run(None, 0.6, None, 0.2))) == pytest.approx((3, 0.0, 0.4))
    assert course_of(run(None, None)) is None


def test_best_at_is_shown_and_not_judged() -> None:
    area, regret, best_at = course_measures({"etal": [run(1.0, 0.2, 0.3)], "random": [run(None)]})
    assert (area.name, regret.name, best_at.name) == ("mean_gap_area", "mean_gap_regret", "mean_gap_best_at")
    assert best_at.after == {"etal": (1.0,), "random": (None,)}
    assert (regret.lower_is_better, best_at.lower_is_better) == (True, None)
