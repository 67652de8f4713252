"""The files of a run that people read: their figures, computed again from the journal, and the recording's chain."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from agent.campaign.life_cycle import Phase
from agent.campaign.state import Campaign
from agent.entropy.best import best_of
from protocols.errors import EntropilotError
from protocols.recording.reader import RecordingCheck, check_recording
from scenarios.run.banded import bands_at
from scenarios.run.summary.model import SEAL, RunSummary, read_summary, seal_of
from scenarios.run.trajectory import read_trajectory_csv
from scenarios.verify.part import CheckedPart, JournalFold, equal, other_band, other_figure, other_truth

NOT_THERE: Final = "not there"
NOT_YET: Final = "not there: it is written when a run ends"
GONE: Final = "not there, and the campaign is finished: run it with --resume, which writes it again"

METRICS_OF_SUMMARY: Final = 5
"""Three counts, and the bias before and after."""


def check_trajectory(path: Path, fold: JournalFold) -> CheckedPart:
    """Compare every observation of the trajectory."""
    if not path.is_file():
        return _absent(path, fold)
    try:
        trajectory = read_trajectory_csv(path)
    except EntropilotError as error:
        return CheckedPart(path.name, 0, error.found)
    written, points = trajectory.points, fold.points
    last = len(points) - 1
    shown = [(observation, points[observation]) for observation in trajectory.bands if 0 <= observation <= last]
    bands = bands_at(shown, fold.ledger.meter)
    for sound, (observation, point) in enumerate(written):
        past_the_end = f"it is not in the journal, which ends at observation {last}"
        problem = past_the_end if observation > last else other_figure(point, points[observation])
        if not problem and observation in bands:  # an interrupted run has bands at its ends only, an old one nowhere
            problem = other_band(trajectory.bands[observation], bands[observation], point.families)
        problem = problem or other_truth(trajectory.against_truth.get(observation), fold.against_truth.get(observation))
        if problem:
            return CheckedPart(path.name, sound, f"observation {observation}: {problem}")
    missing = len(points) - len(written)
    older = f"older than the journal by {missing} observations" if missing else ""
    is_over = fold.ledger.campaign.phase is Phase.FINISHED
    return CheckedPart(path.name, len(written), older if is_over else "", "" if is_over else older)


def check_summary(path: Path, fold: JournalFold) -> CheckedPart:
    """Compare the figures of the summary."""
    if not path.is_file():
        return _absent(path, fold)
    try:
        summary = read_summary(path)
    except EntropilotError as error:
        return CheckedPart(path.name, 0, error.found)
    points = fold.points
    ends = (0, len(points) - 1)
    problem = _other_journal(summary, fold)
    if not problem and summary.journal_rows < len(fold.digests) and fold.ledger.campaign.phase is not Phase.FINISHED:
        return CheckedPart(path.name, 0, note="older than the journal: written when the run ended last")
    problem = problem or _other_count(summary, fold.ledger.campaign)
    right = bands_at([(0, points[0]), (1, points[-1])], fold.ledger.meter)
    for at, (moment, point, bands) in enumerate(
        (("before", summary.before, summary.bands_before), ("after", summary.after, summary.bands_after))
    ):
        figure = other_figure(point, points[-at])
        figure = figure or (other_band(bands, right[at], point.families) if bands else "")
        figure = figure or other_truth(summary.against_truth.get(moment), fold.against_truth.get(ends[at]))
        problem = problem or (f"{moment}: {figure}" if figure else "")
    problem = problem or _other_best(summary, fold) or _other_plan(summary, fold.ledger.campaign) or _other_seal(path)
    return CheckedPart(path.name, 0 if problem else METRICS_OF_SUMMARY, problem)


def files_told(path: Path) -> tuple[str, ...]:
    """Return the names of the files that a summary tells of; none where it cannot be read, which is told elsewhere."""
    try:
        return read_summary(path).files
    except EntropilotError:
        return ()


def _absent(path: Path, fold: JournalFold) -> CheckedPart:
    is_over = fold.ledger.campaign.phase is Phase.FINISHED
    return CheckedPart(path.name, 0, GONE if is_over else "", "" if is_over else NOT_YET)


def _other_journal(summary: RunSummary, fold: JournalFold) -> str:
    """Return what shows that a summary was made of another journal; empty when nothing does."""
    rows, there = summary.journal_rows, len(fold.digests)
    if rows > there:
        return f"it knows {rows} rows of a journal that ends at {there}"
    if rows and summary.journal_digest != fold.digests[rows - 1]:
        return f"it speaks of another journal: row {rows} has another digest"
    return ""


def _other_best(summary: RunSummary, fold: JournalFold) -> str:
    """Return the first figure whose best is told wrongly, in words; summaries of old tell none."""
    right = {each.metric.name: each for each in best_of(enumerate(fold.points))}
    told_by = {metric.name for metric, _ in fold.points[-1].figures}  # a user's own code is not run here
    for each in (best for best in summary.best if best.metric.name in told_by):
        known = right.get(each.metric.name)
        there = dict(enumerate(fold.points)).get(each.observation)
        is_there = there is not None and equal(there.value(each.metric.name), each.value)
        if known is None or not is_there or not equal(each.value, known.value):
            told = "never defined" if known is None else f"{known.value} at observation {known.observation}"
            name = each.metric.name
            return f"best {name} = {each.value} at observation {each.observation}; the journal says {told}"
    return ""


def _other_plan(summary: RunSummary, campaign: Campaign) -> str:
    """Return the first part of the plan, or of how it ended, that a summary tells otherwise, in words."""
    plan = campaign.plan
    right = {
        "campaign": plan.campaign, "policy": plan.policy, "seed": plan.seed, "unit": plan.unit,
        "budget": campaign.budget,
    }  # fmt: skip
    if campaign.finish_reason:
        right["stopped_because"] = campaign.finish_reason
    other = next((name for name, value in right.items() if getattr(summary, name) != value), None)
    if other is None:
        return ""
    return f"{other} = {getattr(summary, other)!r}; the journal says {right[other]!r}"


def _other_seal(path: Path) -> str:
    """Tell that something was changed that follows from nothing else; summaries of old do not tell."""
    tree = json.loads(path.read_bytes())
    changed = tree.get(SEAL, seal_of(tree)) != seal_of(tree)
    return "something in it was changed: its digest does not fit" if changed else ""


def _other_count(summary: RunSummary, campaign: Campaign) -> str:
    for name in ("observations", "spent", "retries"):
        written, right = getattr(summary, name), getattr(campaign, name)
        if written != right:
            return f"{name} = {written}; the journal says {right}"
    return ""


def check_message_log(path: Path) -> CheckedPart:
    """Check a recording by itself."""
    return _message_log(path, _check_of(path))


@dataclass(frozen=True, slots=True)
class JournalEnd:
    """Where a journal ends, and whether its campaign is finished."""

    rows: int
    is_over: bool


class RecordingOfRun:
    """The recording beside a journal; it is read before the journal, for a campaign that runs goes on meanwhile.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._check = _check_of(path)

    @property
    def known_rows(self) -> int:
        """Rows that the journal has, as the recording says."""
        return 0 if self._check is None else self._check.before

    def compared(self, journal: JournalEnd | None) -> CheckedPart:
        """Return what was found, compared with the end of the journal where that is known.

        A power cut may take the end of a recording, which is noted from the journal when the campaign is resumed: so
        an unfinished one need not hold all of the journal. A finished one has it, and it is on the disk.
        """
        if journal is not None and journal.is_over and _other_end(self._check, journal):
            self._check = _check_of(self._path)  # the campaign may have ended since
        part = _message_log(self._path, self._check)
        if part.problem or journal is None:
            return part
        return replace(part, problem=_other_end(self._check, journal))


def _check_of(path: Path) -> RecordingCheck | None:
    return check_recording(path) if path.is_file() else None


def _message_log(path: Path, check: RecordingCheck | None) -> CheckedPart:
    if check is None:
        return CheckedPart(path.name, 0, note=NOT_THERE)
    return CheckedPart(path.name, check.messages, check.problem, check.note)


def _other_end(check: RecordingCheck | None, journal: JournalEnd) -> str:
    """Return how a recording and a journal do not belong together; empty when they do."""
    if check is None:
        return "not there, and the campaign is finished" if journal.is_over else ""
    if check.before > journal.rows:
        return f"it knows row {check.before} of a journal that ends at {journal.rows}"
    if journal.is_over and check.sequence < journal.rows:
        return f"its end is missing: it stops at row {check.sequence} of a finished journal of {journal.rows}"
    return ""
