"""The recording that a command was given, opened."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from protocols.errors import StoreError
from protocols.recording.lines import Header
from protocols.recording.reader import open_recording
from scenarios.display.progress import ProgressCall
from scenarios.settings.model import Scenario
from scenarios.sources.packed_pool import require_packed_pool
from scenarios.sources.recording import find_recording, recorded_scenario
from scenarios.sources.scenario import Overrides, load_scenario
from scenarios.world.world import World, build_world


@dataclass(frozen=True, slots=True)
class Source:
    """A recording, and the world that it is of.

    Attributes:
        path: The file.
        header: Its first line.
        scenario: Its scenario, or one that was named instead.
        world: What that makes.
        of_a_lab: Whether a shadow heard it, and nobody says by what scenario the lab chose.
    """

    path: Path
    header: Header
    scenario: Scenario
    world: World
    of_a_lab: bool = False


def open_source(path: Path, scenario: Scenario | None, progress: ProgressCall) -> Source:
    """Make the world that a recording speaks of.

    Args:
        path: The recording.
        scenario: Instead of the one that the recording names.
        progress: For a progress bar.

    Raises:
        StoreError: When the file is no recording, names no scenario, or speaks of another pool.
        TableError: When the pool's table cannot be used.
    """
    with open_recording(path) as recording:
        header = recording.header
    meant = scenario or recorded_scenario(path, header)
    if meant.pool.path is not None and not Path(meant.pool.path).exists():
        raise StoreError(
            f"The table of the recording's pool is not there: {meant.pool.path}",
            expected="the table that the campaign was run with",
            action="put it there, name a scenario that finds it with --scenario, or replay a pack, which has it inside",
        )
    world = build_world(meant, progress)
    if header.pool_digest and header.pool_digest != world.pool.digest:
        raise StoreError(
            f"The recording speaks of pool {header.pool_digest[:12]}; its scenario makes pool {world.pool.digest[:12]} "
            f"of {len(world.pool):,} candidates today",
            expected="the pool at the time",
            action="restore the table at the time; a generated pool needs the package versions at the time "
            "(the recording's first line names them)",
        )
    return Source(path, header, meant, world, of_a_lab=header.of_shadow and scenario is None)


def named_source(name: str, runs: Path, scenario: str | None, progress: ProgressCall) -> Source:
    """Return the recording that a command names, and its world.

    Args:
        name: A recording's file, a pack, a run folder, or the name of a campaign below `runs`.
        runs: Where run folders are.
        scenario: Name or path of a scenario, instead of the one that the recording names.
        progress: For a progress bar.

    Raises:
        StoreError: As `open_source`, or when there is no such recording.
        SettingsError: When there is no such scenario.
    """
    given = None if scenario is None else load_scenario(scenario, Overrides(), runs=runs, progress=progress).settings
    source = open_source(find_recording(name, runs, progress), given, progress)
    if given is None:
        require_packed_pool(Path(name), source.world.pool.digest)
    return source
