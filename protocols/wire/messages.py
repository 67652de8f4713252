"""Protocol v1: every message that travels, strict and bounded.

The models are the one source: the JSON Schemas and the AsyncAPI document in `protocols/schema` are generated from
them (`entropilot schema`). A message is refused when it has an unknown field, a number that is not finite, a text
or a list beyond its bound, or another protocol version.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from protocols.wire.limits import (
    MAX_ABS_VALUE,
    MAX_COUNT,
    MAX_DURATION_S,
    MAX_FAMILIES,
    MAX_ID_LENGTH,
    MAX_QUANTITIES,
    MAX_TEXT_LENGTH,
)
from protocols.wire.structure import CrystalStructure

ID_PATTERN = rf"^[a-z0-9][a-z0-9_-]{{0,{MAX_ID_LENGTH - 1}}}$"
"""Identifiers fit a topic level, a file name and a client id: no wildcard, no slash, no capital."""

Identifier = Annotated[str, Field(pattern=ID_PATTERN)]
Text = Annotated[str, Field(max_length=MAX_TEXT_LENGTH)]
Name = Annotated[str, Field(min_length=1, max_length=MAX_ID_LENGTH)]
Finite = Annotated[float, Field(ge=-MAX_ABS_VALUE, le=MAX_ABS_VALUE)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0, le=MAX_COUNT)]


class FailureReason(StrEnum):
    """Why an attempt gave no result."""

    INVALID_REQUEST = "invalid_request"
    """The request lacks what this simulator needs (a structure, say)."""
    UNSUPPORTED = "unsupported"
    """This simulator does not know the element, the property or the structure."""
    UNKNOWN_CANDIDATE = "unknown_candidate"
    """The oracle's table has no such candidate."""
    CALCULATION_FAILED = "calculation_failed"
    """The calculation ran and gave no usable answer."""
    DEADLINE_EXCEEDED = "deadline_exceeded"
    """The evaluation was stopped at its deadline."""
    CRASHED = "crashed"
    """The evaluating process ended by itself."""
    INTERRUPTED = "interrupted"
    """The simulator was restarted while it evaluated; it never evaluates an attempt twice."""


PERMANENT_FAILURES: frozenset[FailureReason] = frozenset(
    {FailureReason.INVALID_REQUEST, FailureReason.UNSUPPORTED, FailureReason.UNKNOWN_CANDIDATE}
)
"""Failures that another attempt cannot mend: the candidate is set aside at once."""


class Quantity(BaseModel):
    """One property with its unit."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    name: Name
    value: Finite
    unit: Annotated[str, Field(max_length=MAX_ID_LENGTH)]
    standard_deviation: Annotated[float, Field(ge=0, le=MAX_ABS_VALUE)] | None = None


class Message(BaseModel):
    """What every message carries."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    protocol: Literal[1] = 1
    campaign: Identifier
    message_id: Identifier
    sent_at: AwareDatetime


class CandidateRequest(Message):
    """Agent to simulator: evaluate this candidate. It carries all that an evaluation needs."""

    type: Literal["candidate_request"] = "candidate_request"
    attempt_id: Identifier
    candidate_id: Identifier
    decision: Count
    attempt: Annotated[int, Field(ge=1, le=MAX_COUNT)]
    family: Name
    formula: Annotated[str, Field(max_length=MAX_TEXT_LENGTH)] = ""
    structure: CrystalStructure | None = None
    properties: Annotated[tuple[Name, ...], Field(min_length=1, max_length=MAX_QUANTITIES)]
    deadline_s: Annotated[float, Field(gt=0, le=MAX_DURATION_S)]


class CandidateResult(Message):
    """Simulator to agent: the measured properties of an attempt. Repeated until its receipt."""

    type: Literal["candidate_result"] = "candidate_result"
    attempt_id: Identifier
    candidate_id: Identifier
    simulator: Identifier
    quantities: Annotated[tuple[Quantity, ...], Field(min_length=1, max_length=MAX_QUANTITIES)]
    duration_s: Annotated[float, Field(ge=0, le=MAX_DURATION_S)]


