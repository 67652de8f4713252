"""What every kind of event means to those who tell of it: one row a kind, and nobody else matches on kinds for that.

| column | meaning |
|---|---|
| words | the event as a person tells it |
| log_name, is_warning | its line in the agent's log; no name, no line |
| observations | the values that it brings into the dataset, or brings anew |
| takes_away | the candidate whose value it takes out of the dataset |
| corrects | whether the values that it brings take the place of those that their candidates have |
| additions | the candidates that join the pool with it |
| opens_request | whether it is a new row of the request view |
| closes_attempt | outcome that the request view gets for its attempt |
| closes_candidate | outcome that the request view gets for every open attempt of its candidate |
| attempt_in_words | how its attempt ended, as a person tells it |
| attempt_remark | what a person should know of its attempt besides |
| candidate_in_words | why its candidate is closed, as a person tells it; empty where it has its value |

What an event changes in the campaign itself is in `agent.campaign.state`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from agent.campaign.events import (
    ApprovalOverdue,
    AttemptFailed,
    BecameEven,
    BeginCorrected,
    BudgetSet,
    CampaignFinished,
    CampaignPaused,
    CampaignResumed,
    CampaignStarted,
    CampaignStopping,
    CandidateAbandoned,
    CandidateExcluded,
    CandidateRequeued,
    CandidatesAdded,
    ControlNoted,
    ControlRefused,
    DecisionApproved,
    DecisionMade,
    DecisionVetoed,
    DecisionWithdrawn,
    Event,
    GapStalled,
    InstrumentAnnounced,
    InstrumentAway,
    InstrumentBack,
    LateResultKept,
    LimitsChanged,
    MeasuredQuantity,
    ObservationAdded,
    ObservationAmended,
    ObservationRetracted,
    PolicyExhausted,
    RequestDeferred,
    RequestExpired,
    RequestIssued,
    ResultAccepted,
    ResultContradicted,
    StartSetLoaded,
    StopRuleFired,
)
from agent.campaign.lab.abilities import Abilities
from agent.pool.candidates import named
from agent.pool.growth import NewCandidate
from protocols.tables.account import Account
from protocols.wire.attempt_ids import number_of
from protocols.wire.topics import ANY_SIMULATOR

START_SET: Final = "start set"
"""Source of an observation that the campaign began with."""

MANUAL: Final = "manual"
"""Source of an observation that an operator added."""


MAX_TOLD: Final = 4
"""Quantities of a result that a sentence tells."""


@dataclass(frozen=True, slots=True)
class Observation:
    """A value that an event brings into the dataset.

    Attributes:
        candidate_id: Whose.
        value: Of the campaign's property [its unit].
        additional: Of the additional properties, in the order in which they were asked for [their units].
        source: Who says so.
        attempt_id: Of the request that it answers, if it answers one.
        standard_deviation: Standard uncertainty of the value [its unit]; None where none is known.
        details: What came with it beside, as plain JSON: the other quantities, replicates, conditions, remarks, files,
            and the crystal as it ended.
    """

    candidate_id: str
    value: float
    additional: tuple[float, ...]
    source: str
    attempt_id: str | None = None
    standard_deviation: float | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


Words = Callable[[Any], str]
"""Makes a text of an event of the row's kind."""

Observations = Callable[[Any, Sequence[str]], Iterator[Observation]]
"""Yields the observations of an event of the row's kind, with the values of the named additional properties."""

Additions = Callable[[Any], tuple[NewCandidate, ...]]
"""Returns the candidates that join the pool with an event of the row's kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDescription:
    """A row of the table above."""

    words: Words
    log_name: str = ""
    is_warning: bool = False
    observations: Observations | None = None
    takes_away: Words | None = None
    corrects: bool = False
    additions: Additions | None = None
    opens_request: bool = False
    closes_attempt: Words | None = None
    closes_candidate: Words | None = None
    attempt_in_words: Words | None = None
    attempt_remark: Words | None = None
    candidate_in_words: Words | None = None


def description_of(event: Event) -> EventDescription:
    """Return the row of an event's kind."""
    return EVENT_DESCRIPTIONS[type(event)]


def in_words(event: Event) -> str:
    """Return an event as a person tells it."""
    return description_of(event).words(event)


def changes_dataset(event: Event) -> bool:
    """Tell whether an event is a point of the trajectory: it brings values, takes one away, or corrects one."""
    row = description_of(event)
    return row.observations is not None or row.takes_away is not None


def taken_away_by(event: Event) -> str:
    """Return the candidate whose value an event takes out of the dataset; empty where it takes none."""
    takes_away = description_of(event).takes_away
    return "" if takes_away is None else takes_away(event)


