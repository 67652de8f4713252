"""Writes some rows of a table: copied in its own format where a row is a line, or the file is one of Arrow's.

What cannot be copied row by row (a workbook, a database, a folder) is written as CSV, with all columns that are read.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from protocols.errors import TableError
from protocols.storage.atomic_file import atomic_write
from protocols.tables.files import column_names, read_file
from protocols.tables.formats.packing import PACKINGS
from protocols.tables.formats.reader import FileFormat
from protocols.tables.formats.registry import format_of
from scenarios.trim.arrow_rows import write_feather, write_parquet
from scenarios.trim.packing import packed
from scenarios.trim.source import TrimSource
from scenarios.trim.text_rows import write_lines, write_records

IndexArray = NDArray[np.int64]
Mask = NDArray[np.bool_]

DELIMITERS: Final[Mapping[str, str]] = MappingProxyType({"CSV": ",", "TSV": "\t", "Text": ","})
"""What separates the cells of a text table of this kind where nothing else is said."""

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


def write_rows(source: TrimSource, rows: IndexArray, target: Path) -> None:
    """Write the kept rows, below the header where there is one.

    Args:
        source: The table.
        rows: Which of its rows, indices into its arrays, ascending, shape (k,).
        target: Where to write; there whole or not at all.

    Raises:
        TableError: When the rows of the file cannot be told apart, or it changed meanwhile.
        StoreError: When the target cannot be written.
    """
    kept = np.zeros(source.rows_in_file, dtype=bool)
    kept[source.positions[rows]] = True
    kind = format_of(source.path)
    with atomic_write(target) as file:
        if not is_copied(kind):
            _require_all(source.path, len(kept), _write_csv(source, kept, file))
            return
        packing = source.path.suffix.lower() if source.path.suffix.lower() in PACKINGS else ""
        with packed(file, packing, target.name.removesuffix(target.suffix)) as stream:
            if kind.name in COPIES:
                found = COPIES[kind.name](source.path, kept, stream)
            else:
                delimiter = source.format.delimiter or DELIMITERS[kind.name]
                found = write_records(source.path, kept, stream, delimiter)
            _require_all(source.path, len(kept), found)


def _write_csv(source: TrimSource, kept: Mask, file: BinaryIO) -> int:
    """Write the kept rows as CSV; return how many rows the table has."""
    names, frame = _readable(source)
    if len(frame) != len(kept):
        return len(frame)
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    columns = [[*_cells(frame[name], kept)] for name in names]
    writer.writerows(zip(*columns, strict=True))
    text.detach()  # flushes, and leaves the file open to be put in place
    return len(frame)


def _readable(source: TrimSource) -> tuple[tuple[str, ...], Any]:
    """Return all columns, or the used ones where others hold what is not read, such as dates."""
    names = column_names(source.path, source.format)
    try:
        file = read_file(source.path, names, numeric=(), texts=names, format=source.format)
    except TableError:
        file = read_file(source.path, names, numeric=(), texts=source.columns, format=source.format)
        names = source.columns
    return names, file.frame


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
