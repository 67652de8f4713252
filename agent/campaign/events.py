"""What can happen to a campaign. An event is a fact in the past tense; the journal is the ordered list of them.

Events hold plain values only, so that one written today is read by every later version. A new event is a class here,
listed in `Event`; its row in `agent.campaign.event_descriptions` (words, log line, what it does to the views); and its
row in the fold of `agent.campaign.state`, which says what it changes in the campaign.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self, get_args

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from agent.campaign.lab.abilities import Abilities
from agent.campaign.plan import CampaignPlan
from agent.pool.growth import NewCandidate
from agent.pool.limits.settings import AskingLimits
from protocols.errors import StoreError
from protocols.tables.account import Account
from protocols.wire.structure import CrystalStructure

MAX_REASON_LENGTH: Final = 300
"""Longest reason kept in an event [character]."""


@dataclass(frozen=True, slots=True)
class MeasuredQuantity:
    """A reported quantity."""

    name: str
    value: float
    unit: str
    standard_deviation: float | None = None


@dataclass(frozen=True, slots=True)
class RawFileLink:
    """Where a file with raw measurements is kept."""

    name: str
    uri: str
    sha256: str | None = None
    """Digest of its content; None where the lab told none."""
    size_bytes: int | None = None
    """Its size [byte]; None where the lab told none."""


@dataclass(frozen=True, slots=True)
class CampaignStarted:
    """The first event of every journal."""

    plan: CampaignPlan
    versions: Mapping[str, str] = field(default_factory=dict)
    reading: Account = ()
    """What of the pool's table was not taken as it stands; nothing where all was, or the pool is of no table."""
    began_at: AwareDatetime | None = None
    """When it began, by the agent's clock: an order of before is of another campaign. Journals of old do not say it."""


@dataclass(frozen=True, slots=True)
class StartSetLoaded:
    """The observations that the campaign begins with."""

    candidate_ids: tuple[str, ...]
    values: tuple[float, ...]
    additional: tuple[tuple[float, ...], ...] = ()
    """Values of the additional properties, a row for each candidate; nothing where there are none."""
    uncertainties: tuple[tuple[float, ...], ...] = ()
    """Standard uncertainties of the property and the additional ones, a row for each candidate, 0 where none is known;
    nothing where none is known of any."""

    @classmethod
    def of(
        cls,
        start: Sequence[tuple[str, float]],
        additional: Sequence[tuple[float, ...]],
        uncertainties: Sequence[tuple[float, ...]] = (),
    ) -> Self:
        """Return the event for candidate ids with their values, the additional values of each, and how well known."""
        ids, values = (tuple(column) for column in zip(*start, strict=True)) if start else ((), ())
        return cls(ids, values, tuple(additional), tuple(uncertainties))

    def rows(self) -> Iterator[tuple[str, float, tuple[float, ...]]]:
        """Yield candidate id, value and additional values."""
        additional = self.additional or ((),) * len(self.values)
        yield from zip(self.candidate_ids, self.values, additional, strict=True)


@dataclass(frozen=True, slots=True)
class DecisionMade:
    """The policy chose candidates, on the ground of the journal up to `based_on`.

    Those of `added` join the pool first. They are part of the decision, and of no event of their own: nobody can know
    of one without the other, and whoever asks the policy again gets both to compare.
    """

    decision: int
    seed: int
    based_on: int
    policy: str
    fingerprint: str
    candidate_ids: tuple[str, ...]
    scores: tuple[float | None, ...]
    reason: str
    runner_up: str | None = None
    runner_up_score: float | None = None
    target_family: str | None = None
    details: Mapping[str, float] = field(default_factory=dict)
    added: tuple[NewCandidate, ...] = ()
    held: bool = False
    """Whether it waits for an operator's approval, which issues its requests; journals of old know no such thing."""


@dataclass(frozen=True, slots=True)
class PolicyExhausted:
    """The policy had nothing more to ask for, and is never asked again; what is in flight is awaited as ever.

    `decision` is the one that it did not make, on the ground of the journal up to `based_on`.
    """

    decision: int
    seed: int
    based_on: int
    policy: str
    fingerprint: str
    reason: str
    details: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BecameEven:
    """The mean gap came within the tolerance at this observation [nat]."""

    observation: int
    mean_gap: float
    tolerance: float


