"""What an order makes: the events of each action, or why it cannot be carried out.

Every rule of an order is here and in no other place: what it needs, what it fits, and how often it may be given. An
order that cannot be carried out raises `Refused`, and has changed nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from agent.campaign.contract import addition_breach, amendment_breach, contract_breach
from agent.campaign.events import (
    BudgetSet,
    CampaignPaused,
    CampaignResumed,
    CampaignStopping,
    CandidateExcluded,
    CandidateRequeued,
    CandidatesAdded,
    DecisionApproved,
    DecisionVetoed,
    Event,
    MeasuredQuantity,
    ObservationAdded,
    ObservationAmended,
    ObservationRetracted,
)
from agent.campaign.life_cycle import CandidateStatus, Phase
from agent.campaign.plan import MAX_BUDGET
from agent.campaign.state import Campaign
from agent.pool.growth import NewCandidate
from protocols.wire.messages import AddedCandidate, AddedResult, Control, ControlAction, Quantity
from protocols.wire.parameters import Parameters

MAX_PAUSES_AHEAD: Final = 64
"""How much oftener operators may pause a campaign than candidates have their outcome: whoever pauses and resumes it for
ever does not fill the journal, and who pauses it for each measurement is obeyed. To stop it, and to resume it, stay."""

MAX_BUDGETS_AHEAD: Final = 64
"""How much oftener operators may set the budget than candidates have their outcome, for the same reason."""

MAX_ORDERS_ABOUT: Final = 64
"""How often operators may change what is known of one candidate (add, retract, amend, exclude, requeue): a person
corrects a value once or twice, and whoever does so for ever does not fill the journal."""

_S = CandidateStatus


class Refused(Exception):
    """An order that cannot be carried out; says why, in words for who gave it."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order with what every event of an operator carries.

    Attributes:
        message: The order.
        asked: Message id, operator and who signed it.
    """

    message: Control
    asked: Mapping[str, Any]

    @property
    def why(self) -> dict[str, Any]:
        """The same with the reason."""
        return {"reason": self.message.reason or "by the operator", **self.asked}


def events_of_order(campaign: Campaign, message: Control, signed_by: str) -> tuple[Event, ...]:
    """Return what an order makes; nothing where what it asks for is so already.

    Args:
        campaign: The state.
        message: The order.
        signed_by: Who signed it; empty where nobody did.

    Raises:
        Refused: When it cannot be carried out.
    """
    asked = {"message_id": message.message_id, "operator": message.operator or "", "signed_by": signed_by}
    if campaign.phase is Phase.FINISHED and message.action is not ControlAction.SET_BUDGET:
        raise Refused(f"the campaign is finished: {campaign.finish_reason}; a larger budget lets it go on")
    return _RULES[message.action](campaign, Order(message, asked))


def _paused(campaign: Campaign, order: Order) -> tuple[Event, ...]:
    if campaign.phase is not Phase.RUNNING:
        return ()
    if campaign.orders.pauses >= MAX_PAUSES_AHEAD + campaign.outcomes:
        raise Refused(
            f"operators have paused the campaign {campaign.orders.pauses} times, and {campaign.outcomes} candidates "
            "have their outcome: it goes on, and can be paused again after the next one, or stopped now; expected: at "
            f"most {MAX_PAUSES_AHEAD} pauses more than outcomes"
        )
    return (CampaignPaused(**order.why, ordered_at=order.message.sent_at),)


def _resumed(campaign: Campaign, order: Order) -> tuple[Event, ...]:
    if campaign.phase is not Phase.PAUSED:
        return ()
    return (CampaignResumed(**order.why, ordered_at=order.message.sent_at),)


def _stopped(campaign: Campaign, order: Order) -> tuple[Event, ...]:
    return (CampaignStopping(**order.why),) if campaign.phase in {Phase.RUNNING, Phase.PAUSED} else ()


def _excluded(campaign: Campaign, order: Order) -> tuple[Event, ...]:
    which = _candidate(campaign, order.message, closed={_S.OBSERVED, _S.ABANDONED, _S.RETRACTED})
    if campaign.status_of(which) is _S.EXCLUDED:
        return ()
    _require_orders_left(campaign, which)
    return (CandidateExcluded(which, **order.why),)


def _requeued(campaign: Campaign, order: Order) -> tuple[Event, ...]:
    closed = set(CandidateStatus) - {_S.ABANDONED, _S.RETRACTED, _S.EXCLUDED}
    which = _candidate(campaign, order.message, closed=closed)
    if campaign.phase is Phase.STOPPING:
        raise Refused("the campaign is being stopped: nothing more is asked for")
    is_limited = which in campaign.decision_of and campaign.asking.is_limiting
    if is_limited and (why := campaign.asking.why_not(campaign.pool, campaign.pool.index_of[which])):
        raise Refused(f"candidate {which!r} may not be asked for again: {why}")
    _require_orders_left(campaign, which)
    return (CandidateRequeued(which, **order.why),)


def _observation_added(campaign: Campaign, order: Order) -> tuple[Event, ...]:
    message = order.message
    if message.quantity is None:
        raise Refused("it carries no quantity")
    which = _candidate(campaign, message, closed={_S.OBSERVED, _S.EXCLUDED})
    return (_observation(campaign, order, which, (message.quantity, *message.additional)),)


def _observations_added(campaign: Campaign, order: Order) -> tuple[Event, ...]:
    results = order.message.quantities or ()
    if not results:
        raise Refused("it carries no quantities")
    events: dict[str, Event] = {}
    for place, each in enumerate(results, 1):
        try:
            which = _without_value(campaign, each, events)
            events[which] = _observation(campaign, order, which, (each.quantity, *each.additional))
        except Refused as refused:
            raise Refused(f"value {place} of {len(results)}: {refused}; none of them was taken") from None
    return tuple(events.values())


def _without_value(campaign: Campaign, result: AddedResult, taken: Mapping[str, Event]) -> str:
    which = _candidate(campaign, result, closed={_S.OBSERVED, _S.EXCLUDED})
    if which in taken:
        raise Refused(f"candidate {which!r} has two values")
    return which


def _observation(campaign: Campaign, order: Order, which: str, quantities: tuple[Quantity, ...]) -> ObservationAdded:
    if problem := contract_breach(campaign, quantities, which):
        raise Refused(problem)
    _require_orders_left(campaign, which)
    told = tuple(map(_measured, quantities))
    main = next(each for each in quantities if each.name == campaign.plan.property_name)
    return ObservationAdded(
        which,
        main.value,
        **order.asked,
        quantities=told,
        reason=order.message.reason,
        standard_deviation=main.standard_deviation,
    )


def _retracted(campaign: Campaign, order: Order) -> tuple[Event, ...]:
    which = _observed(campaign, order.message)
    candidate = campaign.pool.candidate(which)
    value = float(campaign.values[campaign.pool.index_of[which]])
    return (ObservationRetracted(which, value, **order.why, family=candidate.family, source_id=candidate.source_id),)


def _amended(campaign: Campaign, order: Order) -> tuple[Event, ...]:
    quantity = order.message.quantity
    if quantity is None:
        raise Refused("it carries no quantity")
    which = _observed(campaign, order.message)
    if problem := amendment_breach(campaign, quantity, which):
        raise Refused(problem)
    index, place = campaign.pool.index_of[which], campaign.plan.property_names.index(quantity.name)
    values = [float(campaign.values[index]), *campaign.additional[index].tolist()]
    uncertainties = campaign.uncertainties[index].tolist()
    before, uncertainty = values[place], quantity.standard_deviation or 0.0
    if (before, uncertainties[place]) == (quantity.value, uncertainty):
        return ()
    values[place], uncertainties[place] = quantity.value, uncertainty
    amended = ObservationAmended(
        which,
        values[0],
        tuple(values[1:]),
        tuple(uncertainties),
        corrected=_measured(quantity),
        before=before,
        **order.why,
    )
    return (amended,)


def _candidates_added(campaign: Campaign, order: Order) -> tuple[Event, ...]:
    new = tuple(map(_new_candidate, order.message.candidates or ()))
    if problem := addition_breach(campaign, new):
        raise Refused(problem)
    return (CandidatesAdded(new, **order.why),)


def _approved(campaign: Campaign, order: Order) -> tuple[Event, ...]:
    return (DecisionApproved(_held_decision(campaign, order.message), **order.why),)


def _vetoed(campaign: Campaign, order: Order) -> tuple[Event, ...]:
    return (DecisionVetoed(_held_decision(campaign, order.message), **order.why),)


def _budget_set(campaign: Campaign, order: Order) -> tuple[Event, ...]:
    budget = order.message.budget
    if budget is None:
        raise Refused("it carries no budget")
    if why := budget_refused(campaign, budget):
        raise Refused(why)
    if budget == campaign.budget:
        return ()
    if campaign.orders.budgets >= MAX_BUDGETS_AHEAD + campaign.outcomes:
        raise Refused(
            f"operators have set the budget {campaign.orders.budgets} times, and {campaign.outcomes} candidates have "
            f"their outcome; expected: at most {MAX_BUDGETS_AHEAD} more than outcomes"
        )
    return (BudgetSet(budget, campaign.budget, **order.why),)


def budget_refused(campaign: Campaign, budget: int, *, has_other_limits: bool = False) -> str:
    """Return why a campaign cannot have a budget; empty where it can.

    Args:
        campaign: The state.
        budget: Which it is to have.
        has_other_limits: Whether it gets other limits as well, so that what is used up says nothing.
    """
    if not 1 <= budget <= MAX_BUDGET:
        return f"a budget of {budget}; expected 1 to {MAX_BUDGET:,}"
    if budget < campaign.requested:
        still_open = campaign.requested - campaign.spent
        open_count = f", {still_open} of them still open" if still_open else ""
        unit = campaign.plan.budget_unit
        return f"a budget of {budget}, and {campaign.requested} {unit} are requested{open_count}; expected as many"
    if campaign.phase is Phase.STOPPING:
        return "the campaign is being stopped: nothing more is asked for"
    left = campaign.available_count if has_other_limits else campaign.choosable_count
    return _not_reopened(campaign, budget, left) if campaign.phase is Phase.FINISHED else ""


def _not_reopened(campaign: Campaign, budget: int, left: int) -> str:
    """Return why a finished campaign does not go on with a budget; empty where it does."""
    if budget - campaign.requested < campaign.plan.least_cost:
        return f"the campaign is finished, and a budget of {budget} lets it ask for nothing more; expected a larger one"
    is_empty = not left and not campaign.may_grow
    ended = campaign.asking_ended or ("no candidate is left that may be asked for" if is_empty else "")
    return f"the campaign is finished, and a larger budget changes nothing: {ended}" if ended else ""


def _held_decision(campaign: Campaign, message: Control) -> int:
    if message.decision is None:
        raise Refused("it carries no decision")
    if message.decision not in campaign.awaiting_approval:
        waiting = ", ".join(map(str, campaign.awaiting_approval)) or "none"
        raise Refused(f"decision {message.decision} does not wait for approval; waiting: {waiting}")
    return message.decision


def _observed(campaign: Campaign, message: Control) -> str:
    """Return the candidate of an order about its value."""
    which = _named(campaign, message)
    status = campaign.status_of(which)
    if status is _S.RETRACTED:
        raise Refused(f"the value of candidate {which!r} is retracted already")
    if status is not _S.OBSERVED:
        raise Refused(f"candidate {which!r} has no value; it is {_in_words(status)}")
    _require_orders_left(campaign, which)
    return which


def _candidate(campaign: Campaign, message: Control | AddedResult, *, closed: set[CandidateStatus]) -> str:
    """Return the candidate of an order, which must have none of some statuses."""
    which = _named(campaign, message)
    status = campaign.status_of(which)
    if status in closed:
        raise Refused(f"candidate {which!r} is {_in_words(status)}")
    return which


def _named(campaign: Campaign, message: Control | AddedResult) -> str:
    """Return the candidate that an order, or a part of one, names: by our id, or the table's."""
    pool, candidate_id, source_id = campaign.pool, message.candidate_id, message.source_id
    if candidate_id is None and source_id is None:
        raise Refused("it names no candidate; expected candidate_id or source_id")
    if candidate_id is not None and candidate_id not in pool.index_of:
        raise Refused(f"candidate {candidate_id!r} is not in the pool")
    if source_id is None:
        return str(candidate_id)
    found = pool.of_source_id.get(source_id)
    if found is None:
        raise Refused(f"no candidate of the pool is called {source_id!r} in its table")
    if candidate_id not in {None, found}:
        raise Refused(f"it names two candidates: {candidate_id!r}, and {source_id!r}, which is {found!r}")
    return str(found)


