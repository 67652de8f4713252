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
from scenarios.run_folder import SUMMARY


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
    """Return the folder of a run.

    Args:
        run: A folder, or the name of a campaign below `runs`.
        runs: Where run folders are.

    Raises:
        StoreError: When there is none, or it was never ended in order.
    """
    for folder in (Path(run), runs / run):
        if (folder / SUMMARY).is_file():
            return folder
    known = sorted(path.parent.name for path in runs.glob(f"*/{SUMMARY}"))
    raise StoreError(
        f"There is no finished run {run!r}",
        expected=f"a folder with {SUMMARY}" + (f"; there are {', '.join(known)}" if known else ""),
        action="run it first, or take it up with --resume",
    )


def run_report(folder: Path) -> RenderableType:
    """Return the summary of a run and the paths of its files."""
    summary = read_summary(folder / SUMMARY)
    paths = [Text(f"  {folder / name}") for name in summary.files]
    return Group(summary_table(summary), *paths)


def _abouts() -> dict[str, str]:
    return {
        name: " ".join(str(toml_layer(path).values.get("about", "")).split())
        for name, path in library_scenarios().items()
    }
