"""What `entropilot backup` and `entropilot restore` show of what they made."""

from __future__ import annotations

import json

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from scenarios.backup.backup import BackupResult
from scenarios.backup.restore import RestoreResult


def backup_table(made: BackupResult) -> RenderableType:
    """Return its files, and how it is restored."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("file", style="bold")
    table.add_column("bytes", justify="right")
    table.add_column("SHA-256")
    for each in made.manifest.files:
        table.add_row(Text(each.name), f"{each.size:,}", Text(each.sha256[:16], style="dim"))
    manifest = made.manifest
    lines = [
        Text(f"{made.path}: journal to row {manifest.row}, seal {manifest.seal[:16]}"),
        Text(f"  entropilot restore {made.path} --runs FOLDER"),
        *(Text(f"removed {each}", style="dim") for each in made.removed),
    ]
    return Group(table, *lines)


def backup_json(made: BackupResult) -> str:
    """Return the same as JSON."""
    tree = {"folder": str(made.path), "removed": [str(each) for each in made.removed]}
    return json.dumps(tree | made.manifest.model_dump(mode="json"), indent=2)


def restored_in_words(made: RestoreResult) -> RenderableType:
    """Return where the run folder is, and how the campaign goes on."""
    onward = f"--resume --campaign {made.manifest.campaign} --runs {made.path.parent}"
    return Group(
        Text(
            f"{made.path}: journal to row {made.manifest.row}, as it stood at {made.manifest.made_at:%Y-%m-%d %H:%M %Z}"
        ),
        Text(f"  entropilot verify {made.path}"),
        Text(f"  entropilot run SCENARIO {onward}"),
        Text(f"  entropilot agent SCENARIO {onward}   # where a lab of your own measures"),
    )


def restored_json(made: RestoreResult) -> str:
    """Return the same as JSON."""
    told = {"folder": str(made.path), "notes": made.notes}
    return json.dumps(told | made.manifest.model_dump(mode="json", exclude={"files"}), indent=2)
