"""Where a database stands: the end of its journal's chain of digests, and what else every transaction moves on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final, Self

from sqlalchemy import Connection, func, select

from agent.store.tables import JOURNAL, MESSAGE_COUNT, RECORDING_MARK

GENESIS_DIGEST: Final = "0" * 64
"""The digest before the first row of a journal."""

LAST_MARK: Final = select(func.coalesce(func.max(RECORDING_MARK.c.row), 0))
"""Which row of the recording is marked last; 0 where none is."""

_LAST_ROW: Final = select(JOURNAL.c.sequence, JOURNAL.c.digest).order_by(JOURNAL.c.sequence.desc()).limit(1)
_COUNTED: Final = select(func.coalesce(func.sum(MESSAGE_COUNT.c.count), 0))


@dataclass(frozen=True, slots=True)
class Standing:
    """What tells whether a transaction is in the database.

    It is where the journal ends, how many messages are counted, and which row of the recording is marked last: every
    transaction that may not be repeated changes one of them.
    """

    sequence: int = 0
    digest: str = GENESIS_DIGEST
    counted: int = 0
    marked: int = 0

    @classmethod
    def of(cls, connection: Connection) -> Self:
        """Read it from a database."""
        last = connection.execute(_LAST_ROW).first()
        row, digest = (0, GENESIS_DIGEST) if last is None else (last.sequence, last.digest)
        counted, marked = (int(connection.execute(each).scalar_one()) for each in (_COUNTED, LAST_MARK))
        return cls(row, digest, counted, marked)


def chain_digest(before: str, sequence: int, kind: str, payload: str) -> str:
    """Return the digest of a journal row, chained to the one before."""
    return hashlib.sha256(f"{before}|{sequence}|{kind}|{payload}".encode()).hexdigest()
