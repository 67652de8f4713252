"""What `entropilot keys` shows: whose file is which, and what to do with it. Never a key."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from scenarios.keys.keys import PartKeys


def keys_table(files: Sequence[PartKeys]) -> RenderableType:
    """Return the files, and how each part is told of its own."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("part", "role", "key", "file"):
        table.add_column(heading, overflow="fold")
    for each in files:
        table.add_row(
            Text(each.part, style="bold"), each.role, "new" if each.is_new else "as before", Text(str(each.path))
        )
    return Group(
        table,
        Text("Give each part its own file over a way that you trust. The agent's settings then say"),
        Text(f"  signing.keys = {str(files[0].path)!r}, campaign.require_signatures = true"),
        Text("and those of every other part signing.keys, with its own file."),
    )


def keys_json(files: Sequence[PartKeys]) -> str:
    """Return the same as JSON."""
    tree = [{"part": each.part, "role": each.role, "file": str(each.path), "new": each.is_new} for each in files]
    return json.dumps({"keys": tree}, indent=2, ensure_ascii=False)
