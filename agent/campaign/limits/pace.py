"""When a request may be sent: at most so many in an hour, and in the lab's hours. A pure function of times.

It delays what is sent and changes no decision: a request that waits is in flight, and its clock does not run yet.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Final, Literal, Self, get_args
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

DAYS: Final[tuple[Day, ...]] = get_args(Day)
"""Days of a week, in the order of `datetime.weekday`."""

MAX_SPANS: Final = 24
"""Most spans of hours in a day."""

MAX_PER_HOUR: Final = 1e6
"""Fastest pace that is a limit at all [1/hour]: 300 requests in a second."""

MIN_PER_HOUR: Final = 1e-3
"""Slowest pace [1/hour]: a request in six weeks."""

LONGEST_SEARCH_DAYS: Final = 8
"""Days within which hours come round again: a week, and the rest of today."""

_SPAN: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")


class PaceLimits(BaseModel):
    """At which pace, and at which hours, requests are sent."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    requests_per_hour: Annotated[float, Field(ge=MIN_PER_HOUR, le=MAX_PER_HOUR)] | None = None
    """Most requests that are sent within any hour; of a pace below one, one request in so many hours."""
    hours: Annotated[tuple[str, ...], Field(strict=False, max_length=MAX_SPANS)] = ()
    """When requests may be sent, such as ["08:00-12:00", "13:00-17:30"]; one that ends before it begins ends the next
    day. Empty: at any time."""
    days: Annotated[tuple[Day, ...], Field(strict=False, max_length=len(DAYS))] = ()
    """On which days such a span may begin: mon, tue, wed, thu, fri, sat, sun. Empty: on all."""
    time_zone: str = ""
    """Time zone of hours and days, such as "Europe/Berlin" or "UTC"."""

    @field_validator("hours")
    @classmethod
    def _spans_of_hours(cls, hours: tuple[str, ...]) -> tuple[str, ...]:
        for span in hours:
            _read_span(span)
        return hours

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        if name:
            try:
                ZoneInfo(name)
            except (OSError, ValueError, LookupError):  # not there, or no name at all
                message = (
                    f"{name!r} is no time zone that this machine knows; expected such as Europe/Berlin or UTC "
                    "(where it knows none, `pip install tzdata`)"
                )
                raise ValueError(message) from None
        return name

    @model_validator(mode="after")
    def _with_its_zone(self) -> Self:
        if (self.hours or self.days) and not self.time_zone:
            raise ValueError(
                'hours and days mean nothing without time_zone; expected such as time_zone = "Europe/Berlin"'
            )
        if self.time_zone and not (self.hours or self.days):
            raise ValueError("time_zone is that of hours or days, and there are none")
        return self

    @property
    def is_pacing(self) -> bool:
        """Whether anything is ever delayed."""
        return self.requests_per_hour is not None or bool(self.hours or self.days)


def free_at(limits: PaceLimits, sent: Sequence[datetime], now: datetime) -> datetime:
    """Return when the next request may be sent: `now`, or later.

    Args:
        limits: The settings.
        sent: When earlier ones were, in any order; times after `now` are taken for now, for a clock was set back.
        now: The time, with its offset.
    """
    after = max(now, _free_by_rate(limits, [min(each, now) for each in sent], now))
    return opens_at(limits, after)


def free_again_at(limits: PaceLimits, now: datetime) -> datetime:
    """Return when a request may be repeated that was sent before: it counts once, and hours hold for it as well."""
    return opens_at(limits, now)


def window_s(limits: PaceLimits) -> float:
    """Return for how long a request that was sent counts [s]; 0 where none does."""
    pace = limits.requests_per_hour
    return 0.0 if pace is None else 3600.0 * max(1, math.floor(pace)) / pace


def opens_at(limits: PaceLimits, after: datetime) -> datetime:
    """Return when hours are first open from a time on: then, or later."""
    if not (limits.hours or limits.days):
        return after
    zone = ZoneInfo(limits.time_zone)
    today = after.astimezone(zone).date()
    begins = []
    for begin, end in _spans(limits, zone, today - timedelta(days=1), LONGEST_SEARCH_DAYS + 1):
        if begin <= after < end:
            return after
        if begin > after:
            begins.append(begin)
    return min(begins)  # a span a week at least, for days are named and spans are not empty


def _free_by_rate(limits: PaceLimits, sent: Sequence[datetime], now: datetime) -> datetime:
    if limits.requests_per_hour is None:
        return now
    most, window = max(1, math.floor(limits.requests_per_hour)), timedelta(seconds=window_s(limits))
    latest = sorted(sent)[-most:]
    return latest[0] + window if len(latest) == most else now


def _spans(limits: PaceLimits, zone: ZoneInfo, first: date, days: int) -> Iterator[tuple[datetime, datetime]]:
    """Yield begin and end of every span of some days, in UTC: on two days a year hours are not 60 minutes."""
    spans = [_read_span(each) for each in limits.hours] or [(0, 24 * 60)]
    for day in (first + timedelta(days=each) for each in range(days)):
        if limits.days and DAYS[day.weekday()] not in limits.days:
            continue
        for begin, end in spans:
            yield _moment(day, begin, zone), _moment(day, end if end > begin else end + 24 * 60, zone)


def _moment(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    later, rest = divmod(minutes, 24 * 60)
    local = datetime.combine(day + timedelta(days=later), time(*divmod(rest, 60)), zone)
    return local.astimezone(UTC)


def _read_span(text: str) -> tuple[int, int]:
    """Return begin and end of a span [minutes after midnight].

    Raises:
        ValueError: When it is none, for a validator.
    """
    found = _SPAN.fullmatch(text.strip())
    begin, end = (0, 0) if found is None else (int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4]))
    if found is None or end > 24 * 60 or begin == end:
        message = f'{text!r} is no span of hours; expected such as "08:00-18:00", or "22:00-06:00" over midnight'
        raise ValueError(message)
    return begin, end
