"""The tables of the agent's database. The journal is the truth; the others are views folded from it, or queues.

| table | what it is | written |
|---|---|---|
| campaign_meta | one row: names, schema version, pool digest | once |
| journal | every event, numbered without gaps, each row carrying the digest of the one before | append only |
| observation | the dataset | view |
| request | every attempt and how it ended | view |
| bias_point, bias_family | the bias trajectory | view |
| outbox | requests that the broker has not confirmed yet | queue |
| quarantine | messages that were none of ours, bounded | count and sample |
| message_count | how many of each kind and disposition | counters |
| recording_mark | where the recording stood at each commit, and its digest there | with its commit |
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, Text
from sqlmodel import Field, SQLModel

SCHEMA_VERSION: Final = 3
"""Version of the tables below; `agent.store.migrations` holds the change from each version to the next."""

OLDEST_SCHEMA_VERSION: Final = 3
"""First version that is migrated. 1 and 2 are of Entropilot 0.1: their events have other names, and to change these
would break the journal's chain."""


class CampaignMeta(SQLModel, table=True):
    """The campaign that this database belongs to."""

    __tablename__ = "campaign_meta"

    campaign: str = Field(primary_key=True)
    uid: str
    schema_version: int
    pool_digest: str
    created_at: str
    """When the campaign began: as of the journal's first row."""


class JournalRow(SQLModel, table=True):
    """One event. `digest` is SHA-256 over the digest before, number, kind and payload."""

    __tablename__ = "journal"
    __table_args__ = (Index("journal_kind", "kind", "sequence"),)
    # Whoever shows a run asks for the pauses, or the last decision before a row: not for all rows.

    sequence: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    kind: str
    payload: str = Field(sa_column=Column(Text, nullable=False))
    recorded_at: str
    digest: str


class ObservationRow(SQLModel, table=True):
    """One row of the dataset: a measurement. Where a campaign repeats them, several make the value of a candidate."""

    __tablename__ = "observation"

    candidate_id: str = Field(primary_key=True)
    sequence: int = Field(sa_column=Column(BigInteger, nullable=False, index=True))
    family: str
    value: float
    unit: str
    source: str
    attempt_id: str | None = Field(default=None, unique=True)
    source_id: str = ""
    """The candidate's id as the pool's table writes it; empty where that has no ids."""
    standard_deviation: float | None = None
    """Standard uncertainty of the value; null where none is known."""
    details: str = Field(default="", sa_column=Column(Text, nullable=False))
    """What came with the value, as a JSON object: other quantities, replicates, conditions, remarks and links to raw
    files; empty where nothing did."""
    fidelity: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """The method that measured it; empty for the lab's usual one."""
    replicate: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """Which repetition by that method it is, from 0."""


class RequestRow(SQLModel, table=True):
    """One attempt. `outcome` is empty while it is awaited."""

    __tablename__ = "request"

    attempt_id: str = Field(primary_key=True)
    candidate_id: str = Field(index=True)
    decision: int
    attempt: int
    recipient: str
    sequence: int = Field(sa_column=Column(BigInteger, nullable=False))
    outcome: str = ""
    closed_sequence: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    source_id: str = ""
    """As of an observation: what the request says."""
    family: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """Of the candidate: the journal tells it of none."""


class BiasPointRow(SQLModel, table=True):
    """The bias figures after one observation; observation 0 is the start set."""

    __tablename__ = "bias_point"

    observation: int = Field(primary_key=True)
    sequence: int = Field(sa_column=Column(BigInteger, nullable=False))
    entropy_range: float | None = None
    entropy_std: float | None = None
    mean_gap: float | None = None
    starved_family: str | None = None
    evenness: float | None = None
    coverage: float = Field(default=0.0, sa_column_kwargs={"server_default": "0"})
    joint_entropy: float | None = None
    declared: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """The metrics that the policy declares, as a JSON object by name; empty where it declares none."""
    spent: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default="0"))
    """What all that had their outcome by then had taken of the budget."""


class BiasFamilyRow(SQLModel, table=True):
    """Size and entropy of a family from this observation on; a family has a row only where it changed."""

    __tablename__ = "bias_family"

    observation: int = Field(primary_key=True)
    family: str = Field(primary_key=True)
    size: int
    entropy: float | None = None


class OutboxRow(SQLModel, table=True):
    """A request that waits for the broker's confirmation."""

    __tablename__ = "outbox"

    attempt_id: str = Field(primary_key=True)
    topic: str
    payload: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class QuarantineRow(SQLModel, table=True):
    """A message that was none of ours: digest, beginning, reason."""

    __tablename__ = "quarantine"

    row: int | None = Field(default=None, primary_key=True)
    received_at: str
    topic: str
    reason: str
    detail: str
    size_bytes: int
    digest: str
    prefix: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class MessageCountRow(SQLModel, table=True):
    """How many messages had which disposition, over all restarts."""

    __tablename__ = "message_count"

    disposition: str = Field(primary_key=True)
    count: int


class RecordingMarkRow(SQLModel, table=True):
    """Where the recording stood when a transaction was committed: its last row then, and that row's digest.

    The recording tells what came in, the journal what came of it; neither can be changed without the other.
    """

    __tablename__ = "recording_mark"

    row: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    digest: str
    before: int = Field(sa_column=Column(BigInteger, nullable=False))
    """Number of the journal's last row before the transaction."""
    sequence: int = Field(sa_column=Column(BigInteger, nullable=False))
    """The same after it."""
    recorded_at: str
    """As of the journal's rows of this transaction, and of what it put aside; empty where there is neither."""


class MigrationRow(SQLModel, table=True):
    """A migration that ran; written in the transaction of its change."""

    __tablename__ = "schema_migration"

    version: int = Field(primary_key=True)
    applied_at: str


def _table(model: type[SQLModel]) -> Table:
    return SQLModel.metadata.tables[str(model.__tablename__)]


META: Final = _table(CampaignMeta)
JOURNAL: Final = _table(JournalRow)
OBSERVATION: Final = _table(ObservationRow)
REQUEST: Final = _table(RequestRow)
BIAS_POINT: Final = _table(BiasPointRow)
BIAS_FAMILY: Final = _table(BiasFamilyRow)
OUTBOX: Final = _table(OutboxRow)
QUARANTINE: Final = _table(QuarantineRow)
MESSAGE_COUNT: Final = _table(MessageCountRow)
RECORDING_MARK: Final = _table(RecordingMarkRow)
MIGRATION: Final = _table(MigrationRow)

ALL_TABLES: Final = (
    META,
    JOURNAL,
    OBSERVATION,
    REQUEST,
    BIAS_POINT,
    BIAS_FAMILY,
    OUTBOX,
    QUARANTINE,
    MESSAGE_COUNT,
    RECORDING_MARK,
    MIGRATION,
)
"""The tables of this schema version, for the statements of `agent.store`."""
