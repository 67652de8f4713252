"""Protocol v1: every message that travels, strict and bounded.

The models are the one source: the JSON Schemas and the AsyncAPI document in `protocols/schema` are generated from
them (`entropilot schema`). A message is refused when it has an unknown field, a number that is not finite, a text
or a list beyond its bound, or another protocol version.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from protocols.wire.limits import (
    MAX_ABS_VALUE,
    MAX_ADDED_RESULTS,
    MAX_AWAITING_APPROVAL,
    MAX_COUNT,
    MAX_DURATION_S,
    MAX_ELEMENTS,
    MAX_FAMILIES,
    MAX_FEATURES,
    MAX_FIDELITIES,
    MAX_ID_LENGTH,
    MAX_NEW_CANDIDATES,
    MAX_PARAMETERS,
    MAX_PROVENANCE,
    MAX_QUANTITIES,
    MAX_RAW_FILES,
    MAX_REMARK_LENGTH,
    MAX_REPLICATES,
    MAX_SENT_FEATURES,
    MAX_SERVED,
    MAX_SLOTS,
    MAX_SOURCE_ID_LENGTH,
    MAX_TEXT_LENGTH,
)
from protocols.wire.molecule import Molecule, Smiles
from protocols.wire.structure import CrystalStructure

ID_PATTERN = rf"^[a-z0-9][a-z0-9_-]{{0,{MAX_ID_LENGTH - 1}}}$"
"""Identifiers fit a topic level, a file name and a client id: no wildcard, no slash, no capital."""

DIGEST_PATTERN = r"^[0-9a-f]{64}$"
"""SHA-256 in hexadecimal digits."""

SOURCE_ID_PATTERN = r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]+$"
"""What people call their candidates: any Unicode on one line, without control characters."""

Identifier = Annotated[str, Field(pattern=ID_PATTERN)]
SourceId = Annotated[str, Field(pattern=SOURCE_ID_PATTERN, max_length=MAX_SOURCE_ID_LENGTH)]
Text = Annotated[str, Field(max_length=MAX_TEXT_LENGTH)]
Name = Annotated[str, Field(min_length=1, max_length=MAX_ID_LENGTH)]
Finite = Annotated[float, Field(ge=-MAX_ABS_VALUE, le=MAX_ABS_VALUE)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0, le=MAX_COUNT)]
Remark = Annotated[str, Field(max_length=MAX_REMARK_LENGTH)] | Finite
Unit = Annotated[str, Field(max_length=MAX_ID_LENGTH)]
OneLine = Annotated[str, Field(pattern=SOURCE_ID_PATTERN, max_length=MAX_TEXT_LENGTH)]


class FailureReason(StrEnum):
    """Why an attempt gave no result."""

    INVALID_REQUEST = "invalid_request"
    """The request lacks what this simulator needs (a structure, say)."""
    UNREADABLE_REQUEST = "unreadable_request"
    """The simulator could not read the request: it was damaged on the way, or is of another version."""
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
"""Failures that another attempt cannot fix: the candidate is abandoned at once."""


class Strict(BaseModel):
    """What a message is made of: an unknown field, or a value beyond its bounds, is refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


class Quantity(Strict):
    """One property with its unit."""

    name: Name
    """Name of the property."""
    value: Finite
    """Its value, in `unit`."""
    unit: Unit
    """Unit, written as the campaign writes it, such as eV/atom."""
    standard_deviation: Annotated[float, Field(ge=0, le=MAX_ABS_VALUE)] | None = None
    """Standard uncertainty of the value, in `unit`; null or absent where not known."""


class WantedProperty(Strict):
    """A property that is asked for."""

    name: Name
    """Name of the property."""
    unit: Unit
    """The unit in which its value is expected; a result in another one is refused."""


class RawFile(Strict):
    """Where a file with raw measurements is kept, and how to tell that it is still the same."""

    name: Name
    """What it is called, such as `spectrum.csv`."""
    uri: OneLine
    """Where it is: a URI, or a path that the lab understands. Nobody opens it."""
    sha256: Annotated[str, Field(pattern=DIGEST_PATTERN)] | None = None
    """Digest of its content; null or absent where the lab has none."""
    size_bytes: Count | None = None
    """Its size [byte]; null or absent where it is not told."""


