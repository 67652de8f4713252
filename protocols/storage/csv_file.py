"""Rows to a CSV file that is there whole or not at all, and harmless where a spreadsheet opens it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

from protocols.storage.atomic_file import atomic_write
from protocols.storage.csv_cells import to_cell


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write rows below the names of their columns, in UTF-8; texts as `protocols.storage.csv_cells` has them.

    Raises:
        StoreError: When the file cannot be written.
    """
    with atomic_write(path) as file:
        write_rows_as_csv(file, columns, rows)


def write_rows_as_csv(file: BinaryIO, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write the same to a file that somebody else puts in place."""
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_cells(columns))
    writer.writerows(map(_cells, rows))
    text.detach()  # flushes, and leaves the file open


def _cells(row: Sequence[object]) -> list[object]:
    return [to_cell(cell) if isinstance(cell, str) else cell for cell in row]
