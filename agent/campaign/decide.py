"""The rules of what comes in: which events an input makes, and which receipt its sender gets.

Pure functions of the campaign and one input. What follows by itself is in `agent.campaign.follow`, when the policy is
due in `agent.campaign.proposals`; `agent.campaign.ledger` asks all three in their order, after every input and once
after a restart. Recovery has no rules of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from agent.campaign.contract import contract_breach
from agent.campaign.events import (
    MAX_REASON_LENGTH,
    ApprovalOverdue,
    AttemptFailed,
    ControlNoted,
    Event,
    LateResultKept,
    MeasuredQuantity,
    RawFileLink,
    RequestExpired,
    ResultAccepted,
    ResultContradicted,
)
from agent.campaign.lab.announcements import events_of_announcement
from agent.campaign.life_cycle import WITHOUT_VALUE, Phase
from agent.campaign.people.controls import ControlAck, answer_control, answer_repeated, require_fresh
from agent.campaign.results_seen import ResultSeen, content_of, is_contradiction, may_be_journalled, repeated
from agent.campaign.state import RESULT_REFUSED, Attempt, Campaign
from protocols.errors import MessageError
from protocols.wire.messages import (
    PERMANENT_FAILURES,
    AnyMessage,
    CandidateFailure,
    CandidateResult,
    Capabilities,
    Control,
    ControlStatus,
    Quantity,
    ReceiptStatus,
    Status,
)
from protocols.wire.replicates import with_deviation
from protocols.wire.topics import ANY_SIMULATOR, EVERY_CAMPAIGN


@dataclass(frozen=True, slots=True)
class ResultAck:
    """The answer that the sender of a result or failure gets, after the events are committed.

    Attributes:
        attempt_id: The attempt that it named.
        simulator: Who gets it.
        status: What became of the message.
        detail: Why, for people.
        answers: Id of the message; None where it has none that can be told.
    """

    attempt_id: str
    simulator: str
    status: ReceiptStatus
    detail: str = ""
    answers: str | None = None


@dataclass(frozen=True, slots=True)
class Consequence:
    """What follows from one input."""

    events: tuple[Event, ...] = ()
    ack: ResultAck | ControlAck | None = None

    @property
    def disposition(self) -> str:
        """What became of a message, for its counter."""
        if isinstance(self.ack, ResultAck):
            return self.ack.status.value
        if self.ack is not None and self.ack.status is ControlStatus.REFUSED:
            return self.ack.status.value
        changes = [event for event in self.events if not isinstance(event, ControlNoted)]
        return "carried out" if changes else "changes nothing"


def decide_message(
    campaign: Campaign, message: AnyMessage, *, signed_by: str = "", retained: bool = False
) -> Consequence:
    """Decide on a message of any type; a status changes nothing.

    Args:
        campaign: The state.
        message: What was heard.
        signed_by: Who signed it, where a signature holds.
        retained: Whether the broker had kept it for whoever comes later.

    Raises:
        MessageError: When it is of another campaign, not for an agent, or stale; it changes nothing.
    """
    of_every_campaign = isinstance(message, Capabilities | Status) and message.campaign == EVERY_CAMPAIGN
    if message.campaign != campaign.plan.campaign and not of_every_campaign:
        raise MessageError("foreign_campaign", f"A message of campaign {message.campaign!r}")
    match message:
        case CandidateResult():
            return decide_result(campaign, message, signed_by=signed_by)
        case CandidateFailure():
            return decide_failure(campaign, message, signed_by=signed_by)
        case Control():
            return decide_control(campaign, message, signed_by=signed_by, retained=retained)
        case Status():
            return Consequence()
        case Capabilities():
            return Consequence(events_of_announcement(campaign, message, signed_by=signed_by))
        case _:
            raise MessageError("wrong_topic", f"A {message.type} is not for the agent")


def decide_result(campaign: Campaign, message: CandidateResult, *, signed_by: str = "") -> Consequence:
    """Decide on a result: accepted, duplicate, contradicts, late or refused.

    The first valid result of a candidate is its value, whichever attempt it answers and however late it is.

    Raises:
        MessageError: When it answers no attempt of this campaign; it changes nothing.
    """
    attempt = _attempt(campaign, message)
    told = with_deviation(message.quantities, campaign.plan.property_name, message.replicates)
    quantities = tuple(map(_measured, told))
    if known := repeated(attempt.results, message.message_id, content_of(quantities)):
        return _receipt(message, ReceiptStatus.DUPLICATE, _said_before(known))
    said: dict[str, Any] = {
        "attempt_id": attempt.attempt_id,
        "candidate_id": attempt.candidate_id,
        "simulator": message.simulator,
        "quantities": quantities,
        "message_id": message.message_id,
        "signed_by": signed_by,
    }
    if is_contradiction(attempt.results):
        why = "the journal holds another result of this attempt, which stays"
        return _kept(attempt, message, ReceiptStatus.CONTRADICTS, why, ResultContradicted(**said))
    problem = contract_breach(campaign, message.quantities, attempt.candidate_id)
    if closed := _closed(campaign, attempt):
        why = problem or closed
        return _kept(attempt, message, ReceiptStatus.LATE, why, LateResultKept(**said, why=why, refused=bool(problem)))
    if problem and attempt.in_flight:
        failed = AttemptFailed(**said, reason=RESULT_REFUSED, detail=problem, permanent=False)
        return _receipt(message, ReceiptStatus.REFUSED, problem, failed)
    if problem:
        return _kept(
            attempt, message, ReceiptStatus.REFUSED, problem, LateResultKept(**said, why=problem, refused=True)
        )
    main = next(each for each in quantities if each.name == campaign.plan.property_name)
    accepted = ResultAccepted(
        **said,
        value=main.value,
        standard_deviation=main.standard_deviation,
        duration_s=message.duration_s,
        provenance=message.provenance or {},
        replicates=message.replicates,
        conditions=tuple(map(_measured, message.conditions)),
        remarks=message.remarks,
        files=tuple(RawFileLink(each.name, each.uri, each.sha256, each.size_bytes) for each in message.files),
        structure=message.structure,
    )
    return _receipt(message, ReceiptStatus.ACCEPTED, "", accepted)


def decide_failure(campaign: Campaign, message: CandidateFailure, *, signed_by: str = "") -> Consequence:
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
        signed_by=signed_by,
    )
    return _receipt(message, ReceiptStatus.ACCEPTED, "", failed)


def decide_control(campaign: Campaign, message: Control, *, signed_by: str = "", retained: bool = False) -> Consequence:
    """Decide on an operator's action: accepted, duplicate or refused.

    Raises:
        MessageError: When it is stale.
    """
    if message.message_id in campaign.orders.seen:
        return Consequence((), answer_repeated(campaign, message))
    require_fresh(campaign, message, retained=retained)
    return Consequence(*answer_control(campaign, message, signed_by))


def decide_expiry(campaign: Campaign, attempt_id: str) -> Consequence:
    """Decide that a request has had no answer in its time; an attempt that is no longer awaited changes nothing."""
    attempt = campaign.in_flight.get(attempt_id)
    return Consequence((RequestExpired(attempt_id, attempt.candidate_id),) if attempt is not None else ())


def decide_overdue(campaign: Campaign, decision: int, waited_s: float) -> Consequence:
    """Decide that a decision has waited for approval for as long as it may: nothing else is decided until it has one.

    It is never approved by that. One that waits no longer, or was found before, changes nothing.
    """
    is_news = campaign.awaiting_approval.get(decision) is False
    return Consequence((ApprovalOverdue(decision, waited_s),) if is_news else ())


def _attempt(campaign: Campaign, message: CandidateResult | CandidateFailure) -> Attempt:
    """Find the attempt that a message answers; only whom it was addressed to may answer."""
    named = message.attempt_id
    attempt = campaign.attempts.get(named)
    if attempt is None:
        raise MessageError("unknown_attempt", f"Attempt {named!r} was never made by this campaign")
    asked = campaign.plan.measurement_of(attempt.candidate_id).candidate_id
    if asked != message.candidate_id:
        raise MessageError("invalid", f"Attempt {named!r} is of {asked!r}, not of {message.candidate_id!r}")
    if attempt.recipient not in {ANY_SIMULATOR, message.simulator}:
        raise MessageError(
            "wrong_sender", f"Attempt {named!r} went to {attempt.recipient!r}, not to {message.simulator!r}"
        )
    return attempt


def _closed(campaign: Campaign, attempt: Attempt) -> str:
    """Say why no result of an attempt can become a value any more; empty while one can."""
    status = campaign.status_of(attempt.candidate_id)
    if status not in WITHOUT_VALUE:
        return f"the candidate is {status.name.lower()}"
    return "the campaign is finished" if campaign.phase is Phase.FINISHED else ""


def _said_before(known: ResultSeen) -> str:
    """Say what became of a result when it came first; empty where that is what everybody hopes for."""
    return "" if known.became is ReceiptStatus.ACCEPTED else f"its receipt said {known.became.value}"


def _kept(attempt: Attempt, message: CandidateResult, status: ReceiptStatus, why: str, event: Event) -> Consequence:
    """Return the receipt of a result that changes nothing, and its event unless there are enough of the kind."""
    return _receipt(message, status, why, *((event,) if may_be_journalled(attempt.results, status) else ()))


def _receipt(
    message: CandidateResult | CandidateFailure, status: ReceiptStatus, detail: str = "", *events: Event
) -> Consequence:
    ack = ResultAck(message.attempt_id, message.simulator, status, detail[:MAX_REASON_LENGTH], message.message_id)
    return Consequence(events, ack)


def _measured(quantity: Quantity) -> MeasuredQuantity:
    return MeasuredQuantity(quantity.name, quantity.value, quantity.unit, quantity.standard_deviation)
