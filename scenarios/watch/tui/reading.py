"""What the terminal shows of a run: read from a source in one thread at a time, and only what is new."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Final

from scenarios.run.live.pace import Course
from scenarios.watch.reading.source import Source
from scenarios.watch.state.moment import DecisionCard, Moment
from scenarios.watch.state.points import Points
from scenarios.watch.state.runs import Campaign, MetricShown
from scenarios.watch.state.tables import JournalEntry

AGAIN_S: Final = 2.0
"""How long the latest moment stands without a new row [s]: an agent that dies writes none."""

MAX_JOURNAL_ROWS: Final = 100
"""Rows of the journal's end that are shown."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What is on the terminal.

    Attributes:
        campaign: What does not change.
        moment: Latest or past.
        journal: The journal's rows up to the moment, oldest first.
        course: Observation and leading figure, ascending.
        course_of: Which figure that is; None where the campaign has none.
        awaiting: The decision that waits for a person first; None where none does, or where only its number is known.
    """

    campaign: Campaign
    moment: Moment
    journal: tuple[JournalEntry, ...]
    course: tuple[tuple[int, float | None], ...]
    course_of: MetricShown | None
    awaiting: DecisionCard | None = None


class RunLook:
    """Looks at a run, again and again; called in any thread, one at a time.

    Args:
        source: The run; closed with this.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._campaign: Campaign | None = None
        self._course = Course()
        self._told_to = 0
        self._last: tuple[int, int | None] | None = None
        self._looked_at = 0.0

    def look(self, observation: int | None) -> Shown | None:
        """Return what is to be shown; None where nothing has changed since the last look.

        Args:
            observation: The moment after it; None for the latest.

        Raises:
            StoreError: When the run cannot be read.
        """
        with self._lock:
            version, now = self._source.version(), time.monotonic()
            is_fresh = observation is not None or now - self._looked_at < AGAIN_S
            if self._last == (version, observation) and is_fresh:
                return None
            shown = self._read(observation)
            self._last, self._looked_at = (version, observation), now
            return shown

    def close(self) -> None:
        """Release the source."""
        with self._lock:
            self._source.close()

    def _read(self, observation: int | None) -> Shown:
        campaign = self._campaign
        if campaign is None or not campaign.has_time_travel:  # a broker tells of a campaign bit by bit
            campaign = self._campaign = self._source.campaign()
        moment = self._source.moment(observation)
        leading = campaign.metrics[0] if campaign.metrics else None
        if leading is not None:
            self._follow(leading.name)
        waiting = moment.awaiting_approval
        awaiting = self._source.decision(waiting[0]) if waiting and campaign.has_time_travel else None
        return Shown(campaign, moment, self._journal(moment), self._course.points(), leading, awaiting)

    def _journal(self, moment: Moment) -> tuple[JournalEntry, ...]:
        if moment.is_latest:
            return self._source.journal(limit=MAX_JOURNAL_ROWS, tail=True).rows
        first = max(0, moment.sequence - MAX_JOURNAL_ROWS)
        page = self._source.journal(after=first, limit=MAX_JOURNAL_ROWS)
        return tuple(row for row in page.rows if row.sequence <= moment.sequence)

    def _follow(self, metric: str) -> None:
        """Take in the points that have come."""
        while True:
            points = self._source.points_after(self._told_to)
            self._take(points, metric)
            self._told_to = points.sequence
            if not points.more:
                return

    def _take(self, points: Points, metric: str) -> None:
        names = [column.name for column in points.columns]
        metrics = [column.metric for column in points.columns]
        if metric not in metrics:
            return
        at, of = names.index("observation"), metrics.index(metric)
        for row in points.rows:
            if (observation := row[at]) is not None:
                self._course.note(int(observation), row[of])
