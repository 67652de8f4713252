"""Follows a recording row by row: folds what the agent folded, in the same transactions, by the rules of today.

    start        a process began: what it was handling is gone, and its policy is asked again
    event        a row of the journal, folded as it is; a decision among them is made again first
    transaction  the inputs that it names, in their order; what comes of them must be what is noted
    message      kept until a transaction takes it

A transaction is noted before its commit, so it is followed only when the note after it says that it was committed.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

from agent.acquisition.base import AcquisitionContext, Ask
from agent.campaign.events import CampaignStarted, DecisionMade, Event, PolicyExhausted, event_of, load_event
from agent.campaign.ledger import Ledger
from agent.campaign.plan import Ordering
from agent.campaign.proposals import DecisionNeeded
from agent.campaign.state import Attempt, Campaign
from agent.entropy.bias import BiasMeter
from agent.pool.candidates import Candidate, Pool
from agent.runtime.transaction import (
    QUARANTINED,
    SENT_AGAIN,
    ApprovalMissing,
    DeadlinePassed,
    InstrumentGone,
    InstrumentReturned,
    PolicyAnswer,
    Transaction,
    TransactionBuilder,
    reason_of,
)
from agent.store.commit import OutboxItem, QuarantinedMessage
from protocols.errors import InvariantViolation, MessageError, StoreError
from protocols.link.transport import Delivery
from protocols.recording.lines import IN, AnyRow, EventRow, MessageRow, Row, StartRow, TransactionRow
from protocols.wire.codec import decode
from protocols.wire.messages import Control, Status
from protocols.wire.topics import Channel
from scenarios.replay.asking import NOTHING_RECORDED, FollowingPolicyRunner
from scenarios.replay.decisions import Decision
from scenarios.replay.findings import Difference, RecordPosition, ReplayOutcome

Followed = Callable[[Transaction, float], None]
"""Called with every transaction or event that was followed, and when it was recorded [s]."""

RowKind = TypeVar("RowKind", bound=Row)

MAX_NAMED: Final = 8
"""Most candidates whose ids in the table are told of a decision that differs."""

PUT_ASIDE: Final = f"{QUARANTINED}invalid"
"""Verdict on a message that is put aside for what it says."""

MAX_KEPT: Final = 100_000
"""Messages that may wait for the transaction that takes them: far beyond what an agent ever holds. The oldest are
dropped."""


class CannotFollow(Exception):
    """What is recorded cannot follow from what was before, by the rules of today."""


class Follower:
    """Follows one campaign's recording.

    Args:
        pool: The candidates at the start.
        ask: Asks the policy for every decision again; None believes the recording, and is many times faster.
        followed: Called with what was folded.

    Attributes:
        campaign: As far as it was followed; None before its beginning.
        outcome: What was found so far.
    """

    def __init__(self, pool: Pool, ask: Ask | None, *, followed: Followed = lambda _transaction, _time_s: None) -> None:
        self.outcome = ReplayOutcome()
        self.campaign: Campaign | None = None
        self._pool = pool
        self._followed = followed
        self._policy_runner = FollowingPolicyRunner(self._pool_now, ask, self._compare, self._sequence)
        self._maker: TransactionBuilder | None = None
        self._kept: dict[int, Delivery] = {}
        self._idle: dict[int, MessageRow] = {}
        self._uncommitted: TransactionRow | None = None
        self._has_restarted = False
        self._at = RecordPosition(0, 0.0)

    @property
    def meter(self) -> BiasMeter:
        """The bias of what was folded."""
        return self._begun().ledger.meter

    @property
    def at(self) -> RecordPosition:
        """What is followed now."""
        return self._at

    @property
    def asked(self) -> DecisionNeeded | None:
        """The question that the policy has not answered."""
        asked = self._policy_runner.asked
        return None if asked is None else asked.needed

    def take(self, row: AnyRow) -> None:
        """Follow a row.

        Raises:
            StoreError: When it cannot be of a campaign's recording at all.
        """
        self.attempt(row, self._take)

    def attempt(self, row: RowKind, work: Callable[[RowKind], None]) -> None:
        """Do what a row asks for, unless following has come to its end; note why, if that is now."""
        outcome = self.outcome
        outcome.rows += 1
        outcome.messages += isinstance(row, MessageRow)
        outcome.recorded_s = row.time_s
        if outcome.lost:
            return
        try:
            work(row)
        except (InvariantViolation, LookupError, CannotFollow) as error:
            self._lose(error)

    def _take(self, row: AnyRow) -> None:
        match row:
            case MessageRow():
                if row.direction == IN:
                    self.keep(row)
            case TransactionRow():
                self._commit()
                self._uncommitted = row
            case StartRow():
                self._commit(unless_at=row.sequence)
                self._restart(row)
            case EventRow():
                self._commit(unless_at=row.sequence - 1)
                self._fold_event(row)

    def finish(self) -> ReplayOutcome:
        """Follow what is left, and return what was found."""
        try:
            if not self.outcome.lost:
                self._commit()
        except (InvariantViolation, LookupError, CannotFollow) as error:
            self._lose(error)
        if self.campaign is not None:
            self.outcome.phase = self.campaign.phase.value
        return self.outcome

    def begin(self) -> None:
        """Begin a campaign, or begin it again."""
        ledger = Ledger(self._pool)
        self.campaign = ledger.campaign
        self._policy_runner.withdraw()
        self._maker = TransactionBuilder(ledger, policy_runner=self._policy_runner, make_request=_unsent)

    def fold(self, event: Event, row: int, time_s: float) -> None:
        """Fold an event that nothing recorded led to."""
        self._at = RecordPosition(row, time_s)
        if isinstance(event, CampaignStarted):
            self.begin()
        transaction = Transaction()
        self._begun().fold(transaction, event)
        self._followed(transaction, time_s)

    def transaction(
        self, took: Iterable[Mapping[str, Any]], made: Mapping[int, Decision], row: int, time_s: float
    ) -> Transaction:
        """Fold the inputs of one transaction, with what was decided in it; return what came of them."""
        self._at = RecordPosition(row, time_s)
        maker, transaction = self._begun(), Transaction()
        took = list(took)
        answered = {each["proposed"] for each in took if isinstance(each.get("proposed"), int)}
        if self._has_restarted and took:
            self._ask_as_after_a_restart(maker)
        self._has_restarted = False
        self._policy_runner.recorded = {number: each for number, each in made.items() if number not in answered}
        for each in took:
            self._take_input(maker, transaction, each, made)
        maker.settle(transaction)
        self._policy_runner.recorded = NOTHING_RECORDED
        self.outcome.events += len(transaction.events)
        self._followed(transaction, time_s)
        self._require_decided(transaction, made)
        return transaction

    def ask_as_well(self) -> None:
        """Note that a question which is open may have been asked again by now."""
        question = self._begun().ledger.question()
        if question is not None:
            self._policy_runner.ask_as_well(question)

    def keep(self, row: MessageRow) -> None:
        """Keep a message for the transaction that takes it; of one that cannot be judged again, what was found.

        So of what changed nothing and was cut, and of a status that its agent had heard before: that is not in here;
        and of an order that earlier rules put aside, where those of today note that it is refused.
        """
        if row.verdict and (row.cut_from_bytes or row.verdict == SENT_AGAIN or _was_put_aside(row)):
            self._idle[row.number] = row
            if len(self._idle) > MAX_KEPT:
                del self._idle[next(iter(self._idle))]
            return
        if len(self._kept) >= MAX_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[row.number] = Delivery(
            row.topic, row.payload, row.retain, row.qos, None,
            signed_by=row.signed_by, signature_fault=row.signature_fault,
        )  # fmt: skip

    def _commit(self, *, unless_at: int | None = None) -> None:
        """Follow the transaction whose commit is known now; drop it if the journal stands where it began."""
        row, self._uncommitted = self._uncommitted, None
        if row is None or (unless_at == row.before and row.before != row.sequence):
            return
        campaign = self._begun().campaign
        self._at = RecordPosition(row.number, row.time_s)
        self._require_sequence(campaign, row.before, "before")
        made = {each.decision: each for each in map(_decision, row.made)}
        self.transaction(row.took, made, row.number, row.time_s)
        self._require_sequence(campaign, row.sequence, "after")

    def _restart(self, row: StartRow) -> None:
        self._kept.clear()
        self._idle.clear()
        self._policy_runner.withdraw()
        self._has_restarted = True
        self._at = RecordPosition(row.number, row.time_s)
        self.outcome.starts += 1
        self._require_sequence(self._begun().campaign, row.sequence, "at the start of a process")

    def _ask_as_after_a_restart(self, maker: TransactionBuilder) -> None:
        """Ask what a process asks before its first input; what follows by itself then is a transaction of its own."""
        probe = Transaction()
        maker.settle(probe)
        if probe.events:
            self._differ(f"{len(probe.events)} events that follow by themselves after a restart", "none")

    def _fold_event(self, row: EventRow) -> None:
        event = load_event(row.kind, row.event)
        expected = 1 if self.campaign is None else self.campaign.sequence + 1
        if row.sequence not in {1, expected}:
            raise StoreError(
                f"Row {row.number} of the recording is row {row.sequence} of the journal; expected row {expected}",
                expected="a recording without a gap",
                action="record the campaign again; `entropilot verify` tells more of its run folder",
            )
        if isinstance(event, DecisionMade | PolicyExhausted):
            self._decide_again(event, row)
        self.fold(event, row.number, row.time_s)
        self.outcome.events += 1

    def _decide_again(self, event: DecisionMade | PolicyExhausted, row: EventRow) -> None:
        """Make a decision again that stands among the journal's rows, if what it looked at is known."""
        self._at = RecordPosition(row.number, row.time_s)
        ledger = self._begun().ledger
        asked = [each for each in self._policy_runner.withdraw() if each.based_on == event.based_on]
        question = None if asked else ledger.question()
        in_order = ledger.campaign.plan.ordering is Ordering.IN_ORDER
        if question is not None and (event.based_on == question.based_on or in_order):
            asked = [question]
        if asked:
            self._policy_runner.followed(asked, Decision.of(event))
        else:
            self.outcome.not_asked += 1

    def _take_input(
        self, maker: TransactionBuilder, transaction: Transaction, item: Mapping[str, Any], made: Mapping[int, Decision]
    ) -> None:
        match item:
            case {"row": int(number)} | {"condemned": int(number)} if number in self._idle:
                _take_idle(transaction, self._idle.pop(number))
            case {"counted": str(verdict), "times": int(times)}:
                _count(transaction, verdict, times)
            case {"row": int(number)}:
                maker.take(transaction, self._kept.pop(number))
            case {"condemned": int(number)}:
                maker.dead_letter(transaction, self._kept.pop(number))
            case {"expired": str(attempt_id)}:
                maker.take(transaction, DeadlinePassed(attempt_id))
            case {"away": str(instrument), "why": str(reason)}:
                maker.take(transaction, InstrumentGone(instrument, reason))
            case {"back": str(instrument)}:
                maker.take(transaction, InstrumentReturned(instrument))
            case {"unapproved": int(number), "waited_s": float(waited_s)}:
                maker.take(transaction, ApprovalMissing(number, waited_s))
            case {"proposed": int(number)}:
                self._take_proposal(maker, transaction, number, made.get(number))
            case _:
                raise CannotFollow(f"an input of no known kind: {item}")

    def _take_proposal(
        self, maker: TransactionBuilder, transaction: Transaction, number: int, recorded: Decision | None
    ) -> None:
        asked = [each for each in self._policy_runner.withdraw() if each.needed.decision == number]
        if not asked:
            raise CannotFollow(f"the policy answers decision {number}, which it was not asked for")
        if recorded is None:  # the rules dropped it then: let them see the same again
            answered, proposal = asked[0], self._policy_runner.own(asked[0])
            if proposal is None:
                return
        else:
            answered, proposal = self._policy_runner.followed(asked, recorded), recorded.as_proposal(self._pool_now())
        maker.take(transaction, PolicyAnswer(answered.needed, answered.based_on, proposal))

    def _require_decided(self, transaction: Transaction, made: Mapping[int, Decision]) -> None:
        decided = {event.decision for event in transaction.events if isinstance(event, DecisionMade | PolicyExhausted)}
        for number in made.keys() - decided:
            self._differ(f"decision {number}", "the rules of today do not let it be made here")
        for number in decided - made.keys():
            self._differ(f"no decision {number} here", "the rules of today make it")

    def _compare(self, recorded: Decision, today: Decision, context: AcquisitionContext) -> None:
        outcome = self.outcome
        if not outcome.compare(recorded, today) and outcome.first_difference is None:
            outcome.first_difference = Difference(
                self._at,
                f"decision {recorded.decision}",
                recorded=recorded,
                today=today,
                state={**self._state_of(context), **self._own_ids(recorded, today)},
            )

    def _state_of(self, context: AcquisitionContext) -> Mapping[str, str]:
        maker = self._begun()
        return {
            "journal": f"row {maker.campaign.sequence}",
            "observed": str(len(context.observed)),
            "pending": str(len(context.pending)),
            "available": str(len(context.available)),
            "poorest family": str(maker.ledger.point().starved_family),
        }

    def _own_ids(self, *decisions: Decision) -> Mapping[str, str]:
        """Say what the table calls the candidates chosen, where that is not what we call them."""
        pool = self._pool_now()
        chosen = dict.fromkeys(itertools.chain.from_iterable(each.candidate_ids for each in decisions))
        known = [pool.candidate(which) for which in chosen if which in pool.index_of]
        told = [each.name for each in known if each.name != each.candidate_id]
        return {"in the table": ", ".join(told[:MAX_NAMED])} if told else {}

    def _require_sequence(self, campaign: Campaign, recorded: int, when: str) -> None:
        if campaign.sequence != recorded:
            raise CannotFollow(f"the journal was at row {recorded} {when}; by the rules of today {campaign.sequence}")

    def _differ(self, then: str, now: str) -> None:
        if self.outcome.first_difference is None:
            self.outcome.first_difference = Difference(self._at, f"{then}; {now}")
        self.outcome.differing += 1

    def _lose(self, error: Exception) -> None:
        """Note that what follows cannot be followed, and stop."""
        found = str(error) if isinstance(error, CannotFollow | InvariantViolation) else f"{error!r} is not known"
        if self.outcome.first_difference is None:
            self.outcome.first_difference = Difference(self._at, found)
        self.outcome.lost = f"row {self._at.row}: {found}"

    def _pool_now(self) -> Pool:
        return self._begun().campaign.pool

    def _sequence(self) -> int:
        return self._begun().campaign.sequence

    def _begun(self) -> TransactionBuilder:
        if self._maker is None:
            raise CannotFollow("the recording does not say how the campaign began")
        return self._maker


