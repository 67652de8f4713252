"""Writes what the agent did into the recording of its run, beside the messages: so that a replay can do the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from agent.campaign.events import DecisionMade, PolicyExhausted, dump_event
from agent.runtime.transaction import (
    ApprovalMissing,
    DeadLetter,
    DeadlinePassed,
    Input,
    InstrumentGone,
    InstrumentReturned,
    PolicyAnswer,
    Transaction,
)
from agent.store.commit import Commit, RecordingMark
from agent.store.store import Store
from protocols.link.transport import Delivery
from protocols.recording.writer import RecordingWriter


class RunRecorder:
    """Keeps the recording of one process.

    Args:
        writer: The recording.
        write_taken: Writes a message that was received, with what was found of it where it changed nothing, and returns
            its row, or None where it is only to be counted; asked once for each, in their order.
        store: The journal that the transactions go into.
    """

    def __init__(
        self, writer: RecordingWriter, write_taken: Callable[[Delivery, str], int | None], store: Store
    ) -> None:
        self._writer = writer
        self._write_taken = write_taken
        self._store = store
        self._marked = 0
        self._counted: Counter[str] = Counter()
        self._has_counted = False
        note_process(writer, store)

    def write_ahead(self, transaction: Transaction) -> None:
        """Write the messages of a transaction that is about to be committed, and note what it took and decided.

        What no input brought is noted before it. One in which messages came that are only counted, and nothing else, is
        not noted: the next note tells of them. Only the first of a process is, which says that more may have come than
        is noted.
        """
        _fill_in(self._writer, self._store)
        made = [dump_event(event) for event in transaction.events if isinstance(event, DecisionMade | PolicyExhausted)]
        verdicts = iter(transaction.verdicts)
        took = [note for item in transaction.took if (note := self._note_of(item, verdicts)) is not None]
        if took or transaction.events or (self._counted and not self._has_counted):
            self._note(took, made, len(transaction.events))
            if transaction.events or transaction.counts:
                transaction.recorded = self._mark()

    def seal(self, now: str) -> None:
        """Keep where the recording ends, beside the journal; call it when nothing more is sent or received.

        Args:
            now: The time, a label.
        """
        if self._counted:
            self._note([], [], 0)
        if self._writer.number > self._marked:
            self._store.append(Commit(recorded=self._mark()), now=now)

    def _note(self, took: list[Mapping[str, Any]], made: Sequence[tuple[str, str]], events: int) -> None:
        counted = [{"counted": verdict, "times": times} for verdict, times in sorted(self._counted.items())]
        self._has_counted = self._has_counted or bool(counted)
        self._counted.clear()
        before = self._store.sequence
        self._writer.note_transaction([*took, *counted], made, before=before, sequence=before + events)

    def _mark(self) -> RecordingMark:
        self._marked = self._writer.number
        return RecordingMark(self._writer.number, self._writer.digest)

    def _note_of(self, item: Input | DeadLetter, verdicts: Iterator[str]) -> Mapping[str, Any] | None:
        match item:
            case Delivery():
                return self._note_of_message("row", item, next(verdicts))
            case DeadLetter(delivery):
                return self._note_of_message("condemned", delivery, next(verdicts))
            case _:
                return _note_of_our_own(item)

    def _note_of_message(self, how: str, delivery: Delivery, verdict: str) -> Mapping[str, Any] | None:
        row = self._write_taken(delivery, verdict)
        if row is None:
            self._counted[verdict] += 1
        return None if row is None else {how: row}


def _note_of_our_own(
    item: DeadlinePassed | InstrumentGone | InstrumentReturned | PolicyAnswer | ApprovalMissing,
) -> Mapping[str, Any]:
    """Return the note of an input that no message brought."""
    match item:
        case DeadlinePassed(attempt_id):
            return {"expired": attempt_id}
        case InstrumentGone(instrument, reason):
            return {"away": instrument, "why": reason}
        case InstrumentReturned(instrument):
            return {"back": instrument}
        case ApprovalMissing(decision, waited_s):
            return {"unapproved": decision, "waited_s": waited_s}
        case PolicyAnswer(asked, based_on, _):  # pragma: no branch - the last of them, which mypy checks
            return {"proposed": asked.decision, "based_on": based_on}


def note_process(writer: RecordingWriter, store: Store) -> None:
    """Note that a process begins, and before it what the journal has and the recording has not.

    That is the beginning, or what a power cut took.
    """
    lost = store.marked > writer.number
    store.forget_marks(writer.number)
    _fill_in(writer, store)
    writer.note_start(store.sequence, store.counts(), lost=lost)


def fill_up(writer: RecordingWriter, store: Store) -> None:
    """Note what a power cut took, where it took anything."""
    if store.marked > writer.number or store.sequence not in {writer.before, _told(writer, store)}:
        note_process(writer, store)


def _fill_in(writer: RecordingWriter, store: Store) -> None:
    there, known = store.sequence, _told(writer, store)
    if there in {writer.before, known}:
        return
    if known is None or known > there:
        known = 0  # the recording is of an older format, or speaks of rows that the journal never had
    for number, event in enumerate(store.journal(), 1):
        if number > known:
            writer.note_event(number, *dump_event(event))


def _told(writer: RecordingWriter, store: Store) -> int | None:
    """Return of how many rows of the journal the recording tells; None where no note says it.

    A transaction that the database has no mark of was noted and never committed: what stands in its place is something
    else, such as what a process journals when it starts.
    """
    if writer.before != writer.sequence and store.marked < writer.noted:
        return writer.before
    return writer.sequence
