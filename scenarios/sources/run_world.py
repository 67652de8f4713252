"""The world of a run, made again of the scenario that its recording names: to compute what takes the whole pool."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.campaign.events import CampaignStarted, Event
from agent.run_files import DATABASE, RECORDING
from agent.store.read_only import reading_journal
from protocols.errors import SettingsError, StoreError
from protocols.settings.user_code import CodeSource
from scenarios.display.progress import ProgressCall, no_progress
from scenarios.settings.model import Scenario
from scenarios.sources.code_sources import source_for
from scenarios.sources.recording import recorded_scenario
from scenarios.world.world import World, build_world


@dataclass(frozen=True, slots=True)
class RunAgain:
    """A run as its folder has it.

    Attributes:
        scenario: That its recording names.
        world: That it makes.
        events: The journal.
        code: Where a class of the user's own may come from that recording or journal name: nowhere, unless somebody
            allowed it.
    """

    scenario: Scenario
    world: World
    events: tuple[Event, ...]
    code: CodeSource


def run_again(folder: Path, progress: ProgressCall = no_progress, database_url: str | None = None) -> RunAgain:
    """Read the journal of a run and make its world.

    Args:
        folder: The run folder; it is only read.
        progress: For a progress bar.
        database_url: Of another database than the folder's own, or than it remembers.

    Raises:
        StoreError: When there is no journal, or as of `world_of_run`.
    """
    with reading_journal(folder / DATABASE, database_url) as (store, _):
        events = tuple(store.journal())
    scenario, world = world_of_run(folder, started(events, folder).plan.pool_digest, progress)
    return RunAgain(scenario, world, events, source_for(f"The run {folder.name}"))


def started(events: Sequence[Event], folder: Path) -> CampaignStarted:
    """Return how a campaign began.

    Args:
        events: Its journal.
        folder: Of the run.

    Raises:
        StoreError: When it has not.
    """
    if not events or not isinstance(events[0], CampaignStarted):
        raise StoreError(
            f"{folder} has no journal yet",
            expected="a run that has begun",
            action="wait until it has, or start it again with --resume",
        )
    return events[0]


def world_of_run(folder: Path, pool_digest: str, progress: ProgressCall = no_progress) -> tuple[Scenario, World]:
    """Return the scenario of a run, and the world that it makes today.

    Args:
        folder: The run folder; it is only read.
        pool_digest: Of the pool that its campaign had.
        progress: For a progress bar.

    Raises:
        StoreError: When the run has no recording, or one that names no scenario of this version.
        TableError: When the table of the pool cannot be used.
        SettingsError: When its pool is another one today.
    """
    try:
        scenario = recorded_scenario(folder / RECORDING)
        world = build_world(scenario, progress)
    except OSError as error:
        raise StoreError(str(error), expected="the recording of the run, and the tables of its scenario") from error
    if world.pool.digest != pool_digest:
        raise SettingsError(
            f"the pool of its scenario has changed since ({pool_digest[:12]} then, {world.pool.digest[:12]} today)",
            expected="the pool that the campaign had",
        )
    return scenario, world
