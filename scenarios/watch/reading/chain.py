"""The chain of digests of a journal, checked piece by piece, and what was put aside of what came in."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select

from agent.store.standing import GENESIS_DIGEST, chain_digest
from agent.store.tables import JOURNAL, MESSAGE_COUNT, QUARANTINE
from scenarios.watch.state.trust import Quarantined, Trust

ROWS_AT_ONCE: Final = 4_000
"""Rows that one answer checks: 20 to 40 ms of work."""

MAX_QUARANTINED: Final = 100
"""Most messages of the quarantine that are told, the latest."""


class ChainCheck:
    """How far a journal's chain of digests was checked."""

    def __init__(self) -> None:
        self._to = 0
        self._digest = GENESIS_DIGEST
        self._at: datetime | None = None
        self._problem = ""

    def trust(self, connection: Connection, last: int, now: datetime, *, recording: bool) -> Trust:
        """Check some rows more, and return how far the run can be trusted.

        Args:
            connection: In a transaction.
            last: Number of the journal's last row in it.
            now: For when it was checked.
            recording: Whether there is a recording of what came in.
        """
        self._check(connection, now)
        counts = connection.execute(select(MESSAGE_COUNT.c.disposition, MESSAGE_COUNT.c.count)).all()
        is_checked = self._to >= last
        return Trust(
            checked_to=self._to if self._at else None,
            checked_at=None if self._at is None else self._at.isoformat(),
            is_sound=False if self._problem else (True if is_checked else None),
            problems=(self._problem,) if self._problem else (),
            quarantine=tuple(_quarantine(connection)),
            counts={str(row[0]): int(row[1]) for row in sorted(counts)},
            recording=recording,
        )

    def _check(self, connection: Connection, now: datetime) -> None:
        if self._problem:
            return
        columns = (JOURNAL.c.sequence, JOURNAL.c.kind, JOURNAL.c.payload, JOURNAL.c.digest)
        rows = connection.execute(
            select(*columns).where(JOURNAL.c.sequence > self._to).order_by(JOURNAL.c.sequence).limit(ROWS_AT_ONCE)
        ).all()
        self._at = now
        for expected, row in enumerate(rows, self._to + 1):
            digest = chain_digest(self._digest, row.sequence, row.kind, row.payload)
            if row.sequence != expected or row.digest != digest:
                self._problem = f"row {expected} of the journal is missing or was changed"
                return
            self._to, self._digest = expected, digest


def _quarantine(connection: Connection) -> Iterable[Quarantined]:
    rows = connection.execute(select(QUARANTINE).order_by(QUARANTINE.c.row.desc()).limit(MAX_QUARANTINED)).all()
    for row in rows:
        yield Quarantined(
            received_at=row.received_at,
            topic=row.topic,
            reason=row.reason,
            detail=row.detail,
            size_bytes=row.size_bytes,
            prefix=bytes(row.prefix).decode(errors="replace"),
        )
