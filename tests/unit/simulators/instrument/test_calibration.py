"""Measurements have numbers, calibrations come after as many as they say, and a restart changes neither."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from simulators.instrument.calibration import (
    FIRST,
    CalibrationSettings,
    InstrumentAge,
    Logbook,
    Moment,
    moment_at,
)
from tests.support import sample_messages as messages

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def at(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


def test_counts_begin_again_after_each_calibration() -> None:
    moments = [moment_at(count, 3) for count in range(1, 8)]
    assert [each.since for each in moments] == [0, 1, 2, 0, 1, 2, 0]
    assert [each.period for each in moments] == [0, 0, 0, 1, 1, 1, 2]
    assert moment_at(8, None) == Moment(8, 7, 0)
    assert moment_at(1, None) == FIRST


def test_measurements_are_numbered_and_hours_run_from_the_last_calibration() -> None:
    logbook = Logbook(CalibrationSettings(every=2), InstrumentAge())
    moments = [logbook.begin(messages.request(), at(hours)) for hours in (0.0, 1.5, 5.0, 5.25)]
    assert [each.count for each in moments] == [1, 2, 3, 4]
    assert [each.hours for each in moments] == [0.0, 1.5, 0.0, 0.25]
    assert logbook.age == InstrumentAge(4, at(5.0).isoformat())


def test_an_instrument_that_is_started_again_goes_on_where_it_was() -> None:
    through = Logbook(CalibrationSettings(every=3), InstrumentAge())
    moments = [through.begin(messages.request(), at(hour)) for hour in range(6)]
    again = Logbook(CalibrationSettings(every=3), InstrumentAge())
    restarted = []
    for hour in range(6):
        restarted.append(again.begin(messages.request(), at(hour)))
        again = Logbook(CalibrationSettings(every=3), again.age)
    assert restarted == moments


def test_a_clock_that_goes_back_makes_no_negative_hours() -> None:
    logbook = Logbook(CalibrationSettings(), InstrumentAge())
    logbook.begin(messages.request(), at(2))
    assert logbook.begin(messages.request(), at(1)).hours == 0.0


def test_decisions_count_whoever_measures_and_nothing_is_kept() -> None:
    logbook = Logbook(CalibrationSettings(every=4, counts="decisions"), InstrumentAge())
    moments = [logbook.begin(messages.request(decision=decision), NOON) for decision in (5, 0, 5)]
    assert moments == [Moment(6, 1, 1), Moment(1, 0, 0), Moment(6, 1, 1)]
    assert logbook.age == InstrumentAge()


def test_an_instrument_that_does_not_age_counts_nothing() -> None:
    logbook = Logbook(None, InstrumentAge())
    assert logbook.begin(messages.request(), NOON) is FIRST
    assert logbook.age == InstrumentAge()


def test_a_calibration_after_no_measurement_is_refused() -> None:
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        CalibrationSettings(every=0)
