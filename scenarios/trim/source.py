"""The table that is trimmed: which of its rows can be judged, with their family and value.

A table is named with its columns, or by a scenario whose pool is a table; both are read by the rules of all tables.
Rows that cannot be used are left out of a named table and counted; of a scenario its `on_missing` says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from protocols.errors import SettingsError, TableError
from protocols.settings.suggestions import listed
from protocols.tables.account import Account, account_of
from protocols.tables.cells import number_cells, shown
from protocols.tables.columns import ColumnName, TableColumns, derives_family, require_column
from protocols.tables.families import families_of
from protocols.tables.files import TableFile, column_names
from protocols.tables.format import USUAL, TableFormat
from protocols.tables.outliers import noted_values
from protocols.tables.rows import TableRows
from protocols.tables.table import FamilyValues, read_family_values
from protocols.tables.usable import usable_rows
from protocols.wire.limits import USUAL_ABS_VALUE
from scenarios.display.progress import ProgressCall, no_progress
from scenarios.settings.model import EMT_ALLOYS, Scenario
from scenarios.sources.identify import identify
from scenarios.sources.kinds import PackPath, ScenarioPath, TablePath
from scenarios.sources.named_table import account_by_options, told_by_options
from scenarios.sources.scenario import Overrides, load_scenario, runs_folder
from scenarios.world.structures import structure_reader

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class NamedColumns:
    """What the command line says of a table; None where it does not.

    Attributes:
        family: Column with the family.
        property: Column with the property.
        id: Column with ids.
        unit: Of the property.
        valid_range: Smallest and largest value of it that can be true.
        family_names: Spelling in the table to the family that is meant.
        format: How the table is written.
    """

    family: str | None = None
    property: str | None = None
    id: str | None = None
    unit: str | None = None
    valid_range: tuple[float, float] | None = None
    family_names: Mapping[str, str] = field(default_factory=dict)
    format: TableFormat = USUAL


class TrimColumns(TableColumns):
    """Columns of a table whose rows need no description and are named in no message: none is predicted or asked for."""

    property: ColumnName
    """Column with the property."""
    unit: str
    """Its unit, or nothing."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        return self


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
        account: What was not taken as it stands.
        format: How the table is written.
        columns: The used ones.
    """

    path: Path
    property_name: str
    unit: str
    families: tuple[str, ...]
    codes: IndexArray
    values: FloatArray
    positions: IndexArray
    rows_in_file: int
    account: Account = ()
    format: TableFormat = USUAL
    columns: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of the table without its ending."""
        return TablePath(self.path.name, self.path).stem

    @property
    def left_out(self) -> int:
        """How many rows cannot be judged."""
        return self.rows_in_file - len(self.values)


def read_source(table: str, columns: NamedColumns, progress: ProgressCall = no_progress) -> TrimSource:
    """Read what is to be trimmed.

    Args:
        table: A table, or the name or path of a scenario or a pack.
        columns: What the command line says of its columns.
        progress: For a progress bar.

    Raises:
        SettingsError: When it is not said what the columns mean, or twice.
        TableError: When the table cannot be used.
    """
    found = identify(table, runs_folder(), TablePath, ScenarioPath, PackPath)
    if isinstance(found, TablePath):
        with told_by_options():
            return _of_table(found.path, columns, progress)
    if columns != NamedColumns():
        raise SettingsError(
            f"The scenario {table!r} says itself what the columns of its table mean",
            expected="a scenario, or a table with --family and --property",
            action="leave out --family, --property and what else is said of a table, or name the table",
        )
    return _of_scenario(table, load_scenario(table, Overrides()).settings, progress)


