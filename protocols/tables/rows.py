"""Rows of a table: every used cell is checked before anybody trusts it."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from protocols.errors import TableError
from protocols.tables.account import Finding, Handling
from protocols.tables.cells import (
    COMPLETE,
    TEXT,
    FloatArray,
    IndexArray,
    NumberCells,
    TextCells,
    cell_in_words,
    number_advice,
    number_cells,
    number_in_words,
    shown,
    text_cells,
)
from protocols.tables.columns import TableColumns, feature_columns, require_column, text_columns
from protocols.tables.faults import SETTING, Faults, RowFault, Sieve
from protocols.tables.files import TableFile, column_names, read_file
from protocols.tables.marks import in_words
from protocols.tables.spelling import are_plain, cleaned
from protocols.wire.limits import (
    MAX_ABS_VALUE,
    MAX_DESCRIPTION_BYTES,
    MAX_ID_LENGTH,
    MAX_SMILES_LENGTH,
    MAX_SOURCE_ID_LENGTH,
    MAX_TEXT_LENGTH,
)
from protocols.wire.parameters import ParameterColumns, Parameters

_NOT_SENT: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Control characters, ends of lines, and halves of characters: what is not in `protocols.wire.messages.SourceId`."""

_ARTICLES: Final = {"id": "an", "label": "a"}
"""Of what travels as its table writes it."""

ROWS_AT_ONCE: Final = 2048
"""Rows that are put together at a time: with 64 features they fit a processor's cache, and take a third of the time."""

TO_BE_MEASURED: Final = 'set on_missing = "unknown" when candidates without a value are to be measured'
"""How to go on where the property is missing."""


@dataclass(frozen=True, slots=True)
class TableCells:
    """The used columns of all rows of the file.

    Attributes:
        file: What they come from.
        features: Names of the feature columns, length d.
        texts: By column.
        numbers: By column.
    """

    file: TableFile
    features: tuple[str, ...]
    texts: Mapping[str, TextCells]
    numbers: Mapping[str, NumberCells]


@dataclass(frozen=True, slots=True)
class TableRows:
    """The kept rows, checked.

    Attributes:
        file: What they come from.
        kept: Their positions in the file, from 0, shape (n,).
        features: Names of the feature columns, length d.
        numbers: Measured properties and features by column, shape (n,); NaN where a property is not known.
        texts: Texts by column, names in one spelling, length n.
        dropped: How many rows were left out.
        source_ids: The ids as the table has them, length n; none without a column of ids.
    """

    file: TableFile
    kept: IndexArray
    features: tuple[str, ...]
    numbers: Mapping[str, FloatArray]
    texts: Mapping[str, list[str]]
    dropped: int
    source_ids: tuple[str, ...] = ()

    def place(self, row: int) -> str:
        """Where a kept row (from 0) stands, as a person counts."""
        return self.file.place(int(self.kept[row]))


def read_cells(path: Path, columns: TableColumns) -> TableCells:
    """Read the used columns of a table.

    Raises:
        TableError: When the file cannot be read, or lacks a column.
    """
    names = column_names(path, columns)
    features = feature_columns(path, columns, names)
    text_names = text_columns(path, columns, names)
    for name in (*columns.measured(), *columns.binned(), *columns.parameters):
        require_column(path, name, names)
    numeric = tuple(dict.fromkeys((*columns.measured(), *features, *columns.binned(), *columns.parameters)))
    file = read_file(path, names, numeric=numeric, texts=text_names, format=columns)
    texts = {
        name: text_cells(
            file, name, columns,
            formulas=name == columns.composition,
            records=name == columns.structure,
            lawful=columns.family_names if name in columns.family_columns() else (),
        )
        for name in text_names
    }  # fmt: skip
    return TableCells(file, features, texts, {name: number_cells(file, name, columns) for name in numeric})


def sieve_of(file: TableFile, columns: TableColumns) -> Sieve:
    """Return the sieve that rows go through, as `on_missing` says."""
    remedy = f'leave such rows out, as on_missing = "unknown_or_drop" does; only {columns.property!r} may be unknown'
    return Sieve(
        sound=np.ones(len(file.frame), dtype=bool),
        place=file.place,
        drops=columns.leaves_out(),
        remedy=remedy if columns.keeps_unmeasured() else SETTING,
    )


