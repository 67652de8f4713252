"""Cells of a table: texts and numbers, whatever types its file has; what is neither is named by its place.

What counts as missing is the same in every column (`protocols.tables.marks`). No whole number ever passes through a
float on its way to a text, and no label is Python's text of something else (`b'cubic'`, `['a']`).
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from protocols.errors import TableError
from protocols.tables.files import NestedCell, TableFile
from protocols.tables.format import USUAL, TableFormat
from protocols.tables.formats.delimited import DECIMAL_COMMA
from protocols.tables.marks import FORMULAS, SPELLINGS, in_words, is_missing
from protocols.tables.spelling import are_plain, cleaned, tidied, without_decimals

MAX_CELL_SHOWN: Final = 40
"""Longest cell shown in an error [character]."""

TRUTH: Final = {"true": 1.0, "false": 0.0}
"""Numbers of truth values, by their text in lower case."""

DATES: Final = (dt.date, dt.time, dt.timedelta, np.datetime64, np.timedelta64)
"""Types of dates and spans of time; a spreadsheet makes them of what looks like one (1-2, MAR1)."""

TEXT: Final = "text, a whole number or a truth value"
"""What a column of names holds."""

COMPLETE: Final = "a value in every used column"
"""What a row has."""

MAX_MARK: Final = 200
"""Longest text that is looked at as a mark, however blank or invisible most of it is [character]; CIFs are longer."""

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TextCells:
    """A column of texts.

    Attributes:
        texts: As they stand, without blanks around them; "" where a cell is missing or refused.
        missing: Rows whose cells count as missing, ascending, by what stands there; "" for an empty cell.
        refused: Row -> what it has that is no text.
        distinct: The different texts, without "".
    """

    texts: list[str]
    missing: Mapping[str, Sequence[int]]
    refused: Mapping[int, str]
    distinct: frozenset[str]


@dataclass(frozen=True, slots=True)
class NumberCells:
    """A column of numbers.

    Attributes:
        numbers: Shape (rows of the file,); NaN where a cell is missing or refused.
        missing: As in `TextCells`.
        refused: Row -> what it has that is no number.
        endless: Rows of numbers beyond all bounds, ascending.
    """

    numbers: FloatArray
    missing: Mapping[str, Sequence[int] | IndexArray]
    refused: Mapping[int, str]
    endless: IndexArray


def text_cells(
    file: TableFile,
    name: str,
    how: TableFormat = USUAL,
    *,
    formulas: bool = False,
    records: bool = False,
    lawful: Collection[str] = (),
) -> TextCells:
    """Read a column of texts.

    Args:
        file: The file.
        name: The column.
        how: How the table is written; its own marks for missing cells count.
        formulas: Whether it is one of formulas, in which NaN is one.
        records: Whether a record or a list is taken as its JSON (a structure).
        lawful: Texts that are none of the marks for a missing cell here.
    """
    cells = _cells(file.frame[name])
    refused: dict[int, str] = {}
    if set(map(type, cells)) == {str}:
        texts = _stripped(cells)
    else:
        texts = []
        for row, cell in enumerate(cells):
            text = _text(cell, records=records)
            if text is None:
                refused[row] = _no_text(cell)
            texts.append(text or "")
    distinct = frozenset(texts)
    marks = _marks_among(distinct, how, plain=are_plain(texts), formulas=formulas).difference(lawful)
    missing: dict[str, list[int]] = {mark: [] for mark in sorted(marks)}
    if missing:
        texts = list(texts)
        for row, text in enumerate(texts):
            if text in missing and row not in refused:
                missing[text].append(row)
                texts[row] = ""
    if gone := distinct & {*marks, ""}:
        distinct -= gone
    return TextCells(texts, {mark: rows for mark, rows in missing.items() if rows}, refused, distinct)


def number_cells(file: TableFile, name: str, how: TableFormat = USUAL) -> NumberCells:
    """Read a column of numbers; truth values are 1 and 0."""
    column = file.frame[name]
    if column.dtype.kind in "biuf":
        plain = isinstance(column.dtype, np.dtype)
        numbers = np.asarray(column.to_numpy() if plain else column.to_numpy(np.float64, na_value=np.nan), np.float64)
        return _checked(numbers, how)
    return _parsed(_cells(column), how)


def texts_of(file: TableFile, name: str, how: TableFormat = USUAL) -> list[str]:
    """Return a column of names, spelled in one way (`protocols.tables.spelling`); "" where a cell is missing.

    Raises:
        TableError: With the place of the first cell that is no text.
    """
    cells = text_cells(file, name, how)
    for row, found in cells.refused.items():
        raise TableError(f"Column {name!r} has {found} in {file.place(row)}", expected=TEXT, action="write it as text")
    one = tidied(cells.distinct)
    return [one.get(text, text) for text in cells.texts] if one else cells.texts


def numbers_of(file: TableFile, name: str, how: TableFormat = USUAL) -> FloatArray:
    """Return a column as floats, shape (rows of the file,): NaN where a cell is missing.

    Raises:
        TableError: With the place of the first cell that is no number.
    """
    cells = number_cells(file, name, how)
    for row, found in cells.refused.items():
        *ways, last = number_advice(found, how)
        raise TableError(
            f"Column {name!r} has {found} in {file.place(row)}",
            expected=number_in_words(how),
            action=f"{', '.join(ways)}, or {last}",
        )
    return cells.numbers


def number_in_words(how: TableFormat) -> str:
    """What a column of numbers holds."""
    mark = "a point" if how.decimal == "." else "a comma"
    return f"a number such as -1{how.decimal}25 ({mark}, no unit, no thousands mark)"


def number_advice(found: str, how: TableFormat) -> tuple[str, ...]:
    """Return the ways out of a cell that is no number; `found` is what an error shows of it."""
    comma = how.decimal == "." and DECIMAL_COMMA.fullmatch(found.strip("'"))
    hint = ('set decimal = "," (where it is a decimal comma)',) if comma else ()
    return ("fix the cell", "name another column", *hint)


def missing_cell(
    file: TableFile, gaps: Mapping[str, NDArray[np.bool_]], action: str, how: TableFormat = USUAL
) -> TableError:
    """Return the error that names the first gap; `gaps` are masks over the rows of the file, by column."""
    name, mask = next((name, mask) for name, mask in gaps.items() if mask.any())
    row, count = int(np.argmax(mask)), int(mask.sum())
    more = f" ({count} such cells in the column)" if count > 1 else ""
    return TableError(
        f"Column {name!r} has {cell_in_words(file, name, row, how)} in {file.place(row)}{more}",
        expected=COMPLETE,
        action=action,
    )


def cell_in_words(file: TableFile, name: str, row: int, how: TableFormat = USUAL) -> str:
    """Return what an error says of a cell that is missing or without bounds."""
    cell = file.frame[name].iloc[row]
    if isinstance(cell, int):
        return "a number beyond all bounds"
    text = _text(cell) or ""
    if not is_missing(cleaned(text), how.missing):
        return shown(text)
    return f"{in_words(text)}," if text else in_words(text)


def shown(text: str) -> str:
    """Return a cell as an error shows it."""
    return repr(text if len(text) <= MAX_CELL_SHOWN else text[: MAX_CELL_SHOWN - 1] + "…")


def _cells(column: Any) -> list[Any]:
    """Return the cells as Python's objects; floats of 32 bits as NumPy's, which know their few digits."""
    if column.dtype.kind == "f" and column.dtype.itemsize < np.dtype(np.float64).itemsize:
        return list(column.to_numpy(dtype=object) if not isinstance(column.dtype, np.dtype) else column.to_numpy())
    return list(column.tolist())


def _stripped(cells: list[str]) -> list[str]:
    """Strip texts, of which mostly none has anything to strip."""
    if are_plain(cells):
        return cells
    stripped = {cell: text for cell in set(cells) if (text := cell.strip()) != cell}
    return [stripped.get(cell, cell) for cell in cells] if stripped else cells


def _marks_among(texts: frozenset[str], how: TableFormat, *, plain: bool, formulas: bool) -> frozenset[str]:
    """Return the texts that count as missing; `plain` is what `are_plain` says of them."""
    own = frozenset(how.missing)
    if plain:
        marks = texts & SPELLINGS - FORMULAS if formulas else texts & SPELLINGS
    else:
        short = (text for text in texts if len(text) <= MAX_MARK)
        marks = frozenset(text for text in short if is_missing(cleaned(text), own, formulas=formulas))
    # A mark -9999 stands for -9999.0 too, as a column of floats has it.
    return marks | {text for text in texts if text in own or without_decimals(text) in own} if own else marks


def _is_null(cell: object) -> bool:
    """Tell whether a cell is one of the objects that stand for none: None, NaN of any type, pandas' NA and NaT."""
    if isinstance(cell, float | Decimal | np.floating | np.datetime64 | np.timedelta64):
        return bool(cell != cell)  # noqa: PLR0124 - none of these but NaN and NaT differs from itself
    return cell is None or type(cell).__name__ in {"NAType", "NaTType"}


