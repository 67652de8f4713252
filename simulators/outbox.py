"""The simulator's memory: what it was asked, what it has begun, and every answer until its receipt.

An attempt is evaluated at most once. One that was begun and has no answer after a restart is answered with the
failure `interrupted`; the agent then makes a new attempt, which is a new evaluation and is counted as one.

Request, answer and receipt stand with their digests, checked at every start: an answer that the disk has changed would
be taken for a measurement. The receipt is kept as it came, for it names what was the journal's last row, and its
digest: so a lab can tell later whether the journal is still that one (`entropilot verify --anchor`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self

from sqlalchemy import (
    Column,
    ColumnClause,
    Connection,
    Integer,
    LargeBinary,
    Table,
    bindparam,
    delete,
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import Field, SQLModel

from protocols.errors import StoreError
from protocols.storage.database import Statements, opening, transaction
from protocols.storage.server_url import DatabaseUrl, shown_url
from simulators.instrument.calibration import InstrumentAge

KEEP_DELIVERED: Final = 10_000
"""Attempts after which a delivered or withdrawn one is forgotten; until then a repeated request is known. An agent
repeats at most 256 requests and a broker queues some thousands. By number, not by age: a lab's wall clock may jump by
years."""

FORGET_EVERY: Final = 1_000
"""New attempts after which the oldest are forgotten, as at every start: a memory is bounded while it is used too."""

ORDER: Final[ColumnClause[int]] = literal_column("rowid", Integer)
"""SQLite's number of a row: the order in which the attempts came."""

OUTBOX_VERSION: Final = 3
"""Version of the table below, kept as SQLite's user_version. Version 1 had no digests and was never released; one of
version 2, as 0.1 wrote it, kept no receipts, and is brought up to date when it is opened."""

WITHOUT_RECEIPTS: Final = 2
"""The version before receipts were kept."""


class AttemptProgress(StrEnum):
    """Where an attempt is in the simulator."""

    RECEIVED = "received"
    STARTED = "started"
    ANSWERED = "answered"
    DELIVERED = "delivered"
    WITHDRAWN = "withdrawn"
    """Left before it was begun: nobody waits for it any more. It is never evaluated; what was asked is not kept."""


OVER: Final = frozenset({AttemptProgress.DELIVERED, AttemptProgress.WITHDRAWN})
"""Progress of attempts for which nothing is left to do."""


class AttemptRow(SQLModel, table=True):
    """One attempt that this simulator was asked for."""

    __tablename__ = "attempt"

    attempt_id: str = Field(primary_key=True)
    progress: str = Field(index=True)
    received_at: str
    request: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    answer_topic: str = ""
    request_digest: str
    answer: bytes = Field(default=b"", sa_column=Column(LargeBinary, nullable=False))
    answer_digest: str = ""
    receipt: bytes = Field(
        default=b"", sa_column=Column(LargeBinary, nullable=False, server_default=literal_column("x''"))
    )
    """What the agent said of the answer, as it came; of several, the one that ended its repetition."""
    receipt_digest: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """Of the receipt, and of when the attempt came."""


class InstrumentRow(SQLModel, table=True):
    """How old the instrument is: one row, and none where nothing of it ages."""

    __tablename__ = "instrument"

    key: int = Field(primary_key=True)
    measurements: int
    """How many it has begun."""
    calibrated_at: str
    """When it was calibrated last."""
    digest: str


ATTEMPT: Final[Table] = SQLModel.metadata.tables[str(AttemptRow.__tablename__)]
INSTRUMENT: Final[Table] = SQLModel.metadata.tables[str(InstrumentRow.__tablename__)]

THE_ROW: Final = 1
"""Key of the only row of `instrument`."""

