"""Which requests were awaited at a row of the journal."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, func, or_, select

from agent.campaign.events import CandidateExcluded, ObservationAdded, RequestIssued
from agent.store.tables import JOURNAL, REQUEST
from scenarios.watch.reading.candidates import AT_ONCE, names_of, values_seen
from scenarios.watch.reading.chronicle import Chronicle
from scenarios.watch.state.moment import InFlightShown


@dataclass(frozen=True, slots=True)
class Awaited:
    """A request that was awaited; the fields are those of the requests' view."""

    attempt_id: str
    candidate_id: str
    decision: int
    number: int
    recipient: str
    sequence: int


class Requests:
    """Which requests are not closed, and how many were repetitions: counted on with what is new, never looked through.

    Attributes:
        unclosed: Ids of attempts that had no end when the journal was read last.
        retries: Attempts after a first one.
    """

    def __init__(self) -> None:
        self.unclosed: set[str] = set()
        self.retries = 0

    def read(self, connection: Connection, before: int) -> None:
        """Take in what came behind a row of the journal; 0: everything, in one look at the whole table."""
        if before == 0:
            unclosed = select(REQUEST.c.attempt_id).where(REQUEST.c.closed_sequence.is_(None))
            again = select(func.count()).select_from(REQUEST).where(REQUEST.c.attempt > 1)
            self.unclosed = set(connection.execute(unclosed).scalars())
            self.retries = int(connection.execute(again).scalar_one())
            return
        issued = select(JOURNAL.c.payload).where(JOURNAL.c.kind == RequestIssued.__name__, JOURNAL.c.sequence > before)
        for payload in connection.execute(issued).scalars():
            content = json.loads(payload)
            self.unclosed.add(content["attempt_id"])
            self.retries += content["attempt"] > 1
        ids = list(self.unclosed)
        for first in range(0, len(ids), AT_ONCE):
            part = REQUEST.c.attempt_id.in_(ids[first : first + AT_ONCE])
            closed = select(REQUEST.c.attempt_id).where(part, REQUEST.c.closed_sequence.is_not(None))
            self.unclosed.difference_update(connection.execute(closed).scalars())


def awaited_at(
    connection: Connection, chronicle: Chronicle, sequence: int, among: Collection[str] | None = None
) -> list[Awaited]:
    """Return the requests that were awaited at a row of the journal, oldest first.

    Args:
        connection: In a transaction.
        chronicle: Of the run.
        sequence: The row.
        among: Ids of attempts, all that may be it; None: all there are.
    """
    columns = (REQUEST.c.attempt_id, REQUEST.c.candidate_id, REQUEST.c.decision, REQUEST.c.attempt)
    open_then = or_(REQUEST.c.closed_sequence.is_(None), REQUEST.c.closed_sequence > sequence)
    these = () if among is None else (REQUEST.c.attempt_id.in_(among),)
    rows = connection.execute(
        select(*columns, REQUEST.c.recipient, REQUEST.c.sequence)
        .where(REQUEST.c.sequence <= sequence, open_then, *these)
        .order_by(REQUEST.c.sequence)
    ).all()
    found = [Awaited(*row) for row in rows if chronicle.first_closed.get(row.attempt_id, sequence + 1) > sequence]
    answered = _answered(connection, {each.candidate_id for each in found}, sequence)
    return [each for each in found if not _was_closed(chronicle, each, answered.get(each.candidate_id, ()), sequence)]


def _answered(connection: Connection, candidates: Collection[str], sequence: int) -> dict[str, list[int]]:
    """Return the rows of the journal up to one at which requests of some candidates brought a value."""
    values: dict[str, list[int]] = {}
    for row, which in values_seen(connection, candidates, 0):
        if row <= sequence:
            values.setdefault(which, []).append(row)
    return values


def _was_closed(chronicle: Chronicle, request: Awaited, answered: Iterable[int], sequence: int) -> bool:
    """Tell whether a request was closed with its candidate, though it was answered after all: the view says that."""
    if any(request.sequence < row <= sequence for row in answered):
        return True
    return any(
        request.sequence < entry.sequence <= sequence and isinstance(entry.event, CandidateExcluded | ObservationAdded)
        for entry in chronicle.about.get(request.candidate_id, ())
    )


def in_flight_at(
    connection: Connection, chronicle: Chronicle, sequence: int, among: Collection[str] | None = None
) -> tuple[InFlightShown, ...]:
    """Return the same with what people want to know of them."""
    awaited = awaited_at(connection, chronicle, sequence, among)
    names = names_of(connection, {each.candidate_id for each in awaited})
    rows = {each.sequence for each in awaited}
    when = select(JOURNAL.c.sequence, JOURNAL.c.recorded_at).where(JOURNAL.c.sequence.in_(rows))
    asked_at = {row.sequence: row.recorded_at for row in connection.execute(when)} if rows else {}
    return tuple(
        InFlightShown(
            attempt_id=each.attempt_id,
            candidate=each.candidate_id,
            name=names[each.candidate_id][0],
            family=names[each.candidate_id][1],
            number=each.number,
            recipient=each.recipient,
            decision=each.decision,
            asked_at=asked_at.get(each.sequence),
        )
        for each in awaited
    )
