"""The folder of a shadow: what it heard, and what its policy would have chosen, so that it can be resumed.

    recording.jsonl   every message that was heard, written before it is handled: the memory
    shadow.jsonl      one line for each decision of the lab, with ours beside it: made of the first
    agent.jsonl       the log

A start folds the recording again. Where a line is there, the policy is not asked; a line that does not fit what was
heard (a power cut may take the end of either file) is dropped with those after it, and made again.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final

from agent.campaign.events import CampaignStarted, Event, StartSetLoaded, dump_event, load_event
from agent.campaign.plan import CampaignPlan
from agent.run_files import DATABASE, DATABASE_PLACE, RECORDING
from agent.runtime.resume import fresh_uid, require_same_plan
from agent.versions import versions
from protocols.errors import StoreError
from protocols.link.transport import Delivery
from protocols.recording.lines import SHADOW_BEGINNING, MessageRow
from protocols.recording.reader import open_recording, read_header
from protocols.recording.recorded_transport import write_heard
from protocols.recording.writer import RecordingWriter
from protocols.storage.atomic_file import atomic_write
from protocols.storage.run_lock import RunLock
from scenarios.settings.model import Scenario
from scenarios.settings.stored import recorded_settings
from scenarios.shadow.choices import DecisionComparison, LabChoice, from_line, to_line
from scenarios.sources.run_folder import COMPARISONS
from scenarios.world.initial_events import initial_events
from scenarios.world.world import World

SHADOW_LOCK: Final = "shadow.lock"
"""Held while a shadow listens."""


@dataclass(slots=True)
class ShadowFiles:
    """An opened folder.

    Attributes:
        folder: Where.
        plan: What the policy works by.
        start_set: What is known before the lab begins.
        known: Lines that are there and not yet found to fit.
        rows: Decisions of the lab with ours beside them, in order.
        same: Candidates in them that both chose.
        gaps: How often something may have been missed, by the end of earlier processes and since.
    """

    folder: Path
    plan: CampaignPlan
    start_set: StartSetLoaded
    known: list[DecisionComparison]
    rows: list[DecisionComparison] = field(default_factory=list)
    same: int = 0
    gaps: int = 0
    _recording: RecordingWriter | None = None
    _lines: IO[str] | None = None

    def heard(self) -> Iterator[MessageRow]:
        """Yield the messages that were heard before this start, but for those of which there is only the beginning.

        The last of them may be torn; the next one that is written takes its place.

        Raises:
            StoreError: When the recording was changed.
        """
        with open_recording(self.folder / RECORDING) as recording:
            rows = (row for row in recording.rows() if isinstance(row, MessageRow))
            yield from (row for row in rows if not (row.verdict and row.cut_from_bytes))

    def recall(self, choice: LabChoice) -> bool:
        """Take the line of a choice from before into the rows; return whether there is one that fits."""
        number = choice.number
        fits = number < len(self.known) and (self.known[number].number, self.known[number].lab) == (
            number,
            choice.candidate_ids,
        )
        if fits and number == len(self.rows):
            self._append(self.known[number])
            return True
        self.known = self.known[:number]
        return False

    def record(self, delivery: Delivery) -> None:
        """Write a message that was heard; it then outlives this process."""
        if self._recording is None:
            self._recording = RecordingWriter(self.folder / RECORDING, {}, has_notes=False)
        write_heard(self._recording, delivery)
        self._recording.flush()

    def add(self, row: DecisionComparison) -> None:
        """Write a decision of the lab with ours beside it; the first one puts the lines that did not fit away."""
        if self._lines is None:
            with atomic_write(self.folder / COMPARISONS) as file:
                file.writelines(to_line(each).encode() + b"\n" for each in self.rows)
            self._lines = (self.folder / COMPARISONS).open("a", encoding="utf-8")
        self._append(row)
        self._lines.write(to_line(row) + "\n")
        self._lines.flush()

    def _append(self, row: DecisionComparison) -> None:
        self.rows.append(row)
        self.same += len(row.same)

    def close(self) -> None:
        """Close the files."""
        for file in (self._recording, self._lines):
            if file is not None:
                file.close()


@contextlib.contextmanager
def open_shadow(
    folder: Path, scenario: Scenario, world: World, *, campaign: str, resume: bool
) -> Iterator[ShadowFiles]:
    """Open or make the folder of a shadow, and hold its lock meanwhile.

    Args:
        folder: Where.
        scenario: The settings.
        world: Pool and start set; a shadow that is resumed keeps the start set that it began with.
        campaign: The lab's campaign.
        resume: Whether a shadow that has heard something is to be resumed.

    Raises:
        StoreError: When the folder is in use, of a run, of another campaign, pool or plan, or damaged.
    """
    advice = "wait for it or end it, then run again with --resume; or choose other --runs"
    if any((folder / name).exists() for name in (DATABASE, DATABASE_PLACE)):
        raise StoreError(f"{folder} is the folder of a run", expected="one of a shadow", action="choose other --runs")
    path = folder / RECORDING
    if resume and not path.exists():
        raise StoreError(
            f"There is no shadow to resume at {folder}",
            expected="a folder with what it heard",
            action="start without --resume, or name another --campaign or --runs",
        )
    with RunLock(folder / SHADOW_LOCK, holder="shadow", advice=advice):
        asked, known = initial_events(scenario, world, campaign=campaign, uid=fresh_uid())
        if not resume:
            _require_unheard(folder)
            _begin(path, scenario, world, asked, known)
        plan, start_set = _begun(path, scenario, world, asked)
        files = ShadowFiles(folder, plan, start_set, _lines_of(folder / COMPARISONS))
        try:
            yield files
        finally:
            files.close()


def _require_unheard(folder: Path) -> None:
    """Check that nothing is overwritten; a shadow that never reached its broker has heard nothing."""
    path = folder / RECORDING
    if not path.exists() or not path.stat().st_size:
        return
    with open_recording(path) as recording:
        if next(recording.rows(), None) is not None:
            raise StoreError(
                f"{folder} holds what a shadow heard already",
                expected="an empty folder",
                action="resume it with --resume, or choose other --runs",
            )
    path.unlink()


def _begin(path: Path, scenario: Scenario, world: World, plan: CampaignPlan, start_set: StartSetLoaded) -> None:
    events: tuple[Event, ...] = (CampaignStarted(plan, versions(), world.account), start_set)
    header = {
        "campaign": plan.campaign,
        "pool_digest": world.pool.digest,
        "started_at": datetime.now(UTC).isoformat(),
        "versions": versions(),
        "scenario": recorded_settings(scenario),
        SHADOW_BEGINNING: [{"kind": kind, "event": json.loads(text)} for kind, text in map(dump_event, events)],
    }
    RecordingWriter(path, header).close()


def _begun(path: Path, scenario: Scenario, world: World, asked: CampaignPlan) -> tuple[CampaignPlan, StartSetLoaded]:
    """Return how a shadow began; only how many choices it follows may be another now."""
    header = read_header(path)
    if header.pool_digest != world.pool.digest:
        raise StoreError(
            f"{path.parent} belongs to another pool of candidates ({header.pool_digest[:12]})",
            expected=f"pool {world.pool.digest[:12]}",
            action="restore the scenario and table that it was started with, or choose other --runs",
        )
    with path.open("rb") as file:
        content: Mapping[str, Any] = json.loads(file.readline())
    events = [load_event(each["kind"], json.dumps(each["event"])) for each in content.get(SHADOW_BEGINNING, ())]
    match events:
        case [CampaignStarted(plan), StartSetLoaded() as known]:
            require_same_plan(plan, asked, left_open=scenario.campaign.left_open() | {"budget"})
            return plan.model_copy(update={"budget": asked.budget}), known
        case _:
            raise StoreError(
                f"{path} is no recording of a shadow", expected="one that says how it began", action="move it away"
            )


def _lines_of(path: Path) -> list[DecisionComparison]:
    """Return the whole lines that are there; a torn last one is none."""
    if not path.exists():
        return []
    *lines, _torn = path.read_text(encoding="utf-8", errors="replace").split("\n")
    return [from_line(line) for line in lines]