def observations_of(event: Event, additional: Sequence[str] = ()) -> Iterator[Observation]:
    """Yield what an event brings into the dataset.

    Args:
        event: Any.
        additional: Names of the additional properties whose values are wanted.
    """
    observations = description_of(event).observations
    return iter(()) if observations is None else observations(event, additional)


def additions_of(event: Event) -> tuple[NewCandidate, ...]:
    """Return the candidates that join the pool with an event, in order."""
    additions = description_of(event).additions
    return () if additions is None else additions(event)


def _start_set(event: StartSetLoaded, _additional: Sequence[str]) -> Iterator[Observation]:
    known = event.uncertainties or ((0.0,),) * len(event.values)
    for (candidate_id, value, additional), deviations in zip(event.rows(), known, strict=True):
        yield Observation(candidate_id, value, additional, START_SET, standard_deviation=deviations[0] or None)


def _result(event: ResultAccepted, additional: Sequence[str]) -> Iterator[Observation]:
    yield Observation(
        event.candidate_id,
        event.value,
        event.values_of(additional),
        event.simulator,
        attempt_id=event.attempt_id,
        standard_deviation=event.standard_deviation,
        details=_details(event),
    )


def _details(event: ResultAccepted) -> dict[str, Any]:
    """Return what a result brings beside its value; nothing of what it does not have."""
    told = {
        "quantities": _beside(event.quantities),
        "replicates": list(event.replicates),
        "conditions": [asdict(each) for each in event.conditions],
        "remarks": dict(event.remarks),
        "files": [asdict(each) for each in event.files],
        "structure": None if event.structure is None else event.structure.model_dump(mode="json"),
    }
    return {name: each for name, each in told.items() if each}


def _beside(quantities: Sequence[MeasuredQuantity]) -> list[dict[str, Any]]:
    """Return all quantities of an observation that has more than its value."""
    return [asdict(each) for each in quantities] if len(quantities) > 1 else []


def _added(event: ObservationAdded, additional: Sequence[str]) -> Iterator[Observation]:
    others = _beside(event.quantities)
    yield Observation(
        event.candidate_id,
        event.value,
        event.values_of(additional),
        MANUAL,
        standard_deviation=event.standard_deviation,
        details={"quantities": others} if others else {},
    )


def _amended(event: ObservationAmended, additional: Sequence[str]) -> Iterator[Observation]:
    yield Observation(
        event.candidate_id,
        event.value,
        event.additional if additional else (),
        MANUAL,
        standard_deviation=event.uncertainties[0] or None,
    )


def _read(reading: Account) -> str:
    counts: dict[str, int] = {}
    for entry in reading:
        counts[entry.handling.value] = counts.get(entry.handling.value, 0) + entry.count
    told = ", ".join(f"{count} {handling}" for handling, count in counts.items())
    return f"; of its table, {told}" if told else ""


def _by(event: Any) -> str:
    """Say who gave an order."""
    return f"operator {event.operator}" if event.operator else "the operator"


def _joining(new: Sequence[NewCandidate]) -> str:
    told = ", ".join(f"{each.candidate_id} ({each.origin})" if each.origin else each.candidate_id for each in new)
    return f"; to the pool comes {told}" if told else ""


def _quantities(quantities: Sequence[MeasuredQuantity]) -> str:
    told = [f"{each.name} = {each.value:g} {each.unit}".rstrip() for each in quantities[:MAX_TOLD]]
    return ", ".join(told) + (", …" if len(quantities) > MAX_TOLD else "")


def _abilities(abilities: Abilities) -> str:
    """Tell what an instrument can do, as far as a sentence can."""
    told = [f"{abilities.slots} at once"]
    if abilities.expected_s is not None:
        told.append(f"{abilities.expected_s:g} s each")
    for what, names in (
        ("measures", [name for name, _ in abilities.properties or ()]),
        ("by", abilities.fidelities or ()),
        ("of", abilities.elements or ()),
        ("within ranges of", [each.name for each in abilities.parameters]),
    ):
        if names:
            told.append(f"{what} {', '.join(names[:MAX_TOLD])}{', …' if len(names) > MAX_TOLD else ''}")
    return ", ".join(told)


def _failure(event: AttemptFailed) -> str:
    return f"failed ({event.reason}{f': {event.detail}' if event.detail else ''})"


def _no_answer(event: RequestExpired) -> str:
    return "has no answer in time" if event.costs_attempt else "ends, for its instrument is away"