Replicates = Annotated[tuple[Finite, ...], Field(max_length=MAX_REPLICATES)]
Conditions = Annotated[tuple[Quantity, ...], Field(max_length=MAX_QUANTITIES)]
Remarks = Annotated[dict[Name, Remark], Field(max_length=MAX_PROVENANCE)]
RawFiles = Annotated[tuple[RawFile, ...], Field(max_length=MAX_RAW_FILES)]


class Message(Strict):
    """What every message carries."""

    protocol: Literal[1] = 1
    """Version of the protocol. A message of another version is quarantined, not guessed at."""
    campaign: Identifier
    """The campaign; the same as the campaign level of the topic."""
    message_id: Identifier
    """Names the message for ever: a repetition carries the same one."""
    sent_at: AwareDatetime
    """When the sender wrote it: RFC 3339 with an offset. A label, but for a control: one of before the campaign began
    is not obeyed."""


class CandidateRequest(Message):
    """Agent to simulator: evaluate this candidate. It carries all that an evaluation needs."""

    type: Literal["candidate_request"] = "candidate_request"
    """Which message this is."""
    attempt_id: Identifier
    """Names the attempt for ever. It is evaluated at most once, however often it is requested."""
    candidate_id: Identifier
    """The candidate to evaluate."""
    source_id: SourceId | None = None
    """The candidate's id exactly as the campaign's table writes it; null or absent where that has no column of ids."""
    decision: Count
    """Number of the decision that chose the candidate."""
    attempt: Annotated[int, Field(ge=1, le=MAX_COUNT)]
    """Which attempt at this candidate it is, from 1."""
    family: Name
    """The group whose coverage the campaign balances; a label for the lab."""
    formula: Annotated[str, Field(max_length=MAX_TEXT_LENGTH)] = ""
    """Chemical formula; a label for the lab."""
    structure: CrystalStructure | None = None
    """The crystal; null or absent where the candidate is none, or the lab knows it by its id alone."""
    molecule: Molecule | None = None
    """The molecule; null or absent where the candidate is none."""
    parameters: Annotated[tuple[Quantity, ...], Field(max_length=MAX_PARAMETERS)] = ()
    """What to set: the columns of numbers that the campaign names, each with its unit; empty or absent where it names
    none."""
    labels: Annotated[dict[Name, OneLine], Field(max_length=MAX_PARAMETERS)] = Field(default_factory=dict)
    """What to take: the columns of words that the campaign names; empty or absent where it names none."""
    features: Annotated[tuple[Quantity, ...], Field(max_length=MAX_SENT_FEATURES)] = ()
    """What the campaign's policy knows the candidate by, where the campaign sends it (`campaign.send_features`)."""
    fidelity: Name | None = None
    """Which of the lab's methods is meant; null or absent: its usual one."""
    properties: Annotated[tuple[Name, ...], Field(min_length=1, max_length=MAX_QUANTITIES)]
    """Names of the properties wanted."""
    wanted: Annotated[tuple[WantedProperty, ...], Field(max_length=MAX_QUANTITIES)] = ()
    """The same properties with their units; empty or absent from agents of before this field."""
    replicate: Count = 0
    """Which repetition of the measurement is meant, from 0; absent: the first."""
    deadline_s: Annotated[float, Field(gt=0, le=MAX_DURATION_S)]
    """Time that the evaluation may take from its beginning [s]."""
    weight: Annotated[float, Field(ge=1e-6, le=1e6)] | None = None
    """Share of the campaign in an instrument that several ask, beside the weights of the others; null or absent: 1."""

    @model_validator(mode="after")
    def _of_one_kind(self) -> Self:
        if self.structure is not None and self.molecule is not None:
            raise ValueError("a candidate is a crystal or a molecule, not both")
        return self


