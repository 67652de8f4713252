"""Guesses what the columns of a table are: id, family, property, and the parameters that the lab sets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from protocols.errors import TableError
from protocols.settings.suggestions import did_you_mean
from protocols.tables.cells import number_cells, text_cells
from protocols.tables.files import TableFile, column_names, read_file
from protocols.tables.format import USUAL, TableFormat

_UNIT_IN_NAME: Final = re.compile(r"^(?P<name>.*\S)\s*[\[(](?P<unit>[^\])]*)[\])]$")
"""A unit in brackets behind a name: `temperature [K]`."""

MOST_FAMILIES: Final = 30
"""Most different words of a column that is taken for families: more are names or remarks."""

ROWS_PER_FAMILY: Final = 3
"""Least rows of a family, on average, in a column that is taken for families."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says of the table; None where it says nothing.

    Attributes:
        property: Column that is measured.
        unit: Its unit.
        id: Column of ids.
        family: Column of families.
        format: How the table is written.
    """

    property: str | None = None
    unit: str | None = None
    id: str | None = None
    family: str | None = None
    format: TableFormat = USUAL


@dataclass(frozen=True, slots=True)
class Guess:
    """What the columns are.

    Attributes:
        path: The table.
        rows: How many.
        id: Column of ids; None for none.
        family: Column of families; None for one of all.
        property: Column that is measured.
        unit: Its unit.
        known: How many rows have a value.
        parameters: Column -> its unit, of all that the lab sets.
        unused: Columns that nothing is made of.
        why: What was guessed -> why, for people.
        format: How the table is written.
    """

    path: Path
    rows: int
    id: str | None
    family: str | None
    property: str
    unit: str
    known: int
    parameters: dict[str, str]
    unused: tuple[str, ...]
    why: dict[str, str]
    format: TableFormat


def guess_columns(path: Path, asked: Asked) -> Guess:
    """Return what the columns of a table are.

    Raises:
        TableError: When the table cannot be read, has not a column that is asked for, or none that is measured.
    """
    names = column_names(path, asked.format)
    for name in (asked.property, asked.id, asked.family):
        if name is not None and name not in names:
            raise TableError(
                f"The table {path} has no column {name!r}",
                expected=f"one of {', '.join(names)}",
                action=did_you_mean(name, names) or "add it to the header; what is not measured yet stays empty",
            )
    file = read_file(path, names, numeric=(), texts=names, format=asked.format)
    numbers = _numeric(file, names, asked.format)
    words = {name: text_cells(file, name, asked.format).texts for name in names}
    why: dict[str, str] = {}
    chosen = asked.property or _property(path, names, numbers, why)
    left = [name for name in names if name != chosen]
    own_id = asked.id or _id(left, words, numbers, why)
    left = [name for name in left if name != own_id]
    family = asked.family or _family(left, words, numbers, why)
    whole = [name for name in left if name in numbers and bool(np.isfinite(numbers[name]).all())]
    parameters = {name: unit_of(name) for name in whole if name != family}
    values = numbers.get(chosen, np.full(len(file.frame), np.nan))
    unit = unit_of(chosen) if asked.unit is None else asked.unit
    unused = tuple(name for name in left if name not in parameters and name != family)
    if not parameters:
        raise TableError(
            f"The table {path} has no column of numbers that a lab could set",
            expected="parameters: temperatures, times, amounts",
            action="add them, a number in every row; what is no number stays a remark",
        )
    return Guess(
        path, len(file.frame), own_id, family, chosen, unit, int(np.isfinite(values).sum()),
        parameters, unused, why, asked.format,
    )  # fmt: skip


def bare_name(column: str) -> str:
    """Return a column's name without a unit in brackets."""
    found = _UNIT_IN_NAME.match(column)
    return column if found is None else found["name"]


def unit_of(column: str) -> str:
    """Return the unit in brackets behind a column's name; nothing where there is none."""
    found = _UNIT_IN_NAME.match(column)
    return "" if found is None else found["unit"].strip()


def _numeric(file: TableFile, names: Sequence[str], form: TableFormat) -> dict[str, np.ndarray]:
    """Return the columns all of whose cells are numbers, or missing."""
    found = {name: number_cells(file, name, form) for name in names}
    return {name: cells.numbers for name, cells in found.items() if not cells.refused}


def _property(path: Path, names: Sequence[str], numbers: dict[str, np.ndarray], why: dict[str, str]) -> str:
    """Choose what is measured: the last column with empty cells, else the last of numbers."""
    gaps = [name for name in names if name in numbers and np.isnan(numbers[name]).any()]
    if gaps:
        why["property"] = "the last column with empty cells: these are not measured yet"
        return gaps[-1]
    last = [name for name in names if name in numbers]
    if not last:
        raise TableError(
            f"The table {path} has no column of numbers",
            expected="one for what is measured, empty where it is not measured yet",
            action="add it, and name it with --property",
        )
    why["property"] = "the last column of numbers"
    return last[-1]


def _id(
    names: Sequence[str], words: dict[str, list[str]], numbers: dict[str, np.ndarray], why: dict[str, str]
) -> str | None:
    for name in names:
        distinct = len(set(words[name])) == len(words[name]) and all(words[name])
        called_so = bare_name(name).lower() in {"id", "sample", "name", "number", "no", "nr"}
        if distinct and (name not in numbers or called_so):
            why["id"] = "its cells are all different"
            return name
    return None


def _family(
    names: Sequence[str], words: dict[str, list[str]], numbers: dict[str, np.ndarray], why: dict[str, str]
) -> str | None:
    for name in names:
        different = set(words[name])
        few = 1 < len(different) <= min(MOST_FAMILIES, len(words[name]) // ROWS_PER_FAMILY)
        if name not in numbers and few and all(words[name]):
            why["family"] = f"{len(different)} different words: {', '.join(sorted(different)[:5])}"
            return name
    return None
