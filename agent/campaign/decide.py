"""The rules of what comes in: which events an input makes, and which receipt its sender gets.

Pure functions of the campaign and one input. What follows by itself is in `agent.campaign.follow`, when the policy is
due in `agent.campaign.proposals`; `agent.campaign.ledger` asks all three in their order, after every input and once
after a restart. Recovery has no rules of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

from agent.campaign.contract import addition_breach, contract_breach
from agent.campaign.events import (
    MAX_REASON_LENGTH,
    AttemptFailed,
    CampaignPaused,
    CampaignResumed,
    CampaignStopping,
    CandidateExcluded,
    CandidatesAdded,
    ControlNoted,
    Event,
    LateResultKept,
    MeasuredQuantity,
    ObservationAdded,
    RequestExpired,
    ResultAccepted,
)
from agent.campaign.life_cycle import OPEN, CandidateStatus, Phase
from agent.campaign.state import RESULT_REFUSED, Attempt, Campaign
from agent.pool.growth import NewCandidate
from protocols.errors import MessageError
from protocols.wire.messages import (
    PERMANENT_FAILURES,
    AddedCandidate,
    AnyMessage,
    CandidateFailure,
    CandidateResult,
    Control,
    ControlAction,
    Quantity,
    ReceiptStatus,
    Status,
)
from protocols.wire.topics import ANY_SIMULATOR


@dataclass(frozen=True, slots=True)
class ResultAck:
    """The answer that the sender of a result or failure gets, after the events are committed."""

    attempt_id: str
    simulator: str
    status: ReceiptStatus
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Consequence:
    """What follows from one input."""

    events: tuple[Event, ...] = ()
    ack: ResultAck | None = None

    def signed(self, signed_by: str) -> Consequence:
        """Return it with who signed the input, in every event that tells so."""
        told: Iterator[Any] = (
            replace(event, signed_by=signed_by) if hasattr(event, "signed_by") else event
            for event in cast("tuple[Any, ...]", self.events)
        )
        return replace(self, events=tuple(told))


def decide_message(campaign: Campaign, message: AnyMessage, *, signed_by: str = "") -> Consequence:
    """Decide on a message of any type; a status changes nothing.

    Args:
        campaign: As it is.
        message: What came.
        signed_by: Who signed it, for the journal; empty where nobody did.

    Raises:
        MessageError: When it is of another campaign, not for an agent, or cannot be carried out; it changes nothing.
    """
    outcome = _decide(campaign, message)
    return outcome.signed(signed_by) if signed_by else outcome


def _decide(campaign: Campaign, message: AnyMessage) -> Consequence:
    if message.campaign != campaign.plan.campaign:
        raise MessageError("foreign_campaign", f"A message of campaign {message.campaign!r}")
    match message:
        case CandidateResult():
            return decide_result(campaign, message)
        case CandidateFailure():
            return decide_failure(campaign, message)
        case Control():
            return decide_control(campaign, message)
        case Status():
            return Consequence()
        case _:
            raise MessageError("wrong_topic", f"A {message.type} is not for the agent")


def decide_result(campaign: Campaign, message: CandidateResult) -> Consequence:
    """Decide on a result: accepted, duplicate, late or refused.

    Raises:
        MessageError: When it answers no attempt of this campaign; it changes nothing.
    """
    attempt = _attempt(campaign, message)
    if attempt.result_seen:
        return _receipt(message, ReceiptStatus.DUPLICATE)
    quantities = tuple(_measured(quantity) for quantity in message.quantities)
    problem = contract_breach(campaign, message.quantities)
    if campaign.status_of(attempt.candidate_id) not in OPEN or (problem and not attempt.in_flight):
        why = problem or f"the candidate is {campaign.status_of(attempt.candidate_id).name.lower()}"
        late = LateResultKept(
            attempt.attempt_id, attempt.candidate_id, message.simulator, quantities, why, message.message_id
        )
        return _receipt(message, ReceiptStatus.LATE, why, late)
    if problem:
        failed = AttemptFailed(
            attempt.attempt_id,
            attempt.candidate_id,
            message.simulator,
            RESULT_REFUSED,
            problem,
            permanent=False,
            message_id=message.message_id,
        )
        return _receipt(message, ReceiptStatus.REFUSED, problem, failed)
    accepted = ResultAccepted(
        attempt.attempt_id,
        attempt.candidate_id,
        message.simulator,
        next(q.value for q in message.quantities if q.name == campaign.plan.property_name),
        quantities,
        message.duration_s,
        message.provenance or {},
        message.message_id,
    )
    return _receipt(message, ReceiptStatus.ACCEPTED, "", accepted)


def decide_failure(campaign: Campaign, message: CandidateFailure) -> Consequence:
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
        message_id=message.message_id,
    )
    return _receipt(message, ReceiptStatus.ACCEPTED, "", failed)


def decide_control(campaign: Campaign, message: Control) -> Consequence:
    """Decide on an operator's action; one that was carried out before changes nothing.

    Raises:
        MessageError: When it cannot be carried out: it lacks a field, names no candidate of the pool, or does not
            fit the state.
    """
    if message.message_id in campaign.controls_seen or campaign.phase is Phase.FINISHED:
        return Consequence()
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
            candidate_id = _controlled_candidate(
                campaign, message, closed={CandidateStatus.OBSERVED, CandidateStatus.ABANDONED}
            )
            excluded = campaign.status_of(candidate_id) is CandidateStatus.EXCLUDED
            events = () if excluded else (CandidateExcluded(candidate_id, reason, identity),)
        case ControlAction.ADD_OBSERVATION:
            candidate_id = _controlled_candidate(
                campaign, message, closed={CandidateStatus.OBSERVED, CandidateStatus.EXCLUDED}
            )
            quantity = message.quantity
            problem = "it carries no quantity" if quantity is None else contract_breach(campaign, (quantity,))
            if problem or quantity is None:
                raise MessageError("invalid", f"add_observation: {problem}")
            events = (ObservationAdded(candidate_id, quantity.value, identity),)
        case ControlAction.ADD_CANDIDATES:  # pragma: no branch - the last of the enumeration, which mypy checks
            new = tuple(map(_new_candidate, message.candidates or ()))
            if problem := addition_breach(campaign, new):
                raise MessageError("invalid", f"add_candidates: {problem}")
            events = (CandidatesAdded(new, reason, identity),)
    return Consequence(events or (ControlNoted(message.action.value, identity),))


def decide_expiry(campaign: Campaign, attempt_id: str) -> Consequence:
    """Decide that a request has had no answer in its time; an attempt that is no longer awaited changes nothing."""
    attempt = campaign.in_flight.get(attempt_id)
    return Consequence((RequestExpired(attempt_id, attempt.candidate_id),) if attempt is not None else ())


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


def _controlled_candidate(campaign: Campaign, message: Control, *, closed: set[CandidateStatus]) -> str:
    candidate_id = message.candidate_id
    if candidate_id is None or candidate_id not in campaign.pool.index_of:
        raise MessageError("invalid", f"{message.action.value}: candidate {candidate_id!r} is not in the pool")
    status = campaign.status_of(candidate_id)
    if status in closed:
        raise MessageError("invalid", f"{message.action.value}: candidate {candidate_id!r} is {status.name.lower()}")
    return candidate_id


def _new_candidate(added: AddedCandidate) -> NewCandidate:
    return NewCandidate(
        added.candidate_id,
        added.family,
        added.features,
        added.formula,
        added.smiles or "",
        added.structure,
        added.parent or "",
        added.origin,
    )


def _receipt(
    message: CandidateResult | CandidateFailure, status: ReceiptStatus, detail: str = "", *events: Event
) -> Consequence:
    return Consequence(events, ResultAck(message.attempt_id, message.simulator, status, detail[:MAX_REASON_LENGTH]))


def _measured(quantity: Quantity) -> MeasuredQuantity:
    return MeasuredQuantity(quantity.name, quantity.value, quantity.unit, quantity.standard_deviation)