class CandidateResult(Message):
    """Simulator to agent: the measured properties of an attempt. Repeated until its receipt."""

    type: Literal["candidate_result"] = "candidate_result"
    """Which message this is."""
    attempt_id: Identifier
    """The attempt that this answers, copied from the request."""
    candidate_id: Identifier
    """The candidate that was evaluated, copied from the request."""
    simulator: Identifier
    """Who evaluated; the same as the last level of the topic."""
    quantities: Annotated[tuple[Quantity, ...], Field(min_length=1, max_length=MAX_QUANTITIES)]
    """What was measured: the properties asked for, and others if there are any."""
    replicates: Replicates = ()
    """Single measurements behind the value of the first property asked for, in its unit: the value is their mean, or
    what else the lab makes of them. Where it comes without a standard deviation, that of their mean counts."""
    conditions: Conditions = ()
    """What it was measured at: what was really set, and what stood on other instruments meanwhile."""
    remarks: Remarks = Field(default_factory=dict)
    """Whatever else the lab tells, remark by remark."""
    files: RawFiles = ()
    """Where raw measurements are kept."""
    structure: CrystalStructure | None = None
    """The crystal as it ended, relaxed, say; null or absent where the lab does not tell."""
    duration_s: Annotated[float, Field(ge=0, le=MAX_DURATION_S)]
    """How long the evaluation took [s]."""
    provenance: Annotated[dict[Name, Remark], Field(max_length=MAX_PROVENANCE)] | None = None
    """How it was measured, remark by remark: method, parameters, what was done, versions of programs; null or absent
    where the lab does not say."""


class CandidateFailure(Message):
    """Simulator to agent: an attempt gave no result. Repeated until its receipt."""

    type: Literal["candidate_failure"] = "candidate_failure"
    """Which message this is."""
    attempt_id: Identifier
    """The attempt that this answers, copied from the request."""
    candidate_id: Identifier
    """The candidate that was not evaluated, copied from the request."""
    simulator: Identifier
    """Who answers; the same as the last level of the topic."""
    reason: FailureReason
    """Why there is no result."""
    detail: Text = ""
    """The reason in words, for people."""


class ReceiptStatus(StrEnum):
    """What became of a result or a failure."""

    ACCEPTED = "accepted"
    """It is in the journal, and a result is in the dataset."""
    DUPLICATE = "duplicate"
    """It was in the journal already; nothing changed."""
    CONTRADICTS = "contradicts"
    """The journal holds another result of this attempt, which stays; this one is in the journal as a contradiction."""
    LATE = "late"
    """Nobody waits for it: another value came first, say, or the campaign is over. A result is kept for audit."""
    REFUSED = "refused"
    """It cannot be used, and `detail` says why; a corrected one is welcome, in a message of its own id."""
    WITHDRAWN = "withdrawn"
    """Nobody waits for this attempt any more, says the agent by itself: whoever has not begun it leaves it."""


class ResultReceipt(Message):
    """Agent to simulator: your result or failure is committed; stop repeating it."""

    type: Literal["result_receipt"] = "result_receipt"
    """Which message this is."""
    attempt_id: Identifier
    """The attempt whose result or failure is committed."""
    simulator: Identifier
    """Whom the receipt is for; the same as the last level of the topic."""
    status: ReceiptStatus
    """What became of it. Each of them ends the repetition."""
    detail: Text = ""
    """The reason in words, for people; empty where there is nothing to explain."""
    answers: Identifier | None = None
    """Message id of the result or failure that this is the receipt of; null or absent where it is of none."""
    row: Count | None = None
    """Number of the journal's last row when the receipt was written; null or absent where it is not told."""
    digest: Annotated[str, Field(pattern=DIGEST_PATTERN)] | None = None
    """Digest of that row, which stands for all rows up to it: whoever keeps it can tell later whether the journal was
    changed; null or absent as `row`."""


class FamilyBias(Strict):
    """Size and entropy of one family."""

    family: Name
    """Name of the family."""
    size: Count
    """Observations in the dataset."""
    entropy: Finite | None = None
    """Differential entropy of their values [nat]; null or absent where there is none (no value, say)."""
    entropy_low: Finite | None = None
    """Lower end of its 90 % band [nat]; null or absent where there is none (fewer than five observations), or the
    families are too many."""
    entropy_high: Finite | None = None
    """Upper end of its 90 % band [nat]; as `entropy_low`."""


class MetricValue(Strict):
    """A metric that the campaign's policy declares."""

    name: Name
    """Name of the metric."""
    value: Finite | None = None
    """Its value, in `unit`; null or absent where it is not defined."""
    unit: Unit = ""
    """Its unit; empty of a pure number."""
    lower_is_better: bool
    """Which way is good."""


