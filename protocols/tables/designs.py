"""Tables of designs: a row is a combination of factor levels, and several rows may make one candidate.

What describes or measures a candidate must then be the same in all of its rows. Two more tables may stand beside: one
of features, a row a candidate, and a log of values from before the campaign, in which factors may be withheld.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from protocols.errors import TableError
from protocols.tables.cells import FloatArray, missing_cell, numbers_of, shown, texts_of
from protocols.tables.columns import TableColumns, require_column
from protocols.tables.files import column_names, read_file
from protocols.tables.format import USUAL, TableFormat
from protocols.tables.rows import TableRows


@dataclass(frozen=True, slots=True)
class DesignRows:
    """The designs of a table, in the order of the file.

    Attributes:
        factors: Factor -> its level in each design, each of length m.
        made: Row of the candidate (of the table without its repeated rows) that each makes, shape (m,).
    """

    factors: Mapping[str, tuple[str, ...]]
    made: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """Features by candidate.

    Attributes:
        path: Where they come from.
        names: Length d.
        rows: Key of a candidate -> its features, shape (d,).
    """

    path: Path
    names: tuple[str, ...]
    rows: Mapping[str, FloatArray]

    def of(self, keys: Sequence[str]) -> FloatArray:
        """Return the features of these candidates, shape (n, d).

        Raises:
            TableError: When one has none.
        """
        lacking = [key for key in keys if key not in self.rows]
        if lacking:
            raise TableError(
                f"The table of features {self.path} has no row for {shown(lacking[0])} ({len(lacking)} such)",
                expected="a row for every candidate of the pool, written alike",
                action="add these rows, or leave the candidates out",
            )
        return np.array([self.rows[key] for key in keys], dtype=np.float64).reshape(len(keys), len(self.names))


@dataclass(frozen=True, slots=True)
class LogRows:
    """A log of values from before the campaign.

    Attributes:
        factors: Factor -> its level in each row, None where it is withheld; a factor without a column is not there.
        values: Shape (r,).
    """

    factors: Mapping[str, tuple[str | None, ...]]
    values: FloatArray


def candidate_key(columns: TableColumns) -> str:
    """Return the column that says which candidate a design makes.

    Raises:
        TableError: When none does.
    """
    key = columns.smiles or columns.id
    if key is None:
        raise TableError(
            "A table of designs does not say which candidate a row makes",
            expected="pool.columns.smiles or pool.columns.id",
        )
    return key


def merged(rows: TableRows, columns: TableColumns) -> tuple[TableRows, DesignRows]:
    """Return the rows with each candidate once, and the designs that make them.

    Raises:
        TableError: When two rows of one candidate differ in anything but their factors, with their lines.
    """
    key = candidate_key(columns)
    first: dict[str, int] = {}
    for row, text in enumerate(rows.texts[key]):
        known = first.setdefault(text, row)
        if known != row:
            _require_same(rows, columns, known, row)
    kept = sorted(first.values())
    place = {row: position for position, row in enumerate(kept)}
    made = np.array([place[first[text]] for text in rows.texts[key]], dtype=np.int64)
    factors = {factor: tuple(rows.texts[factor]) for factor in columns.factors}
    texts = {name: [column[row] for row in kept] for name, column in rows.texts.items()}
    numbers = {name: column[kept] for name, column in rows.numbers.items()}
    source_ids = tuple(rows.source_ids[row] for row in kept) if rows.source_ids else ()
    once = replace(rows, kept=rows.kept[kept], numbers=numbers, texts=texts, source_ids=source_ids)
    return once, DesignRows(factors, made)


def _require_same(rows: TableRows, columns: TableColumns, one: int, other: int) -> None:
    """Check that two rows of one candidate say the same of it."""
    texts = (name for name in rows.texts if name not in columns.factors)
    pairs = {name: (shown(rows.texts[name][one]), shown(rows.texts[name][other])) for name in texts}
    pairs |= {name: (f"{column[one]:g}", f"{column[other]:g}") for name, column in rows.numbers.items()}
    different = {
        *(name for name in pairs if name in rows.texts and rows.texts[name][one] != rows.texts[name][other]),
        *(
            name
            for name, column in rows.numbers.items()
            if column[one] != column[other] and not (np.isnan(column[one]) and np.isnan(column[other]))
        ),
    }
    if different:
        name = next(each for each in pairs if each in different)
        raise TableError(
            f"{shown(rows.texts[candidate_key(columns)][one])} has {name!r} = {pairs[name][0]} in {rows.place(one)} "
            f"and {pairs[name][1]} in {rows.place(other)}",
            expected="the same of a candidate in all designs that make it",
            action="correct the table, or add the factor that tells the two apart",
        )


def read_features(
    path: str | Path, key: str, wanted: Sequence[str], measured: Sequence[str] = (), how: TableFormat = USUAL
) -> FeatureTable:
    """Read a table of features, a row a candidate.

    Args:
        path: A table of a kind that is read.
        key: Column with the candidate, as the pool's table has it.
        wanted: Columns with features, or globs; none takes the key, or a measured property.
        measured: Properties of the pool's table, which are no features.
        how: How the table is written.

    Raises:
        TableError: With the file, the line and the column of what cannot be used.
    """
    file_path = Path(path)
    names = column_names(file_path, how)
    require_column(file_path, key, names)
    features: list[str] = []
    for each in wanted:
        if each in measured:
            raise TableError(
                f"The feature {each!r} is a measured property of the pool",
                expected="features that take no measurement",
                action="leave it out of pool.features.columns",
            )
        matches = [name for name in names if fnmatch.fnmatchcase(name, each) and name not in (key, *measured)]
        if not matches and "*" in each and each not in names:
            raise TableError(
                f"No column of the table of features {file_path} matches {each!r}",
                expected="features, beside the key and what is measured",
                action="add a column that takes no measurement, or leave pool.features out",
            )
        features += matches or [require_column(file_path, each, names)]
    features = list(dict.fromkeys(features))
    file = read_file(file_path, names, numeric=features, texts=(key,), format=how)
    keys = texts_of(file, key, how)
    columns = {name: numbers_of(file, name, how) for name in features}
    gaps = {key: np.array([not text for text in keys])} | {name: ~np.isfinite(each) for name, each in columns.items()}
    if any(gap.any() for gap in gaps.values()):
        raise missing_cell(file, gaps, "fill these cells, or leave the column out", how)
    rows: dict[str, FloatArray] = {}
    matrix = np.column_stack([columns[name] for name in features]) if features else np.empty((len(keys), 0))
    for row, text in enumerate(keys):
        if text in rows:
            raise TableError(
                f"{shown(text)} stands twice in the table of features {file_path}: again in {file.place(row)}",
                expected="a row per candidate",
                action="drop the repeated rows",
            )
        rows[text] = matrix[row]
    return FeatureTable(file_path, tuple(features), rows)


def read_log(path: str | Path, columns: TableColumns, how: TableFormat = USUAL) -> LogRows:
    """Read a log of values from before the campaign; an empty cell of a factor is one that is withheld.

    Args:
        path: A table of a kind that is read, with the property and some of the factors.
        columns: Of the pool's table.
        how: How the log is written.

    Raises:
        TableError: With the file, the line and the column of what cannot be used.
    """
    file_path = Path(path)
    names = column_names(file_path, how)
    require_column(file_path, columns.property, names)
    told = tuple(factor for factor in columns.factors if factor in names)
    if not told:
        raise TableError(
            f"The log {file_path} has no column of a factor",
            expected=f"at least one of {', '.join(columns.factors)}",
        )
    file = read_file(file_path, names, numeric=(columns.property,), texts=told, format=how)
    values = numbers_of(file, columns.property, how)
    gaps = {columns.property: ~np.isfinite(values)}
    if gaps[columns.property].any():
        raise missing_cell(file, gaps, "fill these cells, or drop the rows", how)
    factors = {factor: tuple(text or None for text in texts_of(file, factor, how)) for factor in told}
    return LogRows(factors, values)
