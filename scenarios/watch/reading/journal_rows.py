"""Rows of the journal as a person reads them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, select

from agent.campaign.event_descriptions import in_words
from agent.campaign.events import Event, load_event
from agent.store.tables import JOURNAL
from protocols.errors import StoreError
from scenarios.watch.reading.chronicle import about
from scenarios.watch.reading.source import MAX_ROWS
from scenarios.watch.state.tables import JournalEntry, JournalPage

MAX_NAMED: Final = 50
"""Most candidates that are told of one row: a start set has thousands."""

MAX_PAYLOAD: Final = 100_000
"""Longest row whose content is told [character]; of a longer one its length is."""

ROWS_AT_ONCE: Final = 2_000
"""Rows in one question, where what fits can only be told when it is read."""


def journal_page(
    connection: Connection,
    last: int,
    *,
    after: int,
    limit: int,
    kind: str | None,
    candidate: str | None,
    operator: str | None,
    tail: bool,
) -> JournalPage:
    """Return some rows of the journal, whose last row is `last`; the other arguments are those of `Source.journal`."""
    limit = min(max(limit, 1), MAX_ROWS)
    conditions = [JOURNAL.c.sequence > after, *_conditions(kind, candidate, operator)]
    found = _fitting(connection, conditions, candidate, operator, is_tail=tail)
    rows = [row for row, _ in zip(found, range(limit + 1), strict=False)]
    more = len(rows) > limit
    shown = rows[:limit]
    if tail:
        shown.reverse()
    return JournalPage(total=last, rows=tuple(shown), next=shown[-1].sequence if more and not tail else None)


def _conditions(kind: str | None, candidate: str | None, operator: str | None) -> Iterator[ColumnElement[bool]]:
    if kind is not None:
        yield JOURNAL.c.kind == kind
    if candidate is not None:
        yield JOURNAL.c.payload.contains(json.dumps(candidate, ensure_ascii=False), autoescape=True)
    if operator is not None:
        told = f'"operator":{json.dumps(operator, ensure_ascii=False)}'
        yield JOURNAL.c.payload.contains(told, autoescape=True)


def _fitting(
    connection: Connection,
    conditions: list[ColumnElement[bool]],
    candidate: str | None,
    operator: str | None,
    *,
    is_tail: bool,
) -> Iterator[JournalEntry]:
    """Yield the rows that fit, from the end where the tail is wanted: what a text holds is looked at once more."""
    columns = (JOURNAL.c.sequence, JOURNAL.c.kind, JOURNAL.c.payload, JOURNAL.c.recorded_at)
    order = JOURNAL.c.sequence.desc() if is_tail else JOURNAL.c.sequence
    place: int | None = None
    while True:
        further = [] if place is None else [JOURNAL.c.sequence < place if is_tail else JOURNAL.c.sequence > place]
        part = connection.execute(
            select(*columns).where(*conditions, *further).order_by(order).limit(ROWS_AT_ONCE)
        ).all()
        for row in part:
            entry, event = entry_of(row)
            is_about = candidate is None or event is None or candidate in about(event)
            if is_about and (operator is None or entry.operator == operator):
                yield entry
        if len(part) < ROWS_AT_ONCE:
            return
        place = part[-1].sequence


def entry_of(row: Any) -> tuple[JournalEntry, Event | None]:
    """Return a row of the journal for people, and its event; None of a kind that this version does not know."""
    try:
        event = load_event(row.kind, row.payload)
        words = in_words(event)
    except StoreError as error:
        event, words = None, error.found
    is_short = len(row.payload) <= MAX_PAYLOAD
    entry = JournalEntry(
        sequence=row.sequence,
        at=row.recorded_at,
        kind=row.kind,
        words=words,
        candidates=() if event is None else about(event)[:MAX_NAMED],
        operator=getattr(event, "operator", None) or "",
        signed_by=getattr(event, "signed_by", None) or "",
        message_id=getattr(event, "message_id", None) or "",
        payload=_payload(row.payload) if is_short else {"characters": len(row.payload)},
    )
    return entry, event


def _payload(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=lambda _: None)
    except ValueError:
        return text
