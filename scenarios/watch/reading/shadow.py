"""A shadow read from its folder while it listens, and after: its recording's beginning, its lines, its summary."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from agent.campaign.events import CampaignStarted, load_event
from agent.campaign.plan import CampaignPlan
from agent.entropy.bias import BIAS_METRICS
from agent.metrics import Metric
from agent.run_files import RECORDING
from protocols.errors import NotThere, StoreError
from protocols.recording.lines import SHADOW_BEGINNING
from protocols.storage.run_lock import seems_held
from scenarios.shadow.choices import Agreement, DecisionComparison, from_line
from scenarios.shadow.comparison import AcquisitionSummary, ShadowSummary
from scenarios.shadow.files import SHADOW_LOCK
from scenarios.shadow.outcome import read_shadow
from scenarios.shadow.report import notes
from scenarios.sources.run_folder import COMPARISONS, SHADOW_FILES, SHADOW_SUMMARY
from scenarios.watch.state.runs import MAX_SPARKLINE, MetricShown, Phase, RunCard
from scenarios.watch.state.shadow import (
    ShadowBrought,
    ShadowChoice,
    ShadowCourse,
    ShadowDecision,
    ShadowFamily,
    ShadowSide,
    ShadowView,
)

MAX_SHADOW_ROWS: Final = 200
"""Most decisions of one view: the last ones."""

MAX_COURSE: Final = 800
"""Most points of a course: more do not fit where it is drawn."""

MAX_BEGINNING: Final = 64 * 2**20
"""Longest first line of a recording that is read [byte]: the start set of half a million candidates."""

_TOLD: Final[Mapping[Agreement, Literal["candidate", "family", "none"]]] = {
    Agreement.CANDIDATE: "candidate",
    Agreement.FAMILY: "family",
    Agreement.NONE: "none",
}


@dataclass(frozen=True, slots=True)
class _Beginning:
    """How a shadow began."""

    plan: CampaignPlan
    scenario: str
    started_at: str


@dataclass(frozen=True, slots=True)
class _Found:
    """What a folder holds now."""

    beginning: _Beginning
    rows: list[DecisionComparison]
    summary: ShadowSummary | None
    is_listening: bool

    @property
    def phase(self) -> Phase:
        """Where the shadow is in its life."""
        if self.is_listening:
            return "running"
        return "interrupted" if self.summary is None else "finished"


def is_shadow(folder: Path) -> bool:
    """Tell whether a folder is that of a shadow: by its files, or by how what it heard begins."""
    try:
        if any((folder / name).is_file() for name in SHADOW_FILES):
            return True
        return (folder / SHADOW_LOCK).is_file() and _beginning(folder) is not None
    except (OSError, StoreError):
        return False


class ShadowReader:
    """Reads one shadow; lines that were read are not read again.

    Args:
        key: Names it in addresses.
        folder: Of the shadow.
    """

    def __init__(self, key: str, folder: Path) -> None:
        self._key = key
        self._folder = folder
        self._begun: _Beginning | None = None
        self._rows: list[DecisionComparison] = []
        self._read_to = 0
        self._inode = 0

    def view(self, shown: int | None = None) -> ShadowView:
        """Return the shadow as it stood after some decisions; None: as it stands.

        Raises:
            StoreError: When it cannot be read, or has fewer decisions.
        """
        found = self._found()
        if shown is not None and shown > len(found.rows):
            raise NotThere(
                f"The shadow {self._key} has compared {len(found.rows)} decisions, not {shown}",
                expected=f"a number from 0 to {len(found.rows)}",
            )
        return _view(self._key, found, len(found.rows) if shown is None else shown)

    def card(self) -> RunCard:
        """Return the shadow for a list of runs; it never raises, and says what is wrong as the card's problem."""
        try:
            return _card(self._key, self._found())
        except StoreError as error:
            return RunCard(
                key=self._key, name=self._folder.name, source="folder", kind="shadow", phase="unreadable",
                problem=str(error),
            )  # fmt: skip

    def _found(self) -> _Found:
        self._begun = self._begun or _require_beginning(self._folder)
        is_listening = seems_held(self._folder / SHADOW_LOCK)  # first: who ends meanwhile is asked once more
        self._read_lines()
        summary = self._folder / SHADOW_SUMMARY
        return _Found(
            self._begun, self._rows, read_shadow(summary) if summary.exists() and not is_listening else None,
            is_listening,
        )  # fmt: skip

    def _read_lines(self) -> None:
        """Read the whole lines that came since; of a file that was made again, all of them."""
        try:
            with (self._folder / COMPARISONS).open("rb") as file:
                status = os.fstat(file.fileno())
                inode, size = status.st_ino, status.st_size
                if inode != self._inode or size < self._read_to:
                    self._inode, self._read_to, self._rows = inode, 0, []
                file.seek(self._read_to)
                content = file.read(size - self._read_to)
        except FileNotFoundError:
            self._inode, self._read_to, self._rows = 0, 0, []
            return
        except OSError as error:
            raise StoreError(
                f"{self._folder / COMPARISONS} cannot be read ({error.strerror or error})", expected="a file of yours"
            ) from None
        whole = content[: content.rfind(b"\n") + 1]
        self._rows = [*self._rows, *map(from_line, whole.decode(errors="replace").splitlines())]
        self._read_to += len(whole)