def reject_cells(cells: TableCells, columns: TableColumns, sieve: Sieve) -> None:
    """Reject the rows with a cell that is missing, is of another kind, or has a value that cannot be true."""
    unknown = {*columns.additional_properties, *columns.fidelities.values()} | (
        {columns.property} if columns.keeps_unmeasured() else set()
    )
    for name, text in cells.texts.items():
        sieve.reject(*_without_text(name, text, families=name in columns.family_columns()))
    for name, number in cells.numbers.items():
        sieve.reject(*_without_number(cells.file, name, number, columns, may_be_unknown=name in unknown))
    sieve.reject(*_out_of_range(cells, columns), *_too_long(cells, columns))
    if columns.id is not None:
        sieve.reject(*_not_sendable(columns.id, cells.texts[columns.id]))
    for name in columns.labels:
        sieve.reject(*_not_sendable(name, cells.texts[name], "label"))


def missing_among(cells: TableCells, kept: IndexArray) -> Iterator[Finding]:
    """Yield the words that were taken for a missing value of kept rows, where a value may be unknown."""
    for name, number in cells.numbers.items():
        for mark, rows in number.missing.items():
            among = np.intersect1d(rows, kept)
            if mark and len(among):
                yield Finding(Handling.CONVERTED, f"column {name!r}: {in_words(mark)}", among)


def feature_matrix(rows: TableRows) -> FloatArray:
    """Return the features, shape (n, d)."""
    if not rows.features:
        return np.empty((len(rows.kept), 0))
    matrix = np.empty((len(rows.kept), len(rows.features)))
    for start in range(0, len(matrix), ROWS_AT_ONCE):
        block = slice(start, start + ROWS_AT_ONCE)
        for place, name in enumerate(rows.features):
            matrix[block, place] = rows.numbers[name][block]
    return matrix


def parameters_of(rows: TableRows, columns: TableColumns) -> tuple[Parameters, ...]:
    """Return what an instrument sets for each row, length n; nothing where the columns name no parameters.

    Raises:
        TableError: When a request cannot carry those of a row, with its place.
    """
    if not (columns.parameters or columns.labels):
        return ()
    called = ParameterColumns(tuple(columns.parameters), tuple(columns.parameters.values()), columns.labels)
    numbers = zip(*(rows.numbers[name].tolist() for name in called.names), strict=True)
    texts = zip(*(rows.texts[name] for name in called.labels), strict=True)
    none = ((),) * len(rows.kept)
    pairs = zip(numbers if called.names else none, texts if called.labels else none, strict=True)
    made = tuple(Parameters(called, *each) for each in pairs)
    longest = max(range(len(made)), key=lambda row: sum(len(each.encode()) for each in made[row].texts), default=None)
    if longest is not None and (size := made[longest].size_bytes()) > MAX_DESCRIPTION_BYTES:
        raise TableError(
            f"The parameters and labels in {rows.place(longest)} take {size:,} bytes in a request",
            expected=f"at most {MAX_DESCRIPTION_BYTES:,}",
            action="name fewer columns in pool.columns.labels, or shorten their cells",
        )
    return made


def _without_text(name: str, cells: TextCells, *, families: bool) -> Iterator[Faults]:
    for mark, rows in cells.missing.items():
        otherwise = "name it in family_names when it is a family" if families and mark else ""
        yield _missing(name, mark, rows, otherwise)
    for reason in sorted(set(cells.refused.values())):
        rows = [row for row, found in cells.refused.items() if found == reason]
        yield Faults(name, reason, _positions(rows), _always(RowFault(reason, TEXT, "write it as text")))


def _without_number(
    file: TableFile, name: str, cells: NumberCells, columns: TableColumns, *, may_be_unknown: bool
) -> Iterator[Faults]:
    if not may_be_unknown:
        otherwise = TO_BE_MEASURED if name == columns.property else ""
        for mark, rows in cells.missing.items():
            yield _missing(name, mark, rows, otherwise)

        def endless(row: int) -> RowFault:
            return RowFault(cell_in_words(file, name, row, columns), COMPLETE)

        yield Faults(name, "a number beyond all bounds", cells.endless, endless)

    def no_number(row: int) -> RowFault:
        found = cells.refused[row]
        return RowFault(found, number_in_words(columns), ", ".join(number_advice(found, columns)))

    yield Faults(name, "no number", _positions(cells.refused), no_number)