@dataclass(frozen=True, slots=True)
class GapStalled:
    """A warning: the best mean gap has not fallen by `gain` since an observation long ago, and it is not even [nat]."""

    observation: int
    mean_gap: float
    since: int
    best: float
    best_observation: int
    gain: float


@dataclass(frozen=True, slots=True)
class StopRuleFired:
    """A rule of `[campaign.stop]` found what it waits for, in what a decision may look at.

    With `policy` the rest of the budget is decided by it; without one nothing more is asked, and what is in flight is
    awaited. `acquired` counts the results that the next decision may look at, and `mean_gap` is that of them [nat].
    """

    rule: str
    acquired: int
    mean_gap: float
    reason: str
    policy: str = ""


@dataclass(frozen=True, slots=True)
class RequestIssued:
    """An attempt was addressed to a recipient; its id names it for ever."""

    attempt_id: str
    candidate_id: str
    decision: int
    attempt: int
    recipient: str
    source_id: str = ""
    """The candidate's id as the pool's table writes it; empty where that has no ids."""
    takes: Mapping[str, float] = field(default_factory=dict)
    """What it takes of each stock, and costs, by name [their units]; nothing where none is counted."""


@dataclass(frozen=True, slots=True)
class RequestDeferred:
    """A candidate is chosen and nobody is asked for it yet: no instrument that can serve it has a free slot, say."""

    candidate_id: str
    decision: int
    reason: str


@dataclass(frozen=True, slots=True)
class ResultAccepted:
    """The first valid result of a candidate, however late: an observation."""

    attempt_id: str
    candidate_id: str
    simulator: str
    value: float
    quantities: tuple[MeasuredQuantity, ...]
    duration_s: float
    provenance: Mapping[str, str | float] = field(default_factory=dict)
    """How it was measured, as the lab told it; nothing where it did not."""
    message_id: str = ""
    """Of the message that brought it; journals of old do not say it."""
    signed_by: str = ""
    """Who signed that message; empty where nobody did."""
    standard_deviation: float | None = None
    """Standard uncertainty of the value; None where none is known, and in journals of old (see `quantities`)."""
    replicates: tuple[float, ...] = ()
    """Single measurements behind the value, as the lab told them."""
    conditions: tuple[MeasuredQuantity, ...] = ()
    """What it was measured at."""
    remarks: Mapping[str, str | float] = field(default_factory=dict)
    """Whatever else the lab told."""
    files: tuple[RawFileLink, ...] = ()
    """Where raw measurements are kept."""
    structure: CrystalStructure | None = None
    """The crystal as it ended, as the lab told it."""

    def values_of(self, names: Sequence[str]) -> tuple[float, ...]:
        """Return the values of additional properties, by name."""
        return _values(self.quantities, names)

    def uncertainties_of(self, names: Sequence[str]) -> tuple[float, ...]:
        """Return the standard uncertainties that came with the values of properties, by name; 0 where none did."""
        return _uncertainties(self.quantities, names)


@dataclass(frozen=True, slots=True)
class LateResultKept:
    """A result that nobody waits for, and that is no candidate's first valid one: for audit, not for the dataset."""

    attempt_id: str
    candidate_id: str
    simulator: str
    quantities: tuple[MeasuredQuantity, ...]
    why: str
    message_id: str = ""
    """Of the message that brought it; journals of old do not say it."""
    signed_by: str = ""
    """Who signed that message; empty where nobody did."""
    refused: bool = False
    """Whether it breaks its contract, so that a corrected one is welcome; journals of old do not say it."""


@dataclass(frozen=True, slots=True)
class ResultContradicted:
    """A second result of an attempt says something else than the first, which stays: a fact, and a warning."""

    attempt_id: str
    candidate_id: str
    simulator: str
    quantities: tuple[MeasuredQuantity, ...]
    """What the second one says."""
    message_id: str = ""
    """Of the message that brought it."""
    signed_by: str = ""
    """Who signed that message; empty where nobody did."""


