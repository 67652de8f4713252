"""One step of the loop as a value: what was received, what the rules made of it, what is to be written and sent.

Everything here is synchronous and touches neither the disk nor the network: it folds inputs into the campaign and
collects. `agent.loop` does the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from agent.acquisition.base import PoolArrays, Proposal, Proposer
from agent.campaign import decide, follow, proposals
from agent.campaign.context import make_context
from agent.campaign.decide import Outcome, Receipt
from agent.campaign.events import Event, ObservationAdded, RequestIssued, ResultAccepted, StartSetLoaded
from agent.campaign.proposals import DecisionNeeded
from agent.campaign.state import Attempt, Campaign
from agent.entropy.bias import BiasMeter
from agent.pool.candidates import Pool
from agent.store.store import BiasStep, Commit, OutboxItem, Quarantined
from protocols.errors import MessageError
from protocols.link.poison_guard import KILLS_HANDLER, MAX_DEATHS
from protocols.link.transport import Delivery
from protocols.wire.codec import decode
from protocols.wire.messages import (
    AnyMessage,
    CandidateFailure,
    CandidateResult,
    Control,
    Status,
    cut,
)
from protocols.wire.topics import AGENT_CLIENT


@dataclass(frozen=True, slots=True)
class Expired:
    """The deadline of an attempt passed."""

    attempt_id: str


@dataclass(frozen=True, slots=True)
class Proposed:
    """The policy answered."""

    asked: DecisionNeeded
    based_on: int
    proposal: Proposal


Input = Delivery | Expired | Proposed


@dataclass(frozen=True, slots=True)
class Condemned:
    """A message that is quarantined unread."""

    delivery: Delivery


@dataclass(slots=True)
class Step:
    """What one round collects before it is written and sent."""

    took: list[Input | Condemned] = field(default_factory=list)
    """What was folded, in order."""
    events: list[Event] = field(default_factory=list)
    outbox: list[OutboxItem] = field(default_factory=list)
    bias: list[BiasStep] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    deliveries: list[Delivery] = field(default_factory=list)
    statuses: list[Status] = field(default_factory=list)
    agents_heard: list[tuple[Status, bool]] = field(default_factory=list)
    """What was said on the agents' own topic, and whether it was retained; ours comes back as well."""

    def commit(self, confirmed: tuple[str, ...]) -> Commit:
        """Return what is to be written, with the outbox rows that the broker has confirmed meanwhile."""
        return Commit(
            tuple(self.events),
            tuple(self.outbox),
            confirmed,
            tuple(self.bias),
            tuple(self.quarantined),
            tuple(sorted(self.counts.items())),
        )


