"""The trace of each attempt, made of committed transactions and of what was sent.

    attempt ─┬─ decide    the policy was asked, and answered
             ├─ send      from the first publication until the broker had it
             │    └─ evaluate    the instrument's own span, with the same ids
             └─ commit    the answer was written, with all that follows

The root is given away when the attempt is over, so a trace is whole then, and one that never ends costs what is kept of
a request in flight.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from agent.campaign.events import (
    AttemptFailed,
    DecisionMade,
    Event,
    RequestExpired,
    RequestIssued,
    ResultAccepted,
)
from agent.runtime.tracing.interval import Interval
from agent.runtime.tracing.timing import Timings
from agent.runtime.transaction import Transaction
from protocols.tracing.export import SpanExport
from protocols.tracing.span import ATTEMPT, COMMIT, DECIDE, SEND, Span

LOST_EVERY_S: Final = 60.0
"""How often it is logged that spans were dropped [s]."""

Outcome = tuple[str, str]
"""How an attempt ended, and why where it failed."""


@dataclass(slots=True)
class _Open:
    """An attempt that is awaited."""

    start_ns: int
    attributes: dict[str, str | int | float | bool] = field(default_factory=dict)
    is_sent: bool = False


class AttemptTraces:
    """Makes spans of what the agent does.

    Args:
        export: Takes them, at once.
        timings: When the policy was asked.
        in_flight: Returns the attempts that are awaited.
        on_event: Called with a name and fields, for the log.
        now_ns: Wall-clock time [ns since 1970].
    """

    def __init__(
        self,
        export: SpanExport,
        timings: Timings,
        in_flight: Callable[[], Container[str]],
        *,
        on_event: Callable[..., Any] = lambda _name, **_told: None,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._export = export
        self._timings = timings
        self._in_flight = in_flight
        self._on_event = on_event
        self._now_ns = now_ns
        self._open: dict[str, _Open] = {}
        self._sends: dict[str, Interval] = {}
        """When each request went out first; it may before its transaction is told of."""
        self._lost_told, self._lost_due_ns = 0, 0

    def committed(self, transaction: Transaction, written: Interval) -> None:
        """Make the spans of a committed transaction.

        Args:
            transaction: What was committed.
            written: When its commit began and ended.
        """
        self._close(transaction.events, written)
        self._begin(transaction.events, written)
        in_flight = self._in_flight()
        for attempt_id in [each for each in self._sends if each not in in_flight]:
            del self._sends[attempt_id]
        self._tell_lost()

    def sending(self, attempt_id: str) -> None:
        """Note that a request goes out; of its repetitions the first counts."""
        if attempt_id not in self._sends:
            self._sends[attempt_id] = Interval(self._now_ns(), 0)

    def sent(self, attempt_id: str) -> None:
        """Note that the broker has a request; what it is sent again for is no part of the attempt."""
        send = self._sends.get(attempt_id)
        if send is not None and not send.end_ns:
            self._sends[attempt_id] = Interval(send.start_ns, self._now_ns())
            self._put_send(attempt_id)

    def _put_send(self, attempt_id: str, end_ns: int = 0) -> None:
        """Give away when a request was on its way, once, of an attempt that this process began.

        Args:
            attempt_id: The attempt.
            end_ns: When the broker must have had it, where its own word has not come; 0 waits for that.
        """
        attempt, send = self._open.get(attempt_id), self._sends.get(attempt_id)
        if attempt is None or send is None or attempt.is_sent or not (send.end_ns or end_ns):
            return
        attempt.is_sent = True
        self._export.put(Span(attempt_id, SEND, send.start_ns, send.end_ns or end_ns))

    def close(self) -> None:
        """Give what is left away; attempts that are awaited are another process's to end."""
        self._export.close()
        self._tell_lost(at_once=True)

    def _begin(self, events: Iterable[Event], written: Interval) -> None:
        made = [event for event in events if isinstance(event, DecisionMade)]
        answers = self._timings.asked[-len(made) :] if made else []
        if made:
            self._timings.asked.clear()
        asked = {event.decision: answer for event, answer in zip(reversed(made), reversed(answers), strict=False)}
        for event in events:
            if not isinstance(event, RequestIssued):
                continue
            decided = asked.get(event.decision)
            attributes: dict[str, str | int | float | bool] = {
                "entropilot.decision": event.decision,
                "entropilot.attempt": event.attempt,
                "entropilot.candidate": event.source_id or event.candidate_id,
                "entropilot.recipient": event.recipient,
            }
            self._open[event.attempt_id] = _Open(written.start_ns if decided is None else decided.start_ns, attributes)
            if decided is not None:
                self._export.put(Span(event.attempt_id, DECIDE, decided.start_ns, decided.end_ns))
            self._put_send(event.attempt_id)

    def _close(self, events: Iterable[Event], written: Interval) -> None:
        for event in events:
            if (outcome := _outcome_of(event)) is not None:
                self._end(event.attempt_id, outcome, written)  # type: ignore[union-attr]  # each outcome's has one
        in_flight = self._in_flight()
        for attempt_id in [each for each in self._open if each not in in_flight]:
            self._end(attempt_id, ("closed", "nobody waits for it any more"), written)

    def _end(self, attempt_id: str, outcome: Outcome, written: Interval) -> None:
        """Give away the last spans of an attempt; of one that another process began, only the commit is known."""
        how, why = outcome
        self._export.put(Span(attempt_id, COMMIT, written.start_ns, written.end_ns))
        self._put_send(attempt_id, written.start_ns)  # the answer may overtake the broker's word
        attempt = self._open.pop(attempt_id, None)
        began = written.start_ns if attempt is None else attempt.start_ns
        told = {"entropilot.began_before_restart": True} if attempt is None else attempt.attributes
        attributes = {**told, "entropilot.outcome": how}
        self._export.put(Span(attempt_id, ATTEMPT, began, written.end_ns, "", attributes, why))

    def _tell_lost(self, *, at_once: bool = False) -> None:
        lost = self._export.dropped
        if lost > self._lost_told and (at_once or self._now_ns() >= self._lost_due_ns):
            self._lost_told, self._lost_due_ns = lost, self._now_ns() + int(LOST_EVERY_S * 1e9)
            self._on_event("traces_lost", dropped=lost, sent=self._export.sent)


def _outcome_of(event: Event) -> Outcome | None:
    match event:
        case ResultAccepted():
            return "accepted", ""
        case AttemptFailed():
            return "failed", event.reason
        case RequestExpired():
            return "expired", "no answer in time"
        case _:
            return None
