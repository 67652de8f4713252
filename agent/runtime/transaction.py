"""One transaction of the loop as a value: what was received, what the rules made of it, what is to be written and sent.

Everything here is synchronous and touches neither the disk nor the network: it folds inputs into the campaign and
collects. `agent.loop` does the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from agent.acquisition.base import Proposal, Proposer
from agent.campaign.decide import Consequence, ResultAck, decide_expiry, decide_overdue
from agent.campaign.events import Event, RequestIssued
from agent.campaign.ledger import Change, Ledger, Question, TrajectoryPoint
from agent.campaign.people.controls import ControlAck
from agent.campaign.presence import decide_away, decide_back
from agent.campaign.proposals import DecisionNeeded, decide_proposal
from agent.campaign.state import Attempt, Campaign
from agent.pool.candidates import Candidate
from agent.store.commit import Commit, OutboxItem, QuarantinedMessage, RecordingMark
from protocols.errors import MessageError
from protocols.link.poison_guard import KILLS_HANDLER, MAX_DEATHS
from protocols.link.transport import Delivery
from protocols.signing.signature import UNPROVEN, require_signature
from protocols.signing.status_order import StatusOrder
from protocols.wire.attribution import attributed, ordered_by
from protocols.wire.codec import UNMAPPED, decode
from protocols.wire.messages import Capabilities, ControlStatus, ReceiptStatus, Status, cut
from protocols.wire.topics import AGENT_CLIENT, removes_retained

NOTHING_RETAINED: Final = "status: removed"
"""Verdict on an empty status: what was retained there is gone."""

SENT_AGAIN: Final = "status: sent again"
"""Verdict on a signed status that is no newer than one that was heard."""


QUARANTINED: Final = "quarantined: "
"""How the verdict on a message that is put aside begins, and its counter's name; its reason follows."""


@dataclass(frozen=True, slots=True)
class DeadlinePassed:
    """The deadline of an attempt passed."""

    attempt_id: str


@dataclass(frozen=True, slots=True)
class InstrumentGone:
    """A recipient has been away for so long that others are asked in its place."""

    instrument: str
    reason: str


@dataclass(frozen=True, slots=True)
class InstrumentReturned:
    """A recipient is there again."""

    instrument: str


@dataclass(frozen=True, slots=True)
class PolicyAnswer:
    """The policy answered."""

    asked: DecisionNeeded
    based_on: int
    proposal: Proposal


@dataclass(frozen=True, slots=True)
class ApprovalMissing:
    """A decision has waited for approval for as long as it may."""

    decision: int
    waited_s: float


Input = Delivery | DeadlinePassed | InstrumentGone | InstrumentReturned | PolicyAnswer | ApprovalMissing


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that is quarantined unread."""

    delivery: Delivery


@dataclass(slots=True)
class Transaction:
    """What one round collects before it is written and sent."""

    took: list[Input | DeadLetter] = field(default_factory=list)
    """What was folded, in order."""
    events: list[Event] = field(default_factory=list)
    outbox: list[OutboxItem] = field(default_factory=list)
    bias: list[TrajectoryPoint] = field(default_factory=list)
    receipts: list[ResultAck] = field(default_factory=list)
    control_receipts: list[ControlAck] = field(default_factory=list)
    quarantined: list[QuarantinedMessage] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    deliveries: list[Delivery] = field(default_factory=list)
    verdicts: list[str] = field(default_factory=list)
    """What was found of each delivery, in their order; empty where an event came of it."""
    statuses: list[Status] = field(default_factory=list)
    announced: list[Capabilities] = field(default_factory=list)
    agents_heard: list[tuple[Status, bool]] = field(default_factory=list)
    """What was said on the agents' own topic, and whether it was retained; ours comes back as well."""
    recorded: RecordingMark | None = None
    """Where the recording stands with it; None where it is not recorded, or nothing happens."""

    def commit(self, confirmed: tuple[str, ...]) -> Commit:
        """Return what is to be written, with the outbox rows that the broker has confirmed meanwhile."""
        return Commit(
            tuple(self.events),
            tuple(self.outbox),
            confirmed,
            tuple(self.bias),
            tuple(self.quarantined),
            tuple(sorted(self.counts.items())),
            self.recorded,
        )