def _text(cell: object, *, records: bool = False) -> str | None:
    """Return a cell as text, "" where it is null; None where it is no text."""
    text: str | None = None
    if isinstance(cell, str):
        text = cell
    elif _is_null(cell):
        text = ""
    elif isinstance(cell, bool | int | float | np.bool_ | np.integer | np.floating) or type(cell).__name__ == "UUID":
        text = str(cell)
    elif isinstance(cell, Decimal):
        text = format(cell, "f")
    elif isinstance(cell, bytes | bytearray | memoryview):
        with suppress(UnicodeDecodeError):
            text = bytes(cell).decode()
    elif records and isinstance(cell, NestedCell):
        text = cell.text
    return None if text is None else text.strip()


def _no_text(cell: object) -> str:
    """Say what a cell has that is no text."""
    if isinstance(cell, bytes | bytearray | memoryview):
        return "bytes that are no UTF-8 text"
    if isinstance(cell, NestedCell):
        return f"{'a list' if cell.text.startswith('[') else 'a record'}, and no text"
    kinds = ((DATES, "a date"), (Mapping, "a record"), ((Sequence, set, frozenset, np.ndarray), "a list"))
    what = next((words for kind, words in kinds if isinstance(cell, kind)), f"a {type(cell).__name__}")
    return f"{what}, and no text"


