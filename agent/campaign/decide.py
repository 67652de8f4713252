"""The rules: what follows from what happened. Pure functions of the campaign and one input.

Three questions, asked in this order after every input and once after a restart:

- `decide_*`: which events does this input make, and which receipt does its sender get?
- `react`: which events follow by themselves (the next attempt, setting aside, the end)? Asked until none follow.
- `decision_needed`: should the policy choose again, and how many?

Recovery has no rules of its own: it folds the journal and asks the last two questions.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import Final

from agent.acquisition.base import Proposal
from agent.campaign.events import (
    AskingEnded,
    AttemptFailed,
    CampaignFinished,
    CampaignPaused,
    CampaignResumed,
    CampaignStopping,
    CandidateExcluded,
    CandidateSetAside,
    ControlNoted,
    DecisionMade,
    Event,
    LateResultKept,
    Measured,
    ObservationAdded,
    RequestExpired,
    RequestIssued,
    ResultAccepted,
)
from agent.campaign.plan import Ordering
from agent.campaign.state import OPEN, RESULT_REFUSED, Attempt, Campaign, Phase, Standing
from protocols.errors import MessageError, invariant
from protocols.wire.attempt_ids import attempt_identity
from protocols.wire.messages import (
    PERMANENT_FAILURES,
    CandidateFailure,
    CandidateResult,
    Control,
    ControlAction,
    Quantity,
    ReceiptStatus,
)
from protocols.wire.topics import ANY_SIMULATOR

MAX_REASON_LENGTH: Final = 300
"""Longest reason kept in an event [character]."""

MAX_INTERRUPTIONS: Final = 20
"""Attempts of one candidate that may be interrupted, beside `max_attempts`: a restart is not the candidate's fault,
but a candidate that takes its simulator down every time must end as well."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer that the sender of a result or failure gets, after the events are committed."""

    attempt_id: str
    simulator: str
    status: ReceiptStatus
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What follows from one input."""

    events: tuple[Event, ...] = ()
    receipt: Receipt | None = None


@dataclass(frozen=True, slots=True)
class DecisionNeeded:
    """The policy is asked for `count` candidates."""

    decision: int
    count: int


def decide_result(campaign: Campaign, message: CandidateResult) -> Outcome:
    """Decide on a result: accepted, duplicate, late or refused.

    Raises:
        MessageError: When it answers no attempt of this campaign; it changes nothing.
    """
    attempt = _attempt(campaign, message)
    if attempt.result_seen:
        return _receipt(message, ReceiptStatus.DUPLICATE)
    quantities = tuple(_measured(quantity) for quantity in message.quantities)
    problem = contract_breach(campaign, message.quantities)
    if campaign.standing_of(attempt.candidate_id) not in OPEN or (problem and not attempt.in_flight):
        why = problem or f"the candidate is {campaign.standing_of(attempt.candidate_id).name.lower()}"
        late = LateResultKept(attempt.attempt_id, attempt.candidate_id, message.simulator, quantities, why)
        return _receipt(message, ReceiptStatus.LATE, why, late)
    if problem:
        failed = AttemptFailed(
            attempt.attempt_id, attempt.candidate_id, message.simulator, RESULT_REFUSED, problem, permanent=False
        )
        return _receipt(message, ReceiptStatus.REFUSED, problem, failed)
    accepted = ResultAccepted(
        attempt.attempt_id,
        attempt.candidate_id,
        message.simulator,
        next(q.value for q in message.quantities if q.name == campaign.terms.property_name),
        quantities,
        message.duration_s,
    )
    return _receipt(message, ReceiptStatus.ACCEPTED, "", accepted)


def decide_failure(campaign: Campaign, message: CandidateFailure) -> Outcome:
    """Decide on a failure: it ends an attempt that is awaited, and changes nothing otherwise.

    Raises:
        MessageError: When it answers no attempt of this campaign.
    """
    attempt = _attempt(campaign, message)
    if attempt.failure_seen:
        return _receipt(message, ReceiptStatus.DUPLICATE)
    if not attempt.in_flight:
        return _receipt(message, ReceiptStatus.LATE, "the attempt is no longer awaited")
    failed = AttemptFailed(
        attempt.attempt_id,
        attempt.candidate_id,
        message.simulator,
        message.reason.value,
        message.detail[:MAX_REASON_LENGTH],
        permanent=message.reason in PERMANENT_FAILURES,
    )
    return _receipt(message, ReceiptStatus.ACCEPTED, "", failed)


def decide_control(campaign: Campaign, message: Control) -> Outcome:
    """Decide on an operator's wish; one that was carried out before changes nothing.

    Raises:
        MessageError: When it cannot be carried out: it lacks a field, names no candidate of the pool, or does not
            fit the state.
    """
    if message.message_id in campaign.controls_seen or campaign.phase is Phase.FINISHED:
        return Outcome()
    reason = message.reason or "by the operator"
    identity = message.message_id
    phase = campaign.phase
    match message.action:
        case ControlAction.PAUSE:
            events: tuple[Event, ...] = (CampaignPaused(reason, identity),) if phase is Phase.RUNNING else ()
        case ControlAction.RESUME:
            events = (CampaignResumed(reason, identity),) if phase is Phase.PAUSED else ()
        case ControlAction.STOP:
            events = (CampaignStopping(reason, identity),) if phase in {Phase.RUNNING, Phase.PAUSED} else ()
        case ControlAction.EXCLUDE_CANDIDATE:
            candidate_id = _controlled_candidate(campaign, message, closed={Standing.OBSERVED, Standing.SET_ASIDE})
            excluded = campaign.standing_of(candidate_id) is Standing.EXCLUDED
            events = () if excluded else (CandidateExcluded(candidate_id, reason, identity),)
        case ControlAction.ADD_OBSERVATION:  # pragma: no branch - the last of the enumeration, which mypy checks
            candidate_id = _controlled_candidate(campaign, message, closed={Standing.OBSERVED, Standing.EXCLUDED})
            quantity = message.quantity
            problem = "it carries no quantity" if quantity is None else contract_breach(campaign, (quantity,))
            if problem or quantity is None:
                raise MessageError("invalid", f"add_observation: {problem}")
            events = (ObservationAdded(candidate_id, quantity.value, identity),)
    return Outcome(events or (ControlNoted(message.action.value, identity),))


def decide_expiry(campaign: Campaign, attempt_id: str) -> Outcome:
    """Decide that a request has had no answer in its time; an attempt that is no longer awaited changes nothing."""
    attempt = campaign.in_flight.get(attempt_id)
    return Outcome((RequestExpired(attempt_id, attempt.candidate_id),) if attempt is not None else ())


def decide_proposal(campaign: Campaign, asked: DecisionNeeded, based_on: int, proposal: Proposal) -> Outcome:
    """Turn what the policy proposed into a decision and its requests, or into the end of all asking.

    A proposal is dropped when another one is wanted by now (an operator has taken candidates out, so that fewer are
    left than were asked for, say), or when a candidate in it was taken or excluded meanwhile; the question is then
    asked again on the state of now. So is one without a choice when anything at all has happened since it was asked
    for: it is for good, and what has come in may have been what the policy lacked.

    Args:
        campaign: The state.
        asked: What the policy was asked.
        based_on: Number of the last event that it knew of.
        proposal: What it answered.

    Raises:
        InvariantViolation: When the policy broke its contract.
    """
    if decision_needed(campaign) != asked:
        return Outcome()
    if not proposal.choices:
        return _end_of_asking(campaign, asked, based_on, proposal)
    plan, pool = campaign.terms, campaign.pool
    indices = [choice.index for choice in proposal.choices]
    invariant(
        len(indices) <= asked.count and len(set(indices)) == len(indices),
        f"policy {plan.policy!r} proposed {len(indices)} candidates ({len(set(indices))} distinct) of {asked.count}",
    )
    invariant(
        all(0 <= index < len(pool) for index in indices), f"policy {plan.policy!r} proposed an index outside the pool"
    )
    if any(campaign.standing[index] != Standing.AVAILABLE for index in indices):
        return Outcome()
    candidate_ids = tuple(pool.candidate_ids[index] for index in indices)
    runner_up = proposal.runner_up
    made = DecisionMade(
        decision=asked.decision,
        seed=decision_seed(plan.seed, asked.decision),
        based_on=based_on,
        policy=plan.policy,
        fingerprint=plan.fingerprint,
        candidate_ids=candidate_ids,
        scores=tuple(_finite(choice.score) for choice in proposal.choices),
        reason=proposal.reason[:MAX_REASON_LENGTH],
        runner_up=None if runner_up is None else pool.candidate_ids[runner_up.index],
        runner_up_score=None if runner_up is None else _finite(runner_up.score),
        target_family=proposal.target_family,
        details=_finite_details(proposal),
    )
    requests = (
        _request(campaign, candidate_id, asked.decision, attempt=1, turn=campaign.requested + turn)
        for turn, candidate_id in enumerate(candidate_ids)
    )
    return Outcome((made, *requests))


def react(campaign: Campaign) -> tuple[Event, ...]:
    """Return the events that follow by themselves from the state, or none.

    Ask again after folding them: setting aside may pause the campaign, and the last outcome ends it.
    """
    if campaign.phase in {Phase.NEW, Phase.FINISHED}:
        return ()
    plan = campaign.terms
    events: list[Event] = []
    for candidate_id, setback in campaign.waiting.items():
        made = campaign.attempts_made[candidate_id]
        interrupted = campaign.interruptions.get(candidate_id, 0)
        used_up = made - interrupted >= plan.max_attempts or interrupted >= MAX_INTERRUPTIONS
        if setback.permanent or used_up or campaign.phase is Phase.STOPPING:
            events.append(CandidateSetAside(candidate_id, _set_aside_reason(setback.reason, made)))
        elif campaign.phase is Phase.RUNNING:
            decision = campaign.decision_of[candidate_id]
            events.append(_request(campaign, candidate_id, decision, attempt=made + 1, turn=campaign.requested + made))
    if events:
        return tuple(events)
    if campaign.phase is Phase.RUNNING and campaign.set_aside_in_a_row >= plan.give_up_after:
        return (CampaignPaused(f"the last {campaign.set_aside_in_a_row} candidates were all set aside"),)
    reason = _finish_reason(campaign)
    return (CampaignFinished(reason),) if reason else ()


def decision_needed(campaign: Campaign) -> DecisionNeeded | None:
    """Tell whether the policy should choose again now."""
    if campaign.phase is not Phase.RUNNING or campaign.asking_ended is not None:
        return None
    plan = campaign.terms
    available = int((campaign.standing == Standing.AVAILABLE).sum())
    count = min(plan.batch, plan.budget - campaign.requested, available)
    if count < 1:
        return None
    if plan.ordering is Ordering.IN_ORDER:
        oldest_open = min(campaign.open_decisions, default=campaign.next_decision)
        ready = oldest_open > campaign.next_decision - plan.lag
    else:
        ready = campaign.open_count + count <= plan.parallel
    return DecisionNeeded(campaign.next_decision, count) if ready else None


def decision_seed(campaign_seed: int, decision: int) -> int:
    """Return the seed of a decision: a hash of (campaign seed, decision number), 63 bits."""
    digest = hashlib.sha256(f"entropilot/{campaign_seed}/{decision}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def contract_breach(campaign: Campaign, quantities: tuple[Quantity, ...]) -> str:
    """Return what is wrong with a result, or nothing: its properties, units and ranges are those of the plan."""
    plan = campaign.terms
    wanted = [(plan.property_name, plan.unit, plan.valid_range)]
    wanted += [(each.name, each.unit, each.valid_range) for each in plan.further]
    return next((breach for each in wanted if (breach := _breach(quantities, *each))), "")


def _breach(quantities: tuple[Quantity, ...], name: str, unit: str, valid_range: tuple[float, float]) -> str:
    named = [quantity for quantity in quantities if quantity.name == name]
    if len(named) != 1:
        reported = ", ".join(quantity.name for quantity in quantities)[:200]
        return f"{len(named)} values of {name!r}; reported: {reported}; expected exactly one"
    quantity = named[0]
    if quantity.unit != unit:
        return f"{name} in {quantity.unit!r}; expected {unit!r}"
    low, high = valid_range
    if not low <= quantity.value <= high:
        return f"{name} = {quantity.value:g} {unit}; expected {low:g} to {high:g}"
    return ""


def _end_of_asking(campaign: Campaign, asked: DecisionNeeded, based_on: int, proposal: Proposal) -> Outcome:
    """Return the end of all asking, if nothing has happened since the policy was asked."""
    plan = campaign.terms
    invariant(bool(proposal.reason), f"policy {plan.policy!r} proposed no candidate of {asked.count}, without a reason")
    if based_on != campaign.sequence:
        return Outcome()
    ended = AskingEnded(
        decision=asked.decision,
        seed=decision_seed(plan.seed, asked.decision),
        based_on=based_on,
        policy=plan.policy,
        fingerprint=plan.fingerprint,
        reason=proposal.reason[:MAX_REASON_LENGTH],
        details=_finite_details(proposal),
    )
    return Outcome((ended,))


def _request(campaign: Campaign, candidate_id: str, decision: int, *, attempt: int, turn: int) -> RequestIssued:
    plan = campaign.terms
    recipient = plan.recipients[turn % len(plan.recipients)]
    identity = attempt_identity(plan.uid, decision, candidate_id, attempt)
    return RequestIssued(identity, candidate_id, decision, attempt, recipient)


def _set_aside_reason(reason: str, attempts: int) -> str:
    return f"{reason} (after {attempts} attempt{'s' * (attempts != 1)})"[:MAX_REASON_LENGTH]


def _finish_reason(campaign: Campaign) -> str:
    if campaign.open_decisions or campaign.phase is Phase.PAUSED:
        return ""
    if campaign.phase is Phase.STOPPING:
        return "stopped by the operator"
    if campaign.asking_ended is not None:
        return f"the policy has nothing more to ask for: {campaign.asking_ended}"[:MAX_REASON_LENGTH]
    if campaign.requested >= campaign.terms.budget:
        return "the budget is spent"
    if not (campaign.standing == Standing.AVAILABLE).any():
        return "no candidate is left"
    return ""


def _attempt(campaign: Campaign, message: CandidateResult | CandidateFailure) -> Attempt:
    """Find the attempt that a message answers; only whom it was addressed to may answer."""
    named = message.attempt_id
    attempt = campaign.attempts.get(named)
    if attempt is None:
        raise MessageError("unknown_attempt", f"Attempt {named!r} was never made by this campaign")
    if attempt.candidate_id != message.candidate_id:
        raise MessageError(
            "invalid", f"Attempt {named!r} is of {attempt.candidate_id!r}, not of {message.candidate_id!r}"
        )
    if attempt.recipient not in {ANY_SIMULATOR, message.simulator}:
        raise MessageError(
            "wrong_sender", f"Attempt {named!r} went to {attempt.recipient!r}, not to {message.simulator!r}"
        )
    return attempt


def _controlled_candidate(campaign: Campaign, message: Control, *, closed: set[Standing]) -> str:
    candidate_id = message.candidate_id
    if candidate_id is None or candidate_id not in campaign.pool.index_of:
        raise MessageError("invalid", f"{message.action.value}: candidate {candidate_id!r} is not in the pool")
    standing = campaign.standing_of(candidate_id)
    if standing in closed:
        raise MessageError("invalid", f"{message.action.value}: candidate {candidate_id!r} is {standing.name.lower()}")
    return candidate_id


def _receipt(
    message: CandidateResult | CandidateFailure, status: ReceiptStatus, detail: str = "", *events: Event
) -> Outcome:
    return Outcome(events, Receipt(message.attempt_id, message.simulator, status, detail[:MAX_REASON_LENGTH]))


def _measured(quantity: Quantity) -> Measured:
    return Measured(quantity.name, quantity.value, quantity.unit, quantity.standard_deviation)


def _finite_details(proposal: Proposal) -> dict[str, float]:
    return {name: value for name, value in proposal.details.items() if math.isfinite(value)}


def _finite(score: float | None) -> float | None:
    return score if score is not None and math.isfinite(score) else None
