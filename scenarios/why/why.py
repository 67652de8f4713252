"""What `entropilot why` reads, makes again and asks: a run folder is only read, and gets one figure."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Final

from agent.campaign.events import CampaignStarted, Event, LimitsChanged
from agent.campaign.ledger import Ledger
from agent.campaign.state import Campaign
from agent.pool.candidates import Pool
from agent.run_files import DATABASE, RECORDING
from agent.store.partial_pool import ReferencedPool
from agent.store.read_only import reading_journal, referenced_in
from agent.versions import versions
from protocols.errors import EntropilotError, StoreError
from protocols.settings.user_code import INSTALLED, CodeSource
from scenarios.display.progress import ProgressCall
from scenarios.sources.code_sources import source_for
from scenarios.sources.identify import identify
from scenarios.sources.kinds import RunPath
from scenarios.sources.recording import recorded_scenario
from scenarios.why.decision_named import find_decision
from scenarios.why.explain import explain
from scenarios.why.explanation import Explanation, Redecision, Verdict
from scenarios.why.figure import draw_explanation
from scenarios.why.redecide import propose_again
from scenarios.world.world import build_world

EVENTS_PER_REPORT: Final = 1_000
"""Events read between two reports of progress."""

READING: Final = "reading the journal"
ASKING: Final = "asking the policy again"


def explain_run(
    run: str, name: str, runs: Path, database_url: str | None, progress: ProgressCall
) -> tuple[Path, Explanation]:
    """Explain a decision of a run, and ask for it again where that can be done.

    Args:
        run: A run folder, or the name of a campaign below `runs`.
        name: Number of a decision, "last", or the id of a candidate.
        runs: Where run folders are.
        database_url: Of another database than the folder's own file, or than it remembers.
        progress: For a progress bar.

    Returns:
        The run folder, and the explanation.

    Raises:
        StoreError: When there is no such run or decision, or the database is damaged or of another version.
    """
    folder = _explainable(identify(run, runs, RunPath), database_url)
    events, touched = _read(folder, database_url, progress)
    try:
        decision = find_decision(events, name)
    except StoreError as error:
        raise _with_its_limit(error, folder, events, name, progress) from None
    pool, code, why_not = _pool_again(folder, events, progress)
    explanation = explain(events, pool or touched, decision, code if code.folder is not None else None)
    if pool is None:
        again = Redecision(verdict=Verdict.NOT_ASKED, why=why_not)
    else:
        progress(ASKING, 0, 1)
        again = propose_again(events, pool, decision, versions(), code)
        progress(ASKING, 1, 1)
    return folder, dataclasses.replace(explanation, again=again)


def _with_its_limit(
    error: StoreError, folder: Path, events: list[Event], name: str, progress: ProgressCall
) -> StoreError:
    """Return why no decision is found; of a candidate that may not be asked for, with the limit that is against it."""
    if not any(_sets_limits(each) for each in events):
        return error
    pool, _, _ = _pool_again(folder, events, progress)
    campaign = None if pool is None else Ledger.of_journal(pool, events).campaign
    reason = "" if campaign is None else _limit_against(campaign, name)
    return StoreError(f"{error.found}: {reason}", expected=error.expected, action=error.action) if reason else error


def _sets_limits(event: Event) -> bool:
    match event:
        case CampaignStarted():
            return event.plan.limits.is_limiting
        case LimitsChanged():
            return event.limits.is_limiting
        case _:
            return False


def _limit_against(campaign: Campaign, name: str) -> str:
    """Return which limit is against a candidate, by its id or that of its table; empty where none is."""
    for index, each in enumerate(campaign.pool.candidates if campaign.asking.is_limiting else ()):
        if name in {each.candidate_id, each.source_id}:
            reason = campaign.asking.why_not(campaign.pool, index)
            return f"it may not be asked for, for {reason}" if reason else ""
    return ""


def draw_decision(folder: Path, explanation: Explanation) -> Path:
    """Draw an explanation into the run folder; return the path of the figure.

    Raises:
        StoreError: When the folder cannot be written.
    """
    path = folder / f"why-{explanation.decision}.png"
    try:
        draw_explanation(path, explanation)
    except StoreError as error:
        raise StoreError(error.found, expected=error.expected, action="give --no-figure, or free some space") from None
    return path


def _explainable(run: RunPath, database_url: str | None) -> Path:
    """Return the folder of a run whose journal can be read.

    Raises:
        StoreError: When it is a shadow's, or its database is elsewhere and nobody says where.
    """
    if database_url is not None or run.has_database:
        return run.path
    if run.is_shadow:
        raise StoreError(
            f"{run.path} is the folder of a shadow, which has no journal",
            expected="the run of an agent",
            action=f"`entropilot report {run.name}` shows its choices beside those of the lab",
        )
    raise StoreError(
        f"The run {run.path} has no {DATABASE}",
        expected="the run's own database, or the URL of another one",
        action="name its database with --database, or restore the folder from a copy",
    )


def _read(folder: Path, database_url: str | None, progress: ProgressCall) -> tuple[list[Event], ReferencedPool]:
    events: list[Event] = []
    with reading_journal(folder / DATABASE, database_url) as (store, connection):
        for number, event in enumerate(store.journal()):
            if number % EVENTS_PER_REPORT == 0:
                progress(READING, number, store.sequence)
            events.append(event)
        progress(READING, store.sequence, store.sequence)
        return events, referenced_in(connection, events)


def _pool_again(folder: Path, events: list[Event], progress: ProgressCall) -> tuple[Pool | None, CodeSource, str]:
    """Make the campaign's pool of the scenario that the recording names, or say why that cannot be done.

    Beside it stands where a policy of the user's own may come from: nowhere, unless somebody allowed it.
    """
    started = events[0]
    try:
        scenario = recorded_scenario(folder / RECORDING)
        pool = build_world(scenario, progress).pool
    except (EntropilotError, OSError) as error:
        found = error.found if isinstance(error, EntropilotError) else str(error)
        return None, INSTALLED, f"the scenario cannot be made again: {found}"
    then = started.plan.pool_digest if isinstance(started, CampaignStarted) else ""
    if pool.digest != then:
        why_not = f"the pool differs: {then[:12]} then, {pool.digest[:12]} today, of {len(pool):,} candidates"
        return None, INSTALLED, why_not
    return pool, source_for(f"The recording of {folder.name}"), ""