def _was_put_aside(row: MessageRow) -> bool:
    """Tell whether an order that can be read was quarantined because it could not be carried out, as it once was."""
    if row.verdict != PUT_ASIDE or f"/{Channel.CONTROL.value}" not in row.topic:
        return False
    try:
        return isinstance(decode(row.topic, row.payload), Control)
    except MessageError:
        return False


def _take_idle(transaction: Transaction, row: MessageRow) -> None:
    """Take what was found of a message that changed nothing, and of which the beginning is kept."""
    _count(transaction, row.verdict, 1)
    if reason := reason_of(row.verdict):
        kept = QuarantinedMessage(row.topic, row.payload, reason, "", row.cut_from_bytes, row.sha256)
        transaction.quarantined.append(kept)


def _count(transaction: Transaction, verdict: str, times: int) -> None:
    """Count messages that changed nothing as the agent did; who says that he is there or away is not counted."""
    if verdict != Status.model_fields["type"].default:
        transaction.counts[verdict] += times


def _decision(made: tuple[str, Any]) -> Decision:
    event = event_of(*made)
    if not isinstance(event, DecisionMade | PolicyExhausted):
        raise CannotFollow(f"a {made[0]} among the decisions")
    return Decision.of(event)


def _unsent(attempt: Attempt, _candidate: Candidate) -> OutboxItem:
    """Make no request: nobody is asked."""
    return OutboxItem(attempt.attempt_id, "", b"")
