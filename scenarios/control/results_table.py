"""Values of before or of elsewhere, from a table of any kind that is read: one for each row that has one.

A row names its candidate by an id, or, in a campaign whose table has no ids, by what describes it, as that table does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from protocols.errors import SettingsError, TableError
from protocols.settings.suggestions import listed
from protocols.tables.cells import FloatArray, missing_cell, numbers_of, texts_of
from protocols.tables.columns import TableColumns, require_column
from protocols.tables.files import TableFile, column_names, read_file
from protocols.tables.format import TableFormat
from protocols.tables.table import read_values
from protocols.wire.limits import MAX_ABS_VALUE
from protocols.wire.messages import AddedResult, Quantity
from scenarios.control.orders import Terms, candidate_named
from scenarios.world.structures import structure_reader

ID_COLUMNS: Final = ("source_id", "candidate_id", "id")
"""Columns that name a candidate, beside that of the campaign's own table."""

VALUE: Final = "value"
"""Column of the values, where none has the name of the property."""

UNIT: Final = "unit"
"""Column of their unit; without one it is the property's own."""

STANDARD_DEVIATION: Final = "standard_deviation"
"""Column of their standard uncertainty [unit]; without one, and where a cell is empty, it is not known."""


@dataclass(frozen=True, slots=True)
class TableOfResults:
    """The values of a table.

    Attributes:
        results: Those that are there.
        places: Where each stands, as a person counts.
        without_value: How many rows have none, and were left out.
    """

    results: tuple[AddedResult, ...]
    places: tuple[str, ...]
    without_value: int = 0


def read_results(path: Path, how: TableFormat, terms: Terms, columns: TableColumns | None = None) -> TableOfResults:
    """Read the values of a table.

    Args:
        path: The file.
        how: How it is written.
        terms: What the campaign measures.
        columns: What the columns of the campaign's own table mean, where that is known.

    Raises:
        TableError: When it lacks a column, or with the place of the first cell that cannot be used; when it holds no
            value at all.
    """
    names = column_names(path, how)
    own = () if columns is None or columns.id is None else (columns.id,)
    id_column = next((each for each in (*own, *ID_COLUMNS) if each in names), None)
    if id_column is not None:
        found = _by_id(path, how, terms, names, id_column)
    elif columns is not None and columns.id is None:
        found = _by_content(path, columns)
    else:
        raise TableError(
            f"The table {path} does not say whose its values are: its columns are {listed(names)}",
            expected=f"a column {' or '.join(map(repr, (*own, *ID_COLUMNS)))} with the ids of candidates",
            action="name the column so, or the run's folder or --scenario, whose table may have another",
        )
    if not found.results:
        raise TableError(
            f"The table {path} holds no value", expected=f"a number in {terms.property_name!r}", action="fill it in"
        )
    return found


def _by_id(path: Path, how: TableFormat, terms: Terms, names: Sequence[str], id_column: str) -> TableOfResults:
    value = terms.property_name if terms.property_name in names or VALUE not in names else VALUE
    numeric = [require_column(path, each, names) for each in (value, *terms.additional)]
    numeric += [STANDARD_DEVIATION] if STANDARD_DEVIATION in names else []
    texts = [id_column, *([UNIT] if UNIT in names else [])]
    file = read_file(path, tuple(names), numeric=numeric, texts=texts, format=how)
    ids, numbers = texts_of(file, id_column, how), {each: numbers_of(file, each, how) for each in numeric}
    units = texts_of(file, UNIT, how) if UNIT in names else [terms.unit] * len(ids)
    rows = np.flatnonzero(np.isfinite(numbers[value])).tolist()
    missing = {id_column: np.array([not each for each in ids], dtype=bool)}
    missing |= {name: ~np.isfinite(numbers[name]) for name in terms.additional}
    _require_complete(file, how, rows, missing)
    places = tuple(file.places(rows))
    results = tuple(
        AddedResult(
            **_named(ids[row], place),
            quantity=Quantity(
                name=terms.property_name,
                value=_believable(float(numbers[value][row]), place),
                unit=units[row] or terms.unit,
                standard_deviation=_uncertainty(numbers.get(STANDARD_DEVIATION), row, place),
            ),
            additional=tuple(
                Quantity(name=name, value=_believable(float(numbers[name][row]), place), unit=unit)
                for name, unit in terms.additional.items()
            ),
        )
        for row, place in zip(rows, places, strict=True)
    )
    return TableOfResults(results, places, len(ids) - len(rows))


def _by_content(path: Path, columns: TableColumns) -> TableOfResults:
    """Read the values of a table that describes its candidates as the campaign's own does."""
    read = read_values(path, columns.model_copy(update={"on_missing": "unknown"}), structure_reader(path.name))
    values = read.values[columns.property]
    rows = np.flatnonzero(np.isfinite(values)).tolist()
    results = tuple(
        AddedResult(
            candidate_id=read.candidate_ids[row],
            quantity=Quantity(
                name=columns.property,
                value=float(values[row]),
                unit=read.units[columns.property],
                standard_deviation=_known(read.uncertainties[columns.property], row),
            ),
            additional=tuple(
                Quantity(name=name, value=float(read.values[name][row]), unit=unit)
                for name, unit in columns.additional_properties.items()
                if np.isfinite(read.values[name][row])
            ),
        )
        for row in rows
    )
    return TableOfResults(results, tuple(f"row {row + 1} of {path.name}" for row in rows), len(values) - len(rows))


def _require_complete(
    file: TableFile, how: TableFormat, rows: Sequence[int], missing: Mapping[str, NDArray[np.bool_]]
) -> None:
    """Check that every row with a value says whose it is, and has all others that belong to it.

    Args:
        file: The file.
        how: How it is written.
        rows: Those with a value.
        missing: Masks of the empty cells over all rows, by column.
    """
    with_value = np.zeros(len(file.frame), dtype=bool)
    with_value[list(rows)] = True
    gaps = {name: with_value & mask for name, mask in missing.items()}
    if any(mask.any() for mask in gaps.values()):
        raise missing_cell(file, gaps, "fill the cell, or leave the row out", how)


def _named(name: str, place: str) -> dict[str, str]:
    try:
        return candidate_named(name)
    except SettingsError as error:
        raise TableError(
            f"{error.found.rstrip('.')} ({place})",
            expected=error.expected,
            action="correct it, or leave it out",
        ) from None


def _believable(value: float, place: str) -> float:
    if abs(value) <= MAX_ABS_VALUE:
        return value
    raise TableError(
        f"{value:g} stands in {place}", expected=f"a value of at most {MAX_ABS_VALUE:g}", action="correct it"
    )


def _uncertainty(column: FloatArray | None, row: int, place: str) -> float | None:
    found = None if column is None else _known(column, row)
    if found is None or 0 <= found <= MAX_ABS_VALUE:
        return found
    raise TableError(f"The standard uncertainty in {place} is {found:g}", expected="none below 0", action="correct it")


def _known(column: FloatArray, row: int) -> float | None:
    return float(column[row]) if np.isfinite(column[row]) else None
