"""What can happen to a campaign. An event is a fact in the past tense; the journal is the ordered list of them.

Events hold plain values only, so that one written today is read by every later version.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Self

from pydantic import TypeAdapter, ValidationError

from agent.entropy.measure import PUBLISHED, RESOLUTION_WITHOUT_VALUES, EntropyMeasure, EstimatorName
from agent.entropy.target_properties import Aspect
from protocols.errors import StoreError
from protocols.wire.messages import Identifier


class Ordering(StrEnum):
    """Which results a decision may use when several requests are in flight."""

    IN_ORDER = "in_order"
    """Decision d uses the results of the decisions up to d - lag and takes the later ones for pending, even if some
    have answered. The decisions then do not depend on who answers first, so a killed and resumed campaign decides as
    an undisturbed one; the price is that a slow request holds back the decision `lag` after it."""

    AS_COMPLETED = "as_completed"
    """A decision uses every result that has arrived: fastest, and it depends on the order of arrival."""


@dataclass(frozen=True, slots=True)
class FurtherProperty:
    """A property that is balanced beside the first one.

    Attributes:
        name: As results name it, in `unit`.
        valid_range: Smallest and largest believable value [unit].
        weight: Its share, beside the weights of the others.
        scale: Deviation of the start set's values, by which it is standardised [unit].
        resolution: Smallest difference of values that means anything [unit].
    """

    name: str
    unit: str
    valid_range: tuple[float, float]
    weight: float
    scale: float
    resolution: float


@dataclass(frozen=True, slots=True)
class CampaignPlan:
    """What a campaign was started with; nothing of it changes afterwards.

    Attributes:
        campaign: Its name, a topic level.
        uid: Random part of every attempt id: a new campaign of an old name never meets the old one's results.
        property_name: The property whose entropy is balanced, in `unit`.
        valid_range: Smallest and largest believable value [unit].
        budget: Candidates that may be requested.
        parallel: Most candidates in flight.
        batch: Candidates chosen by one decision.
        max_attempts: Attempts of one candidate before it is set aside.
        give_up_after: Candidates set aside in a row after which the campaign pauses: the lab is broken, not they.
        seed: Seed of the campaign.
        policy: Name or `module:Class`, with its options and fingerprint.
        recipients: Simulators that requests are addressed to, in turn.
        pool_digest: Digest of the pool that decisions refer to.
        estimator: Which entropy is balanced, one of `agent.entropy.measure.ESTIMATORS`. Journals of old do not say
            it: they meant the published one.
        resolution: Smallest difference of values that means anything to it [unit].
        further: Properties that are balanced beside it.
        weight: Its own share, where there are further ones.
        scale: Deviation of the start set's values, by which it is standardised where there are further ones [unit].
    """

    campaign: Identifier
    uid: str
    property_name: str
    unit: str
    valid_range: tuple[float, float]
    budget: int
    parallel: int
    batch: int
    ordering: Ordering
    max_attempts: int
    give_up_after: int
    seed: int
    policy: str
    policy_options: Mapping[str, Any]
    fingerprint: str
    recipients: tuple[str, ...]
    pool_digest: str
    estimator: EstimatorName = PUBLISHED
    resolution: float = RESOLUTION_WITHOUT_VALUES
    further: tuple[FurtherProperty, ...] = ()
    weight: float = 1.0
    scale: float = 1.0

    @property
    def aspects(self) -> tuple[Aspect, ...]:
        """The properties that are balanced."""
        if not self.further:
            return (Aspect(self.property_name, self.measure),)
        total = self.weight + sum(each.weight for each in self.further)
        others = (
            Aspect(each.name, EntropyMeasure(self.estimator, each.resolution), each.scale, each.weight / total)
            for each in self.further
        )
        return (Aspect(self.property_name, self.measure, self.scale, self.weight / total), *others)

    @property
    def property_names(self) -> tuple[str, ...]:
        """Names of the properties that are balanced."""
        return (self.property_name, *(each.name for each in self.further))

    @property
    def label(self) -> str:
        """The properties that are balanced, as people read them."""
        return " and ".join(self.property_names)

    @property
    def measure(self) -> EntropyMeasure:
        """Which entropy the campaign means."""
        return EntropyMeasure(self.estimator, self.resolution)

    @property
    def lag(self) -> int:
        """How many decisions may be open at once."""
        return max(1, self.parallel // self.batch)


@dataclass(frozen=True, slots=True)
class Measured:
    """A reported quantity."""

    name: str
    value: float
    unit: str
    standard_deviation: float | None = None


@dataclass(frozen=True, slots=True)
class CampaignStarted:
    """The first event of every journal."""

    plan: CampaignPlan
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StartSetLoaded:
    """The observations that the campaign begins with."""

    candidate_ids: tuple[str, ...]
    values: tuple[float, ...]
    further: tuple[tuple[float, ...], ...] = ()
    """Values of the further properties, a row for each candidate; nothing where there are none."""

    @classmethod
    def of(cls, start: Sequence[tuple[str, float]], further: Sequence[tuple[float, ...]]) -> Self:
        """Return the event for candidate ids with their values, and the further values of each."""
        ids, values = (tuple(column) for column in zip(*start, strict=True)) if start else ((), ())
        return cls(ids, values, tuple(further))

    def rows(self) -> Iterator[tuple[str, float, tuple[float, ...]]]:
        """Yield candidate id, value and further values."""
        further = self.further or ((),) * len(self.values)
        yield from zip(self.candidate_ids, self.values, further, strict=True)


@dataclass(frozen=True, slots=True)
class DecisionMade:
    """The policy chose candidates, on the ground of the journal up to `based_on`."""

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


@dataclass(frozen=True, slots=True)
class AskingEnded:
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
class RequestIssued:
    """An attempt was addressed to a recipient; its id names it for ever."""

    attempt_id: str
    candidate_id: str
    decision: int
    attempt: int
    recipient: str


@dataclass(frozen=True, slots=True)
class ResultAccepted:
    """The first valid result of a candidate: an observation."""

    attempt_id: str
    candidate_id: str
    simulator: str
    value: float
    quantities: tuple[Measured, ...]
    duration_s: float

    def values_of(self, names: Sequence[str]) -> tuple[float, ...]:
        """Return the values of further properties, by name."""
        known = {quantity.name: quantity.value for quantity in self.quantities}
        return tuple(known[name] for name in names)


@dataclass(frozen=True, slots=True)
class LateResultKept:
    """A valid result of a closed candidate: kept for audit, never in the dataset."""

    attempt_id: str
    candidate_id: str
    simulator: str
    quantities: tuple[Measured, ...]
    why: str


@dataclass(frozen=True, slots=True)
class AttemptFailed:
    """The lab reported a failure, or sent a result that breaks its contract."""

    attempt_id: str
    candidate_id: str
    simulator: str
    reason: str
    detail: str
    permanent: bool


@dataclass(frozen=True, slots=True)
class RequestExpired:
    """No answer came within the deadline."""

    attempt_id: str
    candidate_id: str


@dataclass(frozen=True, slots=True)
class CandidateSetAside:
    """A candidate is given up; its unit of the budget is spent."""

    candidate_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class CandidateExcluded:
    """An operator ruled a candidate out."""

    candidate_id: str
    reason: str
    message_id: str


@dataclass(frozen=True, slots=True)
class ObservationAdded:
    """An operator added an observation by hand; it costs no budget."""

    candidate_id: str
    value: float
    message_id: str


@dataclass(frozen=True, slots=True)
class CampaignPaused:
    """No new requests until resumed. `message_id` is None when the campaign paused itself."""

    reason: str
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class CampaignResumed:
    """New requests are issued again."""

    reason: str
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class CampaignStopping:
    """An operator ended the campaign: what is in flight is awaited, nothing new is asked."""

    reason: str
    message_id: str


@dataclass(frozen=True, slots=True)
class ControlNoted:
    """An operator's wish that was fulfilled already; its id is remembered, so that a late repetition stays one."""

    action: str
    message_id: str


