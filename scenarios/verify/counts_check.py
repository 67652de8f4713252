"""Counters and quarantine: what they tell of the messages that came, against the recording in which these stand."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection, select

from agent.store.store import QuarantinedMessage, storable
from agent.store.tables import MESSAGE_COUNT, QUARANTINE
from protocols.wire.limits import MAX_QUARANTINE_ROWS, QUARANTINE_PREFIX_BYTES
from scenarios.verify.known_journal import KnownJournal
from scenarios.verify.part import CheckedPart
from scenarios.verify.recording_check import RecordedEvents

NOT_ALL_WRITTEN: Final = "a flood came, of which the recording has the number alone: what came after it is not compared"


def check_counts(
    connection: Connection, journal: KnownJournal, recorded: RecordedEvents | None
) -> Iterator[CheckedPart]:
    """Compare counters and quarantine with what came; nothing is said where not all that came is known.

    Args:
        connection: To the database.
        journal: Its journal.
        recorded: Its recording; None where it cannot be read.
    """
    if recorded is None or recorded.part.problem or recorded.part.note or not journal.is_over:
        return
    if not recorded.comparison.is_whole:
        return
    there = {row.disposition: row.count for row in connection.execute(select(MESSAGE_COUNT))}
    right = recorded.comparison.counts
    other = next((name for name in sorted({*there, *right}) if there.get(name, 0) != right[name]), None)
    problem = "" if other is None else f"{other!r} is {there.get(other, 0)}; {right[other]} came by the recording"
    if problem and recorded.messages.starts > 1:
        yield CheckedPart(MESSAGE_COUNT.name, 0, note=f"{problem}; a process may have ended between the two")
        return
    yield CheckedPart(MESSAGE_COUNT.name, 0 if problem else len(there), problem)
    rows = connection.execute(select(QUARANTINE).order_by(QUARANTINE.c.row)).all()
    known = recorded.comparison.in_order
    if known is not None:  # which of the further ones are written there, and which counted, nobody knows
        yield replace(_quarantine(rows[:known], recorded.comparison.quarantined[:known]), note=NOT_ALL_WRITTEN)
        return
    yield _quarantine(rows, recorded.comparison.quarantined[:MAX_QUARANTINE_ROWS])


def _quarantine(rows: Sequence[Any], messages: Sequence[QuarantinedMessage]) -> CheckedPart:
    for sound, (row, message) in enumerate(zip(rows, messages, strict=False)):
        payload = message.payload
        right: dict[str, object] = {
            "topic": storable(message.topic[:QUARANTINE_PREFIX_BYTES]),
            "reason": message.reason,
            "prefix": payload[:QUARANTINE_PREFIX_BYTES],
        }
        if message.cut_from_bytes:
            right |= {"size_bytes": message.cut_from_bytes, "digest": message.sha256}
        elif message.detail:
            right |= {"detail": storable(message.detail)}
        if not message.cut_from_bytes and row.size_bytes <= len(
            payload
        ):  # of a large one the recording may keep the beginning alone
            right |= {"size_bytes": len(payload), "digest": hashlib.sha256(payload).hexdigest()}
        for name, value in right.items():
            if (written := getattr(row, name)) != value:
                problem = f"row {row.row} says {name} = {written!r}; by the recording {value!r}"
                return CheckedPart(QUARANTINE.name, sound, problem)
    if len(rows) != len(messages):
        problem = f"it has {len(rows)} rows; {len(messages)} such messages came by the recording"
        return CheckedPart(QUARANTINE.name, min(len(rows), len(messages)), problem)
    return CheckedPart(QUARANTINE.name, len(rows))