_MINE: Final = ATTEMPT.c.attempt_id == bindparam("which")
_FIND: Final = select(ATTEMPT.c.progress, ATTEMPT.c.answer_topic, ATTEMPT.c.answer).where(_MINE)
_INSERT: Final = sqlite_insert(ATTEMPT).on_conflict_do_nothing()
_AGE: Final = sqlite_insert(INSTRUMENT).prefix_with("OR REPLACE")
_ADVANCE: Final = update(ATTEMPT).where(_MINE).values(progress=bindparam("progress_now"))
_RECEIVED_AT: Final = select(ATTEMPT.c.received_at).where(_MINE)
_OPEN: Final = select(ATTEMPT.c.attempt_id, func.length(ATTEMPT.c.request)).where(ATTEMPT.c.progress.not_in(OVER))
_LEAVE: Final = (
    update(ATTEMPT)
    .where(_MINE)
    .values(
        progress=bindparam("progress_now"), request=bindparam("request_now"), request_digest=bindparam("digest_now")
    )
)
_CONFIRM: Final = (
    update(ATTEMPT)
    .where(_MINE)
    .values(
        progress=bindparam("progress_now"), receipt=bindparam("receipt_now"), receipt_digest=bindparam("digest_now")
    )
)
_ANSWER: Final = (
    update(ATTEMPT)
    .where(_MINE)
    .values(
        progress=bindparam("progress_now"),
        answer_topic=bindparam("topic_now"),
        answer=bindparam("answer_now"),
        answer_digest=bindparam("digest_now"),
    )
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A result or a failure on its way."""

    attempt_id: str
    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Change:
    """What one transaction changes about an attempt."""

    attempt_id: str
    progress: AttemptProgress
    request: bytes = b""
    answer: Answer | None = None
    receipt: bytes = b""


class Outbox:
    """The simulator's database: one writer, `synchronous=FULL`, one transaction at a time."""

    def __init__(self, connection: Connection, url: DatabaseUrl) -> None:
        self._connection = connection
        self._url = url
        self._statements = Statements(connection)
        with transaction(connection, url):
            self._open = {which: int(size) for which, size in connection.execute(_OPEN)}
            self.age = _age(connection, url)
            """How old the instrument is."""
        self.open_bytes = sum(self._open.values())
        """Size of what was asked in the attempts that are not over [byte]."""
        self._new = 0

    @classmethod
    def open(cls, url: DatabaseUrl) -> Self:
        """Open or create the database.

        Raises:
            StoreError: When it cannot be used.
        """
        with opening(url) as connection:
            with connection.begin():
                if _known_version(connection, url) == WITHOUT_RECEIPTS:
                    add_receipts(connection)
                ATTEMPT.create(connection, checkfirst=True)
                INSTRUMENT.create(connection, checkfirst=True)
                _require_unchanged(connection, url)
                connection.exec_driver_sql(f"PRAGMA user_version={OUTBOX_VERSION}")
                _forget(connection)
            return cls(connection, url)

    def close(self) -> None:
        """Release the connection."""
        self._connection.close()
        self._connection.engine.dispose()

    def find(self, attempt_id: str) -> tuple[AttemptProgress, Answer] | None:
        """Return what is known of an attempt."""
        with transaction(self._connection, self._url):
            row = self._statements.run(_FIND, [{"which": attempt_id}]).fetchone()
        if row is None:
            return None
        progress, topic, payload = row
        return AttemptProgress(progress), Answer(attempt_id, topic, payload)

    def requests(self, progress: AttemptProgress) -> list[tuple[str, bytes]]:
        """Return attempt id and request of the attempts at some progress, oldest first."""
        with transaction(self._connection, self._url):
            rows = self._connection.execute(
                select(ATTEMPT.c.attempt_id, ATTEMPT.c.request).where(ATTEMPT.c.progress == progress).order_by(ORDER)
            ).all()
        return [(row.attempt_id, row.request) for row in rows]

    def undelivered(self) -> list[Answer]:
        """Return the answers that wait for their receipt."""
        with transaction(self._connection, self._url):
            rows = self._connection.execute(
                select(ATTEMPT.c.attempt_id, ATTEMPT.c.answer_topic, ATTEMPT.c.answer).where(
                    ATTEMPT.c.progress == AttemptProgress.ANSWERED
                )
            ).all()
        return [Answer(*row) for row in rows]

    def write(self, changes: Iterable[Change], *, now: str, age: InstrumentAge | None = None) -> None:
        """Write all changes of a transaction, or none.

        Args:
            changes: What changes about attempts.
            now: The time, a label.
            age: How old the instrument is after them; None where that has not changed.

        Raises:
            StoreError: When the database refuses; the simulator must end.
        """
        changes = tuple(changes)
        if not changes:
            return
        new = [change for change in changes if change.request]
        with transaction(self._connection, self._url):
            if new:
                self._statements.run(
                    _INSERT,
                    [
                        {
                            "attempt_id": change.attempt_id,
                            "progress": change.progress.value,
                            "received_at": now,
                            "request": change.request,
                            "request_digest": _digest(change.attempt_id, change.request),
                            "answer_topic": "",
                            "answer": b"",
                            "answer_digest": "",
                            "receipt": b"",
                            "receipt_digest": _digest(change.attempt_id, now.encode(), b""),
                        }
                        for change in new
                    ],
                )
            for change in changes:
                row: dict[str, object] = {"which": change.attempt_id, "progress_now": change.progress.value}
                if change.answer is not None:
                    topic, payload = change.answer.topic, change.answer.payload
                    row |= {"topic_now": topic, "answer_now": payload}
                    row |= {"digest_now": _digest(change.attempt_id, topic.encode(), payload)}
                    self._statements.run(_ANSWER, [row])
                elif change.receipt:
                    self._confirm(change, row)
                elif change.progress is AttemptProgress.WITHDRAWN:
                    row |= {"request_now": b"", "digest_now": _digest(change.attempt_id, b"")}
                    self._statements.run(_LEAVE, [row])
                elif not change.request:
                    self._statements.run(_ADVANCE, [row])
            self._keep(age)
            self._new += len(new)
            if self._new >= FORGET_EVERY:
                self._new = 0
                _forget(self._connection)
        self._count_open(changes)

    def _keep(self, age: InstrumentAge | None) -> None:
        """Write how old the instrument is, if that has changed."""
        if age is None or age == self.age:
            return
        self._statements.run(
            _AGE,
            [
                {
                    "key": THE_ROW,
                    "measurements": age.measurements,
                    "calibrated_at": age.calibrated_at,
                    "digest": _age_digest(age),
                }
            ],
        )
        self.age = age

    def _count_open(self, changes: Iterable[Change]) -> None:
        for change in changes:
            if change.request:
                self.open_bytes += len(change.request) - self._open.get(change.attempt_id, 0)
                self._open[change.attempt_id] = len(change.request)
            if change.progress in OVER:
                self.open_bytes -= self._open.pop(change.attempt_id, 0)

    def _confirm(self, change: Change, row: dict[str, object]) -> None:
        """Keep a receipt; its digest covers when the attempt came as well."""
        ((received_at,),) = self._statements.run(_RECEIVED_AT, [row]).fetchall()
        digest = _digest(change.attempt_id, received_at.encode(), change.receipt)
        self._statements.run(_CONFIRM, [row | {"receipt_now": change.receipt, "digest_now": digest}])


def _forget(connection: Connection) -> None:
    """Forget the oldest attempts that are over, beyond as many as are kept."""
    last = connection.execute(select(func.max(ORDER)).select_from(ATTEMPT)).scalar() or 0
    connection.execute(delete(ATTEMPT).where(ATTEMPT.c.progress.in_(OVER), last - KEEP_DELIVERED >= ORDER))


def _require_unchanged(connection: Connection, url: DatabaseUrl) -> None:
    """Check every row against its digests: SQLite finds a broken page, and no changed value on a whole one."""
    for row in connection.execute(select(ATTEMPT)):
        if not is_whole(row):
            raise StoreError(
                f"Attempt {row.attempt_id!r} in the simulator's {shown_url(url)} was changed by something else",
                expected="what the simulator wrote",
                action="restore the file from a copy, or start with an empty --memory: the agent then asks again",
            )


def is_whole(row: Any) -> bool:
    """Tell whether a row of the table is as it was written, by its digests."""
    try:
        asked = _digest(row.attempt_id, row.request)
        answered = _digest(row.attempt_id, row.answer_topic.encode(), row.answer) if row.answer else ""
        confirmed = _digest(row.attempt_id, row.received_at.encode(), row.receipt)
    except (AttributeError, TypeError):  # the kind of a value was changed as well
        return False
    if not row.receipt and not row.receipt_digest:  # as an older one wrote it
        confirmed = ""
    found = (row.request_digest, row.answer_digest, row.receipt_digest)
    return (asked, answered, confirmed) == found and row.progress in set(AttemptProgress)


def _age(connection: Connection, url: DatabaseUrl) -> InstrumentAge:
    """Return how old the instrument is; new, where nothing of it ages."""
    row = connection.execute(select(INSTRUMENT)).fetchone()
    if row is None:
        return InstrumentAge()
    age = InstrumentAge(row.measurements, row.calibrated_at)
    if row.digest != _age_digest(age):
        raise StoreError(
            f"The count of measurements in the simulator's {shown_url(url)} was changed by something else",
            expected="what the simulator wrote",
            action="restore the file from a copy, or start with an empty --memory: a new instrument, just calibrated",
        )
    return age


def _age_digest(age: InstrumentAge) -> str:
    return _digest("", str(age.measurements).encode(), str(age.calibrated_at).encode())


def _digest(attempt_id: str, *parts: bytes) -> str:
    return hashlib.sha256(b"\0".join((attempt_id.encode(), *parts))).hexdigest()


def _known_version(connection: Connection, url: DatabaseUrl) -> int:
    version: int = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    if version not in {0, WITHOUT_RECEIPTS, OUTBOX_VERSION}:
        raise StoreError(
            f"The simulator's database {shown_url(url)} has version {version}",
            expected=f"version {OUTBOX_VERSION}",
            action="use the Entropilot that wrote it, or start with an empty --memory",
        )
    return version


def add_receipts(connection: Connection) -> None:
    """Bring a memory of the version before receipts were kept up to date."""
    connection.exec_driver_sql("ALTER TABLE attempt ADD COLUMN receipt BLOB NOT NULL DEFAULT x''")
    connection.exec_driver_sql("ALTER TABLE attempt ADD COLUMN receipt_digest VARCHAR NOT NULL DEFAULT ''")
