"""A scenario as a recording holds it: its settings without the broker, and where its tables are found again."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

from agent.run_files import RECORDING
from protocols.errors import SettingsError, StoreError
from protocols.recording.lines import Header
from protocols.recording.reader import read_header
from scenarios.display.progress import ProgressCall, no_progress
from scenarios.pack_file.reader import recording_to_pack, settings_to_pack
from scenarios.settings.derived import scenario_of
from scenarios.settings.library import LIBRARY
from scenarios.settings.model import Scenario
from scenarios.settings.stored import LIBRARY_PREFIX
from scenarios.sources.code_sources import source_for, with_code_of
from scenarios.sources.identify import identify
from scenarios.sources.kinds import PackPath, RecordingPath, RunPath

PLACES_ABOVE: Final = 3
"""How many folders above a recording's are looked through for a table: `runs/NAME` is below where a run was started."""


def recorded_scenario(path: Path, header: Header | None = None) -> Scenario:
    """Return the scenario of a recording, with its tables where they are today.

    Args:
        path: The recording; that of an unpacked pack has its scenario and its tables beside it.
        header: Of the recording, when it is read already.

    Raises:
        StoreError: When it names none, or one of another version.
    """
    beside = path.resolve().parent
    packed = settings_to_pack(beside)
    found = packed or (header or read_header(path)).scenario
    if found is None:
        raise StoreError(
            f"{path} names no scenario", expected="one that says pool and start set", action="name it with --scenario"
        )
    try:
        scenario = scenario_of(found, "its first line")
    except SettingsError as error:
        raise _of_another_version(path, error) from None
    found_again = scenario.with_table_paths(partial(_found if packed is None else _packed, beside=beside))
    return with_code_of(found_again, source_for(f"The recording {path.name}"))


def find_recording(name: str, runs: Path, progress: ProgressCall = no_progress) -> Path:
    """Return the recording that a command means.

    Args:
        name: A recording's file, a pack, a run folder, or the name of a campaign below `runs`, or of a recording
            that comes with the package.
        runs: Where run folders are; a pack is unpacked there.
        progress: For a progress bar.

    Raises:
        StoreError: When there is none.
    """
    found = identify(name, runs, RecordingPath, RunPath, PackPath)
    if isinstance(found, PackPath):
        return recording_to_pack(found.path, runs, progress)
    if not isinstance(found, RunPath):
        return found.path
    if found.recording is None:
        raise StoreError(
            f"The run {found.path} has no recording",
            expected=f"its {RECORDING}",
            action="restore it from a copy of the folder, or name another recording",
        )
    return found.recording


def _of_another_version(path: Path, error: SettingsError) -> StoreError:
    return StoreError(
        f"{path} names a scenario of another version: {error.found}",
        expected=error.expected or error.action or "settings that this Entropilot knows",
        action="name its scenario with --scenario, or use the version of Entropilot that recorded it",
    )


def _packed(path: str, *, beside: Path) -> str:
    """Return the pack's own table, whatever lies where a person happens to be."""
    return str(beside / path)


def _found(path: str, *, beside: Path) -> str:
    """Look for a table where it was, beside the recording, and above its folder."""
    if path.startswith(LIBRARY_PREFIX):
        return str(LIBRARY / path.removeprefix(LIBRARY_PREFIX))
    places = [Path(path), *(above / path for above in (beside, *list(beside.parents)[:PLACES_ABOVE]))]
    return str(next((place for place in places if place.exists()), Path(path)))
