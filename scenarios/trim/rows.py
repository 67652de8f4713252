"""Writes some rows of a table as they are: the text of a CSV's rows is copied, and a Parquet file keeps its types."""

from __future__ import annotations

import csv
import gzip
import importlib
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final, TextIO

import numpy as np
from numpy.typing import NDArray

from protocols.errors import TableError, invariant
from protocols.storage.atomic_file import atomic_write

IndexArray = NDArray[np.int64]

GZIP_LEVEL: Final = 6
"""gzip's own default: more takes three times as long for a per cent."""


def write_rows(source: Path, positions: IndexArray, rows_in_file: int, target: Path) -> None:
    """Write the header and the rows at these positions (from 0, ascending), in the format of the source.

    Args:
        source: A `.csv`, `.csv.gz` or `.parquet` file.
        positions: Which rows, shape (k,).
        rows_in_file: How many rows a reader found, to notice when the two readings differ.
        target: Where to write; there whole or not at all.

    Raises:
        TableError: When the rows of the file cannot be told apart, or it changed meanwhile.
        StoreError: When the target cannot be written.
    """
    kept = np.zeros(rows_in_file, dtype=bool)
    kept[positions] = True
    with atomic_write(target) as file:
        if source.suffix.lower() == ".parquet":
            _write_parquet(source, kept, file)
        elif source.suffix.lower() == ".gz":
            # Without name and time, the same rows give the same bytes.
            with gzip.GzipFile("", "wb", GZIP_LEVEL, file, mtime=0) as packed:
                _write_csv(source, kept, packed)
        else:
            _write_csv(source, kept, file)


def _write_csv(source: Path, kept: NDArray[np.bool_], file: BinaryIO | gzip.GzipFile) -> None:
    count = -1  # the header is no row
    with _text(source) as text:
        for record in _records(text):
            if count < 0 or (count < len(kept) and kept[count]):
                file.write(record.encode())
            count += 1
    if count != len(kept):
        raise _changed(source, len(kept), count)


def _records(text: TextIO) -> Iterator[str]:
    """Yield the text of each record, its line end included; blank lines are no records, as in `protocols.tables`."""
    lines: list[str] = []

    def noted() -> Iterator[str]:
        for line in text:
            lines.append(line)
            yield line

    for cells in csv.reader(noted(), skipinitialspace=True):
        record = "".join(lines)
        lines.clear()
        if cells and not (len(cells) == 1 and not cells[0].strip()):
            yield record


@contextmanager
def _text(source: Path) -> Iterator[TextIO]:
    """Open a CSV so that what is read is what stands there: line ends are kept, and so is a byte-order mark."""
    longest = csv.field_size_limit(sys.maxsize)  # structures are long cells; the file as a whole is bounded
    try:
        if source.suffix.lower() == ".gz":
            with gzip.open(source, "rb") as packed, io.TextIOWrapper(packed, "utf-8", newline="") as text:
                yield text
        else:
            with source.open(encoding="utf-8", newline="") as text:
                yield text
    finally:
        csv.field_size_limit(longest)


def _write_parquet(source: Path, kept: NDArray[np.bool_], file: BinaryIO) -> None:
    """Copy row group by row group, so that no more than one is in memory."""
    parquet: Any = importlib.import_module("pyarrow.parquet")
    arrow: Any = importlib.import_module("pyarrow")
    with parquet.ParquetFile(source) as table:
        metadata = table.metadata
        if metadata.num_rows != len(kept):
            raise _changed(source, len(kept), metadata.num_rows)
        invariant(metadata.num_row_groups > 0, "a table with rows has a group of rows")
        compression = metadata.row_group(0).column(0).compression.lower()
        packing = "none" if compression == "uncompressed" else compression
        with parquet.ParquetWriter(file, table.schema_arrow, compression=packing) as writer:
            start = 0
            for group in range(metadata.num_row_groups):
                end = start + metadata.row_group(group).num_rows
                if kept[start:end].any():
                    writer.write_table(table.read_row_group(group).filter(arrow.array(kept[start:end])))
                start = end


def _changed(source: Path, expected: int, found: int) -> TableError:
    return TableError(
        f"{source} has {found} rows where {expected} were read",
        expected="a file that stays as it is, with a record per row",
        action="run it again when nobody writes to the file; if it stays so, write the table as Parquet",
    )
