"""An order as JSON becomes what `entropilot control` is told, and its answer is kept for whoever asks again.

One thread sends them one after the other, as they were given: an order that nobody answers holds the next ones for ten
seconds. An order whose message id is known is not a second one: one that was answered is answered the same, and one
without an answer goes out again under its id, which the agent carries out once.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final, Literal

from protocols.errors import EntropilotError, OrderRefused
from protocols.wire.fresh_ids import fresh_id
from protocols.wire.messages import Control
from scenarios.control.control import ControlRequest, messages_for, send_messages
from scenarios.control.place import Place
from scenarios.control.sender import Fate
from scenarios.watch.broker.order_body import OrderBody, wanted_in
from scenarios.watch.state.answers import ControlAnswer

MAX_WAITING: Final = 16
"""Most orders that wait for the one before them: an unanswered one takes ten seconds."""

MAX_KEPT: Final = 500
"""Most orders that are shown again; the journal has them all."""

PlaceOf = Callable[[str], Place]
"""Returns by the key of a run where orders to it go."""

OnAnswer = Callable[[str, ControlAnswer], None]
"""Called with the key of a run and what became of an order to it, from another thread."""

_Status = Literal["accepted", "duplicate", "refused", "no_answer", "not_sent"]

STATUSES: Final[dict[Fate, _Status]] = {
    Fate.ACCEPTED: "accepted",
    Fate.DUPLICATE: "duplicate",
    Fate.REFUSED: "refused",
    Fate.NO_ANSWER: "no_answer",
    Fate.NOT_SENT: "not_sent",
}

OPEN: Final = frozenset({"no_answer", "not_sent"})
"""What may be asked again under its id."""


class TooManyOrders(OrderRefused):
    """Too many orders wait for the answers of those before them."""


class OrderDesk:
    """Sends orders and keeps their answers.

    Args:
        place_of: Says where they go.
        on_answer: Is told of every answer.
    """

    def __init__(self, place_of: PlaceOf, on_answer: OnAnswer = lambda _key, _answer: None) -> None:
        self._place_of = place_of
        self._on_answer = on_answer
        self._answers: OrderedDict[tuple[str, str], ControlAnswer] = OrderedDict()
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="orders")

    def ask(self, key: str, body: OrderBody) -> ControlAnswer:
        """Send an order: what is returned says that it is on its way, or what became of it where it is a known one.

        Raises:
            SettingsError: When it cannot be asked for.
            NoAnswer: When no agent works there.
            TooManyOrders: When too many wait.
        """
        message_id = body.message_id or fresh_id()
        known = self._known(key, message_id)
        if known is not None and known.status not in OPEN:
            return known
        request = ControlRequest(wanted_in(body), body.reason, message_id)
        request.require_possible()
        place = self._place_of(key)
        ((message, about),) = messages_for(request, place).messages
        sent = ControlAnswer(
            message_id=message_id,
            action=body.action.value,
            words=f"{request.wanted.verb} {about}".rstrip(),
            sent_at=datetime.now(UTC).isoformat(),
            status="sent",
            operator=place.operator,
        )
        with self._lock:
            self._require_room()
            there = self._answers.get((key, message_id))
            if there is not None and there.status not in OPEN:  # another thread was quicker with the same one
                return there
            self._keep(key, sent)
        self._thread.submit(self._send, key, sent, place, message, request.timeout_s)
        return sent

    def answers(self, key: str) -> list[ControlAnswer]:
        """Return the orders to a run and what became of them, the latest first."""
        with self._lock:
            return [answer for (of, _), answer in reversed(self._answers.items()) if of == key]

    def close(self) -> None:
        """Send nothing more; one that is on its way is waited for."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _known(self, key: str, message_id: str) -> ControlAnswer | None:
        with self._lock:
            return self._answers.get((key, message_id))

    def _send(self, key: str, sent: ControlAnswer, place: Place, message: Control, timeout_s: float) -> None:
        try:
            (answer,) = send_messages([(message, sent.words)], place, timeout_s)
            told = sent.model_copy(update={"status": STATUSES[answer.fate], "detail": answer.detail, "row": answer.row})
        except EntropilotError as error:
            told = sent.model_copy(update={"status": "not_sent", "detail": str(error)})
        except Exception as error:  # noqa: BLE001 - whoever asked must hear of it
            told = sent.model_copy(update={"status": "no_answer", "detail": f"a fault of Entropilot: {error}"})
        with self._lock:
            self._keep(key, told)
        with suppress(RuntimeError):  # the server has ended meanwhile
            self._on_answer(key, told)

    def _keep(self, key: str, answer: ControlAnswer) -> None:
        self._answers[key, answer.message_id] = answer
        while len(self._answers) > MAX_KEPT:
            self._answers.popitem(last=False)

    def _require_room(self) -> None:
        waiting = sum(answer.status == "sent" for answer in self._answers.values())
        if waiting >= MAX_WAITING:
            raise TooManyOrders(
                f"{waiting} orders wait for the answers of those before them",
                expected=f"at most {MAX_WAITING}",
                action="wait for them",
            )
