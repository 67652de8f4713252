"""A table as CSV in UTF-8, with no cell that a spreadsheet would carry out (`protocols.storage.csv_cells`). Pure."""

from __future__ import annotations

import io
import json

from protocols.storage.csv_file import write_rows_as_csv
from scenarios.export.table import Cell, Table


def as_csv(table: Table) -> bytes:
    """Return a table as CSV; floats keep all their digits, an empty cell means that nothing is known."""
    file = io.BytesIO()
    write_rows_as_csv(file, table.headings, ([_cell(cell) for cell in row] for row in table.rows))
    return file.getvalue()


def _cell(cell: Cell) -> object:
    match cell:
        case None:
            return ""
        case bool():
            return "true" if cell else "false"
        case str() | int() | float():
            return cell
        case _:
            return json.dumps(cell, ensure_ascii=False, allow_nan=False) if cell else ""