class CandidateFailure(Message):
    """Simulator to agent: an attempt gave no result. Repeated until its receipt."""

    type: Literal["candidate_failure"] = "candidate_failure"
    attempt_id: Identifier
    candidate_id: Identifier
    simulator: Identifier
    reason: FailureReason
    detail: Text = ""


class ReceiptStatus(StrEnum):
    """What became of a result or a failure."""

    ACCEPTED = "accepted"
    """It is in the journal, and a result is in the dataset."""
    DUPLICATE = "duplicate"
    """It was in the journal already; nothing changed."""
    LATE = "late"
    """It came after the candidate was closed; kept in the journal for audit, not in the dataset."""
    REFUSED = "refused"
    """The result breaks its contract (property, unit, range); the attempt counts as failed, in the journal."""


class ResultReceipt(Message):
    """Agent to simulator: your result or failure is committed; stop repeating it."""

    type: Literal["result_receipt"] = "result_receipt"
    attempt_id: Identifier
    simulator: Identifier
    status: ReceiptStatus
    detail: Text = ""


class FamilyBias(BaseModel):
    """Size and entropy of one family."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    family: Name
    size: Count
    entropy: Finite | None = None
    """Differential entropy [nat]; None where the campaign's estimator does not define it (no value, at least)."""
    entropy_low: Finite | None = None
    """Lower end of its 90 % band [nat]; None where there is none (fewer than five values), or none is told."""
    entropy_high: Finite | None = None
    """Upper end of the same [nat]."""


class BiasReport(Message):
    """Agent to everybody, retained: how even the dataset is now."""

    type: Literal["bias_report"] = "bias_report"
    step: Count
    property: Name
    unit: Annotated[str, Field(max_length=MAX_ID_LENGTH)]
    families: Annotated[tuple[FamilyBias, ...], Field(max_length=MAX_FAMILIES)]
    entropy_range: Finite | None = None
    entropy_std: Finite | None = None
    mean_gap: Finite | None = None
    poorest_family: Name | None = None
    evenness: Share | None = None
    coverage: Share | None = None


class Health(StrEnum):
    """State of a client in its retained status."""

    ONLINE = "online"
    OFFLINE = "offline"


class Status(Message):
    """A client's retained status; its last will says `offline`. A hint, never a command.

    An agent also says which one it is: two that run the same campaign on one broker then notice each other, and one
    of them ends.
    """

    type: Literal["status"] = "status"
    client: Identifier
    role: Literal["agent", "simulator"]
    health: Health
    detail: Text = ""
    instance: Identifier | None = None
    """Names the run folder that an agent works in, the same after every restart."""
    incumbent: bool = False
    """Whether this agent has been connected for a while: a newcomer gives way to it."""


class ControlAction(StrEnum):
    """What an operator can ask for."""

    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    ADD_OBSERVATION = "add_observation"
    EXCLUDE_CANDIDATE = "exclude_candidate"


class Control(Message):
    """Operator to agent. A control is carried out once: its message id is remembered."""

    type: Literal["control"] = "control"
    action: ControlAction
    candidate_id: Identifier | None = None
    quantity: Quantity | None = None
    reason: Text = ""


AnyMessage = CandidateRequest | CandidateResult | CandidateFailure | ResultReceipt | BiasReport | Status | Control
"""Every message of protocol v1."""

MESSAGE_TYPES: tuple[type[Message], ...] = (
    CandidateRequest,
    CandidateResult,
    CandidateFailure,
    ResultReceipt,
    BiasReport,
    Status,
    Control,
)


def cut(text: str) -> str:
    """Shorten a free text to what a message may carry."""
    return text if len(text) <= MAX_TEXT_LENGTH else text[: MAX_TEXT_LENGTH - 1] + "…"
