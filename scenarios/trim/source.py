"""The table that is trimmed: which of its rows can be judged, with their family and value.

A table is named with its columns, or by a scenario whose pool is a table. Rows without a family or a finite value
cannot be judged: of a table named with its columns they are left out and counted; of a scenario its `on_missing` says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from protocols.errors import SettingsError, TableError
from protocols.settings.suggestions import listed
from protocols.tables.cells import numbers_of, shown, texts_of
from protocols.tables.columns import require_column
from protocols.tables.families import families_in
from protocols.tables.files import TableFile, column_names, read_file
from protocols.tables.table import read_family_values
from protocols.wire.limits import USUAL_ABS_VALUE
from scenarios.settings.model import EMT_ALLOYS, Scenario
from scenarios.sources.identify import identify
from scenarios.sources.kinds import PackPath, ScenarioPath, TablePath
from scenarios.sources.scenario import Overrides, load_scenario, runs_folder
from scenarios.world.structures import structure_reader

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class NamedColumns:
    """Which column means what; None where the command line does not say."""

    family: str | None = None
    property: str | None = None
    id: str | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class TrimSource:
    """Rows that can be judged.

    Attributes:
        path: The table.
        property_name: Name of the property.
        unit: Its unit, or "".
        families: Names, ascending.
        codes: Family of every row, shape (n,).
        values: Property of every row, finite, shape (n,) [unit].
        positions: Where the rows stand in the file, from 0, ascending, shape (n,).
        rows_in_file: Number of all rows.
    """

    path: Path
    property_name: str
    unit: str
    families: tuple[str, ...]
    codes: IndexArray
    values: FloatArray
    positions: IndexArray
    rows_in_file: int

    @property
    def name(self) -> str:
        """Name of the table without its ending."""
        return TablePath(self.path.name, self.path).stem

    @property
    def left_out(self) -> int:
        """How many rows cannot be judged."""
        return self.rows_in_file - len(self.values)


def read_source(table: str, columns: NamedColumns) -> TrimSource:
    """Read what is to be trimmed.

    Args:
        table: A table, or the name or path of a scenario or a pack.
        columns: What the command line says of its columns.

    Raises:
        SettingsError: When it is not said what the columns mean, or twice.
        TableError: When the table cannot be used.
    """
    found = identify(table, runs_folder(), TablePath, ScenarioPath, PackPath)
    if isinstance(found, TablePath):
        return _of_table(found.path, columns)
    if columns != NamedColumns():
        raise SettingsError(
            f"The scenario {table!r} says itself what the columns of its table mean",
            expected="a scenario, or a table with --family and --property",
            action="leave out --family, --property, --id and --unit, or name the table",
        )
    return _of_scenario(table, load_scenario(table, Overrides()).settings)


def _of_table(path: Path, columns: NamedColumns) -> TrimSource:
    names = column_names(path)
    if columns.family is None or columns.property is None:
        lacking = "--family" if columns.family is None else "--property"
        raise SettingsError(
            f"It is not said which columns of {path.name} hold family and property",
            expected="--family COLUMN --property COLUMN",
            action=f"add {lacking} with one of {listed(names)}",
        )
    if columns.family == columns.property:
        raise SettingsError(f"{columns.family!r} is named as family and as property", expected="two columns")
    text_names = tuple(
        dict.fromkeys(require_column(path, each, names) for each in (columns.family, columns.id) if each is not None)
    )
    file = read_file(path, names, numeric=(require_column(path, columns.property, names),), texts=text_names)
    if columns.id is not None:
        _require_distinct(file, columns.id, texts_of(file, columns.id))
    return _judged(file, columns, families_in(file, columns.family).names, numbers_of(file, columns.property))


def _of_scenario(name: str, scenario: Scenario) -> TrimSource:
    columns = scenario.pool.columns
    if scenario.pool.source == EMT_ALLOYS or columns is None or scenario.pool.path is None:
        raise SettingsError(
            f"The pool of the scenario {name!r} is no table: its crystals are made on the spot",
            expected='a scenario with pool.source = "table", or a table',
            action="name a table, with --family and --property",
        )
    read = read_family_values(scenario.pool.path, columns, structure_reader(Path(scenario.pool.path).name))
    whole = [""] * len(read.file.frame)
    numbers = np.full(len(whole), np.nan)
    numbers[read.kept] = read.values
    for row, family in zip(read.kept.tolist(), read.families, strict=True):
        whole[row] = family
    named = NamedColumns(" / ".join(columns.family_columns()), columns.property, columns.id, columns.unit)
    return _judged(read.file, named, whole, numbers)


def _judged(file: TableFile, columns: NamedColumns, families: Sequence[str], numbers: FloatArray) -> TrimSource:
    """Keep the rows with a family and a finite value."""
    usable = np.isfinite(numbers) & np.array([bool(each) for each in families], dtype=bool)
    positions = np.flatnonzero(usable)
    if len(positions) == 0:
        raise TableError(
            f"No row of {file.path} has both a family and a value: {columns.family!r} or {columns.property!r} is empty",
            expected="rows with both",
            action="name other columns",
        )
    values = numbers[positions]
    beyond = np.abs(values) > USUAL_ABS_VALUE
    if beyond.any():
        row = int(positions[int(np.argmax(beyond))])
        raise TableError(
            f"Column {columns.property!r} has {numbers[row]:g} in {file.place(row)}",
            expected=f"values between {-USUAL_ABS_VALUE:g} and {USUAL_ABS_VALUE:g}",
            action="fix or leave out these rows, or take another unit",
        )
    names, codes = np.unique(np.array(families)[positions], return_inverse=True)
    return TrimSource(
        path=file.path,
        property_name=str(columns.property),
        unit=columns.unit or "",
        families=tuple(str(each) for each in names),
        codes=codes.astype(np.int64),
        values=values,
        positions=positions,
        rows_in_file=len(numbers),
    )


def _require_distinct(file: TableFile, column: str, ids: Sequence[str]) -> None:
    first: dict[str, int] = {}
    for row, each in enumerate(ids):
        before = first.setdefault(each, row)
        if before != row:
            raise TableError(
                f"The id {shown(each)} stands in {file.place(before)} and in {file.place(row)}",
                expected=f"every {column!r} once",
                action="drop the repeated rows, or leave out --id",
            )
