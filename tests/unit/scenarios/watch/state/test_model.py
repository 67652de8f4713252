"""Times are RFC 3339 in UTC and numbers finite, or null."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest

from scenarios.watch.state.model import Number, Shown, Time, finite


class Example(Shown):
    """One of each."""

    number: Number = None
    time: Time = None


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("2026-01-02T03:04:05.678901+02:00", "2026-01-02T01:04:05.678Z"),
        ("2026-01-02T03:04:05", "2026-01-02T03:04:05.000Z"),
        (datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=-1))), "2026-01-02T04:00:00.000Z"),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00.000Z"),
        ("", None),
        (None, None),
        ("long ago", "long ago"),
    ],
)
def test_a_time_is_told_in_utc(given: object, told: str | None) -> None:
    assert Example(time=given).time == told  # type: ignore[arg-type]


@pytest.mark.parametrize("given", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_is_null(given: float) -> None:
    assert Example(number=given).model_dump_json() == '{"number":null,"time":null}'
    assert finite(given) is None


def test_a_number_is_told_with_all_its_digits() -> None:
    assert Example(number=0.1 + 0.2).model_dump_json() == '{"number":0.30000000000000004,"time":null}'
