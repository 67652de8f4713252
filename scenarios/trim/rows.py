"""Writes some rows of a table: copied in its own format where a row is a line, or the file is one of Arrow's.

What cannot be copied row by row (a workbook, a database, a folder) is written as CSV, with all columns that can be
read; of the others it is told why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from protocols.errors import TableError
from protocols.storage.atomic_file import atomic_write
from protocols.storage.csv_file import write_rows_as_csv
from protocols.tables.files import column_names, read_file
from protocols.tables.formats.reader import FileFormat
from protocols.tables.formats.registry import format_of
from scenarios.trim.arrow_rows import write_feather, write_parquet
from scenarios.trim.packing import packed
from scenarios.trim.source import TrimSource
from scenarios.trim.text_rows import write_lines, write_records

IndexArray = NDArray[np.int64]
Mask = NDArray[np.bool_]

DELIMITERS: Final[Mapping[str, str]] = MappingProxyType({"CSV": ",", "TSV": "\t", "Text": ""})
"""What separates the cells of a text table of this kind where nothing else is said; nothing where it must be said."""

COPIES: Final[Mapping[str, Callable[[Path, Mask, BinaryIO], int]]] = MappingProxyType({
    "Parquet": write_parquet, "Feather": write_feather, "JSON lines": write_lines,
})  # fmt: skip
"""What copies the rows of other kinds."""

CSV_ENDING: Final = ".csv"


def is_copied(kind: FileFormat) -> bool:
    """Whether rows of this kind of file are copied as they stand."""
    return kind.name in DELIMITERS or kind.name in COPIES


def remark_on(source: TrimSource) -> str:
    """Say what was made of a table whose rows cannot be copied; "" of others."""
    kind = format_of(source.path)
    if is_copied(kind):
        return ""
    return f"{source.path.name} ({kind.name}) cannot be copied row by row: the kept rows are written as CSV."


def trimmed_name(source: TrimSource) -> str:
    """Return the name of the file that the kept rows are written to."""
    ending = source.path.name[len(source.name) :] if is_copied(format_of(source.path)) else CSV_ENDING
    return f"{source.name}-trimmed{ending}"


def write_rows(source: TrimSource, rows: IndexArray, target: Path) -> list[str]:
    """Write the kept rows, below the header where there is one.

    Args:
        source: The table.
        rows: Which of its rows, indices into its arrays, ascending, shape (k,).
        target: Where to write; there whole or not at all.

    Returns:
        Of each column that is not written, why.

    Raises:
        TableError: When the rows of the file cannot be told apart, or it changed meanwhile.
        StoreError: When the target cannot be written.
    """
    kept = np.zeros(source.rows_in_file, dtype=bool)
    kept[source.positions[rows]] = True
    kind = format_of(source.path)
    with atomic_write(target) as file:
        if not is_copied(kind):
            return _write_csv(source, kept, file)
        with packed(file, source.path.suffix.lower(), target.name.removesuffix(target.suffix)) as stream:
            if kind.name in COPIES:
                found = COPIES[kind.name](source.path, kept, stream)
            else:
                delimiter = source.format.delimiter or DELIMITERS[kind.name]
                found = write_records(source.path, kept, stream, delimiter)
            _require_all(source.path, len(kept), found)
    return []


def _write_csv(source: TrimSource, kept: Mask, file: BinaryIO) -> list[str]:
    """Write the kept rows as CSV, without the columns that cannot be read; return why of each."""
    names, frame, faults = _readable(source)
    _require_all(source.path, len(kept), len(frame))
    write_rows_as_csv(file, names, zip(*(_cells(frame[name], kept) for name in names), strict=True))
    return faults


def _readable(source: TrimSource) -> tuple[list[str], Any, list[str]]:
    """Return the columns that can be read, with their cells, and why others cannot: they hold dates, say.

    Raises:
        TableError: When a used column cannot be read, or the fault is none of a column.
    """
    names = column_names(source.path, source.format)
    readable = list(names)
    faults: list[str] = []
    while True:
        try:
            file = read_file(source.path, names, numeric=(), texts=readable, format=source.format)
        except TableError as error:
            fault = error.found  # begins with the column: to try each by itself would read a large workbook many times
            besides = (name for name in readable if name not in source.columns)
            unreadable = next((name for name in besides if fault.startswith(f"Column {name!r} of ")), None)
            if unreadable is None:
                raise
            readable.remove(unreadable)
            faults.append(fault)
        else:
            return readable, file.frame, faults


def _cells(column: Any, kept: Mask) -> Iterator[object]:
    import pandas as pd

    for cell in column[kept]:
        yield "" if pd.api.types.is_scalar(cell) and pd.isna(cell) else cell


def _require_all(source: Path, expected: int, found: int) -> None:
    if expected != found:
        raise TableError(
            f"{source} has {found} rows where {expected} were read",
            expected="a file that stays as it is, with a record per row",
            action="run it again when nobody writes to the file; if it stays so, write the table as Parquet",
        )