@dataclass(frozen=True, slots=True)
class AttemptFailed:
    """The lab reported a failure, or sent a result that breaks its contract."""

    attempt_id: str
    candidate_id: str
    simulator: str
    reason: str
    detail: str
    permanent: bool
    message_id: str = ""
    """Of the message that brought it; journals of old do not say it."""
    signed_by: str = ""
    """Who signed that message; empty where nobody did."""
    quantities: tuple[MeasuredQuantity, ...] = ()
    """What the refused result said; nothing of a failure, nor in journals of old."""


@dataclass(frozen=True, slots=True)
class RequestExpired:
    """No answer came within the deadline, or the recipient went away and the candidate is given to another."""

    attempt_id: str
    candidate_id: str
    costs_attempt: bool = True
    """Whether it counts as one of the candidate's attempts; not where its recipient was away."""


@dataclass(frozen=True, slots=True)
class InstrumentAnnounced:
    """A recipient said what it can do, and that was not known: requests are assigned by it from here on."""

    instrument: str
    abilities: Abilities
    said_at: AwareDatetime | None = None
    """When it said so, by its own clock."""
    signed_by: str = ""
    """Who signed its message; empty where nobody did."""


@dataclass(frozen=True, slots=True)
class InstrumentAway:
    """A recipient is away while others are there: they are asked in its place until it is back."""

    instrument: str
    reason: str


@dataclass(frozen=True, slots=True)
class InstrumentBack:
    """A recipient is there again: it is asked in its turn, and what nobody answered for comes back."""

    instrument: str


@dataclass(frozen=True, slots=True)
class CandidateAbandoned:
    """A candidate is abandoned; its unit of the budget is spent."""

    candidate_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class CandidateRequeued:
    """A candidate that was closed is open again.

    One that a decision chose is requested again and costs no further budget; any other may be chosen again. Without a
    `message_id` it is one that was abandoned only because no answer came.
    """

    candidate_id: str
    reason: str
    message_id: str | None = None
    operator: str = ""
    """Who asked for it, by the control's own word; empty where it does not say, or nobody did."""
    signed_by: str = ""
    """Who signed the control; empty where nobody did."""


@dataclass(frozen=True, slots=True)
class CandidateExcluded:
    """An operator ruled a candidate out."""

    candidate_id: str
    reason: str
    message_id: str
    operator: str = ""
    """Who asked for it, by the control's own word; empty where it does not say."""
    signed_by: str = ""
    """Who signed the control; empty where nobody did."""


@dataclass(frozen=True, slots=True)
class ObservationAdded:
    """An operator added an observation manually; it costs no budget. Several of one control follow each other."""

    candidate_id: str
    value: float
    message_id: str
    operator: str = ""
    """Who asked for it, by the control's own word; empty where it does not say."""
    signed_by: str = ""
    """Who signed the control; empty where nobody did."""
    quantities: tuple[MeasuredQuantity, ...] = ()
    """The value as it was told, with those of the additional properties; journals of old do not say it."""
    reason: str = ""
    """Why, in the operator's words; journals of old do not say it."""
    standard_deviation: float | None = None
    """Standard uncertainty of the value; None where none is known, and in journals of old."""

    def values_of(self, names: Sequence[str]) -> tuple[float, ...]:
        """Return the values of additional properties, by name."""
        return _values(self.quantities, names)

    def uncertainties_of(self, names: Sequence[str]) -> tuple[float, ...]:
        """Return the standard uncertainties that came with the values of properties, by name; 0 where none did."""
        return _uncertainties(self.quantities, names)


@dataclass(frozen=True, slots=True)
class ObservationRetracted:
    """An operator took a value out of the dataset: what is decided from here on is decided without it."""

    candidate_id: str
    value: float
    """What it was [unit of the plan]."""
    reason: str
    message_id: str
    family: str = ""
    """Of the candidate: with the value goes the row of the dataset that says it."""
    source_id: str = ""
    """The candidate's id as the pool's table writes it; empty where that has no ids."""
    operator: str = ""
    """Who asked for it, by the control's own word; empty where it does not say."""
    signed_by: str = ""
    """Who signed the control; empty where nobody did."""


