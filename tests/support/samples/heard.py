"""A lab that is overheard: a campaign played manually, and all that it says on the broker."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from agent.acquisition.base import AcquisitionContext
from agent.campaign import decide
from agent.campaign.decide import ResultAck
from agent.campaign.events import Event, RequestIssued, StartSetLoaded
from agent.campaign.state import Attempt
from agent.runtime.messages import MessageBuilder
from protocols.wire.codec import encode, topic_of
from protocols.wire.messages import AnyMessage, CandidateRequest, ControlAction, FailureReason, Quantity
from scenarios.shadow.choices import LabChoice
from scenarios.shadow.lab_campaign import Shadow
from tests.support.campaigns import (
    NOW,
    PROPERTY,
    Play,
    control,
    failure_of,
    quantity,
    result_of,
    small_plan,
    small_pool,
    value_of,
)

POOL = small_pool(30)
START = ("c000", "c007", "c013", "c021", "c022")
START_SET = StartSetLoaded(START, tuple(map(value_of, START)))


def said(message: AnyMessage, recipient: str = "simulator-1") -> tuple[str, bytes]:
    """Topic and payload of a message."""
    return topic_of(message, recipient=recipient), encode(message)


@dataclass
class OverheardPlay(Play):
    """A campaign whose requests, answers and controls can be heard, in `said`."""

    said: list[tuple[str, bytes]] = field(default_factory=list)

    def fold(self, *events: Event) -> None:
        super().fold(*events)
        for event in events:
            if isinstance(event, RequestIssued):
                messages = MessageBuilder(self.plan, evaluation_deadline_s=60.0, clock=lambda: NOW)
                candidate = self.campaign.pool.candidate(event.candidate_id)
                item = messages.request(self.campaign.attempts[event.attempt_id], candidate)
                self.said.append((item.topic, item.payload))

    def answer(self, attempt: Attempt) -> ResultAck | None:
        return self._hear(result_of(attempt))

    def fail(self, attempt: Attempt, reason: FailureReason = FailureReason.CRASHED) -> ResultAck | None:
        return self._hear(failure_of(attempt, reason))

    def steer(self, action: ControlAction, candidate_id: str | None = None, **fields: Any) -> None:
        message = control(action, candidate_id, **fields)
        self.said.append(said(message))
        self.take(decide.decide_control(self.campaign, message))

    def _hear(self, message: Any) -> ResultAck | None:
        self.said.append(said(message))
        decided = decide.decide_failure if message.type == "candidate_failure" else decide.decide_result
        return self.take(decided(self.campaign, message))


def plain(context: AcquisitionContext) -> tuple[object, ...]:
    """A context as values that compare with ==."""
    parts = (context.observed, context.values, context.acquired, context.pending, context.available)
    return (context.decision, context.seed, *(part.tolist() for part in parts))


def lab(**changes: Any) -> OverheardPlay:
    """A small campaign of a lab that is overheard."""
    play = OverheardPlay(POOL, small_plan(POOL, **({"budget": 12} | changes)), START)
    play.settle()
    return play


def listener(**changes: Any) -> Shadow:
    """A shadow of it."""
    return Shadow(POOL, small_plan(POOL, **({"budget": 12} | changes)), START_SET)


def heard(shadow: Shadow, messages: list[tuple[str, bytes]]) -> list[LabChoice]:
    """The choices of the lab in some messages."""
    return [choice for topic, payload in messages for choice in shadow.on_message(topic, payload)]


def request(candidate_id: str, decision: int = 0, attempt_id: str = "", **fields: Any) -> tuple[str, bytes]:
    """A request of a lab's own software."""
    usual: dict[str, Any] = {
        "campaign": "demo", "message_id": f"r-{candidate_id}", "sent_at": NOW, "attempt": 1, "family": "family-0",
        "properties": (PROPERTY,), "deadline_s": 60.0, "attempt_id": attempt_id or f"lab-{candidate_id}",
    }  # fmt: skip
    return said(CandidateRequest(**(usual | {"candidate_id": candidate_id, "decision": decision} | fields)))


def result(candidate_id: str, attempt_id: str = "", *quantities: Quantity) -> tuple[str, bytes]:
    """A result; by default the true value."""
    attempt = Attempt(attempt_id or f"lab-{candidate_id}", candidate_id, 0, 1, "simulator-1")
    return said(result_of(attempt, *quantities))


def failure(candidate_id: str, attempt_id: str = "") -> tuple[str, bytes]:
    """A failure."""
    return said(failure_of(Attempt(attempt_id or f"lab-{candidate_id}", candidate_id, 0, 1, "simulator-1")))


def wish(action: ControlAction, candidate_id: str | None = None) -> tuple[str, bytes]:
    """What an operator wants."""
    return said(control(action, candidate_id, quantity=quantity(1.0)))
