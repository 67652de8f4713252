"""Tables as JSON that describes itself: what each column holds stands beside the rows. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from scenarios.export.table import Column, Table

FORMAT_VERSION: Final = 1
"""Of the JSON that `export` writes; it grows, and what is there keeps its meaning."""

VERSION_MARK: Final = "entropilot_export"
"""Member that says so."""


def as_json(tables: Sequence[Table], about: Mapping[str, Any]) -> bytes:
    """Return tables with what is said of them.

    Args:
        tables: The tables.
        about: What is said of all: campaign, licence, creators, software; plain values.
    """
    tree = {VERSION_MARK: FORMAT_VERSION, **about, "tables": [table_tree(each) for each in tables]}
    return (json.dumps(tree, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def table_tree(table: Table) -> dict[str, Any]:
    """Return a table as a tree: its columns, then a row an object."""
    return {
        "name": table.name,
        "title": table.title,
        "description": table.description,
        "key": list(table.key),
        "columns": [column_tree(each) for each in table.columns],
        "rows": list(table.trees()),
    }


def column_tree(column: Column) -> dict[str, str]:
    """Return what a column says of itself."""
    told = {"name": column.name, "description": column.description, "type": column.kind.value}
    return told | ({"unit": column.unit} if column.unit else {})