EVENT_DESCRIPTIONS: Final[Mapping[type[Event], EventDescription]] = {
    CampaignStarted: EventDescription(
        words=lambda e: (
            f"campaign {e.plan.campaign} starts: policy {e.plan.policy}, budget {e.plan.budget}{_read(e.reading)}"
        ),
    ),
    StartSetLoaded: EventDescription(
        words=lambda e: f"a start set of {len(e.candidate_ids)} values",
        observations=_start_set,
    ),
    DecisionMade: EventDescription(
        words=lambda e: (
            f"decision {e.decision} chooses {', '.join(e.candidate_ids)} ({e.reason}){_joining(e.added)}"
            f"{'; it waits for approval' * e.held}"
        ),
        log_name="decision",
        additions=lambda e: e.added,
    ),
    PolicyExhausted: EventDescription(
        words=lambda e: f"the policy has nothing more to ask for ({e.reason})",
        log_name="policy_exhausted",
    ),
    BecameEven: EventDescription(
        words=lambda e: f"even since observation {e.observation}: the mean gap is {e.mean_gap:.3f} nat",
        log_name="became_even",
    ),
    GapStalled: EventDescription(
        words=lambda e: (
            f"the mean gap is {e.mean_gap:.3f} nat at observation {e.observation} and has not fallen by {e.gain:g} nat "
            f"since observation {e.since}; it was best with {e.best:.3f} nat at observation {e.best_observation}"
        ),
        log_name="gap_stalled",
        is_warning=True,
    ),
    StopRuleFired: EventDescription(
        words=lambda e: (
            f"{e.reason}; the rest of the budget is decided by {e.policy}"
            if e.policy
            else f"{e.reason}; nothing more is asked for"
        ),
        log_name="stop_rule_fired",
    ),
    RequestIssued: EventDescription(
        words=lambda e: f"attempt {e.attempt} of {named(e.candidate_id, e.source_id)} goes to {e.recipient}",
        log_name="request",
        opens_request=True,
    ),
    RequestDeferred: EventDescription(
        words=lambda e: f"nobody is asked for {e.candidate_id} yet: {e.reason}",
        log_name="request_deferred",
    ),
    ResultAccepted: EventDescription(
        words=lambda e: f"{e.candidate_id} is {e.value:g}, says {e.simulator}",
        log_name="result",
        observations=_result,
        closes_attempt=lambda _: "observed",
        closes_candidate=lambda _: "overtaken by another attempt",
        attempt_in_words=lambda e: f"observed by {e.simulator}",
        candidate_in_words=lambda _: "",
    ),
    LateResultKept: EventDescription(
        words=lambda e: f"a late result of {e.candidate_id} is kept aside ({e.why})",
        log_name="late_result",
        is_warning=True,
        attempt_in_words=lambda e: (
            f"a result {'was of no use' if e.refused else 'came too late'} and is kept for audit ({e.why})"
        ),
    ),
    ResultContradicted: EventDescription(
        words=lambda e: (
            f"{e.simulator} says that {e.candidate_id} is {_quantities(e.quantities)}, which contradicts what it said "
            "of that attempt before, and that stays"
        ),
        log_name="result_contradicted",
        is_warning=True,
        attempt_remark=lambda e: f"{e.simulator} contradicts it with {_quantities(e.quantities)}",
    ),
    AttemptFailed: EventDescription(
        words=lambda e: f"{e.simulator} fails with {e.candidate_id}: {e.reason}, {e.detail}",
        log_name="attempt_failed",
        is_warning=True,
        closes_attempt=lambda e: f"failed: {e.reason}",
        attempt_in_words=_failure,
    ),
    RequestExpired: EventDescription(
        words=lambda e: f"attempt {number_of(e.attempt_id)} of {e.candidate_id} {_no_answer(e)}",
        log_name="request_expired",
        is_warning=True,
        closes_attempt=lambda e: "expired" if e.costs_attempt else "instrument away",
        attempt_in_words=lambda e: "no answer in its time" if e.costs_attempt else "its instrument was away",
    ),
    InstrumentAnnounced: EventDescription(
        words=lambda e: f"{e.instrument} says what it can do: {_abilities(e.abilities)}",
        log_name="instrument_announced",
    ),
    InstrumentAway: EventDescription(
        words=lambda e: f"{e.instrument} is away ({e.reason}): others are asked in its place",
        log_name="instrument_away",
        is_warning=True,
    ),
    InstrumentBack: EventDescription(
        words=lambda e: f"{'an instrument' if e.instrument == ANY_SIMULATOR else e.instrument} is there again",
        log_name="instrument_back",
    ),
    CandidateAbandoned: EventDescription(
        words=lambda e: f"{e.candidate_id} is abandoned: {e.reason}",
        log_name="candidate_abandoned",
        is_warning=True,
        candidate_in_words=lambda e: e.reason,
    ),
    CandidateRequeued: EventDescription(
        words=lambda e: f"{e.candidate_id} comes back: {e.reason}",
        log_name="candidate_requeued",
        candidate_in_words=lambda _: "",
    ),
    CandidateExcluded: EventDescription(
        words=lambda e: f"{_by(e)} excludes {e.candidate_id}: {e.reason}",
        log_name="candidate_excluded",
        closes_candidate=lambda _: "excluded",
        candidate_in_words=lambda e: e.reason,
    ),
    ObservationAdded: EventDescription(
        words=lambda e: f"{_by(e)} adds {e.candidate_id} = {e.value:g}{f': {e.reason}' if e.reason else ''}",
        log_name="observation_added",
        observations=_added,
        closes_candidate=lambda _: "observed manually",
        candidate_in_words=lambda _: "observed manually",
    ),
    ObservationRetracted: EventDescription(
        words=lambda e: f"{_by(e)} retracts the value of {e.candidate_id}, {e.value:g}: {e.reason}",
        log_name="observation_retracted",
        is_warning=True,
        takes_away=lambda e: e.candidate_id,
        candidate_in_words=lambda e: f"its value was retracted: {e.reason}",
    ),
    ObservationAmended: EventDescription(
        words=lambda e: (
            f"{_by(e)} corrects {e.corrected.name} of {e.candidate_id} from {e.before:g} to {e.corrected.value:g}: "
            f"{e.reason}"
        ),
        log_name="observation_amended",
        is_warning=True,
        observations=_amended,
        corrects=True,
        candidate_in_words=lambda _: "",
    ),
    CandidatesAdded: EventDescription(
        words=lambda e: f"{_by(e)} adds {len(e.candidates)} candidates: {e.reason}{_joining(e.candidates)}",
        log_name="candidates_added",
        additions=lambda e: e.candidates,
    ),
    CampaignPaused: EventDescription(
        words=lambda e: f"the campaign pauses: {e.reason}",
        log_name="campaign_paused",
        is_warning=True,
    ),
    CampaignResumed: EventDescription(
        words=lambda e: f"the campaign goes on: {e.reason}",
        log_name="campaign_resumed",
    ),
    CampaignStopping: EventDescription(
        words=lambda e: f"the campaign is stopped: {e.reason}",
        log_name="campaign_stopping",
    ),
    ControlNoted: EventDescription(
        words=lambda e: f"the {e.action} of {_by(e)} changes nothing",
        log_name="control_noted",
    ),
    ControlRefused: EventDescription(
        words=lambda e: f"{_by(e)} is refused {e.why}",
        log_name="control_refused",
        is_warning=True,
    ),
    DecisionApproved: EventDescription(
        words=lambda e: f"{_by(e)} approves decision {e.decision}: {e.reason}",
        log_name="decision_approved",
    ),
    DecisionVetoed: EventDescription(
        words=lambda e: f"{_by(e)} vetoes decision {e.decision}, and its candidates are excluded: {e.reason}",
        log_name="decision_vetoed",
    ),
    DecisionWithdrawn: EventDescription(
        words=lambda e: f"decision {e.decision} is withdrawn: {e.reason}",
        log_name="decision_withdrawn",
    ),
    ApprovalOverdue: EventDescription(
        words=lambda e: (
            f"decision {e.decision} has waited {e.waited_s:g} s for approval: nothing else is decided until it has one"
        ),
        log_name="approval_overdue",
        is_warning=True,
    ),
    BudgetSet: EventDescription(
        words=lambda e: (
            f"{_by(e) + ' sets the' if e.message_id is not None else 'the'} budget "
            f"{'to' if e.message_id is not None else 'is now'} {e.budget} in place of {e.before}: {e.reason}"
        ),
        log_name="budget_set",
    ),
    BeginCorrected: EventDescription(
        words=lambda e: f"the clock was ahead when the campaign began; its orders are those from {e.began_at} on",
        log_name="begin_corrected",
        is_warning=True,
    ),
    LimitsChanged: EventDescription(
        words=lambda _: "the campaign goes on with other limits",
        log_name="limits_changed",
        is_warning=True,
    ),
    CampaignFinished: EventDescription(
        words=lambda e: f"the campaign ends: {e.reason}",
        log_name="campaign_finished",
    ),
}
"""Every kind of event, in the order of `EVENT_TYPES`."""