def _checked(numbers: FloatArray, how: TableFormat) -> NumberCells:
    """Return floats with what is missing among them; marks of the table itself may be numbers (-9999)."""
    missing: dict[str, IndexArray] = {}
    endless = np.zeros(0, dtype=np.int64)
    if not np.isfinite(numbers).all():
        endless = np.flatnonzero(np.isinf(numbers))
        missing[""] = np.flatnonzero(np.isnan(numbers))
    for mark in how.missing:
        value = _float(mark, how)
        if value is not None and not math.isnan(value) and (rows := np.flatnonzero(numbers == value)).size:
            missing[mark] = rows
            numbers = np.where(numbers == value, np.nan, numbers)
    return NumberCells(numbers, {mark: rows for mark, rows in missing.items() if len(rows)}, {}, endless)


def _parsed(cells: Sequence[Any], how: TableFormat) -> NumberCells:
    """Read numbers of cells of any type."""
    own = frozenset(how.missing)
    own_values = {value for mark in own if (value := _float(mark, how)) is not None}
    numbers = np.full(len(cells), np.nan)
    missing: dict[str, list[int]] = {}
    refused: dict[int, str] = {}
    truths: dict[int, float] = {}
    for row, cell in enumerate(cells):
        text = _text(cell) if not isinstance(cell, int | float) else ""
        value = _bounded(cell) if isinstance(cell, int | float) else _float(text or "", how)
        if value is not None and not math.isnan(value) and value not in own_values:
            numbers[row] = value
        elif text is None:
            refused[row] = shown(str(cell))
        elif value is not None or text in own or is_missing(cleaned(text)):
            missing.setdefault(text or ("" if _is_null(cell) else str(cell)), []).append(row)
        elif text.lower() in TRUTH:
            truths[row] = TRUTH[text.lower()]
        else:
            refused[row] = shown(text)
    alone = len(truths) + sum(map(len, missing.values())) == len(cells)
    for row, value in truths.items():
        if alone:
            numbers[row] = value
        else:
            refused[row] = shown(str(cells[row]))
    return NumberCells(numbers, missing, dict(sorted(refused.items())), np.flatnonzero(np.isinf(numbers)))


def _bounded(cell: float) -> float:
    """Return a number as a float; whole ones beyond its range are infinite."""
    try:
        return float(cell)
    except OverflowError:
        return math.inf if cell > 0 else -math.inf


def _float(text: str, how: TableFormat) -> float | None:
    """Return the number that a text is, or None; Python alone would read 1_000 as one."""
    if "_" in text:
        return None
    if how.decimal == ",":
        if "." in text:
            return None
        text = text.replace(",", ".", 1)
    try:
        return float(text)
    except ValueError:
        return None
