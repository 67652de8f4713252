"""The lab's campaign as it is heard: folded from its messages into the same state as an agent's, by the same rules.

Every choice of the lab becomes a `DecisionMade` of a `Campaign`, so that what the policy is shown is what an agent
would have shown it (`agent.campaign.context`). Three things differ from an agent's own campaign:

- The lab may do what our rules would not: it is counted, and changes nothing.
- What nobody says cannot be heard. That an attempt has expired shows in the next attempt of its candidate; that the
  last one has, never does, and its candidate stays pending. Whether it cost anything, or its instrument was away, does
  not show either: a candidate without attempts left comes back when the lab asks for it again.
- A candidate that is answered and was never asked for was chosen all the same, by then at the latest.

Requests of one decision number belong together, up to `campaign.batch` of them. Until a decision is complete, what
comes between its requests is held back: the lab chose without it. Whether a short one is complete, only its end tells:
`finish` then takes it as it is. That is not remembered: who hears the same again, and more of it, hears it whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from agent.acquisition.base import AcquisitionContext
from agent.campaign.decide import Consequence, decide_expiry
from agent.campaign.event_descriptions import observations_of
from agent.campaign.events import (
    CampaignStarted,
    CandidateAbandoned,
    CandidateRequeued,
    DecisionMade,
    Event,
    RequestIssued,
    StartSetLoaded,
)
from agent.campaign.follow import react
from agent.campaign.ledger import Ledger
from agent.campaign.life_cycle import OPEN, CandidateStatus
from agent.campaign.people.controls import ControlAck
from agent.campaign.plan import CampaignPlan
from agent.entropy.bias import BiasPoint
from agent.pool.candidates import Pool
from protocols.errors import MessageError
from protocols.wire.codec import decode
from protocols.wire.messages import (
    AnyMessage,
    CandidateFailure,
    CandidateRequest,
    CandidateResult,
    Capabilities,
    Control,
    ControlAction,
    ControlReceipt,
    ControlStatus,
    ResultReceipt,
    Status,
)
from protocols.wire.topics import ANY_SIMULATOR, parse, removes_retained
from scenarios.shadow.choices import LabChoice

THE_LAB: Final = "the lab"
"""Stands for the policy in decisions that somebody else made."""

MAX_HELD: Final = 1_024
"""Messages held back until a decision is complete; then it is taken for complete as it is."""

OF_ITS_AGENT: Final = frozenset({ControlAction.APPROVE_DECISION, ControlAction.VETO_DECISION, ControlAction.SET_BUDGET})
"""Orders about decisions and a budget that the lab's agent knows by its own numbers: they change nothing here. What
comes of them shows in its requests."""

ASKED_AGAIN: Final = "the lab asked for it again"
"""Why a candidate comes back that would have no attempts left by our rules."""

NEVER_PAUSE: Final = 100_000
"""Candidates abandoned in a row before a pause: whether it has had enough is the lab's to say."""

Answer = CandidateResult | CandidateFailure
Update = CandidateRequest | Answer | Control
"""A message that changes what is known, or who is in flight."""


@dataclass(frozen=True, slots=True)
class RealisedGain:
    """What a measured candidate brought: its value [unit], and the change of its family's entropy [nat]."""

    value: float
    entropy_gain: float | None


@dataclass(frozen=True, slots=True)
class _Attempt:
    """An attempt of which something was heard."""

    candidate_id: str
    attempt_id: str
    recipient: str
    number: int = 1


@dataclass(slots=True)
class _OpenDecision:
    """A decision whose requests are still coming, with what was known before it."""

    context: AcquisitionContext
    lab_number: int | None
    chosen_at: str
    starved_family: str | None
    observation: int
    metrics: Mapping[str, float | None]
    attempts: list[_Attempt] = field(default_factory=list)
    held: list[tuple[Update, str]] = field(default_factory=list)


