"""What a run has come to that has no summary, or went on after its last: folded from a copy of its journal.

Nothing is written: a run that goes on is not held up, and one that was killed is left as it is.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.run_files import DATABASE, DATABASE_PLACE, LOCK, LOG, RECORDING
from protocols.errors import StoreError
from protocols.storage.run_lock import seems_held
from scenarios.display.progress import ProgressCall, no_progress
from scenarios.run.summary.model import RunSummary, read_summary
from scenarios.sources.run_folder import SUMMARY

if TYPE_CHECKING:
    from agent.store.store import Store

WRITTEN_AT_ONCE: Final = (DATABASE, DATABASE_PLACE, RECORDING, LOG)
"""What a run writes as it goes; the other files come at its end."""

LAST_ROW: Final = "SELECT max(sequence) FROM journal"


def went_on(folder: Path, summary: RunSummary) -> bool:
    """Tell whether a run may have gone on since its summary was written; that costs next to nothing.

    Whoever has the database open, or was killed with it, left a WAL beside it. A database on a server is not asked: of
    such a run it is told only while its agent is there.

    Args:
        folder: The run folder; it is only read.
        summary: As it was read.
    """
    database = folder / DATABASE
    if any(database.with_name(database.name + end).exists() for end in ("-wal", "-shm")):
        return True
    if not database.is_file():
        return seems_held(folder / LOCK)
    try:
        with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            (rows,) = connection.execute(LAST_ROW).fetchone()
    except sqlite3.Error:  # `entropilot verify` tells what is wrong with it; the summary is there to be read
        return False
    return bool(summary.journal_rows) and rows != summary.journal_rows


def summary_so_far(folder: Path, progress: ProgressCall = no_progress, database_url: str | None = None) -> RunSummary:
    """Return what a run has come to by now.

    Args:
        folder: The run folder; it is only read.
        progress: For a progress bar.
        database_url: Of another database than the folder's own, or than it remembers.

    Returns:
        Its summary: the one that it wrote, where nothing came after that; else one without bands in between and without
        the comparison with random, which a campaign that is not over does not have. `stopped_because` is empty while
        it runs, `wall_time_s` lasts from the first row of its journal to the last.

    Raises:
        StoreError: When it has no journal yet, or one that is none of Entropilot's; or when the scenario that it was
            started with makes another pool today, or none.
    """
    from agent.store.read_only import reading_journal

    with reading_journal(folder / DATABASE, database_url) as (store, _):
        if (written := _written(folder)) is not None and written.journal_rows == store.sequence:
            return written
        return _folded(folder, store, progress)


def _written(folder: Path) -> RunSummary | None:
    return read_summary(folder / SUMMARY) if (folder / SUMMARY).is_file() else None


def _folded(folder: Path, store: Store, progress: ProgressCall) -> RunSummary:
    """Fold a journal, and sum up what came of it."""
    from agent.campaign.ledger import Ledger
    from agent.opening import CampaignFiles
    from scenarios.effects.effects import effects_of
    from scenarios.findings.findings import findings_so_far
    from scenarios.run.banded import ENDS, with_bands
    from scenarios.run.outcome import Found, interrupted, summary_of
    from scenarios.run.reach import ceilings_of, skills_of
    from scenarios.run.shares import shares_of
    from scenarios.run.trajectory import Trajectory
    from scenarios.sources.code_sources import source_for
    from scenarios.sources.run_world import started, world_of_run

    events = tuple(store.journal())
    plan = started(events, folder).plan
    points = tuple(store.trajectory(plan.metrics))
    if not points:
        raise StoreError(f"The run {folder} has no value yet", expected="one whose start set is in its dataset")
    scenario, world = world_of_run(folder, plan.pool_digest, progress)
    ledger = Ledger.of_journal(world.pool, events)
    code = source_for(f"The run {folder.name}")
    effects = effects_of(events, world.pool, world.true_effects, code, at_ends_only=True)
    trajectory = with_bands(Trajectory(plan.label, plan.unit, points), ledger.meter, ENDS)
    if effects is not None:
        trajectory = replace(trajectory, against_truth=effects.against_truth)
    shares = shares_of(events, plan, world.pool, world.true_shares, code)
    found = Found(trajectory, None, effects, shares, findings_so_far(events, plan, world.pool, scenario))
    summary = summary_of(
        CampaignFiles(folder, store, ledger), scenario, found, elapsed_s=_elapsed_s(store), accepted_here=0
    )
    campaign = ledger.campaign
    stopped = campaign.finish_reason or campaign.pause_reason or ("" if seems_held(folder / LOCK) else interrupted())
    files = tuple(name for name in WRITTEN_AT_ONCE if (folder / name).is_file())
    families = len(campaign.pool.families)
    ceilings = ceilings_of(campaign, lambda done: progress("what can be reached", done, families))
    return replace(
        summary,
        stopped_because=stopped,
        accepted_here=None,
        files=files,
        ceilings=ceilings,
        skills=skills_of(campaign),
    )


def _elapsed_s(store: Store) -> float:
    """Return how long after its first row the last row of a journal was written [s]."""
    first, last = (store.row_at(number) for number in (1, store.sequence))
    if first is None or last is None:
        return 0.0
    return (datetime.fromisoformat(last.recorded_at) - datetime.fromisoformat(first.recorded_at)).total_seconds()
