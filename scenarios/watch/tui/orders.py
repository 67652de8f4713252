"""An operator's orders from the terminal: sent as `entropilot control` sends them, and what became of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from protocols.errors import EntropilotError
from protocols.wire.fresh_ids import fresh_id
from scenarios.watch.state.answers import ControlAnswer

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


def to_run(folder: Path, runs: Path, operator: str | None = None, keys: Path | None = None) -> Give:
    """Return what gives orders to the campaign of a run folder, wherever its agent is reached by then.

    Args:
        folder: The run folder.
        runs: Where run folders are.
        operator: Who gives them; None for the user of this system.
        keys: File of that one's keys.
    """

    def give(order: Order) -> ControlAnswer:
        from scenarios.control.control import ControlRequest, control
        from scenarios.control.orders import Wanted
        from scenarios.control.place import place_of_run

        try:
            wanted = Wanted(order.verb, _words_of(order))
            request = ControlRequest(wanted, order.reason, order.message_id)
            request.require_possible()
            place = place_of_run(str(folder), runs, operator, keys)
            (answer,) = control(request, place).answers
        except EntropilotError as error:
            return order.answered("not_sent", str(error))
        return order.answered(STATUSES[answer.fate.value], answer.detail, answer.row, place.operator)

    return give


def _words_of(order: Order) -> tuple[str, ...]:
    return () if order.verb in WITHOUT_OBJECT else (order.about,)