@dataclass(frozen=True, slots=True)
class ObservationAmended:
    """An operator corrected a value in the dataset: what is decided from here on is decided with the right one."""

    candidate_id: str
    value: float
    """Of the campaign's property, from now on [unit of the plan]."""
    additional: tuple[float, ...]
    """Of the additional properties, from now on [their units]."""
    uncertainties: tuple[float, ...]
    """Standard uncertainties of all of them, 0 where none is known."""
    corrected: MeasuredQuantity
    """What the operator said."""
    before: float
    """What the corrected property was [its unit]."""
    reason: str
    message_id: str
    operator: str = ""
    """Who asked for it, by the control's own word; empty where it does not say."""
    signed_by: str = ""
    """Who signed the control; empty where nobody did."""


@dataclass(frozen=True, slots=True)
class CandidatesAdded:
    """An operator let candidates join the pool; those that a policy makes are part of its decision."""

    candidates: tuple[NewCandidate, ...]
    reason: str
    message_id: str
    operator: str = ""
    """Who asked for it, by the control's own word; empty where it does not say."""
    signed_by: str = ""
    """Who signed the control; empty where nobody did."""


@dataclass(frozen=True, slots=True)
class CampaignPaused:
    """No new requests until resumed. `message_id` is None when the campaign paused itself."""

    reason: str
    message_id: str | None = None
    operator: str = ""
    """Who asked for it, by the control's own word; empty where it does not say."""
    signed_by: str = ""
    """Who signed the control; empty where nobody did."""
    ordered_at: AwareDatetime | None = None
    """When the control says that it was sent; journals of old do not say it."""


@dataclass(frozen=True, slots=True)
class CampaignResumed:
    """New requests are issued again."""

    reason: str
    message_id: str | None = None
    operator: str = ""
    """Who asked for it, by the control's own word; empty where it does not say."""
    signed_by: str = ""
    """Who signed the control; empty where nobody did."""
    ordered_at: AwareDatetime | None = None
    """When the control says that it was sent; journals of old do not say it."""


@dataclass(frozen=True, slots=True)
class CampaignStopping:
    """An operator ended the campaign: what is in flight is awaited, nothing new is asked."""

    reason: str
    message_id: str
    operator: str = ""
    """Who asked for it, by the control's own word; empty where it does not say."""
    signed_by: str = ""
    """Who signed the control; empty where nobody did."""


@dataclass(frozen=True, slots=True)
class ControlNoted:
    """An operator's action that changes nothing; its id is remembered, so that a late repetition stays one."""

    action: str
    message_id: str
    operator: str = ""
    """Who asked for it, by the control's own word; empty where it does not say."""
    signed_by: str = ""
    """Who signed the control; empty where nobody did."""


@dataclass(frozen=True, slots=True)
class ControlRefused:
    """An operator's action that cannot be carried out; it changes nothing, and a repetition is refused again."""

    action: str
    why: str
    message_id: str
    operator: str = ""
    """Who asked for it, by the control's own word; empty where it does not say."""
    signed_by: str = ""
    """Who signed the control; empty where nobody did."""


@dataclass(frozen=True, slots=True)
class DecisionApproved:
    """An operator approved a decision that was held: its requests go out."""

    decision: int
    reason: str
    message_id: str
    operator: str = ""
    """Who asked for it, by the control's own word; empty where it does not say."""
    signed_by: str = ""
    """Who signed the control; empty where nobody did."""


@dataclass(frozen=True, slots=True)
class DecisionVetoed:
    """An operator dropped a decision that was held: its candidates are excluded, and cost nothing."""

    decision: int
    reason: str
    message_id: str
    operator: str = ""
    """Who asked for it, by the control's own word; empty where it does not say."""
    signed_by: str = ""
    """Who signed the control; empty where nobody did."""


@dataclass(frozen=True, slots=True)
class DecisionWithdrawn:
    """A decision that was held is not needed any more, for the campaign is stopped; its candidates are as before."""

    decision: int
    reason: str


@dataclass(frozen=True, slots=True)
class ApprovalOverdue:
    """A decision has waited for approval for as long as the plan allows: until it has one, nothing else is decided."""

    decision: int
    waited_s: float


@dataclass(frozen=True, slots=True)
class BudgetSet:
    """The budget is another one from here on; a campaign that was finished goes on.

    Without a `message_id` the campaign was resumed with a larger one.
    """

    budget: int
    before: int
    reason: str
    message_id: str | None = None
    operator: str = ""
    """Who asked for it, by the control's own word; empty where it does not say, or nobody did."""
    signed_by: str = ""
    """Who signed the control; empty where nobody did."""