class Shadow:
    """Hears one campaign of somebody else's.

    Args:
        pool: The candidates.
        plan: What our policy would work by; its budget says how many choices of the lab are followed.
        start_set: What is known before it begins.

    Attributes:
        ledger: The lab's campaign, as far as it was heard.
        campaign: Its state.
        points: Bias after every result; observation 0 is the start set.
        counts: What became of the messages.
        realised_gain: What each candidate that the lab measured brought.
        most_in_flight: Most candidates that it had in flight at once.
        problem: What was wrong with the last message; empty where it was one of ours.
    """

    def __init__(self, pool: Pool, plan: CampaignPlan, start_set: StartSetLoaded) -> None:
        self.ledger = Ledger(pool)
        self.campaign = self.ledger.campaign
        self.points: list[tuple[int, BiasPoint]] = []
        self.counts: Counter[str] = Counter()
        self.realised_gain: dict[str, RealisedGain] = {}
        self.most_in_flight = 0
        self.problem = ""
        self._open_decision: _OpenDecision | None = None
        self._chosen: list[LabChoice] = []
        self._by_other_methods: set[str] = set()
        """Attempts by methods that we do not follow."""
        self._fold(CampaignStarted(plan.model_copy(update={"give_up_after": NEVER_PAUSE}), {}))
        self._fold(start_set)

    @property
    def is_over(self) -> bool:
        """Whether the lab has chosen as many candidates as are followed, and each has its outcome."""
        campaign = self.campaign
        return not campaign.affordable_count and not campaign.open_decisions

    @property
    def forming(self) -> int:
        """How many requests of a decision were heard that may have more; they are no choice yet."""
        return 0 if self._open_decision is None else len(self._open_decision.attempts)

    @property
    def held(self) -> int:
        """How many messages are held back until it is complete; they are in no figure yet."""
        return 0 if self._open_decision is None else len(self._open_decision.held)

    def on_message(self, topic: str, payload: bytes) -> tuple[LabChoice, ...]:
        """Fold a message; return the choices of the lab that are complete with it."""
        self.problem = ""
        if removes_retained(topic, payload):
            return self._completed()
        try:
            self._take(decode(topic, payload), parse(topic).client or ANY_SIMULATOR)
        except MessageError as error:
            self.quarantine(error)
        return self._completed()

    def quarantine(self, error: MessageError) -> None:
        """Take note of a message that changes nothing."""
        self.problem = str(error)
        self._count("quarantined", error.reason)

    def finish(self) -> tuple[LabChoice, ...]:
        """Take what is forming for complete, as nothing more will be heard; return the choices of the lab in it."""
        if self._open_decision is not None:
            self._complete(self._open_decision)
        return self._completed()

    def _completed(self) -> tuple[LabChoice, ...]:
        chosen, self._chosen = tuple(self._chosen), []
        return chosen

    def _take(self, message: AnyMessage, client: str) -> None:
        if message.campaign != self.campaign.plan.campaign and not isinstance(message, Capabilities):
            raise MessageError("foreign_campaign", f"A message of campaign {message.campaign!r}")
        match message:
            case CandidateRequest():
                self._take_request(message, client)
            case CandidateResult() | CandidateFailure() | Control():
                self._apply_or_hold(message, client)
            case ResultReceipt() | ControlReceipt():
                self._count(message.type, message.status.value)
            case Status():
                self._count(message.type, message.health.value)
            case Capabilities():
                self._count(message.type, "heard")
            case _:
                raise MessageError("wrong_topic", f"A {message.type} says nothing of a choice")

    def _take_request(self, message: CandidateRequest, recipient: str) -> None:
        """Add a first request to its decision; all others are lessons."""
        forming = self._open_decision
        if forming is not None and forming.lab_number != message.decision:
            self._complete(forming)
            forming = None
        plan, asked = self.campaign.plan, {}
        if forming is not None:
            asked = {each.candidate_id: each.attempt_id for each in forming.attempts}
        if plan.methods is None and plan.fidelities and message.fidelity not in {None, plan.fidelity}:
            self._by_other_methods.add(message.attempt_id)
            self._count(message.type, "by another method")
            return
        which = plan.row_asked_for(message.candidate_id, message.fidelity, message.replicate)
        if message.attempt_id in self.campaign.attempts or message.attempt_id in asked.values():
            self._count(message.type, "repeated")
        elif which in asked or not self._is_available(which):
            self._apply_or_hold(message, recipient)
        else:
            self._count(message.type, "new")
            attempt = _Attempt(which, message.attempt_id, recipient, message.attempt)
            self._choose(attempt, message.decision, message.sent_at.isoformat())

    def _choose(self, attempt: _Attempt, lab_number: int | None, chosen_at: str) -> None:
        """Take a candidate for chosen by the lab, unless as many as are followed have been."""
        plan, campaign, forming = self.campaign.plan, self.campaign, self._open_decision
        held = () if forming is None else forming.attempts
        left = campaign.cost_left - sum(plan.cost_of(each.candidate_id) for each in held)
        if left < plan.cost_of(attempt.candidate_id):
            self._count("choice", "beyond the budget")
            return
        if self._open_decision is None:
            observation, point = self.points[-1]
            metrics = {metric.name: value for metric, value in point.figures}
            self._open_decision = _OpenDecision(
                self.ledger.context(), lab_number, chosen_at, point.starved_family, observation, metrics
            )
        forming = self._open_decision
        forming.attempts.append(attempt)
        is_last = left - plan.cost_of(attempt.candidate_id) < plan.least_cost
        if lab_number is None or is_last or len(forming.attempts) >= plan.batch:
            self._complete(forming)

    def _complete(self, forming: _OpenDecision) -> None:
        """Fold a decision of the lab and its requests, then what was held back."""
        self._open_decision = None
        number, campaign = self.campaign.next_decision, self.campaign
        ids = tuple(each.candidate_id for each in forming.attempts)
        seed = forming.context.seed
        self._fold(DecisionMade(number, seed, campaign.sequence, THE_LAB, "", ids, (None,) * len(ids), ""))
        for each in forming.attempts:
            self._fold(RequestIssued(each.attempt_id, each.candidate_id, number, each.number, each.recipient))
        self.most_in_flight = max(self.most_in_flight, campaign.open_count)
        self._chosen.append(
            LabChoice(
                number,
                forming.lab_number,
                forming.chosen_at,
                ids,
                forming.observation,
                forming.starved_family,
                forming.metrics,
                forming.context,
            )
        )
        for message, recipient in forming.held:
            try:
                self._apply(message, recipient)
            except MessageError as error:
                self.quarantine(error)

    def _apply_or_hold(self, message: Update, recipient: str) -> None:
        forming = self._open_decision
        if forming is None:
            self._apply(message, recipient)
            return
        forming.held.append((message, recipient))
        if len(forming.held) >= MAX_HELD:
            self._complete(forming)

    def _apply(self, message: Update, recipient: str) -> None:
        """Fold what changes what is known, or who is in flight.

        Raises:
            MessageError: When it cannot be of this campaign.
        """
        if isinstance(message, Control) and message.action in OF_ITS_AGENT:
            self._count(message.type, message.action.value)
        elif isinstance(message, Control):
            outcome = self.ledger.decide(message)
            if isinstance(outcome.ack, ControlAck) and outcome.ack.status is ControlStatus.REFUSED:
                raise MessageError("invalid", outcome.ack.detail)  # whether its agent obeys shows in its requests
            self._take_consequence(outcome)
            self._count(message.type, message.action.value)
        elif not self._register_attempt(message, recipient):
            is_of_others = message.attempt_id in self._by_other_methods
            status = "" if is_of_others else f"its candidate is {self._status_of(message.candidate_id).name.lower()}"
            self._count(message.type, status or "by another method")
        elif isinstance(message, CandidateRequest):
            self._count(message.type, "a further attempt")
        else:
            outcome = self.ledger.decide(message)
            self._take_consequence(outcome)
            self._count(message.type, outcome.ack.status.value if outcome.ack is not None else "carried out")
        self._abandon()

    def _register_attempt(self, message: CandidateRequest | Answer, recipient: str) -> bool:
        """Return whether the attempt of a message is one of the campaign; of an open candidate it becomes one."""
        if message.attempt_id in self.campaign.attempts:
            return True
        if message.attempt_id in self._by_other_methods:
            return False
        candidate_id = message.candidate_id
        if isinstance(message, CandidateRequest):
            candidate_id = self.campaign.plan.row_asked_for(candidate_id, message.fidelity, message.replicate)
        if self._is_available(candidate_id):
            first = _Attempt(candidate_id, message.attempt_id, recipient)
            self._choose(first, None, message.sent_at.isoformat())
            return message.attempt_id in self.campaign.attempts
        waiting = [each.attempt_id for each in self.campaign.in_flight.values() if each.candidate_id == candidate_id]
        for attempt_id in waiting:
            self._take_consequence(decide_expiry(self.campaign, attempt_id))
        self._abandon()
        given_up = self._status_of(candidate_id) is CandidateStatus.ABANDONED
        if given_up and not isinstance(message, CandidateFailure):
            self._fold(CandidateRequeued(candidate_id, ASKED_AGAIN))
        if self._status_of(candidate_id) not in OPEN:
            return False
        number = self.campaign.attempts_made[candidate_id] + 1
        decision = self.campaign.decision_of[candidate_id]
        self._fold(RequestIssued(message.attempt_id, candidate_id, decision, number, recipient))
        return True

    def _abandon(self) -> None:
        """Close the candidates that have failed for good."""
        for event in react(self.campaign):
            if isinstance(event, CandidateAbandoned):
                self._fold(event)

    def _fold(self, event: Event) -> None:
        metrics = self.ledger.fold(event).metrics
        if metrics is None:
            return
        self.points.append((metrics.observation, metrics.point))
        if metrics.observation > 0:
            before, after = self.points[-2][1], metrics.point
            for each in observations_of(event):
                family = self.campaign.pool.candidate(each.candidate_id).family
                self.realised_gain[each.candidate_id] = RealisedGain(each.value, _gain(before, after, family))

    def _take_consequence(self, outcome: Consequence) -> None:
        for event in outcome.events:
            self._fold(event)

    def _is_available(self, candidate_id: str) -> bool:
        return self._status_of(candidate_id) is CandidateStatus.AVAILABLE

    def _status_of(self, candidate_id: str) -> CandidateStatus:
        if candidate_id not in self.campaign.pool.index_of:
            raise MessageError("invalid", f"Candidate {candidate_id!r} is not in the pool")
        return self.campaign.status_of(candidate_id)

    def _count(self, what: str, disposition: str) -> None:
        self.counts[f"{what}: {disposition}"] += 1


def _gain(before: BiasPoint, after: BiasPoint, family: str) -> float | None:
    """Return the change of a family's entropy [nat]; None where it is not defined at both ends."""
    code = before.families.index(family)
    was, now = before.entropies[code], after.entropies[code]
    return None if was is None or now is None else now - was
