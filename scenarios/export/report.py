"""What `entropilot export` shows of what it wrote."""

from __future__ import annotations

import json

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from scenarios.export.export import ExportResult


def table_of_export(result: ExportResult) -> RenderableType:
    """Return the tables with their rows, what is said of them, and where they are."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("table", style="bold")
    table.add_column("rows", justify="right")
    for name, rows in result.tables:
        table.add_row(Text(name), f"{rows:,}")
    said = result.about.said
    return Group(
        table,
        Text(said.title),
        Text(f"licence {said.licence or 'none'}; cite as: {said.citation}"),
        Text(f"  {result.path}"),
    )


def export_json(result: ExportResult) -> str:
    """Return the same as JSON."""
    tree = {
        "path": str(result.path),
        "as": result.form,
        "tables": dict(result.tables),
        "notes": list(result.notes),
        **result.about.tree(),
    }
    return json.dumps(tree, indent=2, ensure_ascii=False)
