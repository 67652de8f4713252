"""The agent's memory. Every change of a campaign is one transaction here, and nothing is sent before it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from agent.campaign.events import Event, dump_event, load_event
from agent.campaign.ledger import TrajectoryPoint
from agent.campaign.plan import CampaignPlan
from agent.entropy.bias import BiasPoint
from agent.metrics import Metric
from agent.store.commit import Commit, JournalHead, OutboxItem, QuarantinedMessage
from agent.store.dataset_rows import DatasetRow, dataset_question, dataset_rows
from agent.store.migrations import migrate
from agent.store.patience import Patience
from agent.store.place import DatabasePlace
from agent.store.standing import GENESIS_DIGEST, LAST_MARK, Standing, chain_digest
from agent.store.steady import SteadyConnection
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
    JournalRow,
)
from agent.store.trajectory_rows import family_rows, point_rows, trajectory_of
from agent.store.views import DatasetLabels, Views
from protocols.errors import StoreError
from protocols.storage.database import Statements, opening
from protocols.storage.server import answered_in_time, hold_server_lock
from protocols.storage.server_url import DatabaseUrl, shown_url
from protocols.wire.limits import MAX_QUARANTINE_ROWS, QUARANTINE_PREFIX_BYTES

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
_WHOLE_JOURNAL: Final = select(JOURNAL.c.sequence, JOURNAL.c.kind, JOURNAL.c.payload, JOURNAL.c.digest).order_by(
    JOURNAL.c.sequence
)

ROWS_AT_ONCE: Final = 2_000
"""Rows of the journal in one question: its reader may take as long as it likes between two, and no server waits."""

_FROM_JOURNAL: Final = (
    OBSERVATION.c.sequence,
    REQUEST.c.sequence,
    REQUEST.c.closed_sequence,
    BIAS_POINT.c.sequence,
)
"""Where the views name rows of the journal."""


@dataclass(frozen=True, slots=True)
class JournalView:
    """What of the journal is told to others.

    Attributes:
        head: Returns its end; None where that is not told.
        row_at: Returns a row by its number; None where there is none, or it cannot be read just now.
    """

    head: Callable[[], JournalHead | None] = lambda: None
    row_at: Callable[[int], JournalRow | None] = lambda _number: None


NOTHING_TOLD: Final = JournalView()
"""Nothing of the journal is told."""


class Store:
    """One campaign's database.

    Use `Store.open`; `append` is the only way in. A failed transaction ends the agent: a restart is the recovery. Only
    a server that is away is waited for, and then asked first whether it has kept the transaction that was under way.
    """

    def __init__(
        self, connection: Connection, url: DatabaseUrl, labels: DatasetLabels, patience: Patience | None = None
    ) -> None:
        self._link = SteadyConnection(connection, url, patience or Patience(), self._returned)
        self._url = shown_url(url)  # for errors
        self._statements = Statements(connection)
        self._views = Views(self._statements, labels)
        self.sequence: int
        self.digest: str
        self._counted: int
        self._marked: int
        self._stands(Standing.of(connection))
        self._under_way: tuple[Commit, Standing] | None = None
        self._came_through: Commit | None = None
        self._quarantine_rows = _quarantine_rows(connection)
        newest = select(*(select(func.max(column)).scalar_subquery() for column in _FROM_JOURNAL))
        known = max((row or 0 for row in connection.execute(newest).one()), default=0)
        connection.commit()
        if known > self.sequence:
            raise StoreError(
                f"The journal in {self._url} ends at row {self.sequence}, and row {known} is known",
                expected="a journal that has not lost its end",
                action="restore the run folder from a copy",
            )

    @classmethod
    def open(cls, url: DatabaseUrl, *, labels: DatasetLabels, now: str, patience: Patience | None = None) -> Self:
        """Open a database, creating or migrating its tables.

        Args:
            url: SQLAlchemy URL.
            labels: Families and unit, for the dataset view.
            now: The time, a label for the migration's record.
            patience: How long a server that is away is waited for, here and later; by default not at all.

        Raises:
            StoreError: When it cannot be used.
        """
        patience = patience or Patience()
        return patience.wait_for(lambda: cls._opened(url, labels, now, patience))

    @classmethod
    def _opened(cls, url: DatabaseUrl, labels: DatasetLabels, now: str, patience: Patience) -> Self:
        with opening(url) as connection, answered_in_time(connection):
            with connection.begin():
                hold_server_lock(connection)
                migrate(connection, now=now)
            return cls(connection, url, labels, patience)

    @property
    def _connection(self) -> Connection:
        return self._link.connection

    @property
    def _standing(self) -> Standing:
        return Standing(self.sequence, self.digest, self._counted, self._marked)

    def _stands(self, standing: Standing) -> None:
        self.sequence, self.digest = standing.sequence, standing.digest
        self._counted, self._marked = standing.counted, standing.marked

    @property
    def marked(self) -> int:
        """The last row of the recording that a commit knows of; 0 where there is none."""
        return self._marked

    @property
    def head(self) -> JournalHead:
        """The end of the journal."""
        return JournalHead(self.sequence, self.digest)

    def row_at(self, number: int) -> JournalRow | None:
        """Return a row of the journal; None where there is none of that number, or its server is away just now."""
        with suppress(StoreError), self._link.transaction():
            found = self._connection.execute(select(JOURNAL).where(JOURNAL.c.sequence == number)).first()
            return None if found is None else JournalRow(**found._asdict())
        return None

    def close(self) -> None:
        """Release the connection."""
        self._link.close()

    def give_up(self) -> None:
        """Wait no longer for a server that is away: the agent is to end."""
        self._link.patience.give_up()

    def place(self, uid: str) -> DatabasePlace:
        """Return where this database is, for the run folder to remember.

        Args:
            uid: Of its campaign.
        """
        return self._link.steadily(lambda: DatabasePlace.of(self._connection, self._link.url, uid))

    def meta(self) -> CampaignMeta | None:
        """Return whose database this is; None while it is new."""
        rows = self._link.all(select(META))
        return CampaignMeta(**rows[0]._asdict()) if rows else None

    def claim(self, plan: CampaignPlan, *, schema_version: int, now: str) -> None:
        """Write down whose database this is, which nobody has yet; wait for a server that is away.

        Raises:
            StoreError: When another agent has done so meanwhile.
        """
        row = insert(META).values(
            campaign=plan.campaign,
            uid=plan.uid,
            schema_version=schema_version,
            pool_digest=plan.pool_digest,
            created_at=now,
        )

        def write() -> None:
            with self._link.transaction():
                found = self._connection.execute(select(META)).first()
                if found is None:
                    self._connection.execute(row)
                elif found.uid != plan.uid:  # else it is this one, and the server was lost while it answered
                    raise StoreError(
                        f"Another agent took {self._url} meanwhile, for its campaign {found.campaign}",
                        expected="a new database",
                        action="choose another database, or end that campaign first",
                    )

        self._link.steadily(write)

    def claim_again(self, *, now: str) -> None:
        """Write down that the campaign of this database begins only now."""

        def write() -> None:
            with self._link.transaction():
                self._connection.execute(update(META).values(created_at=now))

        self._link.steadily(write)

    def journal(self) -> Iterator[Event]:
        """Return every event in order, checking numbers and digests.

        Raises:
            StoreError: At the first row that is missing, changed or unreadable, by its number.
        """
        digest = GENESIS_DIGEST
        for expected, row in enumerate(self._journal_as_written(), 1):
            digest = chain_digest(digest, row.sequence, row.kind, row.payload)
            if row.sequence != expected or row.digest != digest:
                raise StoreError(
                    f"Row {expected} of the journal in {self._url} is missing or was changed",
                    expected="an unbroken chain of digests",
                    action="restore the run folder from a copy",
                )
            event = load_event(row.kind, row.payload)
            self._views.learn(event)
            yield event

    def _journal_as_written(self) -> Iterator[Any]:
        question = _WHOLE_JOURNAL.limit(ROWS_AT_ONCE)
        part = self._link.all(question)
        while part:
            yield from part
            part = self._link.all(question.where(JOURNAL.c.sequence > part[-1].sequence))

    def unconfirmed(self) -> list[OutboxItem]:
        """Return the requests that the broker has not confirmed, by attempt id: the order of their decisions."""
        waiting = select(OUTBOX.c.attempt_id, OUTBOX.c.topic, OUTBOX.c.payload).order_by(OUTBOX.c.attempt_id)
        return [OutboxItem(*row) for row in self._link.all(waiting)]

    def counts(self) -> dict[str, int]:
        """Return how many messages had which disposition, over all restarts."""
        rows = self._link.all(select(MESSAGE_COUNT.c.disposition, MESSAGE_COUNT.c.count))
        return {row[0]: row[1] for row in rows}

    def trajectory(self, metrics: Sequence[Metric] = ()) -> Iterator[tuple[int, BiasPoint]]:
        """Return the trajectory, rebuilt from the rows of the families that changed.

        Args:
            metrics: Those that the campaign's plan declares beside the bias metrics.
        """
        observations = self._link.all(select(BIAS_POINT).order_by(BIAS_POINT.c.observation))
        families = self._link.all(select(BIAS_FAMILY).order_by(BIAS_FAMILY.c.observation, BIAS_FAMILY.c.family))
        yield from trajectory_of(observations, families, metrics)

    def dataset(self) -> Iterator[DatasetRow]:
        """Return the dataset, a row for each measurement that counts, in the order in which they came."""
        yield from dataset_rows(self._link.all(dataset_question()))

    def spent(self) -> tuple[int, ...]:
        """Return what had been spent of the budget by each point of the trajectory, in order."""
        rows = self._link.all(select(BIAS_POINT.c.spent).order_by(BIAS_POINT.c.observation))
        return tuple(row[0] for row in rows)

    def append(self, commit: Commit, *, now: str) -> None:
        """Write all of one observation, or nothing; wait for a server that is away.

        Args:
            commit: What to write.
            now: Wall-clock time as ISO 8601; a label, never read by a rule.

        Raises:
            StoreError: When the database refuses; the agent must end.
        """
        self._link.steadily(lambda: self.append_at_once(commit, now=now))

    def append_at_once(self, commit: Commit, *, now: str) -> None:
        """Write all of one observation, or nothing.

        Args:
            commit: What to write; after a `DatabaseAway` the same again, for it may have been written.
            now: As of `append`.

        Raises:
            DatabaseAway: When its server was lost; `append` with the same waits for it.
            StoreError: When the database refuses; the agent must end.
        """
        if commit.is_empty:
            return
        self._link.require()
        if self._came_through is commit:
            self._came_through = None
            return
        rows, after = self._journal_rows(commit, now)
        quarantine_rows, self._under_way = self._quarantine_rows, (commit, after)
        try:
            with self._link.transaction():
                if rows:
                    self._statements.run(_INSERT_JOURNAL, rows)
                for number, event in enumerate(commit.events, self.sequence + 1):
                    self._views.project(number, event)
                self._write_outbox(commit)
                self._write_bias(commit.bias)
                self._write_quarantine(commit.quarantined, now)
                self._count(commit.counts)
                self._mark(commit, after.sequence, now)
        except StoreError:
            self._quarantine_rows = quarantine_rows
            raise
        self._stands(after)
        self._under_way = None

    def _returned(self, connection: Connection) -> None:
        """Find out on a new connection what became of the transaction that was under way, and go on there.

        Raises:
            StoreError: When the database stands neither as before it nor as after it.
        """
        found = Standing.of(connection)
        commit, after = self._under_way or (None, self._standing)
        if found == after != self._standing:  # the server was lost while it answered
            self._came_through = commit
            self._stands(after)
        elif found != self._standing:
            raise StoreError(
                f"Somebody else wrote to {self._url}: its journal ended at row {self.sequence} and ends at row "
                f"{found.sequence} now",
                expected="the database as this agent left it",
                action="end the other agent, or take the server back to its latest state, then run again with --resume",
            )
        self._under_way = None
        self._quarantine_rows = _quarantine_rows(connection)
        self._statements.use(connection)

    def _journal_rows(self, commit: Commit, now: str) -> tuple[list[dict[str, Any]], Standing]:
        """Return the rows of a commit, and how things stand when they are written."""
        sequence, digest = self.sequence, self.digest
        rows = []
        for event in commit.events:
            sequence += 1
            kind, payload = dump_event(event)
            digest = chain_digest(digest, sequence, kind, payload)
            rows.append({"sequence": sequence, "kind": kind, "payload": payload, "recorded_at": now, "digest": digest})
        counted = self._counted + sum(by for _, by in commit.counts)
        marked = self._marked if commit.recorded is None else commit.recorded.row
        return rows, Standing(sequence, digest, counted, marked)

    def forget_marks(self, after: int) -> None:
        """Forget where the recording stood behind one of its rows, because a power cut took what stood there.

        Args:
            after: The last row that the recording has.
        """

        def forget() -> None:
            with self._link.transaction():
                kept = int(self._connection.execute(LAST_MARK.where(RECORDING_MARK.c.row <= after)).scalar_one())
                self._under_way = (Commit(), replace(self._standing, marked=kept))
                self._connection.execute(delete(RECORDING_MARK).where(RECORDING_MARK.c.row > after))
            self._marked, self._under_way = kept, None

        self._link.steadily(forget)

    def _mark(self, commit: Commit, sequence: int, now: str) -> None:
        recorded = commit.recorded
        if recorded is None:
            return
        time = now if commit.events or commit.quarantined else ""
        row = {"row": recorded.row, "digest": recorded.digest, "before": self.sequence, "sequence": sequence}
        self._statements.run(_INSERT_MARK, [row | {"recorded_at": time}])

    def _write_outbox(self, commit: Commit) -> None:
        if commit.outbox:
            items = [{"attempt_id": i.attempt_id, "topic": i.topic, "payload": i.payload} for i in commit.outbox]
            self._statements.run(_INSERT_OUTBOX, items)
        if commit.confirmed:
            self._statements.run(_DELETE_OUTBOX, [{"which": attempt_id} for attempt_id in commit.confirmed])

    def _write_bias(self, observations: Sequence[TrajectoryPoint]) -> None:
        if observations:
            self._statements.run(_INSERT_BIAS_POINT, point_rows(observations))
            self._statements.run(_INSERT_BIAS_FAMILY, family_rows(observations))

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


def _quarantine_rows(connection: Connection) -> int:
    return int(connection.execute(select(func.count()).select_from(QUARANTINE)).scalar_one())


def storable(text: str) -> str:
    """Return a stranger's text as every database takes it: PostgreSQL refuses NUL, and none takes half a character."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
