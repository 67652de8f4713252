"""Which orders are obeyed, and what their sender hears: not one for an earlier campaign, and none twice.

    accepted     what it asks for is done, by events in the journal, or is so already
    duplicate    it is in the journal already
    refused      it cannot be carried out: a note in the journal, so that a repetition is refused as well

A note that nothing changed, or that an order was refused, is bounded: whoever gives such orders for ever does not fill
the journal. What each action makes is in `orders` beside this.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from agent.campaign.events import MAX_REASON_LENGTH, ControlNoted, ControlRefused, Event
from agent.campaign.people.orders import Refused, events_of_order
from agent.campaign.state import Campaign
from protocols.errors import MessageError
from protocols.wire.messages import Control, ControlAction, ControlStatus

CLOCK_TOLERANCE_S: Final = 2.0
"""How much earlier than the campaign's begin an order may say that it was sent: clocks that a network keeps differ by
far less, and a time in whole seconds is up to one too early. An order is seldom given in a campaign's first seconds."""

MAX_CONTROLS_NOTED: Final = 64
"""Orders that change nothing and are journalled all the same, so that a late repetition of one changes nothing either.
Further ones are only counted: whoever repeats `resume` for ever does not fill the journal. From then on a pause or a
resumption that was sent before the last one carried out is refused."""

MAX_CONTROLS_REFUSED: Final = 256
"""Orders that cannot be carried out and are journalled all the same, so that a repetition is refused as well and people
see what was asked. Further ones are refused, and only counted."""

PHASE_ORDERS: Final = frozenset({ControlAction.PAUSE, ControlAction.RESUME})
"""Orders that may change nothing at first, and something when they come again."""


NOTHING_CHANGES: Final = "that is so already: nothing changes"
"""What the sender of an order hears that changes nothing."""


@dataclass(frozen=True, slots=True)
class ControlAck:
    """The answer that the sender of a control gets, after the events are committed.

    Attributes:
        operator: Who gets it; empty where it does not say who it is: then nobody does.
        status: What became of the control.
        detail: Why, for people.
        answers: Id of the message; None where it has none that can be told.
        action: What it asked for; None where that could not be read.
        row: Number of the journal's row that it made; None where it made none.
    """

    operator: str
    status: ControlStatus
    detail: str = ""
    answers: str | None = None
    action: ControlAction | None = None
    row: int | None = None


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
    last = campaign.orders.last_sent_at
    forgotten = campaign.orders.noted >= MAX_CONTROLS_NOTED and message.action in PHASE_ORDERS
    if forgotten and last is not None and message.sent_at < last:
        raise MessageError(
            "stale",
            f"{what} says that it was sent {message.sent_at.isoformat()}, and the last pause or resumption "
            f"{last.isoformat()}; so many orders changed nothing that not all are remembered: it may be one that comes "
            "again, or one of two clocks is off",
            expected="an order that was not sent before that",
        )


def answer_control(campaign: Campaign, message: Control, signed_by: str) -> tuple[tuple[Event, ...], ControlAck]:
    """Return what an order makes, and what its sender hears.

    Args:
        campaign: The state.
        message: The order; `require_fresh` has nothing against it.
        signed_by: Who signed it; empty where nobody did.
    """
    asked: dict[str, Any] = {
        "message_id": message.message_id,
        "operator": message.operator or "",
        "signed_by": signed_by,
    }
    events: tuple[Event, ...]
    try:
        made = events_of_order(campaign, message, signed_by)
    except Refused as refused:
        why = f"{message.action.value}: {refused}"[:MAX_REASON_LENGTH]
        is_kept = campaign.orders.refused < MAX_CONTROLS_REFUSED
        events = (ControlRefused(message.action.value, why, **asked),) if is_kept else ()
        return events, _ack(campaign, message, ControlStatus.REFUSED, why, events)
    if made:
        return made, _ack(campaign, message, ControlStatus.ACCEPTED, "", made)
    is_kept = campaign.orders.noted < MAX_CONTROLS_NOTED
    events = (ControlNoted(message.action.value, **asked),) if is_kept else ()
    return events, _ack(campaign, message, ControlStatus.ACCEPTED, NOTHING_CHANGES, events)


def answer_repeated(campaign: Campaign, message: Control) -> ControlAck:
    """Return what the sender of a control hears that is in the journal already."""
    seen = campaign.orders.seen[message.message_id]
    status = ControlStatus.REFUSED if seen.refused else ControlStatus.DUPLICATE
    return ControlAck(message.operator or "", status, seen.refused, message.message_id, message.action, seen.row)


def _ack(
    campaign: Campaign, message: Control, status: ControlStatus, detail: str, events: tuple[Event, ...]
) -> ControlAck:
    row = campaign.sequence + 1 if events else None
    return ControlAck(message.operator or "", status, detail, message.message_id, message.action, row)
