"""The files of a run that people read: their figures, computed again from the journal, and the recording's chain."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from agent.campaign.state import Campaign, Phase
from agent.report.banded import bands_at
from agent.report.summary import RunSummary, read_summary
from agent.report.trajectory import read_trajectory_csv
from agent.verify.part import Part, Story, other_band, other_figure
from protocols.errors import EntropilotError
from protocols.recording_reader import check_recording

NOT_YET: Final = "not there: it is written when a run ends"

FIGURES_OF_SUMMARY: Final = 5
"""Three counts, and the bias before and after."""


def check_trajectory(path: Path, story: Story) -> Part:
    """Compare every step of the trajectory."""
    if not path.is_file():
        return Part(path.name, 0, note=NOT_YET)
    try:
        trajectory = read_trajectory_csv(path)
    except EntropilotError as error:
        return Part(path.name, 0, error.found)
    written, last = trajectory.points, len(story.points) - 1
    shown = [(step, story.points[step][1]) for step in trajectory.bands if 0 <= step <= last]
    bands = bands_at(shown, story.meter)
    for sound, (step, point) in enumerate(written):
        past_the_end = f"it is not in the journal, which ends at step {last}"
        problem = past_the_end if step > last else other_figure(point, story.points[step][1])
        if not problem and step in bands:  # an interrupted run has bands at its ends only, an old one nowhere
            problem = other_band(trajectory.bands[step], bands[step], point.families)
        if problem:
            return Part(path.name, sound, f"step {step}: {problem}")
    missing = len(story.points) - len(written)
    older = f"older than the journal by {missing} steps" if missing else ""
    is_over = story.campaign.phase is Phase.FINISHED
    return Part(path.name, len(written), older if is_over else "", "" if is_over else older)


def check_summary(path: Path, story: Story) -> Part:
    """Compare the figures of the summary."""
    if not path.is_file():
        return Part(path.name, 0, note=NOT_YET)
    try:
        summary = read_summary(path)
    except EntropilotError as error:
        return Part(path.name, 0, error.found)
    problem = _other_journal(summary, story)
    if not problem and summary.journal_rows < len(story.digests) and story.campaign.phase is not Phase.FINISHED:
        return Part(path.name, 0, note="older than the journal: written when the run ended last")
    problem = problem or _other_count(summary, story.campaign)
    right = bands_at([(0, story.points[0][1]), (1, story.points[-1][1])], story.meter)
    for at, (moment, point, bands) in enumerate(
        (("before", summary.before, summary.bands_before), ("after", summary.after, summary.bands_after))
    ):
        figure = other_figure(point, story.points[-at][1])
        figure = figure or (other_band(bands, right[at], point.families) if bands else "")
        problem = problem or (f"{moment}: {figure}" if figure else "")
    return Part(path.name, 0 if problem else FIGURES_OF_SUMMARY, problem)


def _other_journal(summary: RunSummary, story: Story) -> str:
    """Return what shows that a summary was made of another journal; empty when nothing does."""
    rows, there = summary.journal_rows, len(story.digests)
    if rows > there:
        return f"it knows {rows} rows of a journal that ends at {there}"
    if rows and summary.journal_digest != story.digests[rows - 1]:
        return f"it speaks of another journal: row {rows} has another digest"
    return ""


def _other_count(summary: RunSummary, campaign: Campaign) -> str:
    for name in ("observations", "spent", "retries"):
        written, right = getattr(summary, name), getattr(campaign, name)
        if written != right:
            return f"{name} = {written}; the journal says {right}"
    return ""


def check_message_log(path: Path) -> Part:
    """Check the recording by itself: a crash may take its last second, so it need not hold all of the journal."""
    if not path.is_file():
        return Part(path.name, 0, note="not there")
    check = check_recording(path)
    return Part(path.name, check.messages, check.problem, check.note)
