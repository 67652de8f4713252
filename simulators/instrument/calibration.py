"""When an instrument was calibrated: the clock of its drift and of its jumps, which counts and never ticks.

A measurement has a number, from 1, that the instrument's memory gives it when it is begun and keeps for good. So its
drift is the same whether the instrument was started again in between or not, and a measurement that a kill interrupts
keeps its number and ages the instrument. Or the campaign's decisions count (`counts = "decisions"`): what a request
says of itself, so that a campaign is repeatable whoever is asked when.

Hours are those of the wall clock between the last calibration and the beginning of a measurement. The memory keeps the
moment of the calibration; the hours are fixed when a measurement begins, and come back with it among its remarks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import Field

from protocols.wire.limits import MAX_COUNT
from protocols.wire.messages import CandidateRequest
from simulators.instrument.draws import InstrumentSettings

SECONDS_AN_HOUR: Final = 3600.0


class CalibrationSettings(InstrumentSettings):
    """Settings of the calibrations: what drift and jumps are counted by, and when they are undone."""

    every: Annotated[int, Field(ge=1, le=MAX_COUNT)] | None = None
    """Counts after which the instrument is calibrated: its drift begins at zero, and jumps are undone. None: never."""
    counts: Literal["measurements", "decisions"] = "measurements"
    """What counts: the measurements that the instrument has begun, as its memory numbers them; or the decisions of the
    campaign that asks, so that its values do not depend on who measured what before."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A measurement in the life of its instrument.

    Attributes:
        count: Its number, from 1.
        since: Counts since the last calibration, from 0.
        period: Calibrations before it, from 0.
        hours: Since the last calibration [h].
    """

    count: int
    since: int
    period: int
    hours: float = 0.0


FIRST: Final = Moment(count=1, since=0, period=0)
"""A measurement of an instrument that has measured nothing before."""


def moment_at(count: int, every: int | None, hours: float = 0.0) -> Moment:
    """Return the moment of a count, from 1."""
    if every is None:
        return Moment(count, count - 1, 0, hours)
    period, since = divmod(count - 1, every)
    return Moment(count, since, period, hours)


@dataclass(frozen=True, slots=True)
class InstrumentAge:
    """What an instrument's memory keeps of itself.

    Attributes:
        measurements: How many it has begun.
        calibrated_at: When it was calibrated last, RFC 3339; empty before the first measurement.
    """

    measurements: int = 0
    calibrated_at: str = ""

    def begun(self, every: int | None, now: datetime) -> tuple[InstrumentAge, Moment]:
        """Return what is kept when one more measurement is begun, and its moment.

        Args:
            every: Measurements from calibration to calibration; None: there is none but that before the first.
            now: By the wall clock.
        """
        number = self.measurements + 1
        is_calibrated = moment_at(number, every).since == 0
        age = InstrumentAge(number, now.isoformat() if is_calibrated else self.calibrated_at)
        return age, moment_at(number, every, age.hours_until(now))

    def hours_until(self, now: datetime) -> float:
        """Return the time since the last calibration; none where the clock went back [h]."""
        return max(0.0, (now - datetime.fromisoformat(self.calibrated_at)).total_seconds()) / SECONDS_AN_HOUR


@dataclass(slots=True)
class Logbook:
    """Numbers the measurements of an instrument; whoever holds it commits its age with what was begun.

    Attributes:
        calibration: When it is calibrated; None where nothing of it ages, and nothing is counted.
        age: As its memory has it.
    """

    calibration: CalibrationSettings | None
    age: InstrumentAge

    def begin(self, request: CandidateRequest, now: datetime) -> Moment:
        """Note that a measurement begins, and return its moment."""
        if self.calibration is None:
            return FIRST
        if self.calibration.counts == "decisions":
            return moment_at(request.decision + 1, self.calibration.every)
        self.age, moment = self.age.begun(self.calibration.every, now)
        return moment
