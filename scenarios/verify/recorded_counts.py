"""How many messages came by a recording, and which were put aside: as the database must have counted and kept them.

A transaction is noted before its commit. So of the last one before a start, where it brought no event, no row of the
journal tells whether it was committed; and messages of a flood that were only counted, after the last note of a process
that was killed, are noted nowhere. Therefore each start tells how the counters stood: what stands before it must lead
to them but for these two, and what comes after is counted from there.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from agent.runtime.transaction import Transaction, reason_of
from agent.store.commit import QuarantinedMessage
from protocols.recording.lines import EventRow, StartRow, TransactionRow

AT_A_START: Final = frozenset(
    {
        "CampaignStarted",
        "StartSetLoaded",
        "BeginCorrected",
        "LimitsChanged",
        "BudgetSet",
        "CampaignResumed",
        "InstrumentAnnounced",
        "InstrumentAway",
    }
)
"""What is journalled before a process takes its first input, and so may stand in the recording as a row of the
journal."""


@dataclass(frozen=True, slots=True)
class PutAside:
    """What was put aside between two notes.

    Attributes:
        written: Those of which the recording has at least the beginning, in their order.
        counted: Reason -> how many more there were, anywhere among them.
        note: Number of the row that notes their transaction; 0 where none does.
    """

    written: tuple[QuarantinedMessage, ...]
    counted: Counter[str]
    note: int = 0


class RecordedCounts:
    """Counts what a recording tells of.

    Attributes:
        counts: How many messages had which disposition.
        put_aside: What was put aside, in order.
        has_time: Notes of transactions that put something aside: the database says when they were committed.
        may_have_time: Those, and notes that tell of such messages, of this transaction or of earlier ones.
        problem: The first start that tells of other counts than the rows before it lead to; empty where none does.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.put_aside: list[PutAside] = []
        self.has_time: set[int] = set()
        self.may_have_time: set[int] = set()
        self.problem = ""
        self._is_known = True
        self._starts = 0
        self._last_note = 0
        self._without_events: tuple[int, Counter[str], bool] | None = None
        """The last transaction, where it brought no event: its note, its counts, and whether it put anything aside."""
        self._has_flood = self._has_gap = False

    @property
    def is_exact(self) -> bool:
        """Whether the counts follow from the recording: older ones do not say how they stood at a start."""
        return self._is_known and not self._has_gap

    def note(self, row: TransactionRow) -> None:
        """Note that a transaction was about to be committed."""
        self._last_note = row.number
        self._has_flood = self._has_flood or any("counted" in each for each in row.took)

    def fill_in(self, row: EventRow) -> None:
        """Note a row of the journal that stands in place of what was lost, unless it is one that every start brings."""
        self._has_gap = self._has_gap or row.kind not in AT_A_START

    def take(self, note: TransactionRow, transaction: Transaction) -> None:
        """Count what came of a transaction that was committed, or may have been."""
        counted: Counter[str] = Counter()
        for each in note.took:
            match each:
                case {"counted": str(verdict), "times": int(times)} if reason_of(verdict):
                    counted[reason_of(verdict)] += times
                case _:
                    pass
        has_put_aside = bool(transaction.quarantined or counted)
        if has_put_aside:
            self.put_aside.append(PutAside(tuple(transaction.quarantined), counted, note.number))
            self.may_have_time.add(note.number)
        if transaction.quarantined:
            self.has_time.add(note.number)
        self.counts += transaction.counts
        brought_nothing = note.before == note.sequence
        self._without_events = (note.number, transaction.counts, has_put_aside) if brought_nothing else None

    def start(self, row: StartRow) -> Counter[str]:
        """Go on from how the counters stood at a start; return those of messages that are noted nowhere."""
        is_first, self._starts = self._starts == 0, self._starts + 1
        further: Counter[str] = Counter()
        if row.counts is None:
            self._is_known = self.is_exact and is_first
        else:
            further = self._go_on_from(Counter(row.counts), row)
        self._without_events, self._has_flood, self._has_gap = None, False, False
        return further

    def _go_on_from(self, there: Counter[str], row: StartRow) -> Counter[str]:
        if not self.counts <= there:
            self._take_back()
        is_known = self._is_known and self.counts <= there
        may_be_more = self._has_flood or row.lost
        if self.is_exact and not (is_known and (may_be_more or self.counts == there)):
            self._differ(there, row)
        if not is_known:
            self.put_aside.clear()
        further = there - self.counts if is_known else +there
        if unseen := Counter({reason_of(name): times for name, times in further.items() if reason_of(name)}):
            self.put_aside.append(PutAside((), unseen))
        self.counts, self._is_known = there, True
        return further

    def _take_back(self) -> None:
        """Take the last transaction back, if it is the last that is noted and no event shows that it was committed."""
        if self._without_events is None or self._without_events[0] != self._last_note:
            return
        _, counts, has_put_aside = self._without_events
        self.counts -= counts
        if has_put_aside:
            self.put_aside.pop()

    def _differ(self, there: Counter[str], row: StartRow) -> None:
        other = {*(self.counts - there)} or {*(there - self.counts)}
        name = min(other)
        told = f"{name!r} was {there[name]}; {self.counts[name]} came by the rows before"
        self.problem = self.problem or f"row {row.number} of the recording, where a process begins, says that {told}"
