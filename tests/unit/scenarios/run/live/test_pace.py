"""How fast results come: honest in an outage, and for a slow lab; and a course that stays small."""

import itertools

import pytest

from scenarios.run.live.pace import LEAST_RESULTS, MOST_POINTS, WINDOW_S, Course, Pace


def test_the_pace_is_that_of_the_last_seconds() -> None:
    pace = Pace()
    for number in range(400):
        pace.note(number * 0.05, number)
    assert pace.per_second(399 * 0.05) == pytest.approx(20.0, rel=0.02)
    assert len(pace) <= WINDOW_S / 0.05 + 2


def test_silence_slows_it_down_instead_of_leaving_it_where_it_was() -> None:
    pace = Pace()
    for number in range(7):
        pace.note(number * 0.02, number)
    assert pace.per_second(0.12) == pytest.approx(50.0)
    slower = [pace.per_second(0.12 + silence) for silence in (1.0, 4.0, 60.0)]
    assert slower == sorted(slower, reverse=True)  # type: ignore[type-var]
    assert slower[-1] == pytest.approx(0.1, rel=0.01)


def test_a_lab_that_needs_minutes_for_a_result_has_a_pace() -> None:
    pace = Pace()
    assert pace.per_second(0.0) is None
    for number in range(30):
        pace.note(number * 300.0, number)
    assert pace.per_second(29 * 300.0) == pytest.approx(1 / 300.0)
    assert len(pace) == LEAST_RESULTS


def test_a_course_keeps_its_ends_in_order_however_long_it_is() -> None:
    course = Course()
    for observation in range(20_001):
        course.note(observation, -float(observation))
    points = course.points()
    assert MOST_POINTS / 2 <= len(points) <= MOST_POINTS + 1
    assert points[0] == (0, -0.0)
    assert points[-1] == (20_000, -20_000.0)
    observations = [at for at, _ in points]
    assert observations == sorted(set(observations))
    gaps = {after - before for before, after in itertools.pairwise(observations[1:-1])}
    assert len(gaps) == 1, "evenly spaced"
