"""What a recording holds of messages, for comparison: digests of what was asked and answered, receipts, reports."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from protocols.errors import MessageError
from protocols.recording.lines import IN, OUT, AnyRow, MessageRow, StartRow, TransactionRow
from protocols.wire.codec import decode
from protocols.wire.messages import (
    CampaignState,
    CandidateFailure,
    CandidateRequest,
    CandidateResult,
    ControlReceipt,
    MetricsReport,
    ResultReceipt,
)
from protocols.wire.topics import parse


@dataclass(frozen=True, slots=True)
class Heard:
    """One message: the row that it stands in, its topic, its id, a digest of its payload, and one of all but its id."""

    row: int
    topic: str
    message_id: str
    digest: bytes
    rest: bytes


@dataclass(slots=True)
class RecordedMessages:
    """Collects the messages of a recording.

    Attributes:
        requests: Attempt -> each message that asked for it.
        answers: Attempt -> each result and failure.
        receipts_sent: Attempt -> each receipt.
        row_of: Message id of a result or failure -> the first row that it stands in.
        receipts: Every receipt, with its row.
        control_receipts: Every receipt of a control, with its row.
        reports: Every metrics report, with its row.
        states: Every state of the campaign, with its row.
        asked: Every request with its row and recipient.
        starts: How many processes wrote the recording.
        has_gaps: Whether some messages that changed nothing were cut, or only counted.
        not_ours: The first row of what the agent sent that is no message of the protocol, and why.
    """

    requests: dict[str, list[Heard]] = field(default_factory=dict)
    answers: dict[str, list[Heard]] = field(default_factory=dict)
    receipts_sent: dict[str, list[Heard]] = field(default_factory=dict)
    row_of: dict[str, int] = field(default_factory=dict)
    receipts: list[tuple[int, ResultReceipt]] = field(default_factory=list)
    control_receipts: list[tuple[int, ControlReceipt]] = field(default_factory=list)
    reports: list[tuple[int, MetricsReport]] = field(default_factory=list)
    states: list[tuple[int, CampaignState]] = field(default_factory=list)
    asked: list[tuple[int, str, CandidateRequest]] = field(default_factory=list)
    starts: int = 0
    has_gaps: bool = False
    not_ours: tuple[int, str] | None = None

    def note(self, row: AnyRow) -> None:
        """Take in a row; what others sent that is no message of the protocol is passed over."""
        self.starts += isinstance(row, StartRow)
        if isinstance(row, TransactionRow):
            self.has_gaps = self.has_gaps or any("counted" in each for each in row.took)
        if not isinstance(row, MessageRow):
            return
        self.has_gaps = self.has_gaps or bool(row.verdict and row.cut_from_bytes)
        try:
            message = decode(row.topic, row.payload)
        except MessageError as error:
            if row.direction == OUT and self.not_ours is None:
                self.not_ours = (row.number, error.found)
            return
        heard = heard_of(row.number, row.topic, message.message_id, row.payload)
        match message:
            case CandidateRequest() if row.direction == OUT:
                self.requests.setdefault(message.attempt_id, []).append(heard)
                self.asked.append((row.number, str(parse(row.topic).client), message))
            case CandidateResult() | CandidateFailure() if row.direction == IN:
                self.answers.setdefault(message.attempt_id, []).append(heard)
                self.row_of.setdefault(message.message_id, row.number)
            case ResultReceipt() if row.direction == OUT:
                self.receipts_sent.setdefault(message.attempt_id, []).append(heard)
                self.receipts.append((row.number, message))
            case MetricsReport() | ControlReceipt() | CampaignState() if row.direction == OUT:
                self._note_said(row.number, message)
            case _:
                pass

    def _note_said(self, row: int, message: MetricsReport | ControlReceipt | CampaignState) -> None:
        """Note what the agent says to people."""
        match message:
            case MetricsReport():
                self.reports.append((row, message))
            case ControlReceipt():
                self.control_receipts.append((row, message))
            case CampaignState():  # pragma: no branch - the last of them, which mypy checks
                self.states.append((row, message))


def heard_of(row: int, topic: str, message_id: str, payload: bytes) -> Heard:
    """Return what is kept of a message."""
    return Heard(row, topic, message_id, digest_of(payload), rest_of(payload, message_id))


def rest_of(payload: bytes, message_id: str) -> bytes:
    """Return what tells all of a payload but its message id apart from every other one."""
    return digest_of(payload.replace(f'"message_id":"{message_id}"'.encode(), b""))


def digest_of(payload: bytes) -> bytes:
    """Return what tells a payload apart from every other one."""
    return hashlib.sha256(payload).digest()
