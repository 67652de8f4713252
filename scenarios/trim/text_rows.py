"""Rows of texts, copied letter by letter: cells, quotes, line ends and a byte-order mark stay as they are.

But for a record with a cell that a spreadsheet would carry out: it is written with that cell made harmless
(`protocols.storage.csv_cells`), and read as before.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TextIO

import numpy as np
from numpy.typing import NDArray

from protocols.storage.csv_cells import from_cell, to_cell
from protocols.tables.formats.delimited import is_record, long_cells, skips_blanks
from protocols.tables.formats.packing import open_bytes

Mask = NDArray[np.bool_]


def write_records(source: Path, kept: Mask, file: BinaryIO, delimiter: str) -> int:
    """Copy the header and the kept rows of a text table.

    Args:
        source: The table, packed or not.
        kept: Which rows, shape (n,).
        file: Where to write.
        delimiter: What separates its cells.

    Returns:
        How many rows the source has; where these are not n, what was written is worth nothing.
    """
    with long_cells(), _text(source) as text:
        return _copied(_records(text, delimiter), kept, file, heads=1)


def write_lines(source: Path, kept: Mask, file: BinaryIO) -> int:
    """Copy the kept lines of a text with a row a line; arguments and result as for `write_records`."""
    with _text(source) as text:
        return _copied((line for line in text if line.strip()), kept, file, heads=0)


def _copied(records: Iterator[str], kept: Mask, file: BinaryIO, *, heads: int) -> int:
    """Write the first records, which are heads, and the kept ones of the others; return how many others there are."""
    count = -heads
    for record in records:
        if count < 0 or (count < len(kept) and kept[count]):
            file.write(record.encode())
        count += 1
    return count


def _records(text: TextIO, delimiter: str) -> Iterator[str]:
    """Yield the text of each record, its line end included; blank lines are no records, as in `protocols.tables`."""
    lines: list[str] = []

    def noted() -> Iterator[str]:
        for line in text:
            lines.append(line)
            yield line

    for cells in csv.reader(noted(), delimiter=delimiter, skipinitialspace=skips_blanks(delimiter)):
        record = "".join(lines)
        lines.clear()
        if is_record(cells):
            harmless = [to_cell(from_cell(cell)) for cell in cells]
            yield record if harmless == cells else _written(harmless, delimiter, record)


def _written(cells: list[str], delimiter: str, record: str) -> str:
    """Return a record with other cells, and the line end that it had."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator=record[len(record.rstrip("\r\n")) :]).writerow(cells)
    return text.getvalue()


def _text(source: Path) -> TextIO:
    """Open a text so that what is read is what stands there: line ends are kept, and so is a byte-order mark."""
    return io.TextIOWrapper(open_bytes(source), "utf-8", newline="")
