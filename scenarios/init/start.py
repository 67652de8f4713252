"""Writes a start for a lab beside its table, and checks that it loads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from protocols.errors import SettingsError, StoreError, TableError
from protocols.storage.atomic_file import atomic_write
from protocols.wire.limits import MAX_ID_LENGTH
from protocols.wire.messages import ID_PATTERN
from scenarios.init.columns import Asked, Guess, guess_columns
from scenarios.init.text import scenario_text
from scenarios.sources.result_folder import new_file
from scenarios.sources.scenario import Overrides, load_scenario
from scenarios.world.world import build_world

INSTRUMENT: Final = "lab"
"""Our id of the first instrument, where nobody names it."""

_NO_ID: Final = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Start:
    """A start that was written.

    Attributes:
        path: The scenario.
        guess: What the table's columns were taken for.
    """

    path: Path
    guess: Guess


def write_start(table: Path, asked: Asked, *, instrument: str = INSTRUMENT, out: Path | None = None) -> Start:
    """Write a scenario for a table and a lab with messages of its own.

    Args:
        table: The table.
        asked: What the command line says of it.
        instrument: Our id of the first instrument.
        out: Where to; by default beside the table, under its name, numbered where one is there.

    Raises:
        TableError: When the table cannot be used.
        SettingsError: When the instrument's id is none.
        StoreError: When the file is there already, or cannot be written.
    """
    if re.fullmatch(ID_PATTERN, instrument) is None:
        raise SettingsError(
            f"--instrument {instrument!r} is no id",
            expected="small letters, digits, - and _",
            action="the lab's own name of it goes into [lab.instruments]",
        )
    guess = guess_columns(table, asked)
    path = new_file(table.with_name(f"{table.stem}-lab.toml")) if out is None else out
    if path.exists():
        raise StoreError(f"{path} is there already", expected="a new file", action="choose another --out, or move it")
    if path.parent.resolve() != table.parent.resolve():
        raise SettingsError(
            f"--out {path} is in another folder than {table}",
            expected="a scenario beside its table, which it names",
            action=f"write it to {table.parent}, or copy the table there",
        )
    with atomic_write(path) as file:
        file.write(scenario_text(guess, _name(table.stem), instrument, path.name).encode())
    try:
        build_world(load_scenario(str(path), Overrides(), {}).settings)
    except TableError as error:
        path.unlink()
        raise TableError(
            f"The table {table} cannot be used as it was understood: {error.found}",
            expected=error.expected,
            action="correct the table, or say what its columns are: --property, --family, --id",
        ) from error
    return Start(path, guess)


def _name(stem: str) -> str:
    name = _NO_ID.sub("-", stem.lower()).strip("-")[:MAX_ID_LENGTH]
    return name or "lab"
