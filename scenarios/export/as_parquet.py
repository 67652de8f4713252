"""A table as Parquet: description and unit stand in the metadata of each column, the rest in that of the file.

Needs the extra `parquet`.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from protocols.extras import load
from scenarios.export.table import Cell, Column, Kind, Table

DESCRIPTION: Final = b"description"
UNIT: Final = b"unit"
TYPE: Final = b"type"
"""Keys of a column's metadata; `type` only where Parquet has none for it (JSON)."""

ABOUT: Final = b"entropilot"
"""Key of the file's metadata with campaign, licence, creators and software, as JSON."""


def as_parquet(table: Table, about: Mapping[str, Any]) -> bytes:
    """Return a table as Parquet.

    Args:
        table: The table.
        about: What is said of it: plain values.

    Raises:
        ExtraMissingError: When PyArrow is not installed.
    """
    arrow, parquet = load("pyarrow"), load("pyarrow.parquet")
    types = {
        Kind.TEXT: arrow.string(),
        Kind.INTEGER: arrow.int64(),
        Kind.NUMBER: arrow.float64(),
        Kind.BOOLEAN: arrow.bool_(),
        Kind.TIME: arrow.timestamp("us", tz="UTC"),
        Kind.TREE: arrow.string(),
    }
    fields = [arrow.field(each.name, types[each.kind], metadata=_metadata(each)) for each in table.columns]
    said = {ABOUT: json.dumps(about, ensure_ascii=False), b"title": table.title, DESCRIPTION: table.description}
    schema = arrow.schema(fields, metadata=said)
    columns = [
        arrow.array([_cell(row[place], each.kind) for row in table.rows], types[each.kind])
        for place, each in enumerate(table.columns)
    ]
    file = io.BytesIO()
    parquet.write_table(arrow.Table.from_arrays(columns, schema=schema), file, compression="zstd")
    return file.getvalue()


def _metadata(column: Column) -> dict[bytes, str]:
    told = {DESCRIPTION: column.description}
    told |= {UNIT: column.unit} if column.unit else {}
    return told | ({TYPE: "json"} if column.kind is Kind.TREE else {})


def _cell(cell: Cell, kind: Kind) -> Any:
    if cell is None:
        return None
    match kind:
        case Kind.TREE:
            return json.dumps(cell, ensure_ascii=False, allow_nan=False)
        case Kind.TIME:
            return datetime.fromisoformat(str(cell))
        case Kind.NUMBER:
            return float(cell)  # type: ignore[arg-type] # the column says that it is a number
        case _:
            return cell
