"""What became of single candidates, at any row of the journal: status, value, name and family."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from agent.campaign.event_descriptions import MANUAL
from agent.campaign.events import (
    CandidateRequeued,
    DecisionApproved,
    DecisionMade,
    DecisionVetoed,
    DecisionWithdrawn,
    Event,
    ObservationAdded,
    ObservationAmended,
    ObservationRetracted,
    RequestIssued,
    ResultAccepted,
    load_event,
)
from agent.campaign.life_cycle import OPEN, REQUEUED_UNCHOSEN, TRANSITIONS, CandidateStatus
from agent.store.tables import JOURNAL, OBSERVATION, REQUEST
from scenarios.watch.reading.chronicle import Chronicle

AT_ONCE: Final = 400
"""Candidates in one question: below what SQLite takes as parameters."""

OBSERVED: Final = "observed"
"""Outcome of an attempt that gave a value."""

WORDS: Final[Mapping[CandidateStatus, str]] = {
    CandidateStatus.AVAILABLE: "available",
    CandidateStatus.PENDING: "awaited",
    CandidateStatus.RETRY_PENDING: "to be asked for",
    CandidateStatus.OBSERVED: "observed",
    CandidateStatus.ABANDONED: "abandoned",
    CandidateStatus.EXCLUDED: "excluded",
    CandidateStatus.RETRACTED: "retracted",
    CandidateStatus.HELD: "waits for approval",
}
"""Where a candidate stands, for people."""

_OF_DECISIONS: Final = (DecisionApproved, DecisionVetoed, DecisionWithdrawn)


@dataclass(frozen=True, slots=True)
class Step:
    """What happened to a candidate at a row of the journal."""

    sequence: int
    kind: type[Event]
    value: float | None = None
    uncertainty: float | None = None
    source: str = ""
    """Who says the value."""
    attempt_id: str | None = None
    """The request that it answers."""


@dataclass(frozen=True, slots=True)
class CandidateAt:
    """A candidate at a row of the journal.

    Attributes:
        status: Where it was in its life.
        was_chosen: Whether a decision that stands had chosen it.
        value: Its value [unit of the plan]; None where it had none.
        uncertainty: Standard uncertainty of the value; None where none is known.
        value_row: Row of the journal that brought the value; None without one.
    """

    status: CandidateStatus
    was_chosen: bool = False
    value: float | None = None
    uncertainty: float | None = None
    value_row: int | None = None

    @property
    def is_spent(self) -> bool:
        """Whether its part of the budget was spent."""
        return self.was_chosen and self.status not in OPEN


@dataclass(slots=True)
class CandidateCourse:
    """One candidate, as far as the journal was read.

    Attributes:
        name: As the table writes it; our id where that has no ids, or nobody has written it down.
        family: None where the run does not tell.
        steps: What happened to it, in order.
    """

    name: str
    family: str | None = None
    steps: list[Step] = field(default_factory=list)

    def at(self, sequence: int) -> CandidateAt:
        """Return how it stood at a row of the journal."""
        now = CandidateAt(CandidateStatus.AVAILABLE)
        for step in self.steps[: bisect_right(self.steps, sequence, key=attrgetter("sequence"))]:
            now = _folded(now, step)
        return now


def _folded(now: CandidateAt, step: Step) -> CandidateAt:
    table = TRANSITIONS.get(step.kind)
    if table is None:
        return now
    if step.kind is CandidateRequeued and not now.was_chosen:
        table = REQUEUED_UNCHOSEN
    # A candidate of the start set begins as observed, which nothing here says: what can follow then tells as much.
    status = table.get(now.status, next(iter(table.values())))
    chosen = now.was_chosen or status in OPEN
    if step.kind in {DecisionVetoed, DecisionWithdrawn}:
        chosen = False
    if step.kind in {ResultAccepted, ObservationAdded, ObservationAmended}:
        return CandidateAt(status, chosen, step.value, step.uncertainty, step.sequence)
    if step.kind is ObservationRetracted:
        return CandidateAt(status, chosen)
    return CandidateAt(status, chosen, now.value, now.uncertainty, now.value_row)


def courses_of(connection: Connection, chronicle: Chronicle, wanted: Collection[str]) -> dict[str, CandidateCourse]:
    """Return what became of some candidates.

    Args:
        connection: In a transaction.
        chronicle: As far as the journal is to be looked at.
        wanted: Their ids.
    """
    requests = _rows(connection, REQUEST, wanted)
    observed = {row.candidate_id: row for row in _rows(connection, OBSERVATION, wanted)}
    values = _values(connection, [row for row in requests if row.outcome == OBSERVED])
    by_decision = _of_decisions(chronicle)
    found = {}
    for which in wanted:
        row = observed.get(which)
        course = CandidateCourse(which, None if row is None else row.family)
        course.name = (row.source_id if row is not None else "") or which
        found[which] = course
        for entry in chronicle.about.get(which, ()):
            course.steps.append(_step(entry.sequence, entry.event))
            if isinstance(entry.event, ObservationRetracted):
                course.name = entry.event.source_id or course.name
                course.family = course.family or entry.event.family or None
            if isinstance(entry.event, DecisionMade) and entry.event.held:
                course.steps += by_decision.get(entry.event.decision, ())
    for row in requests:
        course = found[row.candidate_id]
        course.name = row.source_id or course.name
        course.family = course.family or row.family or None
        course.steps.append(Step(row.sequence, RequestIssued))
        if row.outcome == OBSERVED and row.closed_sequence in values:
            course.steps.append(values[row.closed_sequence])
    for course in found.values():
        course.steps.sort(key=attrgetter("sequence"))
    return found


def names_of(connection: Connection, wanted: Collection[str]) -> dict[str, tuple[str, str | None]]:
    """Return name and family of some candidates; our id and None where the run does not tell."""
    found: dict[str, tuple[str, str | None]] = {which: (which, None) for which in wanted}
    for row in _rows(connection, REQUEST, wanted):
        found[row.candidate_id] = (row.source_id or row.candidate_id, row.family or None)
    for row in _rows(connection, OBSERVATION, wanted):
        found[row.candidate_id] = (row.source_id or found[row.candidate_id][0], row.family)
    return found


def values_seen(connection: Connection, wanted: Collection[str], after: int) -> list[tuple[int, str]]:
    """Return rows of the journal behind one at which requests of some candidates brought a value, with these."""
    rows = _rows(connection, REQUEST, wanted)
    seen = [(row.closed_sequence, row.candidate_id) for row in rows if row.outcome == OBSERVED]
    return sorted(each for each in seen if each[0] > after)


def _rows(connection: Connection, table: Any, wanted: Collection[str]) -> list[Row[Any]]:
    ids, rows = list(wanted), list[Row[Any]]()
    for first in range(0, len(ids), AT_ONCE):
        rows += connection.execute(select(table).where(table.c.candidate_id.in_(ids[first : first + AT_ONCE]))).all()
    return rows


def _values(connection: Connection, requests: Iterable[Row[Any]]) -> dict[int, Step]:
    """Return what results brought, by the rows of the journal at which they came."""
    numbers = [row.closed_sequence for row in requests if row.closed_sequence is not None]
    found = {}
    for first in range(0, len(numbers), AT_ONCE):
        part = JOURNAL.c.sequence.in_(numbers[first : first + AT_ONCE])
        for row in connection.execute(select(JOURNAL.c.sequence, JOURNAL.c.kind, JOURNAL.c.payload).where(part)):
            found[row.sequence] = _step(row.sequence, load_event(row.kind, row.payload))
    return found


def _of_decisions(chronicle: Chronicle) -> dict[int, list[Step]]:
    """Return what people said of decisions that were held."""
    found: dict[int, list[Step]] = {}
    for entry in chronicle.entries if chronicle.held else ():
        if isinstance(entry.event, _OF_DECISIONS):
            found.setdefault(entry.event.decision, []).append(_step(entry.sequence, entry.event))
    return found


def _step(sequence: int, event: Event) -> Step:
    match event:
        case ResultAccepted():
            return Step(
                sequence, ResultAccepted, event.value, event.standard_deviation, event.simulator, event.attempt_id
            )
        case ObservationAdded():
            return Step(sequence, ObservationAdded, event.value, event.standard_deviation, MANUAL)
        case ObservationAmended():
            return Step(sequence, ObservationAmended, event.value, event.uncertainties[0] or None)
        case _:
            return Step(sequence, type(event))