def _require_orders_left(campaign: Campaign, which: str) -> None:
    if campaign.orders.about.get(which, 0) >= MAX_ORDERS_ABOUT:
        raise Refused(f"operators have changed candidate {which!r} {MAX_ORDERS_ABOUT} times; expected: fewer")


def _in_words(status: CandidateStatus) -> str:
    return status.name.lower().replace("_", " ")


def _measured(quantity: Quantity) -> MeasuredQuantity:
    return MeasuredQuantity(quantity.name, quantity.value, quantity.unit, quantity.standard_deviation)


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


_RULES: Final[Mapping[ControlAction, Callable[[Campaign, Order], tuple[Event, ...]]]] = {
    ControlAction.PAUSE: _paused,
    ControlAction.RESUME: _resumed,
    ControlAction.STOP: _stopped,
    ControlAction.ADD_OBSERVATION: _observation_added,
    ControlAction.ADD_OBSERVATIONS: _observations_added,
    ControlAction.EXCLUDE_CANDIDATE: _excluded,
    ControlAction.REQUEUE_CANDIDATE: _requeued,
    ControlAction.ADD_CANDIDATES: _candidates_added,
    ControlAction.RETRACT_OBSERVATION: _retracted,
    ControlAction.AMEND_OBSERVATION: _amended,
    ControlAction.APPROVE_DECISION: _approved,
    ControlAction.VETO_DECISION: _vetoed,
    ControlAction.SET_BUDGET: _budget_set,
}
