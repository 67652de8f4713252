"""What an operator's order makes, and which orders are not obeyed because they are meant for an earlier campaign."""

from __future__ import annotations

from typing import Any, Final

from agent.campaign.contract import addition_breach, contract_breach
from agent.campaign.events import (
    CampaignPaused,
    CampaignResumed,
    CampaignStopping,
    CandidateExcluded,
    CandidatesAdded,
    ControlNoted,
    Event,
    ObservationAdded,
)
from agent.campaign.life_cycle import CandidateStatus, Phase
from agent.campaign.state import Campaign
from agent.pool.growth import NewCandidate
from protocols.errors import MessageError
from protocols.wire.messages import AddedCandidate, Control, ControlAction
from protocols.wire.parameters import Parameters

CLOCK_TOLERANCE_S: Final = 2.0
"""How much earlier than the campaign's begin an order may say that it was sent: clocks that a network keeps differ by
far less, and a time in whole seconds is up to one too early. An order is seldom given in a campaign's first seconds."""

MAX_CONTROLS_NOTED: Final = 64
"""Orders that change nothing and are journalled all the same, so that a late repetition of one changes nothing either.
Further ones are only counted: whoever repeats `resume` for ever does not fill the journal. From then on a pause or a
resumption that was sent before the last one carried out is refused."""

MAX_PAUSES_AHEAD: Final = 64
"""How much oftener operators may pause a campaign than candidates have their outcome: whoever pauses and resumes it for
ever does not fill the journal, and who pauses it for each measurement is obeyed. To stop it, and to resume it, stay."""

PHASE_ORDERS: Final = frozenset({ControlAction.PAUSE, ControlAction.RESUME})
"""Orders that may change nothing at first, and something when they come again."""


def require_fresh(campaign: Campaign, message: Control, *, retained: bool) -> None:
    """Check that an order is meant for this campaign as it is, and not for one of the same name before it.

    Args:
        campaign: The state.
        message: The order.
        retained: Whether the broker had kept it for whoever comes later.

    Raises:
        MessageError: With reason `stale` when it is not.
    """
    what = f"The order to {message.action.value.replace('_', ' ')}"
    if retained:
        raise MessageError(
            "stale",
            f"{what} was kept by the broker (its retain flag is set), for whoever comes later",
            expected="an order without that flag",
        )
    begun = campaign.began_at
    early_s = 0.0 if begun is None else (begun - message.sent_at).total_seconds()
    if begun is not None and early_s > CLOCK_TOLERANCE_S:
        raise MessageError(
            "stale",
            f"{what} says that it was sent {message.sent_at.isoformat()}, which is {early_s:.0f} s before the campaign "
            f"began at {begun.isoformat()}: it is meant for an earlier one, or one of the two clocks is off; set that "
            "right (and start the agent again, if it is the agent's)",
            expected=f"a time at most {CLOCK_TOLERANCE_S:g} s before that",
        )
    last = campaign.ordered_at
    forgotten = campaign.controls_noted >= MAX_CONTROLS_NOTED and message.action in PHASE_ORDERS
    if forgotten and last is not None and message.sent_at < last:
        raise MessageError(
            "stale",
            f"{what} says that it was sent {message.sent_at.isoformat()}, and the last pause or resumption "
            f"{last.isoformat()}; so many orders changed nothing that not all are remembered: it may be one that comes "
            "again, or one of two clocks is off",
            expected="an order that was not sent before that",
        )


def events_of_control(campaign: Campaign, message: Control, signed_by: str) -> tuple[Event, ...]:
    """Return what an order makes: what it changes, or a note that it changes nothing, unless there are enough of them.

    Raises:
        MessageError: When it cannot be carried out: it lacks a field, names no candidate of the pool, or does not fit
            the state.
    """
    made = _made(campaign, message, signed_by)
    if made is not None:
        return (made,)
    if campaign.controls_noted >= MAX_CONTROLS_NOTED:
        return ()
    return (ControlNoted(message.action.value, message.message_id, message.operator or "", signed_by),)


def _made(campaign: Campaign, message: Control, signed_by: str) -> Event | None:
    """Return what an order changes; None where it changes nothing."""
    asked: dict[str, Any] = {
        "message_id": message.message_id,
        "operator": message.operator or "",
        "signed_by": signed_by,
    }
    why: dict[str, Any] = {"reason": message.reason or "by the operator"} | asked
    match message.action:
        case ControlAction.PAUSE | ControlAction.RESUME | ControlAction.STOP:
            return _of_the_phase(campaign, message, why)
        case ControlAction.EXCLUDE_CANDIDATE:
            candidate_id = _controlled_candidate(
                campaign, message, closed={CandidateStatus.OBSERVED, CandidateStatus.ABANDONED}
            )
            excluded = campaign.status_of(candidate_id) is CandidateStatus.EXCLUDED
            return None if excluded else CandidateExcluded(candidate_id, **why)
        case ControlAction.ADD_OBSERVATION:
            candidate_id = _controlled_candidate(
                campaign, message, closed={CandidateStatus.OBSERVED, CandidateStatus.EXCLUDED}
            )
            quantity = message.quantity
            problem = "it carries no quantity" if quantity is None else contract_breach(campaign, (quantity,))
            if problem or quantity is None:
                raise MessageError("invalid", f"add_observation: {problem}")
            return ObservationAdded(
                candidate_id, quantity.value, **asked, standard_deviation=quantity.standard_deviation
            )
        case ControlAction.ADD_CANDIDATES:  # pragma: no branch - the last of the enumeration, which mypy checks
            new = tuple(map(_new_candidate, message.candidates or ()))
            if problem := addition_breach(campaign, new):
                raise MessageError("invalid", f"add_candidates: {problem}")
            return CandidatesAdded(new, **why)


def _of_the_phase(campaign: Campaign, message: Control, why: dict[str, Any]) -> Event | None:
    running, paused = campaign.phase is Phase.RUNNING, campaign.phase is Phase.PAUSED
    if message.action is ControlAction.STOP:
        return CampaignStopping(**why) if running or paused else None
    if message.action is ControlAction.RESUME:
        return CampaignResumed(**why, ordered_at=message.sent_at) if paused else None
    if not running:
        return None
    _require_pause_left(campaign)
    return CampaignPaused(**why, ordered_at=message.sent_at)


def _require_pause_left(campaign: Campaign) -> None:
    if campaign.pauses_ordered >= MAX_PAUSES_AHEAD + campaign.spent:
        raise MessageError(
            "invalid",
            f"pause: operators have paused the campaign {campaign.pauses_ordered} times, and {campaign.spent} "
            "candidates have their outcome: it goes on, and can be paused again after the next one, or stopped now",
            expected=f"at most {MAX_PAUSES_AHEAD} pauses more than outcomes",
        )


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
        Parameters.of(added.parameters, added.labels),
    )
