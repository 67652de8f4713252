"""Rows of a table: every used cell is checked before anybody trusts it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from protocols.errors import TableError
from protocols.tables.cells import FloatArray, missing_cell, numbers_of, shown, texts_of
from protocols.tables.columns import TableColumns, feature_columns, require_column, text_columns
from protocols.tables.files import TableFile, column_names, read_file
from protocols.wire.limits import MAX_ABS_VALUE, MAX_ID_LENGTH, MAX_SMILES_LENGTH, MAX_TEXT_LENGTH

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class TableRows:
    """The kept rows, checked.

    Attributes:
        file: What they come from.
        kept: Their positions in the file, from 0, shape (n,).
        features: Names of the feature columns, length d.
        numbers: Measured properties and features by column, shape (n,); NaN where a property is not known.
        texts: Stripped texts by column, length n.
        dropped: How many rows were left out.
    """

    file: TableFile
    kept: NDArray[np.int64]
    features: tuple[str, ...]
    numbers: Mapping[str, FloatArray]
    texts: Mapping[str, list[str]]
    dropped: int

    def place(self, row: int) -> str:
        """Where a kept row (from 0) stands, as a person counts."""
        return self.file.place(int(self.kept[row]))


def read_rows(path: Path, columns: TableColumns) -> TableRows:
    """Read the used columns of a table, check every cell of them, and keep the rows that can be used.

    Raises:
        TableError: With the file, the line and the column of the first cell that cannot be used.
    """
    names = column_names(path)
    features = feature_columns(path, columns, names)
    text_names = text_columns(path, columns, names)
    for name in columns.measured():
        require_column(path, name, names)
    for name in columns.binned():
        require_column(path, name, names)
    numeric = tuple(dict.fromkeys((*columns.measured(), *features, *columns.binned())))
    file = read_file(path, names, numeric=numeric, texts=text_names)
    texts = {name: texts_of(file, name) for name in text_names}
    numbers = {name: numbers_of(file, name) for name in numeric}
    kept = _kept(file, columns, _gaps(columns, features, texts, numbers))
    rows = TableRows(
        file,
        kept,
        features,
        {name: column[kept] for name, column in numbers.items()},
        {name: [column[row] for row in kept] for name, column in texts.items()},
        len(file.frame) - len(kept),
    )
    _check_ranges(rows, columns)
    _check_lengths(rows, columns)
    return rows


def feature_matrix(rows: TableRows) -> FloatArray:
    """Return the features, shape (n, d)."""
    if not rows.features:
        return np.empty((len(rows.kept), 0))
    return np.column_stack([rows.numbers[name] for name in rows.features])


def _gaps(
    columns: TableColumns,
    features: Sequence[str],
    texts: Mapping[str, list[str]],
    numbers: Mapping[str, FloatArray],
) -> dict[str, Mask]:
    """Mark the cells that are lacking, by column, shape (rows of the file,).

    Properties that may be unknown are not among them; `_check_ranges` looks at them for values that cannot travel.
    """
    gaps = {name: np.array([not cell for cell in column]) for name, column in texts.items()}
    needed = (*features, *columns.binned())
    if columns.on_missing != "unknown":
        needed = (columns.property, *needed)
    return gaps | {name: ~np.isfinite(numbers[name]) for name in needed}


def _kept(file: TableFile, columns: TableColumns, gaps: Mapping[str, Mask]) -> NDArray[np.int64]:
    """Return the positions of the rows without a gap."""
    missing = np.zeros(len(file.frame), dtype=bool)
    for mask in gaps.values():
        missing |= mask
    if columns.on_missing != "drop" and missing.any():
        raise missing_cell(file, gaps, _mending(columns, gaps))
    kept = np.flatnonzero(~missing)
    if not len(kept):
        raise TableError(
            f"No row of {file.path} is complete: each lacks a used cell",
            expected="rows with every column that is named",
            action="name other columns, or fill these: " + ", ".join(name for name in gaps if gaps[name].any()),
        )
    return kept


def _mending(columns: TableColumns, gaps: Mapping[str, Mask]) -> str:
    """Say what can be done about gaps."""
    if columns.on_missing == "unknown":
        return f"fill these cells, or leave such rows out; only {columns.property!r} may be unknown"
    action = 'fill these cells, or set on_missing = "drop" to leave such rows out'
    if columns.property in gaps and gaps[columns.property].any():
        action += ', or "unknown" when candidates without a value are to be measured'
    return action


def _check_ranges(rows: TableRows, columns: TableColumns) -> None:
    everything = (-MAX_ABS_VALUE, MAX_ABS_VALUE)
    for name in columns.measured():
        low, high = (columns.valid_range if name == columns.property else None) or everything
        outside = (rows.numbers[name] < max(low, -MAX_ABS_VALUE)) | (rows.numbers[name] > min(high, MAX_ABS_VALUE))
        if outside.any():
            row = int(np.argmax(outside))
            raise TableError(
                f"Column {name!r} has {rows.numbers[name][row]:g} in {rows.place(row)}"
                f" ({int(outside.sum())} such cells)",
                expected=f"values between {low:g} and {high:g}",
                action="fix or leave out these rows, or change valid_range",
            )


def _check_lengths(rows: TableRows, columns: TableColumns) -> None:
    longest = {columns.composition: MAX_TEXT_LENGTH, columns.smiles: MAX_SMILES_LENGTH}
    longest |= dict.fromkeys(columns.family_columns(), MAX_ID_LENGTH)
    for name, limit in longest.items():
        for row, cell in enumerate(rows.texts.get(name or "", ())):
            if len(cell) > limit:
                raise TableError(
                    f"Column {name!r} has {shown(cell)} in {rows.place(row)}, {len(cell)} characters",
                    expected=f"at most {limit} characters, as a message carries",
                )
