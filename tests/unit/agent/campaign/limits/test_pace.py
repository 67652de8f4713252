"""Requests go out at most so often in any hour, and in the lab's hours, on the days when clocks are set as well."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from agent.campaign.limits.pace import PaceLimits, free_again_at, free_at, opens_at, window_s

NOON = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)  # a Monday
BERLIN = PaceLimits(hours=("08:00-12:00", "13:00-18:00"), days=("mon", "tue", "fri"), time_zone="Europe/Berlin")
MINUTE = timedelta(minutes=1)


def at(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        (at(30, 7, 0), at(30, 7, 0)),  # 8:00 in Berlin
        (at(30, 6, 59), at(30, 7, 0)),
        (at(30, 11, 0), at(30, 12, 0)),  # noon: until 13:00
        (at(30, 16, 59), at(30, 16, 59)),
        (at(30, 17, 0), at(1, 7, 0, month=12)),  # the end does not belong to it
        (at(1, 20, 0, month=12), at(4, 7, 0, month=12)),  # Tuesday evening: Friday
        (at(4, 20, 0, month=12), at(7, 7, 0, month=12)),  # Friday evening: Monday
    ],
)
def test_hours_and_days_are_those_of_the_time_zone(now: datetime, opens: datetime) -> None:
    assert opens_at(BERLIN, now) == opens


def test_a_span_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    night = PaceLimits(hours=("22:00-06:00",), days=("fri",), time_zone="UTC")
    saturday = at(5, 5, 59, month=12)
    assert opens_at(night, saturday) == saturday
    assert opens_at(night, saturday + MINUTE) == at(11, 22, month=12)


def test_days_without_hours_are_whole_days() -> None:
    weekend = PaceLimits(days=("sat",), time_zone="UTC")
    assert opens_at(weekend, NOON) == at(5, 0, month=12)
    assert opens_at(weekend, at(5, 23, 59, month=12)) == at(5, 23, 59, month=12)


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        (datetime(2026, 3, 29, 0, 30, tzinfo=UTC), datetime(2026, 3, 29, 6, 0, tzinfo=UTC)),  # an hour is left out
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 7, 0, tzinfo=UTC)),  # one comes twice
    ],
)
def test_on_days_when_clocks_are_set_hours_are_those_of_the_clock_on_the_wall(now: datetime, opens: datetime) -> None:
    assert opens_at(PaceLimits(hours=("08:00-18:00",), time_zone="Europe/Berlin"), now) == opens


def test_without_limits_everything_is_free_at_once() -> None:
    assert not PaceLimits().is_pacing
    assert free_at(PaceLimits(), [NOON] * 50, NOON) == NOON
    assert window_s(PaceLimits()) == 0.0


def test_a_pace_below_one_an_hour_is_one_in_so_many_hours() -> None:
    slow = PaceLimits(requests_per_hour=0.25)
    assert window_s(slow) == 4 * 3600.0
    assert free_at(slow, [NOON], NOON + MINUTE) == NOON + timedelta(hours=4)


def test_a_clock_that_was_set_back_holds_nothing_up_for_longer_than_a_window() -> None:
    assert free_at(PaceLimits(requests_per_hour=1), [NOON + timedelta(days=9)], NOON) == NOON + timedelta(hours=1)


def test_rate_and_hours_hold_together_and_a_repetition_waits_for_the_hours_alone() -> None:
    both = PaceLimits(requests_per_hour=1, hours=("08:00-12:30",), time_zone="UTC")
    assert free_at(both, [NOON], NOON + MINUTE) == at(1, 8, month=12)  # free at 13:00, after hours
    assert free_again_at(both, NOON + MINUTE) == NOON + MINUTE
    assert free_again_at(both, at(30, 13)) == at(1, 8, month=12)


@given(
    pace=st.one_of(st.integers(1, 20), st.floats(0.05, 20.0)),
    steps=st.lists(st.floats(0.0, 1800.0), min_size=1, max_size=60),
)
def test_in_no_window_are_there_more_requests_than_the_pace_allows(pace: float, steps: list[float]) -> None:
    limits, now, sent = PaceLimits(requests_per_hour=pace), NOON, list[datetime]()
    for step in steps:
        now += timedelta(seconds=step)
        free = free_at(limits, sent, now)
        if free <= now:
            sent.append(now)
    window, most = timedelta(seconds=window_s(limits)), max(1, int(pace))
    assert all(sum(first <= each < first + window for each in sent) <= most for first in sent)
    assert most / window.total_seconds() * 3600.0 <= pace * (1 + 1e-6)


@pytest.mark.parametrize(
    ("given_settings", "said"),
    [
        ({"hours": ["8-18"], "time_zone": "UTC"}, "no span of hours"),
        ({"hours": ["08:00-24:30"], "time_zone": "UTC"}, "no span of hours"),
        ({"hours": ["08:00-08:00"], "time_zone": "UTC"}, "no span of hours"),
        ({"hours": ["08:00-18:00"]}, "mean nothing without time_zone"),
        ({"days": ["monday"], "time_zone": "UTC"}, "days"),
        ({"time_zone": "UTC"}, "there are none"),
        ({"hours": ["08:00-18:00"], "time_zone": "Mars/Olympus"}, "no time zone"),
        ({"hours": ["08:00-18:00"], "time_zone": "../etc/passwd"}, "no time zone"),
        ({"requests_per_hour": 0}, "requests_per_hour"),
    ],
)
def test_what_makes_no_sense_is_refused(given_settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        PaceLimits.model_validate(given_settings)
