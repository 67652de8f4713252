"""How far off effects are, for the summary of a run that does not tell it: one of old.

The effects are folded from a copy of the journal; what they are is known by the scenario that its recording names.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from protocols.errors import EntropilotError
from scenarios.display.progress import ProgressCall, no_progress
from scenarios.effects.effects import effects_of
from scenarios.run.summary.model import RunSummary
from scenarios.sources.run_world import run_again


def with_truth(
    summary: RunSummary, folder: Path, progress: ProgressCall = no_progress, database_url: str | None = None
) -> RunSummary:
    """Return a summary that tells the effects with how far off they are, where that can be known.

    Args:
        summary: As it was read.
        folder: The run folder; it is only read.
        progress: For a progress bar.
        database_url: As of `run_again`.
    """
    if not summary.effects or summary.against_truth:
        return summary
    try:
        again = run_again(folder, progress, database_url)
        truth = again.world.true_effects
        effects = effects_of(again.events, again.world.pool, truth, again.code, at_ends_only=True) if truth else None
    except EntropilotError:  # what a run does not tell of the truth is no fault of it
        return summary
    if effects is None or not effects.against_truth:
        return summary
    first, last = min(effects.against_truth), max(effects.against_truth)
    against = {"before": effects.against_truth[first], "after": effects.against_truth[last]}
    return replace(summary, effects=tuple(effects.in_words()), against_truth=against)
