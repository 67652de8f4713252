"""What can be reached, for the summary of a run that does not tell it: one of old, or of a campaign that is not over.

The campaign is folded from a copy of its journal; the pool is made of the scenario that its recording names.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from agent.campaign.ledger import Ledger
from agent.campaign.state import Campaign
from agent.pool.candidates import Pool
from agent.run_files import DATABASE, RECORDING
from agent.store.read_only import reading
from agent.store.store import Store
from agent.store.views import DatasetLabels
from protocols.errors import EntropilotError, SettingsError
from protocols.storage.database import sqlite_url
from scenarios.display.progress import ProgressCall, no_progress
from scenarios.run.reach import ceilings_of, further_values
from scenarios.run.summary import RunSummary
from scenarios.sources.recording import recorded_scenario
from scenarios.world.world import build_world


def with_reach(summary: RunSummary, folder: Path, progress: ProgressCall = no_progress) -> tuple[RunSummary, str]:
    """Return a summary with its ceilings; and why it has none, where they cannot be told.

    Args:
        summary: As it was read.
        folder: The run folder; it is only read.
        progress: For a progress bar.
    """
    if summary.ceilings:
        return summary, ""
    try:
        campaign = _campaign_of(folder, progress)
    except (EntropilotError, OSError) as error:
        found = error.found if isinstance(error, EntropilotError) else str(error)
        return summary, f"what the families could reach is not told: {found.rstrip('.')}"
    families = len(campaign.pool.families)
    found_again = ceilings_of(campaign, lambda done: progress("what can be reached", done, families))
    return replace(summary, ceilings=found_again, further=further_values(campaign)), ""


def _campaign_of(folder: Path, progress: ProgressCall) -> Campaign:
    pool = build_world(recorded_scenario(folder / RECORDING), progress).pool
    database = folder / DATABASE
    with reading(database, None) as connection:
        store = Store(connection, sqlite_url(database), DatasetLabels({}, ""))
        campaign = Ledger.of_journal(pool, store.journal()).campaign
    _require_same(pool, campaign)
    return campaign


def _require_same(pool: Pool, campaign: Campaign) -> None:
    then = campaign.plan.pool_digest
    if pool.digest != then:
        raise SettingsError(
            f"the pool of its scenario has changed since ({then[:12]} then, {pool.digest[:12]} today)",
            expected="the pool that the campaign had",
        )