@dataclass(frozen=True, slots=True)
class BeginCorrected:
    """The campaign began at a time that its agent's clock has not reached: the clock was ahead then.

    Else every order would look older than the campaign. Those from `began_at` on are its own.
    """

    began_at: AwareDatetime


@dataclass(frozen=True, slots=True)
class LimitsChanged:
    """The campaign was resumed with other limits: they hold from here on, and what was used up stays used."""

    limits: AskingLimits


@dataclass(frozen=True, slots=True)
class CampaignFinished:
    """The last event, unless the budget grows: nothing is in flight and nothing more will be asked."""

    reason: str


def _values(quantities: Sequence[MeasuredQuantity], names: Sequence[str]) -> tuple[float, ...]:
    known = {quantity.name: quantity.value for quantity in quantities}
    return tuple(known[name] for name in names)


def _uncertainties(quantities: Sequence[MeasuredQuantity], names: Sequence[str]) -> tuple[float, ...]:
    known = {quantity.name: quantity.standard_deviation or 0.0 for quantity in quantities}
    return tuple(known.get(name, 0.0) for name in names)


Event = (
    CampaignStarted
    | StartSetLoaded
    | DecisionMade
    | PolicyExhausted
    | BecameEven
    | GapStalled
    | StopRuleFired
    | RequestIssued
    | RequestDeferred
    | ResultAccepted
    | LateResultKept
    | ResultContradicted
    | AttemptFailed
    | RequestExpired
    | InstrumentAnnounced
    | InstrumentAway
    | InstrumentBack
    | CandidateAbandoned
    | CandidateRequeued
    | CandidateExcluded
    | ObservationAdded
    | ObservationRetracted
    | ObservationAmended
    | CandidatesAdded
    | CampaignPaused
    | CampaignResumed
    | CampaignStopping
    | ControlNoted
    | ControlRefused
    | DecisionApproved
    | DecisionVetoed
    | DecisionWithdrawn
    | ApprovalOverdue
    | BudgetSet
    | BeginCorrected
    | LimitsChanged
    | CampaignFinished
)

EVENT_TYPES: Final[tuple[type[Event], ...]] = get_args(Event)
"""Every kind of event."""

OF_CONTROLS: Final = (
    CampaignPaused,
    CampaignResumed,
    CampaignStopping,
    CandidateExcluded,
    CandidateRequeued,
    CandidatesAdded,
    ObservationAdded,
    ObservationRetracted,
    ObservationAmended,
    DecisionApproved,
    DecisionVetoed,
    BudgetSet,
    ControlNoted,
    ControlRefused,
)
"""The kinds that an operator's control makes; without a `message_id` one came about by itself."""

_ADAPTERS: Final[dict[str, TypeAdapter[Any]]] = {kind.__name__: TypeAdapter(kind) for kind in EVENT_TYPES}


def dump_event(event: Event) -> tuple[str, str]:
    """Return the kind and the JSON text of an event, as the journal keeps them."""
    kind = type(event).__name__
    return kind, _ADAPTERS[kind].dump_json(event).decode()


def load_event(kind: str, payload: str) -> Event:
    """Read an event of the journal back.

    Raises:
        StoreError: When this version does not know the kind, or the content does not fit it.
    """
    return _loaded(kind, lambda adapter: adapter.validate_json(payload))


def event_of(kind: str, content: Any) -> Event:
    """Return the event of some JSON content that was parsed already; raises as `load_event`."""
    return _loaded(kind, lambda adapter: adapter.validate_python(content))


def _loaded(kind: str, load: Callable[[TypeAdapter[Any]], Event]) -> Event:
    if kind not in _ADAPTERS:
        raise StoreError(
            f"The journal holds an event of kind {kind!r}, unknown to this version",
            expected="one of " + ", ".join(_ADAPTERS),
            action="use the version of Entropilot that wrote this run",
        )
    try:
        return load(_ADAPTERS[kind])
    except ValidationError as error:
        raise StoreError(
            f"An event of kind {kind} in the journal cannot be read: {error.errors(include_url=False)[0]['msg']}",
            action="restore the run folder from a copy; the file was changed by something else",
        ) from None