class TransactionBuilder:
    """Folds inputs into the campaign and collects what follows.

    Args:
        ledger: The campaign, as far as it has come.
        policy_runner: For policies that decide within the transaction.
        make_request: Turns an attempt of a candidate into an outbox item.
        status_order: What was heard of signed statuses; none for who acts on none.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        policy_runner: Proposer,
        make_request: Callable[[Attempt, Candidate], OutboxItem],
        status_order: StatusOrder | None = None,
    ) -> None:
        self._status_order = status_order
        self.ledger = ledger
        self._policy_runner = policy_runner
        self._make_request = make_request

    @property
    def campaign(self) -> Campaign:
        """The state."""
        return self.ledger.campaign

    def take(self, transaction: Transaction, item: Input) -> None:
        """Fold one input."""
        transaction.took.append(item)
        match item:
            case Delivery():
                known = len(transaction.events)
                transaction.deliveries.append(item)
                verdict = self._take_delivery(transaction, item)
                transaction.verdicts.append(verdict if len(transaction.events) == known else "")
            case DeadlinePassed():
                self._take_consequence(transaction, decide_expiry(self.campaign, item.attempt_id))
            case InstrumentGone():
                self._take_consequence(transaction, decide_away(self.campaign, item.instrument, item.reason))
            case InstrumentReturned():
                self._take_consequence(transaction, decide_back(self.campaign, item.instrument))
            case ApprovalMissing():
                self._take_consequence(transaction, decide_overdue(self.campaign, item.decision, item.waited_s))
            case PolicyAnswer():
                self._take_consequence(
                    transaction, decide_proposal(self.campaign, item.asked, item.based_on, item.proposal)
                )

    def dead_letter(self, transaction: Transaction, delivery: Delivery) -> None:
        """Quarantine a message unread that has killed its handler too often."""
        transaction.took.append(DeadLetter(delivery))
        transaction.deliveries.append(delivery)
        found = f"The agent died {MAX_DEATHS} times while it handled this message"
        transaction.verdicts.append(self._quarantine(transaction, delivery, MessageError(KILLS_HANDLER, found)))

    def settle(self, transaction: Transaction) -> Question | None:
        """Fold what follows by itself, and decide as long as the policy decides at once.

        Returns:
            What the policy must be asked outside the transaction, if a decision is due.
        """
        settled = self.ledger.settle(self._policy_runner.propose_inline)
        self._collect(transaction, settled.changes)
        return settled.question

    def fold(self, transaction: Transaction, event: Event) -> None:
        """Fold one event that no input brought."""
        self._collect(transaction, [self.ledger.fold(event)])

    def request(self, attempt: Attempt) -> OutboxItem:
        """Return the request of an attempt."""
        return self._make_request(attempt, self.campaign.pool.candidate(attempt.candidate_id))

    def _collect(self, transaction: Transaction, changes: Iterable[Change]) -> None:
        """Collect what was folded, and what it means for the outbox and the bias trajectory."""
        for change in changes:
            transaction.events.append(change.event)
            if isinstance(change.event, RequestIssued):
                transaction.outbox.append(self.request(self.campaign.attempts[change.event.attempt_id]))
            if change.metrics is not None:
                transaction.bias.append(change.metrics)

    def _take_delivery(self, transaction: Transaction, delivery: Delivery) -> str:
        """Fold a message; return what was found of it, in the words of the counters."""
        if removes_retained(delivery.topic, delivery.payload):
            transaction.counts[NOTHING_RETAINED] += 1  # it says nothing, and so nobody signs it
            return NOTHING_RETAINED
        try:
            require_signature(delivery, always=self.campaign.plan.require_signatures)
            _require_mapped(delivery)
            message = decode(delivery.topic, delivery.payload)
            outcome = self.ledger.decide(message, signed_by=delivery.signed_by, retained=delivery.retain)
        except MessageError as error:
            return self._quarantine(transaction, delivery, error)
        if isinstance(message, Status):
            if delivery.signed_by and self._status_order is not None and not self._status_order.is_new(message):
                transaction.counts[SENT_AGAIN] += 1
                return SENT_AGAIN
            transaction.statuses.append(message)
            if message.client == AGENT_CLIENT and message.campaign == self.ledger.campaign.plan.campaign:
                transaction.agents_heard.append((message, delivery.retain))
            return message.type
        if isinstance(message, Capabilities):
            transaction.announced.append(message)
        verdict = f"{message.type}: {outcome.disposition}"
        transaction.counts[verdict] += 1
        self._take_consequence(transaction, outcome)
        return verdict

    def _take_consequence(self, transaction: Transaction, outcome: Consequence) -> None:
        self._collect(transaction, self.ledger.take(outcome))
        if isinstance(outcome.ack, ResultAck):
            transaction.receipts.append(outcome.ack)
        elif outcome.ack is not None and outcome.ack.operator:
            transaction.control_receipts.append(outcome.ack)

    def _quarantine(self, transaction: Transaction, delivery: Delivery, error: MessageError) -> str:
        """Put a message aside; tell its sender why, where it is an answer that names its attempt, or an order.

        Not where a signature does not hold: then nobody knows whose it is, and a stranger could let us tell an
        instrument that its value is refused. Returns the verdict.
        """
        verdict, why = f"{QUARANTINED}{error.reason}", cut(str(error))
        transaction.counts[verdict] += 1
        transaction.quarantined.append(QuarantinedMessage(delivery.topic, delivery.payload, error.reason, why))
        unproven = self.campaign.plan.require_signatures and not delivery.signed_by
        if unproven or delivery.signature_fault or error.reason in UNPROVEN:
            return verdict
        whose = attributed(delivery.topic, delivery.payload)
        if whose is not None and whose.campaign == self.campaign.plan.campaign:
            detail = cut(f"{error.reason}: {why}")
            transaction.receipts.append(
                ResultAck(whose.attempt_id, whose.simulator, ReceiptStatus.REFUSED, detail, whose.message_id)
            )
        ordered = ordered_by(delivery.topic, delivery.payload)
        if ordered is not None and ordered.campaign == self.campaign.plan.campaign:
            detail = cut(f"{error.reason}: {why}")
            transaction.control_receipts.append(
                ControlAck(ordered.operator, ControlStatus.REFUSED, detail, ordered.message_id)
            )
        return verdict


def _require_mapped(delivery: Delivery) -> None:
    """Check that a message of a lab was understood.

    Raises:
        MessageError: When it was not, with the rule that refused it.
    """
    if delivery.mapping_fault:
        raise MessageError(UNMAPPED, delivery.mapping_fault)


def reason_of(verdict: str) -> str:
    """Return why a message was put aside, by the verdict on it; empty where it was not."""
    return verdict.removeprefix(QUARANTINED) if verdict.startswith(QUARANTINED) else ""
