"""What can be reached, for the summary of a run that does not tell it: one of old, or of a campaign that is not over.

The campaign is folded from a copy of its journal; the pool is made of the scenario that its recording names.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from agent.campaign.ledger import Ledger
from protocols.errors import EntropilotError
from scenarios.display.progress import ProgressCall, no_progress
from scenarios.run.reach import ceilings_of, further_values, skills_of
from scenarios.run.summary.model import RunSummary
from scenarios.sources.run_world import run_again


def with_reach(
    summary: RunSummary, folder: Path, progress: ProgressCall = no_progress, database_url: str | None = None
) -> tuple[RunSummary, str]:
    """Return a summary with its ceilings and the skill of its model; and why it has none, where they cannot be told.

    Args:
        summary: As it was read.
        folder: The run folder; it is only read.
        progress: For a progress bar.
        database_url: As of `run_again`.
    """
    if summary.ceilings:
        return summary, ""
    try:
        again = run_again(folder, progress, database_url)
        campaign = Ledger.of_journal(again.world.pool, again.events).campaign
    except EntropilotError as error:
        return summary, f"what the families could reach is not told: {error.found.rstrip('.')}"
    families = len(campaign.pool.families)
    found_again = ceilings_of(campaign, lambda done: progress("what can be reached", done, families))
    skills = skills_of(campaign)
    return replace(summary, ceilings=found_again, further=further_values(campaign), skills=skills), ""