class StepMaker:
    """Folds inputs into the campaign and collects what follows.

    Args:
        campaign: The state.
        pool: Its arrays, for the policy.
        meter: The bias of the observations folded so far.
        acquirer: For policies that decide within the step.
        make_request: Turns an attempt into an outbox item.
        bias_step: Number of the last bias point; 0 is the start set.
    """

    def __init__(
        self,
        *,
        campaign: Campaign,
        pool: PoolArrays,
        meter: BiasMeter,
        acquirer: Proposer,
        make_request: Callable[[Attempt], OutboxItem],
        bias_step: int,
    ) -> None:
        self.campaign = campaign
        self.pool = pool
        self.meter = meter
        self._acquirer = acquirer
        self._make_request = make_request
        self.bias_step = bias_step

    def take(self, step: Step, item: Input) -> None:
        """Fold one input."""
        step.took.append(item)
        match item:
            case Delivery():
                step.deliveries.append(item)
                self._take_delivery(step, item)
            case Expired():
                self._take_outcome(step, decide.decide_expiry(self.campaign, item.attempt_id))
            case Proposed():
                outcome = proposals.decide_proposal(self.campaign, item.asked, item.based_on, item.proposal)
                self._take_outcome(step, outcome)

    def condemn(self, step: Step, delivery: Delivery) -> None:
        """Quarantine a message unread that has killed its handler too often."""
        step.took.append(Condemned(delivery))
        step.deliveries.append(delivery)
        found = f"The agent died {MAX_DEATHS} times while it handled this message"
        _quarantine(step, delivery, MessageError(KILLS_HANDLER, found))

    def settle(self, step: Step) -> DecisionNeeded | None:
        """Fold what follows by itself, and decide as long as the policy decides at once.

        Returns:
            The decision that the policy must be asked for outside the step, if one is due.
        """
        while True:
            follows = follow.react(self.campaign)
            for event in follows:
                self.fold(step, event)
            if follows:
                continue
            needed = proposals.decision_needed(self.campaign)
            if needed is None:
                return None
            context = make_context(self.campaign, self.pool)
            proposal = self._acquirer.propose_now(context, needed.count)
            if proposal is None:
                return needed
            based_on = self.campaign.sequence
            self._take_outcome(step, proposals.decide_proposal(self.campaign, needed, based_on, proposal))

    def fold(self, step: Step, event: Event) -> None:
        """Apply one event and collect what it means for the outbox and the bias trajectory."""
        self.campaign.apply(event)
        step.events.append(event)
        if isinstance(event, RequestIssued):
            step.outbox.append(self._make_request(self.campaign.attempts[event.attempt_id]))
        changed = observe(self.meter, self.campaign.pool, event)
        if changed is not None:
            self.bias_step += 1
            step.bias.append(BiasStep(self.bias_step, self.campaign.sequence, self.meter.point(), changed))

    def _take_delivery(self, step: Step, delivery: Delivery) -> None:
        try:
            message = self._own(decode(delivery.topic, delivery.payload))
            outcome = self._outcome_of(message)
        except MessageError as error:
            _quarantine(step, delivery, error)
            return
        if isinstance(message, Status):
            step.statuses.append(message)
            if message.client == AGENT_CLIENT:
                step.agents_heard.append((message, delivery.retain))
            return
        fate = outcome.receipt.status.value if outcome.receipt is not None else "carried out"
        step.counts[f"{message.type}: {fate}"] += 1
        self._take_outcome(step, outcome)

    def _own(self, message: AnyMessage) -> AnyMessage:
        if message.campaign != self.campaign.terms.campaign:
            raise MessageError("foreign_campaign", f"A message of campaign {message.campaign!r}")
        return message

    def _outcome_of(self, message: AnyMessage) -> Outcome:
        match message:
            case CandidateResult():
                return decide.decide_result(self.campaign, message)
            case CandidateFailure():
                return decide.decide_failure(self.campaign, message)
            case Control():
                return decide.decide_control(self.campaign, message)
            case Status():
                return Outcome()
            case _:
                raise MessageError("wrong_topic", f"A {message.type} is not for the agent")

    def _take_outcome(self, step: Step, outcome: Outcome) -> None:
        for event in outcome.events:
            self.fold(step, event)
        if outcome.receipt is not None:
            step.receipts.append(outcome.receipt)


def _quarantine(step: Step, delivery: Delivery, error: MessageError) -> None:
    step.counts[f"quarantined: {error.reason}"] += 1
    step.quarantined.append(Quarantined(delivery.topic, delivery.payload, error.reason, cut(str(error))))


def observe(meter: BiasMeter, pool: Pool, event: Event) -> tuple[str, ...] | None:
    """Let the meter see an event; return the families that it changed, or None if it brings no observation."""
    match event:
        case StartSetLoaded():
            for candidate_id, value, further in event.rows():
                meter.add(int(pool.family_codes[pool.index_of[candidate_id]]), value, *further)
            return pool.families
        case ResultAccepted() | ObservationAdded():
            code = int(pool.family_codes[pool.index_of[event.candidate_id]])
            names = [aspect.name for aspect in meter.aspects[1:]]
            meter.add(code, event.value, *(event.values_of(names) if isinstance(event, ResultAccepted) else ()))
            return (pool.families[code],)
        case _:
            return None
