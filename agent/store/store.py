"""The agent's memory. Every change of a campaign is one transaction here, and nothing is sent before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Self

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from agent.campaign.events import Event, dump_event, load_event
from agent.campaign.ledger import TrajectoryPoint
from agent.campaign.plan import CampaignPlan
from agent.entropy.bias import BIAS_METRICS, BiasPoint
from agent.metrics import Metric
from agent.store.migrations import migrate
from agent.store.tables import (
    BIAS_FAMILY,
    BIAS_POINT,
    JOURNAL,
    MESSAGE_COUNT,
    META,
    OBSERVATION,
    OUTBOX,
    QUARANTINE,
    RECORDING_MARK,
    REQUEST,
    CampaignMeta,
)
from agent.store.views import DatasetLabels, Views
from protocols.errors import StoreError
from protocols.storage.database import (
    DatabaseUrl,
    Statements,
    hold_server_lock,
    opening,
    shown_url,
    transaction,
)
from protocols.wire.limits import MAX_QUARANTINE_ROWS, QUARANTINE_PREFIX_BYTES

GENESIS_DIGEST: Final = "0" * 64
"""The digest before the first row of a journal."""

_INSERT_JOURNAL: Final = insert(JOURNAL)
_INSERT_OUTBOX: Final = insert(OUTBOX)
_DELETE_OUTBOX: Final = delete(OUTBOX).where(OUTBOX.c.attempt_id == bindparam("which"))
_INSERT_BIAS_POINT: Final = insert(BIAS_POINT)
_INSERT_BIAS_FAMILY: Final = insert(BIAS_FAMILY)
_INSERT_MARK: Final = insert(RECORDING_MARK)
_INSERT_COUNT: Final = insert(MESSAGE_COUNT)
_RAISE_COUNT: Final = (
    update(MESSAGE_COUNT)
    .where(MESSAGE_COUNT.c.disposition == bindparam("which"))
    .values(count=MESSAGE_COUNT.c.count + bindparam("by"))
)


_FROM_JOURNAL: Final = (
    OBSERVATION.c.sequence,
    REQUEST.c.sequence,
    REQUEST.c.closed_sequence,
    BIAS_POINT.c.sequence,
)
"""Where the views name rows of the journal."""


@dataclass(frozen=True, slots=True)
class JournalHead:
    """The end of the journal: whoever keeps it elsewhere can tell later whether a row up to it was changed.

    Attributes:
        row: Number of the last row.
        digest: Its digest, which stands for all rows up to it.
    """

    row: int
    digest: str


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """A request to be sent."""

    attempt_id: str
    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class QuarantinedMessage:
    """A message that was none of ours.

    Attributes:
        topic: As it was.
        payload: As it was; of one out of a recording perhaps the beginning.
        reason: Why, as a word.
        detail: Why, as a sentence; empty where only the beginning is known.
        cut_from_bytes: Its size, where only the beginning is known [byte]; 0 where all of it is.
        sha256: Digest of the whole, where only the beginning is known.
    """

    topic: str
    payload: bytes
    reason: str
    detail: str
    cut_from_bytes: int = 0
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class RecordingMark:
    """Where the recording stands: number and digest of its last row."""

    row: int
    digest: str


@dataclass(frozen=True, slots=True)
class Commit:
    """All that one transaction writes."""

    events: tuple[Event, ...] = ()
    outbox: tuple[OutboxItem, ...] = ()
    confirmed: tuple[str, ...] = ()
    bias: tuple[TrajectoryPoint, ...] = ()
    quarantined: tuple[QuarantinedMessage, ...] = ()
    counts: tuple[tuple[str, int], ...] = ()
    recorded: RecordingMark | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        queues = self.outbox or self.confirmed or self.quarantined or self.counts
        return not (self.events or self.bias or queues or self.recorded)


class Store:
    """One campaign's database.

    Use `Store.open`; `append` is the only way in. A failed transaction ends the agent: a restart is the recovery.
    """

    def __init__(self, connection: Connection, url: DatabaseUrl, labels: DatasetLabels) -> None:
        self._connection = connection
        self._url = url
        self._statements = Statements(connection)
        self._views = Views(self._statements, labels)
        last = connection.execute(
            select(JOURNAL.c.sequence, JOURNAL.c.digest).order_by(JOURNAL.c.sequence.desc()).limit(1)
        ).first()
        self.sequence: int = last.sequence if last else 0
        self.digest: str = last.digest if last else GENESIS_DIGEST
        self._quarantine_rows = connection.execute(select(func.count()).select_from(QUARANTINE)).scalar_one()
        newest = select(*(select(func.max(column)).scalar_subquery() for column in _FROM_JOURNAL))
        known = max((row or 0 for row in connection.execute(newest).one()), default=0)
        connection.commit()
        if known > self.sequence:
            raise StoreError(
                f"The journal in {shown_url(url)} ends at row {self.sequence}, and row {known} is known",
                expected="a journal that has not lost its end",
                action="restore the run folder from a copy",
            )

    @classmethod
    def open(cls, url: DatabaseUrl, *, labels: DatasetLabels, now: str) -> Self:
        """Open a database, creating or migrating its tables.

        Args:
            url: SQLAlchemy URL.
            labels: Families and unit, for the dataset view.
            now: The time, a label for the migration's record.

        Raises:
            StoreError: When it cannot be used.
        """
        with opening(url) as connection:
            with connection.begin():
                hold_server_lock(connection)
                migrate(connection, now=now)
            return cls(connection, url, labels)

    @property
    def head(self) -> JournalHead:
        """The end of the journal."""
        return JournalHead(self.sequence, self.digest)

    def close(self) -> None:
        """Release the connection."""
        self._connection.close()
        self._connection.engine.dispose()

    def meta(self) -> CampaignMeta | None:
        """Return whose database this is; None while it is new."""
        with transaction(self._connection, self._url):
            row = self._connection.execute(select(META)).first()
        return None if row is None else CampaignMeta(**row._asdict())

    def claim(self, plan: CampaignPlan, *, schema_version: int, now: str) -> None:
        """Write down whose database this is."""
        with transaction(self._connection, self._url):
            self._connection.execute(
                insert(META).values(
                    campaign=plan.campaign,
                    uid=plan.uid,
                    schema_version=schema_version,
                    pool_digest=plan.pool_digest,
                    created_at=now,
                )
            )

    def journal(self) -> Iterator[Event]:
        """Return every event in order, checking numbers and digests.

        Raises:
            StoreError: At the first row that is missing, changed or unreadable, by its number.
        """
        digest = GENESIS_DIGEST
        expected = 1
        with transaction(self._connection, self._url):
            rows = self._connection.execute(
                select(JOURNAL.c.sequence, JOURNAL.c.kind, JOURNAL.c.payload, JOURNAL.c.digest).order_by(
                    JOURNAL.c.sequence
                )
            )
            for row in rows:
                digest = chain_digest(digest, row.sequence, row.kind, row.payload)
                if row.sequence != expected or row.digest != digest:
                    raise StoreError(
                        f"Row {expected} of the journal in {shown_url(self._url)} is missing or was changed",
                        expected="an unbroken chain of digests",
                        action="restore the run folder from a copy",
                    )
                expected += 1
                event = load_event(row.kind, row.payload)
                self._views.learn(event)
                yield event

    def unconfirmed(self) -> list[OutboxItem]:
        """Return the requests that the broker has not confirmed, by attempt id: the order of their decisions."""
        with transaction(self._connection, self._url):
            rows = self._connection.execute(
                select(OUTBOX.c.attempt_id, OUTBOX.c.topic, OUTBOX.c.payload).order_by(OUTBOX.c.attempt_id)
            ).all()
        return [OutboxItem(*row) for row in rows]

    def counts(self) -> dict[str, int]:
        """Return how many messages had which disposition, over all restarts."""
        with transaction(self._connection, self._url):
            rows = self._connection.execute(select(MESSAGE_COUNT.c.disposition, MESSAGE_COUNT.c.count)).all()
        return {row[0]: row[1] for row in rows}

    def trajectory(self, metrics: Sequence[Metric] = ()) -> Iterator[tuple[int, BiasPoint]]:
        """Return the trajectory, rebuilt from the rows of the families that changed.

        Args:
            metrics: Those that the campaign's plan declares beside the bias metrics.
        """
        with transaction(self._connection, self._url):
            observations = self._connection.execute(select(BIAS_POINT).order_by(BIAS_POINT.c.observation)).all()
            rows = self._connection.execute(
                select(BIAS_FAMILY).order_by(BIAS_FAMILY.c.observation, BIAS_FAMILY.c.family)
            ).all()
        now: dict[str, tuple[int, float | None]] = {}
        at = 0
        for observation in observations:
            while at < len(rows) and rows[at].observation <= observation.observation:
                now[rows[at].family] = (rows[at].size, rows[at].entropy)
                at += 1
            families = tuple(sorted(now))
            yield (
                observation.observation,
                BiasPoint(
                    families=families,
                    sizes=tuple(now[family][0] for family in families),
                    entropies=tuple(now[family][1] for family in families),
                    starved_family=observation.starved_family,
                    declared=_declared(observation.declared, metrics),
                    **{metric.name: getattr(observation, metric.name) for metric in BIAS_METRICS},
                ),
            )

    def append(self, commit: Commit, *, now: str) -> None:
        """Write all of one observation, or nothing.

        Args:
            commit: What to write.
            now: Wall-clock time as ISO 8601; a label, never read by a rule.

        Raises:
            StoreError: When the database refuses; the agent must end.
        """
        if commit.is_empty:
            return
        sequence, digest = self.sequence, self.digest
        rows = []
        for event in commit.events:
            sequence += 1
            kind, payload = dump_event(event)
            digest = chain_digest(digest, sequence, kind, payload)
            rows.append({"sequence": sequence, "kind": kind, "payload": payload, "recorded_at": now, "digest": digest})
        with transaction(self._connection, self._url):
            if rows:
                self._statements.run(_INSERT_JOURNAL, rows)
            for number, event in enumerate(commit.events, self.sequence + 1):
                self._views.project(number, event)
            self._write_outbox(commit)
            self._write_bias(commit.bias)
            self._write_quarantine(commit.quarantined, now)
            self._count(commit.counts)
            self._mark(commit.recorded, sequence, now)
        self.sequence, self.digest = sequence, digest

    def forget_marks(self, after: int) -> None:
        """Forget where the recording stood behind one of its rows, because a power cut took what stood there.

        Args:
            after: The last row that the recording has.
        """
        with transaction(self._connection, self._url):
            self._connection.execute(delete(RECORDING_MARK).where(RECORDING_MARK.c.row > after))

    def _mark(self, recorded: RecordingMark | None, sequence: int, now: str) -> None:
        if recorded is None:
            return
        row = {"row": recorded.row, "digest": recorded.digest, "before": self.sequence, "sequence": sequence}
        self._statements.run(_INSERT_MARK, [row | {"recorded_at": now}])

    def _write_outbox(self, commit: Commit) -> None:
        if commit.outbox:
            items = [{"attempt_id": i.attempt_id, "topic": i.topic, "payload": i.payload} for i in commit.outbox]
            self._statements.run(_INSERT_OUTBOX, items)
        if commit.confirmed:
            self._statements.run(_DELETE_OUTBOX, [{"which": attempt_id} for attempt_id in commit.confirmed])

    def _write_bias(self, observations: Sequence[TrajectoryPoint]) -> None:
        if not observations:
            return
        self._statements.run(
            _INSERT_BIAS_POINT,
            [
                {
                    "observation": s.observation,
                    "sequence": s.sequence,
                    "starved_family": s.point.starved_family,
                    "declared": _declared_text(s.point),
                    **{metric.name: getattr(s.point, metric.name) for metric in BIAS_METRICS},
                }
                for s in observations
            ],
        )
        changed = [
            {"observation": s.observation, "family": family, "size": size, "entropy": entropy}
            for s in observations
            for family, size, entropy in zip(s.point.families, s.point.sizes, s.point.entropies, strict=True)
            if family in s.changed
        ]
        self._statements.run(_INSERT_BIAS_FAMILY, changed)  # never empty: every observation changed a family

    def _write_quarantine(self, messages: Iterable[QuarantinedMessage], now: str) -> None:
        for message in messages:
            if self._quarantine_rows >= MAX_QUARANTINE_ROWS:
                return  # the counters go on
            self._quarantine_rows += 1
            self._connection.execute(
                insert(QUARANTINE).values(
                    received_at=now,
                    topic=storable(message.topic[:QUARANTINE_PREFIX_BYTES]),
                    reason=message.reason,
                    detail=storable(message.detail),
                    size_bytes=len(message.payload),
                    digest=hashlib.sha256(message.payload).hexdigest(),
                    prefix=message.payload[:QUARANTINE_PREFIX_BYTES],
                )
            )

    def _count(self, counts: Iterable[tuple[str, int]]) -> None:
        for disposition, by in counts:
            raised = self._statements.run(_RAISE_COUNT, [{"which": disposition, "by": by}])
            if raised.rowcount == 0:
                self._statements.run(_INSERT_COUNT, [{"disposition": disposition, "count": by}])


def _declared_text(point: BiasPoint) -> str:
    return json.dumps({metric.name: value for metric, value in point.declared}) if point.declared else ""


def _declared(text: str, metrics: Sequence[Metric]) -> tuple[tuple[Metric, float | None], ...]:
    values = json.loads(text) if text else {}
    return tuple((metric, values.get(metric.name)) for metric in metrics) if values else ()


def chain_digest(before: str, sequence: int, kind: str, payload: str) -> str:
    """Return the digest of a journal row, chained to the one before."""
    return hashlib.sha256(f"{before}|{sequence}|{kind}|{payload}".encode()).hexdigest()


def storable(text: str) -> str:
    """Return a stranger's text as every database takes it: PostgreSQL refuses NUL, and none takes half a character."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
