"""Is a run folder what it says it is? Everything in it is checked against the journal, and the journal against itself.

| part | what must hold |
|---|---|
| database | SQLite's own integrity check; of a server's, that it can be copied in one snapshot |
| journal | numbers without gaps, every digest the chain of the one before |
| recorded events | the same as the recording leads to, row by row, and every decision as it is noted there |
| ID.db | what a simulator was asked and answered, as the journal has it and to the byte as the recording has it |
| anchor | row and digest of a receipt, as the chain has them |
| campaign | every event may follow the ones before it (the rules of `agent.campaign.state`) |
| reading | of a pool of a table, what was left out, folded, merged or converted, where the journal tells of any: the \
same today, or a note |
| labels | family and own id of every observation, as a table of the pool has them that is read at once |
| observation, request, bias_point, bias_family | equal to what the journal makes of an empty database; what a policy \
declares, where its pool can be made again |
| outbox | only requests that the journal knows, as the recording has them where they were sent |
| recorded messages | the requests, receipts and reports that the agent sent, as the journal has them |
| recording_mark | where the recording stood at each commit, as it still does |
| message_count, quarantine | what came by a recording from which nothing is missing |
| trajectory.csv, summary.json | their figures, computed again from the journal |
| dataset.csv | every cell, as the dataset that follows from the journal |
| recording.jsonl | numbers and digests, line by line; no row that the journal lacks; all of a finished journal |

A journal without a row beside files of a campaign that had begun was wiped, and a finished campaign lacks no file.

Only a copy of the database is opened, so that nothing is changed, not even by a migration, and a campaign that runs may
be checked. Whether the policy would decide the same again is another question: that is what a replay answers.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, select

from agent.campaign.events import CampaignStarted, Event, load_event
from agent.campaign.ledger import Ledger, TrajectoryPoint
from agent.campaign.life_cycle import Phase
from agent.pool.candidates import Pool
from agent.runtime.messages import figures_of
from agent.store.read_only import copy_of_run, referenced_in, require_known
from agent.store.standing import GENESIS_DIGEST, chain_digest
from agent.store.tables import JOURNAL
from protocols.errors import InvariantViolation, StoreError
from protocols.settings.user_code import INSTALLED
from protocols.storage.database import connected, sqlite_url
from scenarios.effects.effects import effects_of
from scenarios.sources.run_folder import DATASET
from scenarios.verify.anchors import anchors_in, check_anchors
from scenarios.verify.counts_check import check_counts
from scenarios.verify.dataset_check import check_dataset
from scenarios.verify.files_check import JournalEnd, RecordingOfRun, check_summary, check_trajectory, files_told
from scenarios.verify.known_journal import KnownJournal
from scenarios.verify.labels_check import check_labels
from scenarios.verify.memories import check_memory, memories_in
from scenarios.verify.part import CheckedPart, JournalFold, other_finding
from scenarios.verify.reading_check import check_reading
from scenarios.verify.recording_check import RecordedEvents, check_marks, compare_recording, pool_of, stand_ins_for
from scenarios.verify.views_check import check_meta, check_views
from scenarios.verify.whole_pool import WholePool, whole_pool


@dataclass(frozen=True, slots=True)
class Outside:
    """What others know of a run.

    Attributes:
        anchors: Files that name rows of its journal with their digests.
        memory: A folder with simulators' memories, beside those in the run folder.
    """

    anchors: tuple[Path, ...] = ()
    memory: Path | None = None


NOTHING_OUTSIDE: Final = Outside()
"""Nothing but the run folder is known."""


@dataclass(frozen=True, slots=True)
class RunFiles:
    """Names of the files in a run folder."""

    database: str
    recording: str
    trajectory: str
    summary: str
    dataset: str = DATASET


def verify_run(
    folder: Path,
    names: RunFiles,
    *,
    database_url: str | None = None,
    outside: Outside = NOTHING_OUTSIDE,
    on_part: Callable[[CheckedPart], None] = lambda _part: None,
) -> tuple[CheckedPart, ...]:
    """Check everything in a run folder; stop at a journal that is broken, for all else is checked against it.

    Args:
        folder: The run folder.
        names: Its files.
        database_url: Of another database than the folder's own file, or than it remembers.
        outside: What others know of it.
        on_part: Called with each part when it was checked.

    Raises:
        StoreError: When there is no database, or it is no Entropilot's.
    """
    check = _RunCheck(folder, names, outside, on_part)
    with tempfile.TemporaryDirectory(prefix="entropilot-verify-") as scratch:
        copy = Path(scratch) / "copy.db"
        copied = copy_of_run(folder / names.database, database_url, copy)
        if not check.found(CheckedPart("database", 0 if copied.problem else copied.pages, copied.problem)):
            return tuple(check.parts)
        with connected(sqlite_url(copy), to_read=True) as connection:
            with connection.begin():
                require_known(connection)
            with connection.begin():
                check.tables(connection, Path(scratch) / "again.db")
    check.end()
    return tuple(check.parts)


def require_sound(parts: tuple[CheckedPart, ...], run: str) -> None:
    """Raise for the first part that is not sound.

    Raises:
        StoreError: With the part and its first bad row.
    """
    bad = [part for part in parts if part.problem]
    if bad:
        raise StoreError(
            f"{run} is not what was written: {bad[0].name}: {bad[0].problem}",
            expected="every row, line and file as Entropilot wrote it",
            action=bad[0].action
            or "restore it from a copy; what can be written again from the journal is written by a finished run",
        )


class _RunCheck:
    """Checks one run, part by part.

    Args:
        folder: The run folder.
        names: Its files.
        outside: What others know of it.
        on_part: Called with each part.
    """

    def __init__(self, folder: Path, names: RunFiles, outside: Outside, on_part: Callable[[CheckedPart], None]) -> None:
        self.parts: list[CheckedPart] = []
        self._folder = folder
        self._names = names
        self._outside = outside
        self._on_part = on_part
        # Before the journal, for a campaign that runs goes on meanwhile:
        self._recording = RecordingOfRun(folder / names.recording)
        self._anchors = [(path, tuple(anchors_in(path))) for path in outside.anchors]
        self._journal_end: JournalEnd | None = None

    def found(self, part: CheckedPart | None) -> bool:
        """Take in what was found of a part; return whether it is sound."""
        if part is not None:
            self.parts.append(part)
            self._on_part(part)
        return part is None or not part.problem

    def tables(self, connection: Connection, scratch: Path) -> None:
        """Check the database, and what hangs on its journal."""
        part, events, digests = _journal(connection)
        if not events and not part.problem and (witness := self._witness()):
            wiped = f"it has no row, and {witness} is of a campaign that had begun: it was wiped"
            part = CheckedPart(JOURNAL.name, 0, wiped)
        if not self.found(part) or not events:
            return
        started = events[0]
        if not isinstance(started, CampaignStarted):
            part, _ = _folded(events, digests, referenced_in(connection, events), WholePool())
            self.found(part)
            return
        whole = whole_pool(self._folder, started.plan)
        few = referenced_in(connection, events, stand_ins_for(started.plan))
        path = self._folder / self._names.recording
        recorded = compare_recording(path, events, few, lambda: pool_of(self._folder, started.plan, whole))
        journal = KnownJournal(started.plan, events, digests, None if recorded is None else recorded.messages)
        self._others(journal, recorded)
        self.found(check_meta(connection, started.plan))
        pool = referenced_in(connection, events)
        part, fold = _folded(events, digests, pool, whole, rows=_rows_told(recorded))
        if not self.found(part) or fold is None:
            return
        self.found(check_reading(self._folder, started, whole))
        self.found(check_labels(connection, self._folder, started.plan, whole))
        for part in check_views(connection, scratch, events, pool, fold, recorded=journal.recorded):
            self.found(part)
        self.found(None if recorded is None else recorded.check_sent(journal, fold.points, fold.figures))
        self.found(check_marks(connection, journal, recorded))
        for part in check_counts(connection, journal, recorded):
            self.found(part)
        self.found(check_trajectory(self._folder / self._names.trajectory, fold))
        summary = self._folder / self._names.summary
        self.found(check_summary(summary, fold))
        is_told = self._names.dataset in files_told(summary)
        self.found(check_dataset(self._folder / self._names.dataset, connection, events, fold, is_told=is_told))
        self._journal_end = JournalEnd(len(events), fold.ledger.campaign.phase is Phase.FINISHED)

    def end(self) -> None:
        """Check the recording by itself."""
        self.found(self._recording.compared(self._journal_end))

    def _others(self, journal: KnownJournal, recorded: RecordedEvents | None) -> None:
        """Hold the journal against what others know of it: its recording, the simulators, and who has receipts.

        It comes before what is folded from the journal: a value that was changed is then named by its own row.
        """
        self.found(None if recorded is None else recorded.part)
        for memory in memories_in(self._folder, self._names.database, self._outside.memory):
            self.found(check_memory(memory, journal))
        for path, anchors in self._anchors:
            self.found(check_anchors(path, anchors, journal.plan, journal.digests))

    def _witness(self) -> str:
        """Return the name of a file that is written only when a campaign has begun; empty when there is none."""
        names = self._names
        if self._recording.known_rows:
            return names.recording
        return next((name for name in (names.summary, names.trajectory) if (self._folder / name).is_file()), "")


def _journal(connection: Connection) -> tuple[CheckedPart, list[Event], tuple[str, ...]]:
    events: list[Event] = []
    digests: list[str] = []
    problem = ""
    for number, row in enumerate(connection.execute(select(JOURNAL).order_by(JOURNAL.c.sequence)), 1):
        digests.append(chain_digest(digests[-1] if digests else GENESIS_DIGEST, row.sequence, row.kind, row.payload))
        if row.sequence != number:
            problem = f"row {number} is missing: row {row.sequence} follows"
        elif row.digest != digests[-1]:
            problem = f"row {number} was changed: its digest does not fit"
        else:
            try:
                events.append(load_event(row.kind, row.payload))
            except StoreError as error:
                problem = f"row {number}: {error.found}"
        if problem:
            break
    note = "" if events or problem else "the campaign has not begun"
    return CheckedPart(JOURNAL.name, len(events), problem, note), events, tuple(digests)


def _rows_told(recorded: RecordedEvents | None) -> frozenset[int]:
    """Return the rows of the journal at which the agent said where the campaign stood."""
    return frozenset() if recorded is None else frozenset(each.row or 0 for _, each in recorded.messages.states)


def _folded(
    events: list[Event],
    digests: tuple[str, ...],
    referenced: Pool,
    whole: WholePool,
    *,
    rows: Collection[int] = (),
) -> tuple[CheckedPart, JournalFold | None]:
    ledger = Ledger(whole.pool or referenced)
    metrics: list[TrajectoryPoint] = []
    figures: dict[int, dict[str, Any]] = {}
    for number, event in enumerate(events, 1):
        try:
            change = ledger.fold(event)
        except (InvariantViolation, LookupError) as error:
            problem = f"row {number} of the journal cannot follow the ones before: {error}"
            return CheckedPart("campaign", number - 1, problem), None
        if number in rows:
            figures[number] = figures_of(ledger)
        if change.metrics is not None:
            metrics.append(change.metrics)
        if problem := other_finding(event, metrics):
            return CheckedPart("campaign", number - 1, f"row {number} of the journal: {problem}"), None
    effects = effects_of(events, whole.pool, whole.true_effects, INSTALLED) if whole.pool is not None else None
    against_truth = {} if effects is None else effects.against_truth
    fold = JournalFold(ledger, digests, tuple(metrics), against_truth, whole.why_not, figures)
    return CheckedPart("campaign", len(events)), fold
