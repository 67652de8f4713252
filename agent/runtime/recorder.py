"""Writes what the agent did into the recording of its run, beside the messages: so that a replay can do the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from agent.campaign.events import DecisionMade, PolicyExhausted, dump_event
from agent.runtime.transaction import (
    DeadLetter,
    DeadlinePassed,
    Input,
    InstrumentGone,
    InstrumentReturned,
    PolicyAnswer,
    Transaction,
)
from agent.store.store import Commit, RecordingMark, Store
from protocols.link.transport import Delivery
from protocols.recording.writer import RecordingWriter


class RunRecorder:
    """Keeps the recording of one process.

    Args:
        writer: The recording.
        row_of: Returns the row of a message that was received; asked once for each, in their order.
        store: The journal that the transactions go into.
    """

    def __init__(self, writer: RecordingWriter, row_of: Callable[[Delivery], int], store: Store) -> None:
        self._writer = writer
        self._row_of = row_of
        self._store = store
        self._marked = 0
        fill_up(writer, store)
        writer.note_start(store.sequence)

    def write_ahead(self, transaction: Transaction) -> None:
        """Note a transaction that is about to be committed, and before it what no input brought."""
        _fill_in(self._writer, self._store)
        made = [dump_event(event) for event in transaction.events if isinstance(event, DecisionMade | PolicyExhausted)]
        before = self._store.sequence
        took = [self._note_of(item) for item in transaction.took]
        self._writer.note_transaction(took, made, before=before, sequence=before + len(transaction.events))
        if transaction.events:
            transaction.recorded = self._mark()

    def seal(self, now: str) -> None:
        """Keep where the recording ends, beside the journal; call it when nothing more is sent or received.

        Args:
            now: The time, a label.
        """
        if self._writer.number > self._marked:
            self._store.append(Commit(recorded=self._mark()), now=now)

    def _mark(self) -> RecordingMark:
        self._marked = self._writer.number
        return RecordingMark(self._writer.number, self._writer.digest)

    def _note_of(self, item: Input | DeadLetter) -> Mapping[str, Any]:
        match item:
            case Delivery():
                return {"row": self._row_of(item)}
            case DeadLetter(delivery):
                return {"condemned": self._row_of(delivery)}
            case DeadlinePassed(attempt_id):
                return {"expired": attempt_id}
            case InstrumentGone(instrument, reason):
                return {"away": instrument, "why": reason}
            case InstrumentReturned(instrument):
                return {"back": instrument}
            case PolicyAnswer(asked, based_on, _):
                return {"proposed": asked.decision, "based_on": based_on}


def fill_up(writer: RecordingWriter, store: Store) -> None:
    """Note what the journal has and the recording has not: its beginning, or what a power cut took."""
    store.forget_marks(writer.number)
    _fill_in(writer, store)


def _fill_in(writer: RecordingWriter, store: Store) -> None:
    there = store.sequence
    if there in {writer.before, writer.sequence}:
        return
    known = writer.sequence
    if known is None or known > there:
        known = 0  # the recording is of an older format, or speaks of rows that the journal never had
    for number, event in enumerate(store.journal(), 1):
        if number > known:
            writer.note_event(number, *dump_event(event))
