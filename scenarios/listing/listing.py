"""What there is: the scenarios of the library, the recordings, and the runs that were made."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from protocols.errors import EntropilotError
from protocols.settings.layers import toml_layer
from protocols.settings.plug_ins import GROUPS, plug_ins
from protocols.tables.account import Account, Handling
from scenarios.display.progress import ProgressCall, no_progress
from scenarios.listing.recordings import ListedRecording, list_recordings
from scenarios.listing.unfinished import summary_so_far, went_on
from scenarios.run.summary.model import RunSummary, read_summary, summary_json
from scenarios.run.summary.table import summary_table
from scenarios.settings.library import library_scenarios
from scenarios.sources.run_folder import SUMMARY, summary_of_shadow

MINUTES: Final = 16
"""How much of a time a person needs [character of ISO 8601]."""


def listing(runs: Path) -> RenderableType:
    """Return the scenarios and what they are for, and the recordings and how they stand."""
    recordings = list_recordings(runs)
    library = [each for each in recordings if each.kind == "library"]
    of_runs = [each for each in recordings if each.kind == "run"]
    abouts = _abouts()
    tables = [_abouts_table("scenario", abouts)]
    if library:
        tables.append(_abouts_table("recording", {each.name: _recorded_about(each, abouts) for each in library}))
    brought = [_plug_ins_table()] if any(map(plug_ins, GROUPS.values())) else []
    return Group(*tables, *brought, *([_runs_table(of_runs)] if of_runs else []))


def listing_json(runs: Path) -> str:
    """Return the same as JSON."""
    recordings = [dataclasses.asdict(each) for each in list_recordings(runs)]
    brought = [
        {"kind": kind, "name": each.name, "place": each.place, "package": each.package}
        for kind, group in GROUPS.items()
        for each in plug_ins(group)
    ]
    told = {"scenarios": _abouts(), "recordings": recordings, "plug_ins": brought}
    return json.dumps(told, indent=2, ensure_ascii=False)


def run_report(folder: Path, progress: ProgressCall = no_progress, database_url: str | None = None) -> RenderableType:
    """Return the summary of a run, over or not, or of a shadow, and the paths of its files.

    Args:
        folder: The run folder.
        progress: For what an earlier summary does not tell, and takes its time.
        database_url: Of another database than the folder's own, or than it remembers.
    """
    path = summary_of_shadow(folder)
    if path is None:
        summary, why_not = _summary_of(folder, progress, database_url)
        table = Group(
            summary_table(summary),
            *([Text(why_not, "dim")] if why_not else []),
            *([reading_table(summary.reading)] if summary.reading else []),
        )
        files = summary.files
    else:
        from scenarios.shadow.outcome import read_shadow
        from scenarios.shadow.report import shadow_table

        shadow = read_shadow(path)
        table, files = Group(shadow_table(shadow)), shadow.files
    return Group(table, *(Text(f"  {folder / name}") for name in files))


def reading_table(reading: Account) -> RenderableType:
    """Return what of a table was not taken as it stands: how many rows or values, why, and where the first are."""
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for entry in reading:
        told = Text(entry.reason, "yellow" if entry.handling is Handling.NOTED else "")
        told.append(entry.where, "dim")
        table.add_row(f"{entry.count:,}", entry.handling.value, told)
    return Group("", Text("What was read", "bold"), table, "")


def run_json(folder: Path, progress: ProgressCall = no_progress, database_url: str | None = None) -> str:
    """Return the same figures as JSON: as they are written, with what an earlier summary does not tell."""
    path = summary_of_shadow(folder) or folder / SUMMARY
    written = path.read_text(encoding="utf-8") if path.is_file() else ""
    if path.name != SUMMARY:
        return written
    summary, _ = _summary_of(folder, progress, database_url)
    return written if written and summary == read_summary(path) else summary_json(summary)


def _summary_of(folder: Path, progress: ProgressCall, database_url: str | None) -> tuple[RunSummary, str]:
    """Return what a run has come to, and why something of it cannot be told."""
    path = folder / SUMMARY
    written = read_summary(path) if path.is_file() else None
    if written is None or went_on(folder, written):
        try:
            return summary_so_far(folder, progress, database_url), ""
        except EntropilotError as error:
            if written is None:
                raise
            return written, f"it went on after this was written; what came then is not told: {error.found.rstrip('.')}"
    return _completed(written, folder, progress, database_url)


def _completed(
    written: RunSummary, folder: Path, progress: ProgressCall, database_url: str | None
) -> tuple[RunSummary, str]:
    """Return a summary with what it does not tell, and why that cannot be told; one that tells all costs nothing."""
    summary, why_not = written, ""
    if summary.effects and not summary.against_truth:
        from scenarios.listing.truth_again import with_truth

        summary = with_truth(summary, folder, progress, database_url)
    if not summary.ceilings:
        from scenarios.listing.reach_again import with_reach

        summary, why_not = with_reach(summary, folder, progress, database_url)
    return summary, why_not


def _abouts_table(kind: str, abouts: Mapping[str, str]) -> Table:
    table = Table(box=None, padding=(0, 2, 1, 0))
    table.add_column(kind, style="bold", no_wrap=True)
    table.add_column("what it is for", overflow="fold")
    for name, about in abouts.items():
        table.add_row(_typed(name), Text(about))
    return table


def _plug_ins_table() -> Table:
    """Return what installed packages bring: policies, evaluators and readers, by the name that settings use."""
    table = Table(box=None, padding=(0, 2, 1, 0))
    table.add_column("brought", style="bold", no_wrap=True)
    for column in ("what", "by", "place"):
        table.add_column(column, overflow="fold")
    for kind, group in GROUPS.items():
        for each in plug_ins(group):
            table.add_row(_typed(each.name), Text(kind), Text(each.package), Text(each.place))
    return table


def _recorded_about(recording: ListedRecording, abouts: Mapping[str, str]) -> str:
    """Say what a recording is for; of a scenario that is listed, that it is one."""
    if recording.about and abouts.get(recording.scenario) == recording.about:
        return (
            f"Scenario {recording.scenario} as it went once, by {recording.policy}: entropilot replay {recording.name}"
        )
    return recording.status or recording.about


def _runs_table(runs: Sequence[ListedRecording]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("run", style="bold", no_wrap=True)
    for column in ("scenario", "policy", "began", "how it stands"):
        table.add_column(column, overflow="fold")
    for run in runs:
        began = run.started_at[:MINUTES].replace("T", " ")
        names = map(_typed, (run.name, run.scenario, run.policy))
        table.add_row(*names, Text(began), Text(run.status))
    return table


def _typed(name: str) -> Text:
    """Return a name that one types: where there is no room for it, it goes on in the next line; it is never cut."""
    return Text(name, no_wrap=False, overflow="fold")


def _abouts() -> dict[str, str]:
    return {
        name: " ".join(str(toml_layer(path).values.get("about", "")).split())
        for name, path in library_scenarios().items()
    }
