"""The instruments of a run, as its journal and its requests know them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, func, select

from agent.campaign.events import AttemptFailed, InstrumentAnnounced, InstrumentAway, InstrumentBack
from agent.store.tables import OBSERVATION, REQUEST
from protocols.wire.topics import ANY_SIMULATOR
from scenarios.watch.reading.candidates import names_of
from scenarios.watch.reading.history import History, written_at, written_at_all
from scenarios.watch.reading.requests import Awaited, awaited_at
from scenarios.watch.state.lab import MAX_ATTEMPTS_SHOWN, AttemptShown, Health, Instrument

EXPIRED: Final = "expired"
"""Outcome of an attempt that nobody answered in time."""


@dataclass(slots=True)
class _Known:
    """What the rare rows say of an instrument."""

    health: Health = "unknown"
    since: str = ""
    heard: int = 0
    heard_at: str = ""
    failed: Counter[str] = field(default_factory=Counter)
    slots: int | None = None


def instruments_of(connection: Connection, history: History, now: datetime) -> list[Instrument]:
    """Return the instruments, by name.

    Args:
        connection: In the transaction in which the history was read.
        history: The run.
        now: What silence is counted from.
    """
    known = _rare(history)
    latest = _latest_values(connection)
    outcomes = _outcomes(connection)
    awaited: dict[str, list[Awaited]] = {}
    for each in awaited_at(connection, history.chronicle, history.last):
        awaited.setdefault(each.recipient, []).append(each)
    names = sorted((known.keys() | latest.keys() | outcomes.keys()) - {ANY_SIMULATOR})
    if ANY_SIMULATOR in outcomes and len(names) == 0:
        names = [ANY_SIMULATOR]
    shown = []
    for name in names:
        told, (accepted, heard) = known.get(name, _Known()), latest.get(name, (0, 0))
        has = awaited.get(name, [])
        last_heard = told.heard_at if told.heard > heard else written_at(connection, heard)
        asked_at = written_at(connection, has[0].sequence) if has else ""
        oldest = _seconds_since(asked_at, now)
        called = names_of(connection, {each.candidate_id for each in has})
        shown.append(
            Instrument(
                id=name,
                health="there" if told.health == "unknown" and accepted else told.health,
                since=told.since,
                last_heard=last_heard,
                in_flight=len(has),
                oldest_s=oldest,
                accepted=accepted,
                failed=dict(told.failed),
                expired=outcomes.get(name, {}).get(EXPIRED, 0),
                silent_s=_seconds_since(last_heard, now),
                slots=told.slots,
                busy_with=tuple(called[each.candidate_id][0] for each in has),
                attempts=tuple(_attempts(connection, name)),
            )
        )
    return shown


def _rare(history: History) -> dict[str, _Known]:
    found: dict[str, _Known] = {}
    kinds = (AttemptFailed, InstrumentAnnounced, InstrumentAway, InstrumentBack)
    for entry in history.chronicle.up_to(history.last, kinds):
        event = entry.event
        name = str(getattr(event, "instrument", None) or getattr(event, "simulator", ""))
        each = found.setdefault(name, _Known())
        match event:
            case InstrumentAway():
                each.health, each.since = "away", entry.at
                continue
            case InstrumentBack():
                each.health, each.since = "there", entry.at
            case InstrumentAnnounced():
                each.slots = event.abilities.slots
                if each.health == "unknown":
                    each.health, each.since = "there", entry.at
            case AttemptFailed():
                each.failed[event.reason] += 1
            case _:
                pass
        each.heard, each.heard_at = entry.sequence, entry.at
    return found


def _latest_values(connection: Connection) -> dict[str, tuple[int, int]]:
    """Return how many values each gave that are in the dataset, and the row of the latest."""
    columns = (OBSERVATION.c.source, func.count(), func.max(OBSERVATION.c.sequence))
    rows = connection.execute(
        select(*columns).where(OBSERVATION.c.attempt_id.is_not(None)).group_by(OBSERVATION.c.source)
    )
    return {row[0]: (int(row[1]), int(row[2])) for row in rows}


def _outcomes(connection: Connection) -> dict[str, dict[str, int]]:
    rows = connection.execute(
        select(REQUEST.c.recipient, REQUEST.c.outcome, func.count()).group_by(REQUEST.c.recipient, REQUEST.c.outcome)
    )
    found: dict[str, dict[str, int]] = {}
    for recipient, outcome, count in rows:
        found.setdefault(recipient, {})[outcome] = int(count)
    return found


def _attempts(connection: Connection, name: str) -> Iterable[AttemptShown]:
    rows = connection.execute(
        select(REQUEST).where(REQUEST.c.recipient == name).order_by(REQUEST.c.sequence.desc()).limit(MAX_ATTEMPTS_SHOWN)
    ).all()
    times = written_at_all(connection, {each for row in rows for each in (row.sequence, row.closed_sequence) if each})
    for row in reversed(rows):
        yield AttemptShown(
            attempt_id=row.attempt_id,
            name=row.source_id or row.candidate_id,
            sent_at=times.get(row.sequence),
            closed_at=times.get(row.closed_sequence),
            outcome=row.outcome,
        )


def _seconds_since(at: str, now: datetime) -> float | None:
    """Return how long ago a time is [s]; None where none is told."""
    try:
        then = datetime.fromisoformat(at)
    except ValueError:
        return None
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    return max((now - then).total_seconds(), 0.0)