def _require_beginning(folder: Path) -> _Beginning:
    begun = _beginning(folder)
    if begun is None:
        raise StoreError(
            f"{folder / RECORDING} does not say how a shadow began",
            expected="the recording of a shadow, whole at its beginning",
            action="name another folder, or start the shadow again with another --runs",
        )
    return begun


def _beginning(folder: Path) -> _Beginning | None:
    """Return how a shadow began; None where its recording does not say, or is none.

    Raises:
        StoreError: When it is of another version.
    """
    try:
        with (folder / RECORDING).open("rb") as file:
            content = json.loads(file.readline(MAX_BEGINNING))
        first = content[SHADOW_BEGINNING][0]
        scenario = content.get("scenario")
        name = scenario.get("name", "") if isinstance(scenario, dict) else ""
        started = load_event(first["kind"], json.dumps(first["event"]))
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError):
        return None
    if not isinstance(started, CampaignStarted):
        return None
    return _Beginning(started.plan, name, content.get("started_at", ""))


def _families(row: DecisionComparison) -> dict[str, str]:
    return dict(zip((*row.lab, *row.shadow), (*row.lab_families, *row.shadow_families), strict=False))


def _in_poorest(families: Sequence[str], row: DecisionComparison) -> int:
    return sum(each == row.starved_family for each in families)


def _agreements(row: DecisionComparison) -> list[Agreement]:
    families = _families(row)
    return list(row.agreements_by(lambda candidate_id: families.get(candidate_id, candidate_id)))


def _view(key: str, found: _Found, shown: int) -> ShadowView:
    """Return the view after the first `shown` decisions. Pure."""
    plan, rows = found.beginning.plan, found.rows[:shown]
    agreements = [each for row in rows for each in _agreements(row)]
    is_whole = shown == len(found.rows)
    summary = found.summary if is_whole else None
    return ShadowView(
        key=key,
        name=plan.campaign,
        phase=found.phase,
        reason=_reason(found),
        policy=plan.policy,
        seed=plan.seed,
        scenario=found.beginning.scenario,
        label=plan.label,
        unit=plan.unit,
        started_at=found.beginning.started_at,
        budget=plan.budget,
        decisions=len(found.rows),
        shown=shown,
        same=agreements.count(Agreement.CANDIDATE),
        same_family=len(agreements) - agreements.count(Agreement.NONE),
        lab=ShadowSide(
            chosen=sum(len(row.lab) for row in rows),
            in_poorest=sum(_in_poorest(row.lab_families, row) for row in rows),
        ),
        shadow=ShadowSide(
            chosen=sum(len(row.shadow) for row in rows),
            in_poorest=sum(_in_poorest(row.shadow_families, row) for row in rows),
        ),
        families=tuple(_by_family(rows)),
        metrics=tuple(_metrics(plan, found.rows)),
        course=_course(found.rows),
        rows=tuple(_decision(row) for row in reversed(rows[-MAX_SHADOW_ROWS:])),
        brought=() if summary is None else tuple(_brought(summary)),
        notes=() if summary is None else tuple(notes(summary)),
    )


def _reason(found: _Found) -> str:
    if found.summary is not None:
        return found.summary.stopped_because
    if found.is_listening:
        return f"it follows {found.beginning.plan.budget:,} choices of the lab"
    return "its process is gone; --resume takes it up"


def _by_family(rows: Sequence[DecisionComparison]) -> Iterator[ShadowFamily]:
    lab = Counter(family for row in rows for family in row.lab_families)
    ours = Counter(family for row in rows for family in row.shadow_families)
    for family in sorted(lab | ours, key=lambda each: (-lab[each] - ours[each], each)):
        yield ShadowFamily(family=family, lab=lab[family], shadow=ours[family])


