"""All of a run that is kept in memory between two readings: its course, its rare rows, where its decisions stand.

It is folded once and goes on with what is new. Whoever tells a moment asks it and, in the same transaction, the tables
for the rest.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, func, select

from agent.campaign.events import (
    CandidateAbandoned,
    CandidateRequeued,
    DecisionMade,
    ObservationAdded,
    load_event,
)
from agent.store.tables import JOURNAL
from protocols.errors import NotPossibleNow, NotThere, StoreError
from scenarios.watch.reading.candidates import AT_ONCE, values_seen
from scenarios.watch.reading.chronicle import Chronicle, Entry
from scenarios.watch.reading.requests import Requests
from scenarios.watch.reading.standing import StandingCourse
from scenarios.watch.reading.trajectory import Course

_LAST_ROW: Final = (
    select(JOURNAL.c.sequence, JOURNAL.c.recorded_at, JOURNAL.c.digest).order_by(JOURNAL.c.sequence.desc()).limit(1)
)


class History:
    """A run, as far as it was read.

    Attributes:
        chronicle: The rare rows of the journal.
        standing: Phase and approvals.
        course: The trajectory.
        requests: Which of them are not closed.
        last: Number of the journal's last row.
        last_at: When that was written.
        digest: Of it.
    """

    def __init__(self) -> None:
        self.chronicle: Final = Chronicle()
        self.standing: Final = StandingCourse()
        self.course = Course()
        self.requests: Final = Requests()
        self.last = 0
        self.last_at = ""
        self.digest = ""
        self._decided_at: list[int] = []
        self._abandoned: list[tuple[int, int]] = []
        self._abandoned_now: set[str] = set()

    def read(self, connection: Connection) -> None:
        """Take in what is new.

        Raises:
            StoreError: When the journal is shorter than it was, or holds what this version does not know.
        """
        row = connection.execute(_LAST_ROW).first()
        last, at, digest = (0, "", "") if row is None else (row.sequence, row.recorded_at, row.digest)
        if last < self.last or (last == self.last and digest != self.digest):
            raise NotPossibleNow(
                f"The journal ended at row {self.last} and ends at row {last} now: another run took its place",
                expected="a journal that only grows",
                action="open the run again",
            )
        if last == self.last:
            return
        before = self.last
        entries = self.chronicle.read(connection, last)
        if before == 0:
            self.course = Course(self.chronicle.plan.metrics)
        for entry in entries:
            self.standing.add(entry)
        self._note_abandoned(connection, entries, before)
        fresh = select(JOURNAL.c.sequence).where(JOURNAL.c.kind == DecisionMade.__name__, JOURNAL.c.sequence > before)
        self._decided_at += connection.execute(fresh.order_by(JOURNAL.c.sequence)).scalars()
        self.course.read(connection)
        self.requests.read(connection, before)
        self.last, self.last_at, self.digest = last, at, digest

    @property
    def decisions(self) -> int:
        """How many decisions there are."""
        return len(self._decided_at)

    def row_of(self, decision: int) -> int:
        """Return the journal's row of a decision.

        Raises:
            StoreError: When there is none of that number.
        """
        if not 0 <= decision < self.decisions:
            known = f"a number from 0 to {self.decisions - 1}" if self.decisions else "a run that has decided something"
            raise NotThere(f"The journal holds no decision {decision}", expected=known)
        return self._decided_at[decision]

    def row_of_observation(self, observation: int) -> int:
        """Return the journal's row that brought an observation.

        Raises:
            StoreError: When there is none of that number.
        """
        if not 0 <= observation < len(self.course):
            known = f"a number from 0 to {len(self.course) - 1}" if len(self.course) else "a run with a start set"
            raise NotThere(f"There is no observation {observation}", expected=known)
        return self.course.sequence_of(observation)

    def decision_at(self, sequence: int) -> int | None:
        """Return the number of the last decision up to a row of the journal; None before the first."""
        place = bisect_right(self._decided_at, sequence)
        return place - 1 if place else None

    def abandoned_at(self, sequence: int) -> int:
        """Return how many candidates were abandoned at a row of the journal."""
        place = bisect_right(self._abandoned, (sequence, 1 << 62))
        return self._abandoned[place - 1][1] if place else 0

    def _note_abandoned(self, connection: Connection, entries: Sequence[Entry], before: int) -> None:
        """Count the abandoned; one whose value comes after all is it no longer, and no rare row says so."""
        steps: list[tuple[int, str, bool]] = []
        concerned = set(self._abandoned_now)
        for entry in entries:
            match entry.event:
                case CandidateAbandoned():
                    steps.append((entry.sequence, entry.event.candidate_id, True))
                    concerned.add(entry.event.candidate_id)
                case CandidateRequeued() | ObservationAdded():
                    steps.append((entry.sequence, entry.event.candidate_id, False))
                case _:
                    pass
        steps += [(sequence, which, False) for sequence, which in values_seen(connection, concerned, before)]
        for sequence, which, is_abandoned in sorted(steps):
            if is_abandoned == (which in self._abandoned_now):
                continue
            if is_abandoned:
                self._abandoned_now.add(which)
            else:
                self._abandoned_now.discard(which)
            self._abandoned.append((sequence, len(self._abandoned_now)))


def decisions_in(connection: Connection, rows: Mapping[int, int]) -> dict[int, DecisionMade]:
    """Return decisions by number.

    Args:
        connection: In a transaction.
        rows: Number -> the journal's row.

    Raises:
        StoreError: When a row is none.
    """
    wanted, found = list(rows.values()), {}
    for first in range(0, len(wanted), AT_ONCE):
        part = JOURNAL.c.sequence.in_(wanted[first : first + AT_ONCE])
        for row in connection.execute(select(JOURNAL.c.sequence, JOURNAL.c.kind, JOURNAL.c.payload).where(part)):
            found[row.sequence] = load_event(row.kind, row.payload)
    decisions = {}
    for number, sequence in rows.items():
        event = found.get(sequence)
        if not isinstance(event, DecisionMade) or event.decision != number:
            raise StoreError(
                f"Row {sequence} of the journal is not decision {number}", action="restore the run folder from a copy"
            )
        decisions[number] = event
    return decisions


def written_at_all(connection: Connection, sequences: Collection[int]) -> dict[int, str]:
    """Return when some rows of the journal were written."""
    wanted, found = sorted(set(sequences)), {}
    for first in range(0, len(wanted), AT_ONCE):
        part = JOURNAL.c.sequence.in_(wanted[first : first + AT_ONCE])
        rows = connection.execute(select(JOURNAL.c.sequence, JOURNAL.c.recorded_at).where(part))
        found.update({row.sequence: row.recorded_at for row in rows})
    return found


def written_at(connection: Connection, sequence: int) -> str:
    """Return when a row of the journal was written; empty where there is none."""
    found = connection.execute(select(JOURNAL.c.recorded_at).where(JOURNAL.c.sequence == sequence)).scalar()
    return "" if found is None else str(found)


def count_of(connection: Connection, kind: type, last: int) -> int:
    """Return how many rows of a kind the journal has up to a row."""
    number = select(func.count()).where(JOURNAL.c.kind == kind.__name__, JOURNAL.c.sequence <= last)
    return int(connection.execute(number).scalar_one())
