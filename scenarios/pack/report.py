"""What `entropilot pack` shows of what it made."""

from __future__ import annotations

import json

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from scenarios.pack.writer import PackResult


def table_to_pack(packed: PackResult) -> RenderableType:
    """Return the members, and how the pack is used."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("member", style="bold")
    table.add_column("bytes", justify="right")
    table.add_column("SHA-256")
    for member in packed.manifest.members:
        table.add_row(Text(member.name), f"{member.bytes:,}", Text(member.sha256[:16], style="dim"))
    commands = ("run", "replay", "verify") if packed.manifest.has_recording else ("run", "verify")
    size = packed.path.stat().st_size
    return Group(
        table,
        Text(f"{packed.path}: {size:,} bytes, pool {packed.manifest.pool_digest[:12]}"),
        *(Text(f"  entropilot {command} {packed.path}") for command in commands),
    )


def packed_json(packed: PackResult) -> str:
    """Return the same as JSON: the manifest, and which file it is."""
    tree = {"file": str(packed.path), "sha256": packed.sha256, "notes": packed.notes}
    return json.dumps(tree | packed.manifest.model_dump(mode="json"), indent=2, ensure_ascii=False)
