"""An operator's orders from the terminal: sent as `entropilot control` sends them, and what became of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from protocols.errors import EntropilotError
from protocols.wire.fresh_ids import fresh_id
from scenarios.watch.state.answers import ControlAnswer

if TYPE_CHECKING:
    from scenarios.control.place import Place

WITHOUT_OBJECT: Final = frozenset({"pause", "resume", "stop"})
"""Orders that are about the campaign."""

STATUSES: Final = {
    "accepted": "accepted",
    "duplicate": "duplicate",
    "refused": "refused",
    "no answer": "no_answer",
    "not sent": "not_sent",
}
"""What became of an order, as `scenarios.control.sender` calls it -> as it is shown."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for.

    Attributes:
        verb: As it is typed after `entropilot control RUN`.
        about: What follows it: a decision; empty where it is about the campaign.
        reason: For the journal.
        message_id: Names it for ever.
        sent_at: When.
    """

    verb: str
    about: str
    reason: str
    message_id: str
    sent_at: datetime

    @classmethod
    def now(cls, verb: str, about: str, reason: str) -> Order:
        """Return an order that goes out now."""
        return cls(verb, about, reason, fresh_id(), datetime.now(UTC))

    def answered(self, status: str, detail: str = "", row: int | None = None, operator: str = "") -> ControlAnswer:
        """Return what became of it."""
        return ControlAnswer.model_validate({
            "message_id": self.message_id, "action": self.verb, "words": f"{self.verb} {self.about}".rstrip(),
            "sent_at": self.sent_at, "status": status, "detail": detail, "row": row, "operator": operator,
        })  # fmt: skip


Give = Callable[[Order], ControlAnswer]
"""Sends an order and waits for its answer; called in a thread of its own, and never raises an error of ours."""


def to_place(place_of: Callable[[], Place]) -> Give:
    """Return what gives orders to a campaign, wherever it is reached by then.

    Args:
        place_of: Says where; it may raise an error of ours, and the order is then not sent.
    """

    def give(order: Order) -> ControlAnswer:
        from scenarios.control.control import ControlRequest, control
        from scenarios.control.orders import Wanted

        try:
            request = ControlRequest(Wanted(order.verb, _words_of(order)), order.reason, order.message_id)
            request.require_possible()
            place = place_of()
            (answer,) = control(request, place).answers
        except EntropilotError as error:
            return order.answered("not_sent", str(error))
        return order.answered(STATUSES[answer.fate.value], answer.detail, answer.row, place.operator)

    return give


def _words_of(order: Order) -> tuple[str, ...]:
    return () if order.verb in WITHOUT_OBJECT else (order.about,)
