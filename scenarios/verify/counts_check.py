"""Counters and quarantine: what they tell of the messages that came, against the recording in which these stand."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, select

from agent.store.commit import QuarantinedMessage
from agent.store.store import storable
from agent.store.tables import MESSAGE_COUNT, QUARANTINE, RECORDING_MARK
from protocols.wire.limits import MAX_PAYLOAD_BYTES, MAX_QUARANTINE_ROWS, QUARANTINE_PREFIX_BYTES
from scenarios.verify.known_journal import KnownJournal
from scenarios.verify.part import CheckedPart
from scenarios.verify.recorded_counts import PutAside
from scenarios.verify.recording_check import RecordedEvents

NOT_NOTED: Final = "not compared: the recording does not say how they stood at each start"


def check_counts(
    connection: Connection, journal: KnownJournal, recorded: RecordedEvents | None
) -> Iterator[CheckedPart]:
    """Compare counters and quarantine with what came; nothing is said where not all that came is known.

    A finished campaign takes nothing any more: so the last process has noted all that it counted.

    Args:
        connection: To the database.
        journal: Its journal.
        recorded: Its recording; None where it cannot be read.
    """
    if recorded is None or recorded.part.problem or recorded.part.note or not journal.is_over:
        return
    came = recorded.comparison.came
    there = {row.disposition: row.count for row in connection.execute(select(MESSAGE_COUNT))}
    if not came.is_exact:
        yield CheckedPart(MESSAGE_COUNT.name, 0, note=NOT_NOTED)
        return
    other = next((name for name in sorted({*there, *came.counts}) if there.get(name, 0) != came.counts[name]), None)
    problem = "" if other is None else f"{other!r} is {there.get(other, 0)}; {came.counts[other]} came by the recording"
    problem = came.problem or problem
    yield CheckedPart(MESSAGE_COUNT.name, 0 if problem else len(there), problem)
    rows = connection.execute(select(QUARANTINE).order_by(QUARANTINE.c.row)).all()
    marks = {row.row: row.recorded_at for row in connection.execute(select(RECORDING_MARK))}
    problem = _other_quarantine(rows, came.put_aside, marks)
    yield CheckedPart(QUARANTINE.name, 0 if problem else len(rows), problem)


def _other_quarantine(rows: Sequence[Any], put_aside: Sequence[PutAside], times: Mapping[int, str]) -> str:
    """Return how the quarantine does not have what was put aside, in words; empty where it does.

    It ends when it is full. Of messages that were only counted, each row must be one of a reason of which there are
    some, and agree with itself.

    Args:
        rows: Of the quarantine.
        put_aside: By the recording.
        times: Row of the recording -> when the transaction was committed that is noted there, where the database says.
    """
    at = 0
    for each in put_aside:
        ends = at + len(each.written) + each.counted.total()
        if problem := _other_rows(rows[at:ends], each, times, is_cut=len(rows) == MAX_QUARANTINE_ROWS < ends):
            return problem
        at = ends
    right = min(at, MAX_QUARANTINE_ROWS)
    return "" if len(rows) == right else f"it has {len(rows)} rows; {right} such messages came by the recording"


def _other_rows(rows: Sequence[Any], put_aside: PutAside, times: Mapping[int, str], *, is_cut: bool) -> str:
    waiting, counted = list(put_aside.written), Counter(put_aside.counted)
    for row in rows:
        problem = _other_cell(row, waiting[0], times.get(put_aside.note)) if waiting else ""
        if waiting and not problem:
            waiting.pop(0)
        elif counted[row.reason] and _agrees_with_itself(row):
            counted[row.reason] -= 1
        else:
            return problem or f"row {row.row} is of no message that came by the recording"
    if counted and waiting and not is_cut:  # a further row stands in its place
        return f"rows {rows[0].row} to {rows[-1].row} lack a message that was {waiting[0].reason!r} by the recording"
    return ""


def _agrees_with_itself(row: Any) -> bool:
    kept = len(row.prefix)
    if row.size_bytes > QUARANTINE_PREFIX_BYTES:
        return kept == QUARANTINE_PREFIX_BYTES
    return bool(row.size_bytes == kept and row.digest == hashlib.sha256(row.prefix).hexdigest())


def _other_cell(row: Any, message: QuarantinedMessage, time: str | None) -> str:
    payload = message.payload
    right: dict[str, object] = {
        "topic": storable(message.topic[:QUARANTINE_PREFIX_BYTES]),
        "reason": message.reason,
        "prefix": payload[:QUARANTINE_PREFIX_BYTES],
    }
    if message.cut_from_bytes:
        right |= {"size_bytes": message.cut_from_bytes, "digest": message.sha256}
    else:
        right |= {"detail": storable(message.detail)} if message.detail else {}
        if len(payload) <= MAX_PAYLOAD_BYTES:  # of a larger one an older recording has the beginning alone
            right |= {"size_bytes": len(payload), "digest": hashlib.sha256(payload).hexdigest()}
    if time is not None:
        right |= {"received_at": time}
    for name, value in right.items():
        if (written := getattr(row, name)) != value:
            return f"row {row.row} says {name} = {written!r}; by the recording {value!r}"
    return ""
