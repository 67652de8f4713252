"""What one transaction writes, and what of the journal's end is told to others: plain values, no SQL."""

from __future__ import annotations

from dataclasses import dataclass

from agent.campaign.events import Event
from agent.campaign.ledger import TrajectoryPoint


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