@dataclass(frozen=True, slots=True)
class CampaignFinished:
    """The last event: nothing is in flight and nothing more will be asked."""

    reason: str


Event = (
    CampaignStarted
    | StartSetLoaded
    | DecisionMade
    | AskingEnded
    | RequestIssued
    | ResultAccepted
    | LateResultKept
    | AttemptFailed
    | RequestExpired
    | CandidateSetAside
    | CandidateExcluded
    | ObservationAdded
    | CampaignPaused
    | CampaignResumed
    | CampaignStopping
    | ControlNoted
    | CampaignFinished
)

EVENT_TYPES: Final[tuple[type[Event], ...]] = (
    CampaignStarted,
    StartSetLoaded,
    DecisionMade,
    AskingEnded,
    RequestIssued,
    ResultAccepted,
    LateResultKept,
    AttemptFailed,
    RequestExpired,
    CandidateSetAside,
    CandidateExcluded,
    ObservationAdded,
    CampaignPaused,
    CampaignResumed,
    CampaignStopping,
    ControlNoted,
    CampaignFinished,
)

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
    if kind not in _ADAPTERS:
        raise StoreError(
            f"The journal holds an event of kind {kind!r}, unknown to this version",
            expected="one of " + ", ".join(_ADAPTERS),
            action="use the version of Entropilot that wrote this run",
        )
    try:
        event: Event = _ADAPTERS[kind].validate_json(payload)
    except ValidationError as error:
        raise StoreError(
            f"An event of kind {kind} in the journal cannot be read: {error.errors(include_url=False)[0]['msg']}",
            action="restore the run folder from a copy; the file was changed by something else",
        ) from None
    return event
