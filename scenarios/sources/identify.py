"""What a name means: a scenario, a run, a recording, a pack or a table. Every command that takes a name asks here.

A name is looked for, in this order:

    1. as a path: a pack, a TOML file, a table, a recording, or a run folder
    2. as a run below the folder of the runs
    3. as a scenario that comes with the package
    4. as a recording that comes with the package

A command says which kinds it takes, and gets the first of these meanings that is one of them. One name may mean several
things: `oracle_table` is a scenario, a recording, and soon a run. Of what a file holds, only as much is read as tells
its kind.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar

from protocols.errors import StoreError
from protocols.recording.reader import read_header
from protocols.settings.suggestions import did_you_mean
from protocols.tables.formats.registry import table_endings
from scenarios.pack_file.mark import is_pack
from scenarios.settings.library import library_recordings, library_scenarios
from scenarios.sources.kinds import Meaning, PackPath, RecordingPath, RunPath, ScenarioPath, TablePath
from scenarios.sources.run_folder import is_run_folder

MAX_NAMES_SHOWN: Final = 10

MAX_SHOWN: Final = 200
"""Longest part of a name that an error shows [character]."""

MAX_FILES_COMPARED: Final = 1_000
"""Most files beside a path that are looked through for one with a similar name."""

Wanted = TypeVar("Wanted", bound=Meaning)


def identify(name: str, runs: Path, *wanted: type[Wanted]) -> Wanted:
    """Return what a name means to a command.

    Args:
        name: What the command was given.
        runs: Where run folders are.
        wanted: The kinds that the command takes, its main one first.

    Raises:
        EntropilotError: When it means nothing, or only what the command does not take; the class, and so the exit
            code, is that of the main kind.
    """
    others: list[Meaning] = []
    for meaning in _meanings(name, runs):
        if isinstance(meaning, wanted):
            return meaning
        others.append(meaning)
    path = Path(name)
    for kind in wanted:
        if name and issubclass(kind, TablePath) and _may_be_table(path, others):
            return kind(name, path)
    if not others and _is_file(path):
        for kind in wanted:
            if issubclass(kind, RecordingPath):
                return kind(name, path)  # reading it as one tells what is wrong with it
    found, action = _of_another_kind(others, wanted) if others else _unknown(name, runs, wanted)
    raise wanted[0].error(found, expected=_expected(runs, wanted), action=action)


def _meanings(name: str, runs: Path) -> Iterator[Meaning]:
    """Yield all that a name means, in the order in which it is looked for."""
    path = Path(name)
    if (kind := _kind_of_path(path)) is not None:
        yield kind(name, path)
    if name and is_run_folder(runs / name):
        yield RunPath(name, runs / name)
    if (scenario := library_scenarios().get(name)) is not None:
        yield ScenarioPath(name, scenario)
    if (recording := library_recordings().get(name)) is not None:
        yield RecordingPath(name, recording)


def _kind_of_path(path: Path) -> type[Meaning] | None:
    """Return what is at a path; a pipe is not opened, for that would wait."""
    if is_pack(path) and not path.name.lower().endswith(table_endings()):  # workbooks and packs are ZIP archives both
        return PackPath
    if is_run_folder(path):
        return RunPath
    if not _is_file(path):
        return None
    for kind in (ScenarioPath, TablePath, RecordingPath):
        if path.name.lower().endswith(kind.suffixes):
            return kind
    return RecordingPath if _begins_as_recording(path) else None


def _may_be_table(path: Path, others: Sequence[Meaning]) -> bool:
    """Whether a table may be at a path whose name does not say so: a folder, or a file whose ending others have too."""
    if any(not isinstance(each, RecordingPath) or _begins_as_recording(each.path) for each in others):
        return False
    if _is_file(path):
        return path.name.lower().endswith(table_endings())
    try:
        return path.is_dir()
    except OSError:
        return False


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False  # such as a name that is too long to be one


def _begins_as_recording(path: Path) -> bool:
    try:
        read_header(path)
    except StoreError:
        return False
    return True


def _of_another_kind(others: Sequence[Meaning], wanted: Sequence[type[Meaning]]) -> tuple[str, str]:
    """Say what a name means that means nothing of what is wanted, and what to do."""
    first = others[0]
    kinds = " and ".join(dict.fromkeys(f"a {each.kind}" for each in others))
    action = first.use.format(name=first.name)
    if isinstance(first, ScenarioPath | PackPath) and RunPath in wanted:
        action = f"run it first, with `entropilot run {first.name}`, and name that run"
    return f"{first.name!r} is {kinds}, not a {_either(wanted)}", action


def _unknown(name: str, runs: Path, wanted: Sequence[type[Meaning]]) -> tuple[str, str]:
    """Say what was tried for a name that means nothing, and what to do."""
    if os.path.lexists(name):
        return f"{name!r} is {_description(Path(name))}, not a {_either(wanted)}", "name the file or folder itself"
    tried = f"no file or folder of this name, no run {runs / name[:MAX_SHOWN]}, and nothing that comes with Entropilot"
    known = [each for kind in wanted for each in kind.names(runs)]
    suggestion = did_you_mean(name, [*known, *_neighbours(Path(name), wanted)])
    return (
        f"There is no {_either(wanted)} {name[:MAX_SHOWN]!r}: {tried}",
        suggestion or "`entropilot list` shows what there is",
    )


def _description(path: Path) -> str:
    if path.is_dir():
        return "a folder that holds no run"
    if path.is_file():
        return "a file of no kind that Entropilot knows"
    return "a pipe, a device or a dangling link"


def _neighbours(path: Path, wanted: Sequence[type[Meaning]]) -> list[str]:
    """Return the files beside a path that could be what is wanted."""
    suffixes = tuple(suffix for kind in wanted for suffix in kind.suffixes)
    try:
        beside = list(islice(path.parent.iterdir(), MAX_FILES_COMPARED))
    except OSError:
        return []
    return sorted(str(each) for each in beside if each.name.lower().endswith(suffixes))


def _expected(runs: Path, wanted: Sequence[type[Meaning]]) -> str:
    parts = []
    for kind in wanted:
        names = kind.names(runs)
        shown = ", ".join(names[:MAX_NAMES_SHOWN]) + (", …" if len(names) > MAX_NAMES_SHOWN else "")
        nothing = " (there are none yet)" if kind is RunPath else ""
        parts.append(kind.expected.format(runs=runs, names=f" (one of: {shown})" if names else nothing))
    return "; or ".join(parts)


def _either(wanted: Sequence[type[Meaning]]) -> str:
    kinds = [each.kind for each in wanted]
    return kinds[0] if len(kinds) == 1 else f"{', '.join(kinds[:-1])} or {kinds[-1]}"