class MetricsReport(Message):
    """Agent to everybody, retained: what the dataset is like now, in the metrics that the campaign keeps."""

    type: Literal["metrics_report"] = "metrics_report"
    """Which message this is."""
    observation: Count
    """Number of the observation that made this point of the bias trajectory; 0 is the start set."""
    property: Name
    """The property whose values the entropies are of."""
    unit: Unit
    """Unit of the property."""
    families: Annotated[tuple[FamilyBias, ...], Field(max_length=MAX_FAMILIES)]
    """Every family of the pool."""
    entropy_range: Finite | None = None
    """Largest less smallest defined entropy [nat]; absent or null with fewer than two."""
    entropy_std: Finite | None = None
    """Population standard deviation of the defined ones [nat]; absent or null with fewer than two."""
    mean_gap: Finite | None = None
    """Mean distance of the defined ones to the largest [nat]; absent or null with fewer than two."""
    starved_family: Name | None = None
    """The starved family, to be enriched first: one without a defined entropy, or the one of smallest entropy."""
    evenness: Share | None = None
    """Pielou's evenness of the effective widths exp(entropy), from 0 to 1, all alike; absent or null with fewer than
    two."""
    coverage: Share | None = None
    """Share of the families that have at least five observations; absent where it is not told."""
    row: Count | None = None
    """Number of the journal's last row when the report was written; null or absent where it is not told."""
    digest: Annotated[str, Field(pattern=DIGEST_PATTERN)] | None = None
    """Digest of that row, as in a receipt."""
    joint_entropy: Finite | None = None
    """Entropy of family and value together [nat], of the families with a defined entropy; absent or null where there is
    none, or it is not told. Evenness that falls on the richest family lowers it."""
    declared: Annotated[tuple[MetricValue, ...], Field(max_length=MAX_QUANTITIES)] = ()
    """The metrics that the campaign's policy declares beside these; empty or absent where it declares none."""


class Health(StrEnum):
    """State of a client in its retained status."""

    ONLINE = "online"
    OFFLINE = "offline"


class Status(Message):
    """A client's retained status; its last will says `offline`. A hint, never a command.

    Agents and our instruments also say which one they are: two of one name on one broker then notice each other, and
    one of them ends. An empty message in its place says that the campaign is over, and what it retained is removed.
    """

    type: Literal["status"] = "status"
    """Which message this is."""
    client: Identifier
    """Who it is about; the same as the last level of the topic."""
    role: Literal["agent", "simulator"]
    """What the client is."""
    health: Health
    """How it is."""
    detail: Text = ""
    """More in words, for people."""
    instance: Identifier | None = None
    """Names its run folder or memory, the same after every restart; absent from who does not settle with others of its
    name."""
    incumbent: bool = False
    """Whether it has been connected for a while. Of two of one name a newcomer gives way to an incumbent, and among
    equals the greater `instance` to the lesser."""


class ServedProperty(Strict):
    """A property that an instrument can measure."""

    name: Name
    """Name of the property, as requests name it."""
    unit: Annotated[str, Field(max_length=MAX_ID_LENGTH)]
    """Unit in which it is reported."""


class ServedRange(Strict):
    """The values that a parameter of a candidate may have at an instrument."""

    name: Name
    """Name of the parameter."""
    unit: Annotated[str, Field(max_length=MAX_ID_LENGTH)] = ""
    """Its unit; empty of a pure number."""
    low: Finite
    """Smallest value, in `unit`."""
    high: Finite
    """Largest value, in `unit`; below `low` nothing fits."""


class Capabilities(Message):
    """What an instrument can do, retained: said at every connect, and again when the agent asks.

    An instrument that serves every campaign says it on the topic of `every-campaign`.
    """

    type: Literal["capabilities"] = "capabilities"
    """Which message this is."""
    simulator: Identifier
    """Whose they are; the same as the last level of the topic."""
    simulated: bool = False
    """Whether it only calculates or looks up; absent of one that moves something."""
    properties: Annotated[tuple[ServedProperty, ...], Field(min_length=1, max_length=MAX_SERVED)] | None = None
    """What it measures; null or absent where it does not say, and is asked for anything."""
    fidelities: Annotated[tuple[Name, ...], Field(max_length=MAX_FIDELITIES)] | None = None
    """The methods that may be asked for by name; null or absent where it does not say, empty where there is its usual
    one alone."""
    elements: Annotated[tuple[Name, ...], Field(min_length=1, max_length=MAX_ELEMENTS)] | None = None
    """Symbols of the chemical elements that it takes; null or absent where it takes any, or has to do with none."""
    parameters: Annotated[tuple[ServedRange, ...], Field(max_length=MAX_QUANTITIES)] = ()
    """The ranges that it can do; a parameter that is not named may have any value."""
    slots: Annotated[int, Field(ge=1, le=MAX_SLOTS)]
    """How many candidates it works on at once."""
    expected_s: Annotated[float, Field(gt=0, le=MAX_DURATION_S)] | None = None
    """How long one is expected to take [s]; null or absent where it does not say. What is measured counts for more."""


