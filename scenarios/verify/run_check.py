"""Is a run folder what it says it is? Everything in it is checked against the journal, and the journal against itself.

| part | what must hold |
|---|---|
| database | SQLite's own integrity check; of a server's, that it can be copied in one snapshot |
| journal | numbers without gaps, every digest the chain of the one before |
| campaign | every event may follow the ones before it (the rules of `agent.campaign.state`) |
| reading | of a pool of a table, what was left out, folded, merged or converted, where the journal tells of any: the \
same today, or a note |
| observation, request, bias_point, bias_family | equal to what the journal makes of an empty database; what a policy \
declares, where its pool can be made again |
| outbox | only requests that the journal knows |
| trajectory.csv, summary.json | their figures, computed again from the journal |
| recording.jsonl | numbers and digests, line by line; no row that the journal lacks; all of a finished journal |

A journal without a row beside files of a campaign that had begun was wiped, and a finished campaign lacks no file.

Only a copy of the database is opened, so that nothing is changed, not even by a migration, and a campaign that runs may
be checked. Whether the policy would decide the same again is another question: that is what a replay answers.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Table, select

from agent.campaign.events import CampaignStarted, Event, load_event
from agent.campaign.ledger import Ledger, TrajectoryPoint
from agent.campaign.life_cycle import Phase
from agent.campaign.state import Campaign
from agent.pool.candidates import Pool
from agent.store.migrations import migrate
from agent.store.read_only import NO_TIME, copy_of_run, referenced_in
from agent.store.store import GENESIS_DIGEST, Commit, Store, chain_digest
from agent.store.tables import BIAS_FAMILY, BIAS_POINT, JOURNAL, OBSERVATION, OUTBOX, REQUEST
from agent.store.views import DatasetLabels
from protocols.errors import InvariantViolation, StoreError
from protocols.settings.user_code import INSTALLED
from protocols.storage.database import opening, sqlite_url
from scenarios.effects.effects import effects_of
from scenarios.verify.files_check import JournalEnd, RecordingOfRun, check_summary, check_trajectory
from scenarios.verify.part import CheckedPart, JournalFold, equal, equal_declared, other_finding
from scenarios.verify.reading_check import check_reading
from scenarios.verify.whole_pool import WholePool, whole_pool

EVENTS_PER_COMMIT: Final = 1_000
"""Events that are folded into the empty database at a time."""


@dataclass(frozen=True, slots=True)
class RunFiles:
    """Names of the files in a run folder."""

    database: str
    recording: str
    trajectory: str
    summary: str


def verify_run(
    folder: Path,
    names: RunFiles,
    *,
    database_url: str | None = None,
    on_part: Callable[[CheckedPart], None] = lambda _part: None,
) -> tuple[CheckedPart, ...]:
    """Check everything in a run folder; stop at a journal that is broken, for all else is checked against it.

    Args:
        folder: The run folder.
        names: Its files.
        database_url: Of another database than the folder's own file, or than it remembers.
        on_part: Called with each part when it was checked.

    Raises:
        StoreError: When there is no database, or it is no Entropilot's.
    """
    parts: list[CheckedPart] = []

    def found(part: CheckedPart) -> bool:
        parts.append(part)
        on_part(part)
        return not part.problem

    recording = RecordingOfRun(folder / names.recording)
    with tempfile.TemporaryDirectory(prefix="entropilot-verify-") as scratch:
        copy = Path(scratch) / "copy.db"
        copied = copy_of_run(folder / names.database, database_url, copy)
        if not found(CheckedPart("database", 0 if copied.problem else copied.pages, copied.problem)):
            return tuple(parts)
        with opening(sqlite_url(copy)) as connection:
            try:
                with connection.begin():
                    migrate(connection, now=NO_TIME)
                with connection.begin():
                    witness = _witness(folder, names, recording)
                    end = _check_tables(connection, Path(scratch) / "again.db", folder, names, found, witness=witness)
            finally:
                connection.close()
                connection.engine.dispose()
    found(recording.compared(end))
    return tuple(parts)


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


def _witness(folder: Path, names: RunFiles, recording: RecordingOfRun) -> str:
    """Return the name of a file that is written only when a campaign has begun; empty when there is none."""
    if recording.known_rows:
        return names.recording
    return next((name for name in (names.summary, names.trajectory) if (folder / name).is_file()), "")


def _check_tables(
    connection: Connection,
    scratch: Path,
    folder: Path,
    names: RunFiles,
    found: Callable[[CheckedPart], bool],
    *,
    witness: str,
) -> JournalEnd | None:
    """Return where the journal ends; None when that is not known."""
    part, events, digests = _journal(connection)
    if not events and not part.problem and witness:
        part = CheckedPart(
            JOURNAL.name, 0, f"it has no row, and {witness} is of a campaign that had begun: it was wiped"
        )
    if not found(part) or not events:
        return None
    pool = referenced_in(connection, events)
    started = events[0]
    whole = whole_pool(folder, started.plan) if isinstance(started, CampaignStarted) else WholePool()
    part, fold = _folded(events, digests, pool, whole)
    if not found(part) or fold is None:
        return None
    if isinstance(started, CampaignStarted) and (reading := check_reading(folder, started, whole)) is not None:
        found(reading)
    labels = DatasetLabels.of(pool, fold.ledger.campaign.plan.unit)
    with closing(Store.open(sqlite_url(scratch), labels=labels, now=NO_TIME)) as again:
        _rebuild(again, events, fold)
    with opening(sqlite_url(scratch)) as right:
        for table in (OBSERVATION, REQUEST, BIAS_POINT, BIAS_FAMILY):
            found(_same_rows(table, connection, right, fold.why_not if table is BIAS_POINT else ""))
        right.close()
        right.engine.dispose()
    found(_outbox(connection, fold.ledger.campaign))
    found(check_trajectory(folder / names.trajectory, fold))
    found(check_summary(folder / names.summary, fold))
    return JournalEnd(len(events), fold.ledger.campaign.phase is Phase.FINISHED)


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


def _folded(
    events: list[Event], digests: tuple[str, ...], referenced: Pool, whole: WholePool
) -> tuple[CheckedPart, JournalFold | None]:
    ledger = Ledger(whole.pool or referenced)
    metrics: list[TrajectoryPoint] = []
    for number, event in enumerate(events, 1):
        try:
            change = ledger.fold(event)
        except (InvariantViolation, LookupError) as error:
            problem = f"row {number} of the journal cannot follow the ones before: {error}"
            return CheckedPart("campaign", number - 1, problem), None
        if change.metrics is not None:
            metrics.append(change.metrics)
        if problem := other_finding(event, metrics):
            return CheckedPart("campaign", number - 1, f"row {number} of the journal: {problem}"), None
    effects = effects_of(events, whole.pool, whole.true_effects, INSTALLED) if whole.pool is not None else None
    against_truth = {} if effects is None else effects.against_truth
    fold = JournalFold(ledger, digests, tuple(metrics), against_truth, whole.why_not)
    return CheckedPart("campaign", len(events)), fold


def _rebuild(again: Store, events: list[Event], fold: JournalFold) -> None:
    """Fold the events into an empty database, by the statements that the agent uses."""
    for first in range(0, len(events), EVENTS_PER_COMMIT):
        again.append(Commit(events=tuple(events[first : first + EVENTS_PER_COMMIT])), now=NO_TIME)
    again.append(Commit(bias=fold.metrics), now=NO_TIME)


def _same_cell(name: str, one: object, other: object) -> bool:
    """Tell whether two cells are the same; what a policy declares is JSON."""
    if name != BIAS_POINT.c.declared.name or not one or not other:
        return equal(one, other)
    try:
        written, right = json.loads(str(one)), json.loads(str(other))
        same = [equal_declared(written[each], value) for each, value in right.items()]
        return written.keys() == right.keys() and all(same)
    except (ValueError, KeyError, TypeError, AttributeError):
        return False  # it is not what the agent writes


def _same_rows(table: Table, connection: Connection, right: Connection, no_declared: str = "") -> CheckedPart:
    """Compare the rows of a table.

    Args:
        table: Which.
        connection: Where it is checked.
        right: Where it is as the journal makes it.
        no_declared: Why what a policy declares is left out; empty where it is compared.
    """
    left_out = BIAS_POINT.c.declared.name if no_declared else ""
    keys = [column.name for column in table.primary_key]
    there, expected = (
        {tuple(row._mapping[key] for key in keys): row for row in each.execute(select(table)).all()}  # noqa: SLF001 - SQLAlchemy's public name
        for each in (connection, right)
    )
    for sound, key in enumerate(sorted(there.keys() | expected.keys())):
        row, wanted = there.get(key), expected.get(key)
        which = "the row " + ", ".join(f"{name} = {value!r}" for name, value in zip(keys, key, strict=True))
        if row is None or wanted is None:
            return CheckedPart(table.name, sound, f"{which} {'is missing' if row is None else 'is not in the journal'}")
        for column, value, told in zip(table.columns, row, wanted, strict=True):
            if column.name != left_out and not _same_cell(column.name, value, told):
                return CheckedPart(
                    table.name, sound, f"{which} says {column.name} = {value!r}; the journal says {told!r}"
                )
    return CheckedPart(table.name, len(expected), note=no_declared)


def _outbox(connection: Connection, campaign: Campaign) -> CheckedPart:
    waiting = connection.execute(select(OUTBOX.c.attempt_id).order_by(OUTBOX.c.attempt_id)).scalars().all()
    strange = next((attempt_id for attempt_id in waiting if attempt_id not in campaign.attempts), None)
    problem = "" if strange is None else f"attempt {strange!r} was never made"
    return CheckedPart(OUTBOX.name, len(waiting), problem)
