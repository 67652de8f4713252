"""What the figures mean, for a terminal: the words of docs/explanation/reading-the-picture.md."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Final

from rich.table import Table
from rich.text import Text

MEANINGS: Final = "meanings.json"
"""Beside this module; made by `python -m tests.support.documents.reference`."""


def meanings_table() -> Table:
    """Return each figure with what it means."""
    told: list[list[str]] = json.loads((files(__package__) / MEANINGS).read_text(encoding="utf-8"))
    table = Table.grid(padding=(0, 2, 1, 0))
    table.add_column(width=20, overflow="fold")
    table.add_column(overflow="fold")
    for name, meaning in told:
        table.add_row(Text(name, "bold"), Text(meaning))
    return table
