"""One step of the loop as a value: what was received, what the rules made of it, what is to be written and sent.

Everything here is synchronous and touches neither the disk nor the network: it folds inputs into the campaign and
collects. `agent.loop` does the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from agent.acquisition.base import Proposal, Proposer
from agent.campaign.decide import Outcome, Receipt, decide_expiry
from agent.campaign.events import Event, RequestIssued
from agent.campaign.ledger import BiasStep, Change, Ledger, Question
from agent.campaign.proposals import DecisionNeeded, decide_proposal
from agent.campaign.state import Attempt, Campaign
from agent.store.store import Commit, OutboxItem, Quarantined
from protocols.errors import MessageError
from protocols.link.poison_guard import KILLS_HANDLER, MAX_DEATHS
from protocols.link.transport import Delivery
from protocols.wire.codec import decode
from protocols.wire.messages import Status, cut
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
        ledger: The campaign, as far as it has come.
        acquirer: For policies that decide within the step.
        make_request: Turns an attempt into an outbox item.
    """

    def __init__(self, ledger: Ledger, *, acquirer: Proposer, make_request: Callable[[Attempt], OutboxItem]) -> None:
        self.ledger = ledger
        self._acquirer = acquirer
        self._make_request = make_request

    @property
    def campaign(self) -> Campaign:
        """The state."""
        return self.ledger.campaign

    def take(self, step: Step, item: Input) -> None:
        """Fold one input."""
        step.took.append(item)
        match item:
            case Delivery():
                step.deliveries.append(item)
                self._take_delivery(step, item)
            case Expired():
                self._take_outcome(step, decide_expiry(self.campaign, item.attempt_id))
            case Proposed():
                self._take_outcome(step, decide_proposal(self.campaign, item.asked, item.based_on, item.proposal))

    def condemn(self, step: Step, delivery: Delivery) -> None:
        """Quarantine a message unread that has killed its handler too often."""
        step.took.append(Condemned(delivery))
        step.deliveries.append(delivery)
        found = f"The agent died {MAX_DEATHS} times while it handled this message"
        _quarantine(step, delivery, MessageError(KILLS_HANDLER, found))

    def settle(self, step: Step) -> Question | None:
        """Fold what follows by itself, and decide as long as the policy decides at once.

        Returns:
            What the policy must be asked outside the step, if a decision is due.
        """
        settled = self.ledger.settle(self._acquirer.propose_now)
        self._collect(step, settled.changes)
        return settled.question

    def fold(self, step: Step, event: Event) -> None:
        """Fold one event that no input brought."""
        self._collect(step, [self.ledger.fold(event)])

    def _collect(self, step: Step, changes: Iterable[Change]) -> None:
        """Collect what was folded, and what it means for the outbox and the bias trajectory."""
        for change in changes:
            step.events.append(change.event)
            if isinstance(change.event, RequestIssued):
                step.outbox.append(self._make_request(self.campaign.attempts[change.event.attempt_id]))
            if change.metrics is not None:
                step.bias.append(change.metrics)

    def _take_delivery(self, step: Step, delivery: Delivery) -> None:
        try:
            message = decode(delivery.topic, delivery.payload)
            outcome = self.ledger.decide(message)
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

    def _take_outcome(self, step: Step, outcome: Outcome) -> None:
        self._collect(step, self.ledger.take(outcome))
        if outcome.receipt is not None:
            step.receipts.append(outcome.receipt)


def _quarantine(step: Step, delivery: Delivery, error: MessageError) -> None:
    step.counts[f"quarantined: {error.reason}"] += 1
    step.quarantined.append(Quarantined(delivery.topic, delivery.payload, error.reason, cut(str(error))))