class CapabilitiesRequest(Message):
    """Agent to all instruments, not retained: say again what you can do, and that you are there."""

    type: Literal["capabilities_request"] = "capabilities_request"
    """Which message this is."""


class ControlAction(StrEnum):
    """What an operator can ask for."""

    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    ADD_OBSERVATION = "add_observation"
    ADD_OBSERVATIONS = "add_observations"
    EXCLUDE_CANDIDATE = "exclude_candidate"
    REQUEUE_CANDIDATE = "requeue_candidate"
    ADD_CANDIDATES = "add_candidates"
    RETRACT_OBSERVATION = "retract_observation"
    AMEND_OBSERVATION = "amend_observation"
    APPROVE_DECISION = "approve_decision"
    VETO_DECISION = "veto_decision"
    SET_BUDGET = "set_budget"


class AddedCandidate(Strict):
    """A candidate that an operator adds to the pool."""

    candidate_id: Identifier
    """Its id, made of its content; none of the pool's."""
    family: Name
    """Its group; one of the pool's."""
    features: Annotated[tuple[Finite, ...], Field(max_length=MAX_FEATURES)]
    """A number for each feature of the pool, in its order."""
    formula: Text = ""
    """Chemical formula."""
    structure: CrystalStructure | None = None
    """The crystal; null or absent where the candidate is none."""
    smiles: Smiles | None = None
    """The molecule, by its SMILES; null or absent where the candidate is none."""
    parameters: Annotated[tuple[Quantity, ...], Field(max_length=MAX_PARAMETERS)] = ()
    """What an instrument sets to make it; a request carries it as it stands."""
    labels: Annotated[dict[Name, OneLine], Field(max_length=MAX_PARAMETERS)] = Field(default_factory=dict)
    """What an instrument takes to make it, in words; likewise."""
    parent: Identifier | None = None
    """The candidate of the pool that it was made of; null or absent where it was made of none."""
    origin: Text = ""
    """How it came about, for people."""


class AddedResult(Strict):
    """A value of before or of elsewhere that an operator adds; one of several."""

    candidate_id: Identifier | None = None
    """Whose it is; null or absent where `source_id` says so."""
    source_id: SourceId | None = None
    """The candidate's id exactly as the campaign's table writes it; null or absent where `candidate_id` says so."""
    quantity: Quantity
    """The value of the campaign's property."""
    additional: Annotated[tuple[Quantity, ...], Field(max_length=MAX_QUANTITIES)] = ()
    """Values of the properties that the campaign balances beside it; empty or absent where there are none."""


class Control(Message):
    """Operator to agent. A control is carried out once: its message id is remembered.

    One that was sent before the campaign began, or that the broker kept (its retain flag is set), is not carried out.
    """

    type: Literal["control"] = "control"
    """Which message this is."""
    action: ControlAction
    """What to do."""
    operator: Identifier | None = None
    """Who asks; the same as the last level of the topic, and null or absent on the topic without that level, where
    nobody gets a receipt."""
    candidate_id: Identifier | None = None
    """The candidate, for the actions that are about one, unless `source_id` names it."""
    source_id: SourceId | None = None
    """The candidate's id exactly as the campaign's table writes it, in place of `candidate_id`."""
    quantity: Quantity | None = None
    """A value: the one measured manually, of `add_observation`; the right one, of `amend_observation`, which may be of
    any property that the campaign balances."""
    additional: Annotated[tuple[Quantity, ...], Field(max_length=MAX_QUANTITIES)] = ()
    """For `add_observation`, values of the properties that the campaign balances beside the first."""
    quantities: Annotated[tuple[AddedResult, ...], Field(max_length=MAX_ADDED_RESULTS)] | None = None
    """The values that `add_observations` adds, all or none of them; unused by the others."""
    candidates: Annotated[tuple[AddedCandidate, ...], Field(max_length=MAX_NEW_CANDIDATES)] | None = None
    """The new candidates; needed by `add_candidates`, unused by the others."""
    decision: Count | None = None
    """Number of the decision; needed by `approve_decision` and `veto_decision`, unused by the others."""
    budget: Count | None = None
    """What may be requested in all, in the unit of the campaign's budget; needed by `set_budget`, unused by others."""
    reason: Text = ""
    """Why, for the journal."""