def _metrics(plan: CampaignPlan, rows: Sequence[DecisionComparison]) -> Iterator[MetricShown]:
    known: dict[str, Metric] = {each.name: each for each in (*plan.metrics, *BIAS_METRICS)}
    named = dict.fromkeys(name for row in rows[:1] for name in row.metrics)
    for metric in (known[name] for name in named if name in known):
        yield MetricShown(
            name=metric.name, label=metric.label, short=metric.short, unit=metric.unit,
            lower_is_better=metric.lower_is_better,
        )  # fmt: skip


def _course(rows: Sequence[DecisionComparison]) -> ShadowCourse:
    """Return shares so far and bias then, at decisions evenly spread."""
    sums = [0, 0, 0, 0, 0]
    told: list[tuple[int, float | None, float | None, float | None]] = []
    for number, row in enumerate(rows, 1):
        counted = (
            len(row.lab), _in_poorest(row.lab_families, row), len(row.shadow),
            _in_poorest(row.shadow_families, row), len(row.same),
        )  # fmt: skip
        sums = [so_far + more for so_far, more in zip(sums, counted, strict=True)]
        lab, lab_poorest, ours, our_poorest, same = sums
        told.append((number, _share(lab_poorest, lab), _share(our_poorest, ours), _share(same, lab)))
    kept = _evenly(len(told), MAX_COURSE)
    names = dict.fromkeys(name for row in rows[:1] for name in row.metrics)
    return ShadowCourse(
        decision=tuple(told[at][0] for at in kept),
        lab_in_poorest=tuple(told[at][1] for at in kept),
        shadow_in_poorest=tuple(told[at][2] for at in kept),
        same=tuple(told[at][3] for at in kept),
        metrics={name: tuple(rows[at].metrics.get(name) for at in kept) for name in names},
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _evenly(count: int, most: int) -> list[int]:
    """Return at most so many of 0 … count - 1, the first and the last among them."""
    kept = min(count, most)
    return sorted({round(at * (count - 1) / max(kept - 1, 1)) for at in range(kept)})


def _decision(row: DecisionComparison) -> ShadowDecision:
    agreements = _agreements(row)
    names = dict(zip((*row.lab, *row.shadow), (*row.lab_names, *row.shadow_names), strict=False))
    families = _families(row)

    def chosen(candidate_id: str, score: float | None = None, agreement: Agreement | None = None) -> ShadowChoice:
        return ShadowChoice(
            id=candidate_id, name=names.get(candidate_id, candidate_id), family=families.get(candidate_id, ""),
            score=score, agreement=None if agreement is None else _TOLD[agreement],
        )  # fmt: skip

    return ShadowDecision(
        number=row.number,
        lab_number=row.lab_number,
        at=row.chosen_at,
        observation=row.observation,
        starved_family=row.starved_family,
        lab=tuple(chosen(each, None, agreement) for each, agreement in zip(row.lab, agreements, strict=True)),
        shadow=tuple(chosen(each, score) for each, score in zip(row.shadow, row.scores, strict=True)),
        reason=row.reason,
    )


def _brought(summary: ShadowSummary) -> Iterator[ShadowBrought]:
    told: tuple[tuple[Literal["both", "lab", "shadow"], AcquisitionSummary], ...] = (
        ("both", summary.both),
        ("lab", summary.lab_alone),
        ("shadow", summary.shadow_alone),
    )
    for by, each in told:
        yield ShadowBrought(by=by, chosen=each.chosen, measured=each.measured, entropy_gain=each.entropy_gain)


def _card(key: str, found: _Found) -> RunCard:
    plan, rows = found.beginning.plan, found.rows
    first, last = (rows[0].metrics, rows[-1].metrics) if rows else ({}, {})
    leading = plan.metrics[0].name if plan.metrics else "mean_gap"
    kept = _evenly(len(rows), MAX_SPARKLINE)
    return RunCard(
        key=key,
        name=plan.campaign,
        source="folder",
        kind="shadow",
        phase=found.phase,
        reason=_reason(found),
        policy=plan.policy,
        property=plan.label,
        unit=plan.unit,
        observation=rows[-1].observation if rows else None,
        budget=plan.budget,
        spent=sum(len(row.lab) for row in rows),
        budget_unit=plan.budget_unit,
        starved_family=rows[-1].starved_family if rows else None,
        entropy_range=last.get("entropy_range"),
        entropy_range_start=first.get("entropy_range"),
        mean_gap=last.get("mean_gap"),
        mean_gap_start=first.get("mean_gap"),
        last_event_at=rows[-1].chosen_at if rows else found.beginning.started_at,
        sparkline=tuple(rows[at].metrics.get(leading) for at in kept),
    )
