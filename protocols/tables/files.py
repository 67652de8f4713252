"""Files that hold a table: which columns there are, and the used ones as they stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from protocols.errors import TableError
from protocols.tables.account import AccountEntry
from protocols.tables.format import USUAL, TableFormat
from protocols.tables.formats.delimited import looks_like_cells
from protocols.tables.formats.errors import reading, too_large, too_many_rows
from protocols.tables.formats.limits import MAX_TABLE_BYTES, MAX_TABLE_ROWS
from protocols.tables.formats.reader import FileFormat, NestedCell, TableReader
from protocols.tables.formats.registry import FOLDER, format_of, formats_in_words

__all__ = [
    "MAX_TABLE_BYTES",
    "MAX_TABLE_ROWS",
    "NestedCell",
    "TableFile",
    "column_names",
    "column_names_in_order",
    "read_file",
]


@dataclass(frozen=True, slots=True)
class TableFile:
    """The used columns as they stand in the file.

    Attributes:
        path: The file, or the folder.
        names: All its columns.
        frame: A `pandas.DataFrame` with at least the used columns, a row per candidate. A column of texts has Python's
            objects: texts, whole numbers, floats, truth values, bytes, `NestedCell`, and None or NaN where there is
            nothing. One of numbers has floats, or such objects where some are no numbers.
        notes: What a person should know of the file.
    """

    path: Path
    names: tuple[str, ...]
    frame: Any
    reader: TableReader
    notes: tuple[AccountEntry, ...] = ()

    def place(self, row: int) -> str:
        """Where a row (from 0) stands, as a person counts."""
        return self.reader.place(row)

    def places(self, rows: Sequence[int]) -> list[str]:
        """Where some rows (from 0, ascending) stand; a text is read once, up to the last of them."""
        last = [self.reader.place(row) for row in rows[-1:]]
        return [*(self.reader.place(row) for row in rows[:-1]), *last]


def column_names(path: Path, format: TableFormat = USUAL) -> tuple[str, ...]:  # noqa: A002 - what it is
    """Return the names of all columns, in order; of a text table with a header nothing else is read.

    Raises:
        TableError: When the file is missing, too large, of another kind, or cannot be read.
    """
    kind = format_of(path)
    _check_settings(path, kind, format)
    with reading(path):
        if kind is not FOLDER:
            _check_file(path)
        names = kind.open(path, format).names()
    return column_names_in_order(path, names)


def column_names_in_order(path: Path, names: Sequence[str]) -> tuple[str, ...]:
    """Return the names of columns as they stand in a file, each once.

    Raises:
        TableError: When two have one name.
    """
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise TableError(
            f"The table {path} has several columns {twice[0]!r}",
            expected="a name per column",
            action="write a header above the first row" if looks_like_cells(names) else "rename one of them",
        )
    return tuple(names)


def read_file(
    path: Path,
    names: tuple[str, ...],
    *,
    numeric: Sequence[str],
    texts: Sequence[str],
    format: TableFormat = USUAL,  # noqa: A002 - what it is
) -> TableFile:
    """Read the used columns.

    Args:
        path: The file, or a folder of structures.
        names: All its columns (`column_names`).
        numeric: Columns with numbers; what is in them is not checked here.
        texts: Columns that are read as they stand.
        format: How the table is written.

    Raises:
        TableError: When the file cannot be read, holds dates in a used column, or has no rows or too many.
    """
    reader = format_of(path).open(path, format)
    with reading(path):
        frame = reader.frame(names, numeric, texts)
    if len(frame) == 0:
        raise TableError(f"The table {path} has no rows", expected="a row per candidate below the header")
    if len(frame) > MAX_TABLE_ROWS:
        raise too_many_rows(path)
    return TableFile(path, names, frame, reader, reader.notes())


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise TableError(
            f"There is no table {path}",
            expected=f"a file beside the scenario file, or where you are, that ends in {formats_in_words()}",
            action="correct the path, or put the table there",
        )
    size = path.stat().st_size
    if size > MAX_TABLE_BYTES:
        raise too_large(path, size)


def _check_settings(path: Path, kind: FileFormat, form: TableFormat) -> None:
    """Refuse settings that say nothing of such a file: whoever set them means another one."""
    for setting, given, matters in (
        ("delimiter", form.delimiter is not None, kind.has_delimiter),
        ("decimal", form.decimal != USUAL.decimal, kind.has_delimiter),
        ("sheet", form.sheet is not None, kind.has_sheets),
    ):
        if given and not matters:
            raise TableError(
                f"{setting} is set, and {path} ({kind.name}) has none",
                expected=f"{setting} with {'a text table' if setting != 'sheet' else 'a workbook'} only",
                action=f"leave out {setting}, or name another file",
            )
