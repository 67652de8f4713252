"""Where runs are found, and how one is opened."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from agent.run_files import DATABASE, DATABASE_PLACE
from protocols.errors import NotPossibleNow, NotThere, StoreError
from protocols.storage.server_url import DatabaseUrl
from scenarios.sources.identify import identify
from scenarios.sources.kinds import RunPath
from scenarios.sources.run_folder import run_names
from scenarios.watch.reading.run_source import RunSource
from scenarios.watch.reading.shadow import ShadowReader, is_shadow
from scenarios.watch.state.runs import RunCard


@dataclass(frozen=True, slots=True)
class RunRef:
    """A run folder.

    Attributes:
        key: Names it in addresses: the folder's name below the folder of runs.
        folder: Where it is.
    """

    key: str
    folder: Path


def find_runs(runs: Path) -> list[RunRef]:
    """Return the folders of runs and shadows below a folder, by name; none where there is no such folder."""
    return [RunRef(name, runs / name) for name in run_names(runs)]


def find_run(name: str, runs: Path) -> RunRef:
    """Return the run that a person names.

    Args:
        name: A run folder, or the name of a campaign below `runs`.
        runs: Where run folders are.

    Raises:
        StoreError: When there is none.
    """
    found = identify(name, runs, RunPath)
    return RunRef(found.path.resolve().name, found.path)


def open_run(folder: Path, database: DatabaseUrl | None = None, key: str = "") -> RunSource:
    """Open a run folder for reading.

    Args:
        folder: Of the run.
        database: Of another database than the folder's own, or than it remembers.
        key: Names the run in addresses; by default the folder's name.

    Raises:
        StoreError: When it is the folder of a shadow, or has no database yet.
    """
    if database is None and not _has_database(folder):
        if is_shadow(folder):
            raise NotPossibleNow(
                problem_of(folder),
                expected="a run folder with its database",
                action=f"`entropilot watch {folder}` shows it in a browser, `entropilot report {folder}` as text",
            )
        raise NotThere(problem_of(folder), expected="a run folder with its database", action="name another run")
    return RunSource(folder, database, key)


def card_of_run(ref: RunRef, database: DatabaseUrl | None = None) -> RunCard:
    """Return the card of a run that is opened for this alone; it never raises."""
    if is_shadow(ref.folder):
        return ShadowReader(ref.key, ref.folder).card()
    try:
        source = open_run(ref.folder, database, ref.key)
    except StoreError as error:
        return RunCard(
            key=ref.key, name=ref.folder.name, source="folder", phase="unreadable", problem=str(error)
        )  # fmt: skip
    try:
        return source.card()
    finally:
        source.close()


def problem_of(folder: Path) -> str:
    """Say why a folder cannot be shown as a run."""
    if is_shadow(folder):
        return f"{folder} is the folder of a shadow, which only listens: it has no journal, and takes no orders"
    return f"{folder} has no {DATABASE} yet"


def _has_database(folder: Path) -> bool:
    return any((folder / name).is_file() for name in (DATABASE, DATABASE_PLACE))