class ControlStatus(StrEnum):
    """What became of a control."""

    ACCEPTED = "accepted"
    """It is carried out and in the journal, or asks for what is so already."""
    DUPLICATE = "duplicate"
    """It was carried out before, under the same message id; nothing changed, and `row` is that of the first time."""
    REFUSED = "refused"
    """It cannot be carried out, and `detail` says why; nothing changed but a note of the refusal."""


class ControlReceipt(Message):
    """Agent to operator: what became of your control. It is committed; a repeated control is answered again."""

    type: Literal["control_receipt"] = "control_receipt"
    """Which message this is."""
    operator: Identifier
    """Whom the receipt is for; the same as the last level of the topic."""
    answers: Identifier | None = None
    """Message id of the control; null or absent where it has none that can be told."""
    action: ControlAction | None = None
    """What it asked for; null or absent where that could not be read."""
    status: ControlStatus
    """What became of it."""
    detail: Text = ""
    """The reason in words, for people; empty where there is nothing to explain."""
    row: Count | None = None
    """Number of the journal's row that the control made, the first of them; null or absent where it made none."""
    digest: Annotated[str, Field(pattern=DIGEST_PATTERN)] | None = None
    """Digest of that row, which stands for all rows up to it; null or absent as `row`."""


class CampaignPhase(StrEnum):
    """Where a campaign is in its life."""

    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    FINISHED = "finished"


class CampaignState(Message):
    """Agent to everybody, retained: where the campaign stands. It stays when the campaign is finished."""

    type: Literal["campaign_state"] = "campaign_state"
    """Which message this is."""
    phase: CampaignPhase
    """Where it is in its life."""
    reason: Text = ""
    """Why it is paused, stopped or finished, or what it waits for; empty where it just runs."""
    since: AwareDatetime | None = None
    """When that began, by the agent's clock; null or absent where it is not known."""
    budget: Count
    """What may be requested in all: candidates, or where measurements have costs, these."""
    spent: Count
    """Of that, what has its outcome, what was abandoned too."""
    in_flight: Count
    """Requests that are awaited now."""
    abandoned: Count
    """Candidates that were abandoned."""
    decision: Count
    """Decisions made so far; the next one has this number."""
    observation: Count
    """Number of the last point of the bias trajectory, as in the metrics report; 0 is the start set."""
    awaiting_approval: Annotated[tuple[Count, ...], Field(max_length=MAX_AWAITING_APPROVAL)] = ()
    """Numbers of the decisions that wait for an operator's approval."""
    budget_unit: Literal["candidates", "units of cost"] = "candidates"
    """What `budget` and `spent` count; absent: candidates."""
    weight: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    """Its share of a lab that several campaigns use, beside the weights of the others."""
    row: Count | None = None
    """Number of the journal's last row when this was written; null or absent where it is not told."""
    digest: Annotated[str, Field(pattern=DIGEST_PATTERN)] | None = None
    """Digest of that row, as in a receipt."""


AnyMessage = (
    CandidateRequest
    | CandidateResult
    | CandidateFailure
    | ResultReceipt
    | MetricsReport
    | Status
    | Control
    | ControlReceipt
    | CampaignState
    | Capabilities
    | CapabilitiesRequest
)
"""Every message of protocol v1."""

MESSAGE_TYPES: tuple[type[Message], ...] = (
    CandidateRequest,
    CandidateResult,
    CandidateFailure,
    ResultReceipt,
    MetricsReport,
    Status,
    Control,
    ControlReceipt,
    CampaignState,
    Capabilities,
    CapabilitiesRequest,
)


def cut(text: str) -> str:
    """Shorten a free text to what a message may carry."""
    return text if len(text) <= MAX_TEXT_LENGTH else text[: MAX_TEXT_LENGTH - 1] + "…"
