"""Holds a journal against its recording: events, what the agent sent, and where the recording stood at each commit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, select

from agent.campaign.events import BeginCorrected, CampaignStarted, Event, RequestIssued, StartSetLoaded
from agent.campaign.plan import CampaignPlan
from agent.entropy.bias import BiasPoint
from agent.entropy.entropy import MIN_VALUES
from agent.pool.candidates import Pool
from agent.store.tables import JOURNAL, RECORDING_MARK
from agent.versions import versions
from protocols.errors import EntropilotError, StoreError
from protocols.recording.lines import TransactionRow
from protocols.recording.reader import open_recording
from scenarios.verify.known_journal import KnownJournal
from scenarios.verify.part import CheckedPart
from scenarios.verify.recorded_events import EventComparison
from scenarios.verify.recorded_messages import RecordedMessages
from scenarios.verify.sent_check import NO_FIGURES, other_sent
from scenarios.verify.whole_pool import WholePool, bounded_world

EVENTS: Final = "recorded events"
MESSAGES: Final = "recorded messages"

PACKAGE: Final = "entropilot"


@dataclass(frozen=True, slots=True)
class RecordedEvents:
    """What came of comparing a journal with its recording.

    Attributes:
        part: What was found of the events.
        comparison: How far it came.
        digests: Of every row of the recording, by its number.
        spans: The rows of the journal before and after each transaction that is noted, by the number of its row.
    """

    part: CheckedPart
    comparison: EventComparison
    digests: dict[int, str]
    spans: dict[int, tuple[int, int]]

    @property
    def messages(self) -> RecordedMessages:
        """The messages in the recording."""
        return self.comparison.messages

    def check_sent(
        self,
        journal: KnownJournal,
        points: Sequence[BiasPoint],
        figures: Mapping[int, Mapping[str, Any]] = NO_FIGURES,
    ) -> CheckedPart | None:
        """Check the messages that the agent sent; None where none is recorded.

        Args:
            journal: What they are held against.
            points: The trajectory, by observation.
            figures: Row -> where the campaign stood there, of the rows that its states name.
        """
        messages = self.messages
        people = len(messages.reports) + len(messages.control_receipts) + len(messages.states)
        sent = len(messages.asked) + len(messages.receipts) + people
        if not sent:
            return None
        followed = not self.part.problem and not self.part.note
        given = self.comparison.given if followed else None
        problem = other_sent(messages, journal, points, given, figures)
        return CheckedPart(MESSAGES, 0 if problem else sent, problem)


def stand_ins_for(plan: CampaignPlan) -> int:
    """Return how many candidates must stand for those of a family that a journal does not name, to follow a recording.

    As many as make a family covered, and as many as a decision may choose.
    """
    return max(MIN_VALUES, plan.batch)


def pool_of(folder: Path, plan: CampaignPlan, known: WholePool) -> Pool | None:
    """Return the whole pool of a run; None where it cannot be made here."""
    if known.pool is not None:
        return known.pool
    try:
        return bounded_world(folder, plan).pool
    except EntropilotError:
        return None


def compare_recording(
    path: Path, events: Sequence[Event], few: Pool, whole: Callable[[], Pool | None]
) -> RecordedEvents | None:
    """Compare a journal with its recording; None where there is none, or it cannot be opened.

    What a campaign finds of its gaps hangs on how many candidates a family has. So a disagreement counts once it is
    there with the whole pool too; where that cannot be made, one that may come of it is a note. What requests take of
    stocks hangs on its columns, so that a campaign with stocks is compared with it at once.

    Args:
        path: The recording.
        events: The journal.
        few: The candidates that it names, and stand-ins for the rest.
        whole: Makes the whole pool.
    """
    if not path.is_file():
        return None
    try:
        found = _compared(path, events, few)
        needs_whole = found.comparison.found is not None or _has_supplies(events)
        if needs_whole and (pool := whole()) is not None:
            return _compared(path, events, pool)
    except StoreError:
        return None  # no recording at all: its own part says so
    disagreement = found.comparison.found
    if disagreement is not None and disagreement.may_be_the_pool:
        note = f"compared to row {found.part.rows}; what follows takes the whole pool, which cannot be made here"
        return replace(found, part=CheckedPart(EVENTS, found.part.rows, note=note))
    return found


def _has_supplies(events: Sequence[Event]) -> bool:
    return any(isinstance(each, RequestIssued) and each.takes for each in events)


def _compared(path: Path, events: Sequence[Event], pool: Pool) -> RecordedEvents:
    comparison = EventComparison(events, pool)
    digests: dict[int, str] = {}
    spans: dict[int, tuple[int, int]] = {}
    with open_recording(path) as recording:
        comparison.begin(recording.header)
        try:
            for number, row in enumerate(recording.rows(), 1):
                digests[number] = recording.digest
                if isinstance(row, TransactionRow):
                    spans[number] = row.before, row.sequence
                comparison.take(row)
        except StoreError:
            pass  # a line that was changed: the recording's own part names it, and what stands before it is compared
        else:
            comparison.finish()
    return RecordedEvents(_part(comparison, events), comparison, digests, spans)


def _part(comparison: EventComparison, events: Sequence[Event]) -> CheckedPart:
    found, rows = comparison.found, comparison.compared
    if found is None:
        missing = len(events) - rows
        return CheckedPart(EVENTS, rows, note=f"{missing} rows of the journal are not in it" if missing else "")
    other = _other_version(events)
    if other and rows:  # both agree on which version it was
        return CheckedPart(EVENTS, rows, note=f"{other}, whose rules may be others: {found.words}")
    return CheckedPart(EVENTS, rows, found.words)


def _other_version(events: Sequence[Event]) -> str:
    """Say which version wrote a journal, where it was another one than this."""
    then = next((each.versions.get(PACKAGE) for each in events if isinstance(each, CampaignStarted)), None)
    now = versions()[PACKAGE]
    return "" if then == now else f"Entropilot {then or 'of old'} wrote it"


def check_marks(connection: Connection, journal: KnownJournal, recorded: RecordedEvents | None) -> CheckedPart | None:
    """Compare where the recording stood at each commit with where it stands; None where nothing was recorded.

    Each mark also tells when its rows of the journal were written.

    Args:
        connection: To the database.
        journal: Its journal.
        recorded: Its recording; None where it cannot be read.
    """
    marks = connection.execute(select(RECORDING_MARK).order_by(RECORDING_MARK.c.row)).all()
    times = {
        row.sequence: row.recorded_at for row in connection.execute(select(JOURNAL.c.sequence, JOURNAL.c.recorded_at))
    }
    if len(times) > 1 and isinstance(journal.events[1], StartSetLoaded) and times[1] != times[2]:
        problem = f"row 1 of the journal says that it was recorded at {times[1]}; row 2, with which it was: {times[2]}"
        return CheckedPart(RECORDING_MARK.name, 0, problem)
    if problem := _other_begin(journal.events, times):
        return CheckedPart(RECORDING_MARK.name, 0, problem)
    before, known = 0, 0
    for sound, mark in enumerate(marks):
        problem = (
            _other_order(mark, known)
            or _other_time(mark, times, len(journal.events))
            or _other_time_without_rows(mark, recorded)
            or _other_mark(mark, before, recorded)
            or _beyond_the_end(mark, journal, recorded)
        )
        if problem:
            return CheckedPart(RECORDING_MARK.name, sound, problem)
        before, known = mark.row, mark.sequence
    return CheckedPart(RECORDING_MARK.name, len(marks)) if marks else None


def _other_begin(events: Sequence[Event], times: Mapping[int, str]) -> str:
    """Return the first row that tells of another begin than when it was written, which is the same moment."""
    for row, event in enumerate(events, 1):
        if not isinstance(event, CampaignStarted | BeginCorrected) or event.began_at is None:
            continue
        if event.began_at != _moment(times[row]):
            began = event.began_at.isoformat()
            return f"row {row} of the journal says began_at = {began}, and that it was recorded at {times[row]}"
    return ""


def _moment(time: str) -> datetime | None:
    """Return a time as the journal keeps it; None where it is none."""
    try:
        read = datetime.fromisoformat(time)
    except ValueError:
        return None
    return read if read.tzinfo is not None else read.replace(tzinfo=UTC)


def _other_order(mark: Any, known: int) -> str:
    """Tell that a mark speaks of rows of the journal that an earlier one spoke of already."""
    if mark.before >= known:
        return ""
    return f"row {mark.row} says that the journal stood at row {mark.before}; an earlier one that it was at {known}"


def _other_time(mark: Any, times: Mapping[int, str], rows: int) -> str:
    if not 0 <= mark.before <= mark.sequence <= rows:
        return f"row {mark.row} speaks of rows {mark.before} to {mark.sequence} of a journal that ends at {rows}"
    there = ((number, times[number]) for number in range(mark.before + 1, mark.sequence + 1))
    other = next(((number, time) for number, time in there if time != mark.recorded_at), None)
    if other is None:
        return ""
    return f"row {other[0]} of the journal says that it was recorded at {other[1]}; row {mark.row}: {mark.recorded_at}"


def _other_time_without_rows(mark: Any, recorded: RecordedEvents | None) -> str:
    """Tell that a mark without rows of the journal has a time where nothing was put aside, or has none where it was."""
    if mark.before < mark.sequence or recorded is None or recorded.part.problem or recorded.part.note:
        return ""
    came = recorded.comparison.came
    if mark.recorded_at and mark.row not in came.may_have_time:
        return f"row {mark.row} says that something was recorded at {mark.recorded_at}; the recording knows of nothing"
    if not mark.recorded_at and mark.row in came.has_time:
        return f"row {mark.row} does not say when it was recorded, and something was put aside with it"
    return ""


def _other_mark(mark: Any, before: int, recorded: RecordedEvents | None) -> str:
    there = None if recorded is None else recorded.digests.get(mark.row)
    if recorded is not None and there == mark.digest:
        span = recorded.spans.get(mark.row, (mark.sequence, mark.sequence))  # an end follows no transaction
        if span != (mark.before, mark.sequence):
            told = f"row {mark.row} speaks of rows {mark.before} to {mark.sequence}"
            return f"{told}; the recording of {span[0]} to {span[1]}"
    if there is None or there == mark.digest:  # that the recording has lost its end is said of the recording
        return ""
    first = f"one of its rows {before + 1}" if before else "its header or one of its rows 1"
    where = f"{first} to {mark.row} was changed since"
    return f"row {mark.row} of the recording had the digest {mark.digest}, and has {there}: {where}"


def _beyond_the_end(mark: Any, journal: KnownJournal, recorded: RecordedEvents | None) -> str:
    """Tell that a mark is of a row that a recording of the whole journal does not have.

    One that lost more of its end is named by its own part; one of a campaign that goes on may be longer by now.
    """
    if recorded is None or not journal.is_over or mark.row <= (last := len(recorded.digests)):
        return ""
    if max((sequence for _, sequence in recorded.spans.values()), default=0) < len(journal.events):
        return ""
    return f"row {mark.row} of the recording was there at a commit, and it ends at row {last}"