def _missing(name: str, mark: str, rows: Sequence[int] | IndexArray, otherwise: str) -> Faults:
    words = in_words(mark)
    fault = RowFault(f"{words}," if mark else words, COMPLETE, "fill the cell", otherwise=otherwise)
    return Faults(name, words, _positions(rows), _always(fault))


def _always(fault: RowFault) -> Callable[[int], RowFault]:
    """Return what tells the same of every row."""
    return lambda _: fault


def _out_of_range(cells: TableCells, columns: TableColumns) -> Iterator[Faults]:
    for name, column in cells.numbers.items():
        action = "fix or leave out these rows"
        if name == columns.property:
            action += f", set valid_range to what can be true (up to ±{MAX_ABS_VALUE:g})"
        yield _beyond(name, column.numbers, *columns.believed_range(name), action)


def _beyond(name: str, numbers: FloatArray, low: float, high: float, action: str) -> Faults:
    words = f"between {_exact(low)} and {_exact(high)}"

    def tell(row: int) -> RowFault:
        return RowFault(_exact(numbers[row]), f"values {words}", action)

    within = bool(low <= numbers.min() and numbers.max() <= high)  # never of a column with gaps
    outside = np.flatnonzero(False if within else (numbers < low) | (numbers > high))
    return Faults(name, f"a value that is not {words}", outside, tell)


def _too_long(cells: TableCells, columns: TableColumns) -> Iterator[Faults]:
    for name, cell in cells.texts.items():
        if name == columns.smiles:
            yield _beyond_length(name, cell, MAX_SMILES_LENGTH)
        elif name in columns.family_columns():
            yield _beyond_length(name, cell, MAX_ID_LENGTH, columns.family_names)
        elif name == columns.composition:
            yield _beyond_length(name, cell, MAX_TEXT_LENGTH)


def _beyond_length(name: str, cells: TextCells, limit: int, lawful: Container[str] = ()) -> Faults:
    def tell(row: int) -> RowFault:
        text = cells.texts[row]
        expected = f"at most {limit} characters, as a message carries"
        return RowFault(shown(text), expected, after=f", {len(text)} characters")

    long = {text for text in cells.distinct if len(text) > limit and text not in lawful and len(cleaned(text)) > limit}
    rows = [row for row, text in enumerate(cells.texts) if text in long] if long else []
    return Faults(name, f"more than {limit} characters", _positions(rows), tell)


def _not_sendable(name: str, cells: TextCells, what: str = "id") -> Iterator[Faults]:
    """Yield the rows whose id or label cannot travel as it stands, for requests carry it."""
    expected = f"{what}s of at most {MAX_SOURCE_ID_LENGTH} characters on one line, as a message carries"
    strange = {} if are_plain(cells.texts) else {text: _NOT_SENT.search(text) for text in cells.distinct}
    long: set[str] = set()
    if max(map(len, cells.texts), default=0) > MAX_SOURCE_ID_LENGTH:  # in the order of memory, unlike a set
        long = {text for text in cells.distinct if len(text) > MAX_SOURCE_ID_LENGTH}

    def tell(row: int) -> RowFault:
        text = cells.texts[row]
        found = strange.get(text)
        why = f"{len(text)} characters" if found is None else f"with the control character U+{ord(found[0]):04X}"
        return RowFault(shown(text), expected, f"correct the {what}, name another {what} column, or none", f", {why}")

    bad = long | {text for text, found in strange.items() if found}
    rows = [row for row, text in enumerate(cells.texts) if text in bad] if bad else []
    yield Faults(name, f"{_ARTICLES[what]} {what} that no message can carry", _positions(rows), tell)


def _positions(rows: Sequence[int] | Mapping[int, str] | IndexArray) -> IndexArray:
    return np.fromiter(rows, dtype=np.int64, count=len(rows))


def _exact(value: float) -> str:
    """Return a number in six digits where these are all it has, else in all of them."""
    short = f"{value:g}"
    return short if float(short) == value else repr(float(value))