def _of_table(path: Path, columns: NamedColumns, progress: ProgressCall) -> TrimSource:
    names = column_names(path, columns.format)
    if columns.family is None or columns.property is None:
        lacking = "--family" if columns.family is None else "--property"
        raise SettingsError(
            f"It is not said which columns of {path.name} hold family and property",
            expected="--family COLUMN --property COLUMN",
            action=f"add {lacking} with one of {listed(names)}",
        )
    if columns.family == columns.property:
        raise SettingsError(f"{columns.family!r} is named as family and as property", expected="two columns")
    require_column(path, columns.family, names)
    meant = TrimColumns(
        **dict(columns.format),
        family=columns.family,
        family_names=dict(columns.family_names),
        property=columns.property,
        unit=columns.unit or "",
        id=columns.id,
        valid_range=columns.valid_range,
        on_missing="drop",
    )
    rows, read = _row_by_row(path, meant, progress)
    if columns.valid_range is None:
        _require_usual(rows.file, meant)
    if columns.id is not None:
        _require_distinct(rows, columns.id)
    return _judged(replace(read, account=account_by_options(read.account)), meant)


def _of_scenario(name: str, scenario: Scenario, progress: ProgressCall) -> TrimSource:
    columns = scenario.pool.columns
    if scenario.pool.source == EMT_ALLOYS or columns is None or scenario.pool.path is None:
        raise SettingsError(
            f"The pool of the scenario {name!r} is no table: its crystals are made on the spot",
            expected='a scenario with pool.source = "table", or a table',
            action="name a table, with --family and --property",
        )
    path = Path(scenario.pool.path)
    if columns.factors or columns.on_replicates == "mean":
        return _judged(_row_by_row(path, columns, progress)[1], columns)
    return _judged(read_family_values(path, columns, structure_reader(path.name, progress)), columns)


def _row_by_row(path: Path, columns: TableColumns, progress: ProgressCall) -> tuple[TableRows, FamilyValues]:
    """Read rows as they stand, also where several of them make one candidate: each is kept or goes by itself."""
    described = columns.structure is not None and derives_family(columns, column_names(path, columns))
    usable = usable_rows(path, columns, structure_reader(path.name, progress), described=described)
    rows, values = usable.rows, usable.rows.numbers[columns.property]
    families = families_of(rows, columns, usable.structures, usable.spellings)
    noted = noted_values(values, columns.property, columns.unit, rows.kept)
    account = (*rows.file.notes, *account_of((*usable.findings, *families.findings, *noted), rows.file.places))
    return rows, FamilyValues(rows.file, rows.kept, families.names, values, account)


def _judged(read: FamilyValues, columns: TableColumns) -> TrimSource:
    """Make a source of rows with a family, without those whose value is not known."""
    known = np.flatnonzero(np.isfinite(read.values))
    if len(known) == 0:
        raise TableError(f"No row of {read.file.path} has a value of {columns.property!r}", expected="rows with one")
    families = [read.families[row] for row in known.tolist()]
    # Not an array of texts, which gives each of them the room of the longest.
    names = sorted(set(families))
    code_of = {name: code for code, name in enumerate(names)}
    return TrimSource(
        path=read.file.path,
        property_name=columns.property,
        unit=columns.unit,
        families=tuple(names),
        codes=np.array([code_of[family] for family in families], dtype=np.int64),
        values=read.values[known],
        positions=read.kept[known],
        rows_in_file=len(read.file.frame),
        account=read.account,
        format=columns,
        columns=tuple(name for name in read.file.names if name in read.file.frame.columns),
    )


def _require_usual(file: TableFile, columns: TableColumns) -> None:
    """Refuse values that are rarely true, where nobody said which can be."""
    numbers = number_cells(file, columns.property, columns).numbers
    beyond = np.flatnonzero(np.isfinite(numbers) & (np.abs(numbers) > USUAL_ABS_VALUE))
    if len(beyond):
        row = int(beyond[0])
        raise TableError(
            f"Column {columns.property!r} has {numbers[row]:g} in {file.place(row)} ({len(beyond)} such cells)",
            expected=f"values between {-USUAL_ABS_VALUE:g} and {USUAL_ABS_VALUE:g}",
            action="fix these rows, or say by --valid-range LOW,HIGH which values can be true; others are left out",
        )


def _require_distinct(rows: TableRows, column: str) -> None:
    first: dict[str, int] = {}
    for row, each in enumerate(rows.texts[column]):
        before = first.setdefault(each, row)
        if before != row:
            raise TableError(
                f"The id {shown(each)} stands in {rows.place(before)} and in {rows.place(row)}",
                expected=f"every {column!r} once",
                action="drop the repeated rows, or leave out --id",
            )
