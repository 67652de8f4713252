"""Copies a scenario of the library, with its comments and its tables, so that it runs as a person's own."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from protocols.errors import SettingsError, StoreError
from protocols.settings.layers import toml_layer
from protocols.settings.suggestions import did_you_mean
from scenarios.settings.library import LIBRARY, library_scenarios
from scenarios.sources.scenario import Overrides, load_scenario


@dataclass(frozen=True, slots=True)
class Example:
    """An example that was copied.

    Attributes:
        path: The scenario.
        files: It, and the tables beside it.
    """

    path: Path
    files: tuple[Path, ...]


def write_example(name: str, out: Path | None = None) -> Example:
    """Copy a scenario of the library.

    Args:
        name: Of the scenario.
        out: Folder for it; by default a new one of its name.

    Raises:
        SettingsError: When there is no such scenario.
        StoreError: When a file is there already.
    """
    known = library_scenarios()
    if name not in known:
        raise SettingsError(
            f"There is no example {name!r}",
            expected=f"one of {', '.join(known)}",
            action=did_you_mean(name, known) or "`entropilot list` says what each is for",
        )
    folder = Path(name) if out is None else out
    wanted = [known[name], *_tables_of(toml_layer(known[name]).values)]
    for source in wanted:
        if (folder / source.name).exists():
            raise StoreError(f"{folder / source.name} is there already", expected="a new file", action="choose --out")
    folder.mkdir(parents=True, exist_ok=True)
    copied = tuple(Path(shutil.copyfile(source, folder / source.name)) for source in wanted)
    load_scenario(str(copied[0]), Overrides(), {})
    return Example(copied[0], copied)


def _tables_of(values: object) -> list[Path]:
    """Return the files of the library that settings name, at whatever place."""
    if isinstance(values, dict):
        return list(dict.fromkeys(path for inner in values.values() for path in _tables_of(inner)))
    if isinstance(values, list | tuple):
        return list(dict.fromkeys(path for inner in values for path in _tables_of(inner)))
    return [LIBRARY / values] if isinstance(values, str) and values in _library_files() else []


@cache
def _library_files() -> frozenset[str]:
    return frozenset(path.name for path in LIBRARY.iterdir() if path.is_file())
