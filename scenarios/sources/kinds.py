"""The kinds of things that a name can mean, each with its path, its names and the words for it.

What tells one kind from another is in `identify`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from agent.run_files import DATABASE, DATABASE_PLACE, RECORDING
from protocols.errors import EntropilotError, SettingsError, StoreError, TableError
from protocols.tables.formats.registry import FILE_FORMATS, endings_of, formats_in_words, table_endings
from scenarios.settings.library import library_recordings, library_scenarios
from scenarios.sources.run_folder import SHADOW_FILES, run_names


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a name may mean.

    Attributes:
        name: As it was given.
        path: The file or folder.
    """

    name: str
    path: Path

    kind: ClassVar[str]
    """What it is, for people."""
    suffixes: ClassVar[tuple[str, ...]] = ()
    """How the names of its files end."""
    expected: ClassVar[str]
    """What a command takes that takes this kind; `{runs}` stands for where runs are, `{names}` for what there is."""
    use: ClassVar[str]
    """What can be done with it; `{name}` stands for the name."""
    error: ClassVar[type[EntropilotError]]
    """The error of a command that takes this kind before all others, and is given something else."""

    @classmethod
    def names(cls, _runs: Path) -> Sequence[str]:
        """Return the names that need no path."""
        return ()


class ScenarioPath(Meaning):
    """A scenario: a TOML file, of the library or of the user's own."""

    __slots__ = ()
    kind = "scenario"
    suffixes = (".toml",)
    expected = "a scenario's name{names} or TOML file"
    use = "`entropilot run {name}` runs it"
    error = SettingsError

    @classmethod
    def names(cls, _runs: Path) -> Sequence[str]:
        """Return the scenarios that come with the package."""
        return list(library_scenarios())


class RunPath(Meaning):
    """The folder of a run or of a shadow, finished or not."""

    __slots__ = ()
    kind = "run"
    expected = "a run folder, or the name of a campaign below {runs}{names}"
    use = "`entropilot report {name}`, `why`, `verify`, `replay` and `diff` take it"
    error = StoreError

    @classmethod
    def names(cls, runs: Path) -> Sequence[str]:
        """Return the campaigns below the folder of the runs."""
        return run_names(runs)

    @property
    def has_database(self) -> bool:
        """Whether its journal is in the folder, or the folder says where it is."""
        return any((self.path / name).is_file() for name in (DATABASE, DATABASE_PLACE))

    @property
    def recording(self) -> Path | None:
        """What can be replayed; None where there is nothing."""
        path = self.path / RECORDING
        return path if path.is_file() else None

    @property
    def is_shadow(self) -> bool:
        """Whether a lab was followed here, and no campaign run."""
        return not self.has_database and any((self.path / name).is_file() for name in SHADOW_FILES)


class RecordingPath(Meaning):
    """The file of a recording, plain or compressed."""

    __slots__ = ()
    kind = "recording"
    suffixes = (".jsonl", ".jsonl.gz")
    expected = "a recording's file or name{names}"
    use = "`entropilot replay {name}`, `what-if`, `play`, `verify` and `diff` take it; `pack` makes of it what runs"
    error = StoreError

    @classmethod
    def names(cls, _runs: Path) -> Sequence[str]:
        """Return the recordings that come with the package."""
        return list(library_recordings())


class PackPath(Meaning):
    """The file of a pack."""

    __slots__ = ()
    kind = "pack"
    suffixes = (".pack",)
    expected = "a pack's file"
    use = "`entropilot run {name}`, `verify` and, if a recording is inside, `replay` and `what-if` take it"
    error = StoreError


MANY_KINDS: Final = ("Text", "JSON", "JSON lines", "ASE database")
"""Kinds of tables whose endings other files have too, recordings and notes among them."""


class TablePath(Meaning):
    """The file of a table, or a folder of structures with one."""

    __slots__ = ()
    kind = "table"
    suffixes = tuple(end for each in FILE_FORMATS if each.name not in MANY_KINDS for end in endings_of(each))
    expected = f"a table, which ends in {formats_in_words()}, or a folder of structures with one"
    use = "`entropilot trim {name}` and `entropilot graph {name}` take it, and the [pool] of a scenario names it"
    error = TableError

    @property
    def stem(self) -> str:
        """Its name without the ending."""
        name = self.path.name
        ending = next((each for each in table_endings() if name.lower().endswith(each)), "")
        return name[: len(name) - len(ending)]
