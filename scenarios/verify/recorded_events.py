"""Are the events of a journal those that its recording leads to? Followed by the rules, asking no policy.

Every message is taken in the transaction that took it, every decision as it was noted, and what comes of them is held
against the journal row by row. So a value that was changed in either of the two is found, whatever was made to fit it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from agent.campaign.events import (
    BecameEven,
    CampaignFinished,
    CampaignStarted,
    CandidateAbandoned,
    ControlRefused,
    DecisionMade,
    Event,
    GapStalled,
    InstrumentAnnounced,
    ObservationAdded,
    PolicyExhausted,
    RequestDeferred,
    RequestIssued,
    StopRuleFired,
    event_of,
)
from agent.campaign.people.approval import RULE
from agent.pool.candidates import Pool
from agent.runtime.transaction import Transaction, reason_of
from protocols.errors import StoreError
from protocols.recording.lines import AnyRow, EventRow, Header, MessageRow, StartRow, TransactionRow
from protocols.wire.messages import ControlAction, ControlStatus, ReceiptStatus
from scenarios.replay.follow import Follower
from scenarios.verify.part import equal
from scenarios.verify.recorded_counts import RecordedCounts
from scenarios.verify.recorded_messages import RecordedMessages
from scenarios.verify.same_as_message import knows_messages, other_field, told, tree_of, without_later_fields

ControlSaid = tuple[str, ControlStatus, str, str | None, ControlAction | None, int | None]
"""What a receipt of a control says: operator, status, detail, which message it answers, action and row."""

Ack = tuple[str, str, ReceiptStatus, str, str | None]
"""What a receipt says: attempt, simulator, status, detail, and which message it answers."""

OF_A_CONTROL: Final = "control: "
"""How the verdict on a control begins."""


@dataclass(frozen=True, slots=True)
class ReceiptsGiven:
    """The receipts that the rules give.

    Attributes:
        of_answers: Of results and failures.
        of_controls: Of controls.
        unseen: What receipts say to answers of which not all is recorded, for they changed nothing.
        unseen_controls: Whether some controls that changed nothing were cut, or only counted.
    """

    of_answers: Collection[Ack]
    of_controls: Collection[ControlSaid] = ()
    unseen: Collection[ReceiptStatus] = ()
    unseen_controls: bool = False


HANG_ON_THE_POOL: Final = (
    BecameEven,
    GapStalled,
    StopRuleFired,
    CampaignFinished,
    PolicyExhausted,
    ControlRefused,
    InstrumentAnnounced,
)
"""What follows from how many candidates a family has, or the pool, and cannot be followed without it: an order may be
refused because of a candidate that the journal names nowhere."""

NOT_IN_THE_POOL: Final = "is not in the pool"
"""Says of an order that its candidate is one that the journal names nowhere."""

HANG_ON_ARITHMETIC: Final = (BecameEven, GapStalled, StopRuleFired)
"""What holds logarithms, whose last bits differ between machines."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """The first place where journal and recording tell different things.

    Attributes:
        words: What, with the rows of both.
        may_be_the_pool: Whether it may come of a pool that is not known whole.
    """

    words: str
    may_be_the_pool: bool = False


class EventComparison:
    """Follows a recording, and compares what it leads to with a journal.

    Args:
        events: The journal.
        pool: The whole pool, or what the journal touched of it.

    Attributes:
        found: The first disagreement.
        compared: Rows of the journal that are as the recording has them.
        messages: What the recording holds of messages.
        acks: The receipts that the rules give.
        control_acks: Those of controls.
        unseen_controls: Whether some controls that changed nothing were cut, or only counted.
        came: How many messages had which disposition, and what was put aside.
        unseen: What receipts say to messages of which not all is recorded, for they changed nothing.
    """

    def __init__(self, events: Sequence[Event], pool: Pool) -> None:
        self.found: Disagreement | None = None
        self.compared = 0
        self.messages = RecordedMessages()
        self.acks: set[Ack] = set()
        self.control_acks: set[ControlSaid] = set()
        self.unseen_controls = False
        self.came = RecordedCounts()
        self.unseen: set[ReceiptStatus] = set()
        self._events = events
        self._is_whole_pool = pool.is_whole
        plans = [event.plan for event in events[:1] if isinstance(event, CampaignStarted)]
        self._has_approval_rule = any(plan.approval.required == RULE for plan in plans)
        self._is_old = not knows_messages(events)
        self._follower = Follower(pool, None, followed=self._compare)
        self._note: TransactionRow | None = None
        """The last note of a transaction; the one before it is what is followed when it is taken."""
        self._followed_note: TransactionRow | None = None

    def begin(self, header: Header) -> None:
        """Compare the recording's first line with how the journal begins; one without a pool is of a recorder."""
        plan = next(each.plan for each in self._events if isinstance(each, CampaignStarted))
        for name in ("campaign", "pool_digest"):
            written, told_by = getattr(plan, name), getattr(header, name)
            if told_by and written != told_by:
                words = f"says {name} = {told(written)}; the first line of the recording says {told(told_by)}"
                self._disagree(f"row 1 of the journal {words}")

    def take(self, row: AnyRow) -> None:
        """Take the next row of the recording."""
        self.messages.note(row)
        if self.found is not None:
            return
        self._followed_note = self._note
        if isinstance(row, TransactionRow):
            self._note = row
            self.came.note(row)
            for each in row.took:
                self._note_unseen(str(each.get("counted", "")))
        elif isinstance(row, MessageRow) and row.verdict and row.cut_from_bytes:
            self._note_unseen(row.verdict)
        elif isinstance(row, EventRow):
            self.came.fill_in(row)
        try:
            self._follower.take(row)
        except StoreError as error:  # a note of what is no event
            at = row.number if isinstance(row, EventRow) else self._follower.at.row
            self._disagree(f"row {at} of the recording cannot be followed: {error.found}")
        if isinstance(row, StartRow):  # by then the transaction before it is followed
            for verdict in self.came.start(row):
                self._note_unseen(verdict)

    @property
    def given(self) -> ReceiptsGiven:
        """The receipts that the rules give, as far as they were followed."""
        return ReceiptsGiven(self.acks, self.control_acks, self.unseen, self.unseen_controls)

    def finish(self) -> None:
        """Compare what is left."""
        if self.found is None:
            self._followed_note = self._note
            outcome = self._follower.finish()
            first = outcome.first_difference
            problem = outcome.lost or ("" if first is None else f"row {first.at.row}: {first.what}")
            if self.found is None and problem and self.compared < len(self._events):
                awaited = self._events[self.compared]
                words = f"row {self.compared + 1} of the journal does not follow from the recording: {problem}"
                self._disagree(words, awaited)

    def _compare(self, transaction: Transaction, _time_s: float) -> None:
        campaign = self._follower.campaign
        if campaign is None or self.found is not None:
            return
        self.acks.update(
            (ack.attempt_id, ack.simulator, ack.status, ack.detail, ack.answers) for ack in transaction.receipts
        )
        self.control_acks.update(
            (ack.operator, ack.status, ack.detail, ack.answers, ack.action, ack.row)
            for ack in transaction.control_receipts
        )
        note = self._followed_note
        is_noted = note is not None and note.number == self._follower.at.row
        if note is not None and is_noted:
            self.came.take(note, transaction)
        first = campaign.sequence - len(transaction.events)
        for number, event in enumerate(transaction.events, first + 1):
            if number <= len(self._events) and self.found is None:
                self._compare_event(number, event)
        if self.found is None and note is not None and is_noted:
            self._compare_decisions(note)

    def _note_unseen(self, verdict: str) -> None:
        self.unseen_controls = self.unseen_controls or bool(reason_of(verdict)) or verdict.startswith(OF_A_CONTROL)
        status = ReceiptStatus.REFUSED if reason_of(verdict) else verdict.rpartition(": ")[2]
        if status in set(ReceiptStatus):
            self.unseen.add(ReceiptStatus(status))

    def _compare_event(self, number: int, event: Event) -> None:
        there = self._events[number - 1]
        at = self._row_of(event)
        if type(there) is not type(event):
            words = f"is {_a(there)}; {at} of the recording leads to {_a(event)}"
            self._disagree(f"row {number} of the journal {words}", there, event)
            return
        difference = self._difference(there, event)
        if difference is not None and isinstance(event, HANG_ON_ARITHMETIC) and equal(*difference[1:]):
            difference = None
        if difference is not None:
            name, written, right = difference
            words = f"says {name} = {told(written)}; {at} of the recording says {told(right)}"
            self._disagree(f"row {number} of the journal {words}", there, event)
            return
        self.compared = max(self.compared, number)

    def _difference(self, there: Event, event: Event) -> tuple[str, Any, Any] | None:
        trees = [tree_of(there), tree_of(event)]
        if isinstance(event, RequestIssued) and not self._is_whole_pool:
            for each in trees:  # this pool has the id from the journal, and no columns; requests tell the id too
                each.pop("source_id")
                each.pop("takes")
        if isinstance(there, ObservationAdded) and not there.quantities:  # a journal of before they were kept
            for each in trees:
                each |= {"quantities": [], "reason": "", "standard_deviation": None}
        one, other = (without_later_fields(event, each) for each in trees) if self._is_old else trees
        return other_field(one, other)

    def _compare_decisions(self, note: TransactionRow) -> None:
        """Compare decisions as they are noted: what is followed is made of a part of them."""
        last = min(note.sequence, len(self._events))
        there = {
            event.decision: (row, event)
            for row, event in enumerate(self._events[note.before : last], note.before + 1)
            if isinstance(event, DecisionMade | PolicyExhausted)
        }
        based_on = {each["proposed"]: each.get("based_on") for each in note.took if type(each.get("proposed")) is int}
        for kind, content in note.made:
            made: Any = event_of(kind, content)
            if made.decision not in there:
                continue
            row, event = there[made.decision]
            difference = other_field(tree_of(event), tree_of(made))
            if difference is None and made.decision in based_on:
                difference = other_field(event.based_on, based_on[made.decision], "based_on")
            if difference is not None:
                name, written, right = difference
                words = f"says {name} = {told(written)}; row {note.number} of the recording says {told(right)}"
                self._disagree(f"row {row} of the journal {words}")

    def _row_of(self, event: Event) -> str:
        """Say which row of the recording tells of an event: the message's where one brought it, else the note's."""
        heard = self.messages.row_of.get(getattr(event, "message_id", "") or "")
        return f"row {self._follower.at.row if heard is None else heard}"

    def _disagree(self, words: str, *events: Event) -> None:
        hangs = any(isinstance(each, HANG_ON_THE_POOL) or self._hangs_on_a_rule(each) for each in events)
        hangs = hangs and not _name_two_candidates(events)
        self.found = Disagreement(words, hangs)

    def _hangs_on_a_rule(self, event: Event) -> bool:
        """Tell whether an event follows from what a candidate is made of: for approval, an instrument, or a limit."""
        if self._has_approval_rule and isinstance(event, DecisionMade | RequestIssued):
            return True
        campaign = self._follower.campaign
        is_chosen = campaign is not None and bool(campaign.lab.announced or campaign.asking.is_limiting)
        return is_chosen and isinstance(event, RequestIssued | RequestDeferred | CandidateAbandoned)


def _name_two_candidates(events: Sequence[Event]) -> bool:
    """Tell whether a journal carries an order out on another candidate than the one that the order names."""
    which = next((getattr(each, "candidate_id", "") for each in events), "")
    unknown = [each.why for each in events if isinstance(each, ControlRefused) and NOT_IN_THE_POOL in each.why]
    return bool(which) and any(repr(which) not in why for why in unknown)


def _a(event: Event) -> str:
    name = type(event).__name__
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"
