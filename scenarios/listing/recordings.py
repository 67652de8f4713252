"""The recordings that there are: those that come with Entropilot, and those of the runs below a folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from agent.run_files import RECORDING
from protocols.errors import EntropilotError
from protocols.recording.lines import Header
from protocols.recording.reader import read_header
from scenarios.run.summary.model import read_summary
from scenarios.settings.library import library_recordings
from scenarios.sources.run_folder import SHADOW_SUMMARY, SUMMARY

UNFINISHED: Final = "running or interrupted"
"""How a run without a summary stands; `entropilot run --resume` resumes it."""


@dataclass(frozen=True, slots=True)
class ListedRecording:
    """One recording, by its first line: its messages are not read.

    Attributes:
        name: By which `entropilot replay` knows it.
        kind: Whether it comes with Entropilot, or is of a run.
        campaign: Name of the campaign.
        scenario: Name of the scenario; empty where it names none.
        policy: That decided; empty where that is not known.
        started_at: When it began, as ISO 8601.
        status: How the run stands; empty for one of the library.
        about: What its scenario is for.
        path: The file.
    """

    name: str
    kind: Literal["library", "run"]
    campaign: str
    scenario: str
    policy: str
    started_at: str
    status: str
    about: str
    path: str


def list_recordings(runs: Path) -> tuple[ListedRecording, ...]:
    """Return the recordings of the library by name, then those of the runs, the latest first."""
    library = [_listed(name, "library", path, "") for name, path in library_recordings().items()]
    of_runs = [
        _listed(path.parent.name, "run", path, _standing(path.parent)) for path in sorted(runs.glob(f"*/{RECORDING}"))
    ]
    return (*library, *sorted(of_runs, key=lambda listed: listed.started_at, reverse=True))


def _listed(name: str, kind: Literal["library", "run"], path: Path, status: str) -> ListedRecording:
    try:
        header = read_header(path)
    except EntropilotError as error:
        header = Header(0, "", "", "")
        status = error.found.removeprefix(f"{path}, ")
    scenario: Mapping[str, Any] = header.scenario or {}
    campaign = scenario.get("campaign")
    policy = campaign.get("policy", "") if isinstance(campaign, dict) else ""
    return ListedRecording(
        name=name,
        kind=kind,
        campaign=header.campaign,
        scenario=str(scenario.get("name", "")),
        policy=str(policy),
        started_at=header.started_at,
        status=status,
        about=" ".join(str(scenario.get("about", "")).split()),
        path=str(path),
    )


def _standing(folder: Path) -> str:
    if (folder / SHADOW_SUMMARY).is_file():
        return _shadow_status(folder)
    if not (folder / SUMMARY).is_file():
        return UNFINISHED
    try:
        summary = read_summary(folder / SUMMARY)
    except EntropilotError as error:
        return error.found
    return f"{summary.spent} of {summary.budget}: {summary.stopped_because}"


def _shadow_status(folder: Path) -> str:
    from scenarios.shadow.outcome import read_shadow

    try:
        summary = read_shadow(folder / SHADOW_SUMMARY)
    except EntropilotError as error:
        return error.found
    return f"a shadow: {summary.same} of {summary.chosen} choices of the lab are the same"
