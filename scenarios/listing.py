"""What there is: the scenarios of the library, and the runs that were made."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agent.report.summary import read_summary, summary_table
from protocols.errors import StoreError
from protocols.layering import toml_layer
from scenarios.loader import library_scenarios
from scenarios.run_folder import SHADOW_SUMMARY, SUMMARY


def scenarios_table() -> Table:
    """Return the scenarios and what they are for."""
    table = Table(box=None, padding=(0, 2, 1, 0))
    table.add_column("scenario", style="bold")
    table.add_column("what it is for")
    for name, about in _abouts().items():
        table.add_row(name, about)
    return table


def scenarios_json() -> str:
    """Return the same as JSON."""
    return json.dumps(_abouts(), indent=2)


def find_run(run: str, runs: Path) -> Path:
    """Return the folder of a run, or of a shadow.

    Args:
        run: A folder, or the name of a campaign below `runs`.
        runs: Where run folders are.

    Raises:
        StoreError: When there is none, or it was never ended in order.
    """
    for folder in (Path(run), runs / run):
        if any((folder / name).is_file() for name in (SUMMARY, SHADOW_SUMMARY)):
            return folder
    known = sorted(path.parent.name for name in (SUMMARY, SHADOW_SUMMARY) for path in runs.glob(f"*/{name}"))
    raise StoreError(
        f"There is no finished run {run!r}",
        expected=f"a folder with {SUMMARY}" + (f"; there are {', '.join(known)}" if known else ""),
        action="run it first, or take it up with --resume",
    )


def run_report(folder: Path) -> RenderableType:
    """Return the summary of a run, or of a shadow, and the paths of its files."""
    if (folder / SUMMARY).is_file():
        summary = read_summary(folder / SUMMARY)
        table, files = summary_table(summary), summary.files
    else:
        from scenarios.shadow_outcome import read_shadow
        from scenarios.shadow_report import shadow_table

        shadow = read_shadow(folder / SHADOW_SUMMARY)
        table, files = shadow_table(shadow), shadow.files
    return Group(table, *(Text(f"  {folder / name}") for name in files))


def run_json(folder: Path) -> str:
    """Return the same figures as JSON, as they are written."""
    name = SUMMARY if (folder / SUMMARY).is_file() else SHADOW_SUMMARY
    return (folder / name).read_text(encoding="utf-8")


def _abouts() -> dict[str, str]:
    return {
        name: " ".join(str(toml_layer(path).values.get("about", "")).split())
        for name, path in library_scenarios().items()
    }
