"""Where two runs or recordings part: the first event and the first decision that differ, and what was measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import Path
from typing import Final

from agent.campaign.dataset import dataset_of
from agent.campaign.events import CampaignStarted, DecisionMade, Event, StartSetLoaded
from agent.campaign.ledger import Ledger
from agent.campaign.plan import CampaignPlan
from agent.campaign.target_values import changes_target
from agent.entropy.bias import BiasPoint
from agent.metrics import Metric
from agent.pool.candidates import Pool
from agent.run_files import DATABASE
from agent.runtime.transaction import Transaction
from agent.store.read_only import reading_journal, referenced_in
from protocols.errors import StoreError
from scenarios.diff.events import FieldDifference, differing_fields, own_fields
from scenarios.display.progress import ProgressCall
from scenarios.replay.replay import follow_to_the_end
from scenarios.run.trajectory import Trajectory
from scenarios.sources.identify import identify
from scenarios.sources.kinds import PackPath, RecordingPath, RunPath
from scenarios.sources.recording_source import named_source

READING: Final = "reading"


@dataclass(frozen=True, slots=True)
class JournalEvents:
    """A run or recording, as its journal tells it.

    Attributes:
        name: As it was asked for.
        events: The journal.
        trajectory: Its bias.
        note: What a person should know of a recording's file.
    """

    name: str
    events: tuple[Event, ...]
    trajectory: Trajectory
    note: str = ""

    @property
    def plan(self) -> CampaignPlan:
        """What the campaign was started with."""
        started = self.events[0]
        if not isinstance(started, CampaignStarted):
            raise StoreError(f"{self.name} does not begin with a campaign", expected="a run, or a recording of one")
        return started.plan


@dataclass(frozen=True, slots=True)
class Divergence:
    """Where two journals differ.

    Attributes:
        row: Number of the row of both, from 1.
        one: The event of the first; None where it has ended.
        other: That of the second.
        parts: What differs, where both are of one kind.
    """

    row: int
    one: Event | None
    other: Event | None
    parts: tuple[FieldDifference, ...] = ()


@dataclass(frozen=True, slots=True)
class Diff:
    """How two runs or recordings differ.

    Attributes:
        one: The first.
        other: The second.
        settings: Parts of their plans that differ.
        event: The first row of their journals that differs, after the plan.
        decision: The first decision that differs, with both; None where all that both made are the same.
        decisions_same: Decisions of the same number that chose the same candidates.
        decisions: How many each made.
        other_values: Candidates that both measured, with other values.
        only_one: Candidates that only the first measured.
        only_other: Candidates that only the second measured.
        is_reordered: Whether the same events stand in both, in another order: of answers that came when they came.
    """

    one: JournalEvents
    other: JournalEvents
    settings: tuple[FieldDifference, ...]
    event: Divergence | None
    decision: tuple[DecisionMade, DecisionMade] | None
    decisions_same: int
    decisions: tuple[int, int]
    other_values: tuple[str, ...] = ()
    only_one: tuple[str, ...] = ()
    only_other: tuple[str, ...] = ()
    is_reordered: bool = False

    @property
    def parted_at(self) -> int | None:
        """How many results the first had accepted when it made the first decision that differs; None without one."""
        if self.decision is None:
            return None
        before = self.one.events[: self.one.events.index(self.decision[0])]
        plans = [event.plan for event in before if isinstance(event, CampaignStarted)]
        return sum(changes_target(event, plans[0]) for event in before if plans) - 1  # the start set is number 0

    @property
    def declared(self) -> dict[Metric, tuple[float | None, float | None]]:
        """The metrics that either's policy declares, at the end of both; None where one has it not."""
        last = [each.trajectory.points[-1][1] for each in (self.one, self.other) if each.trajectory.points]
        if len(last) < 2:  # noqa: PLR2004 - both
            return {}
        one, other = last
        metrics = dict.fromkeys(metric for point in last for metric, _ in point.declared)
        return {metric: (one.value(metric.name), other.value(metric.name)) for metric in metrics}

    @property
    def is_same(self) -> bool:
        """Whether nothing differs but what belongs to a run alone: ids, times, and who answered first."""
        return not self.settings and (self.event is None or self.is_reordered)


def load_journal(name: str, runs: Path, progress: ProgressCall, database_url: str | None = None) -> JournalEvents:
    """Read a run's journal, or follow a recording.

    Args:
        name: Of a run, a recording or a pack.
        runs: Where run folders are.
        progress: For a progress bar.
        database_url: Of another database than the run folder's own, or than it remembers.

    Raises:
        StoreError: When there is none, or it is damaged.
    """
    found = identify(name, runs, RunPath, RecordingPath, PackPath)
    if isinstance(found, RunPath) and (found.has_database or database_url is not None):
        return _journalled(name, found.path / DATABASE, database_url)
    source = named_source(name, runs, None, progress)
    collected = _Collected()
    campaign, note = follow_to_the_end(source, collected.note, progress)
    plan = campaign.plan
    trajectory = Trajectory(plan.label, plan.unit, tuple(enumerate(collected.points)))
    return JournalEvents(name, tuple(collected.events), trajectory, note)


def diff(one: JournalEvents, other: JournalEvents) -> Diff:
    """Compare two journals."""
    settings = differing_fields(one.events[0], other.events[0])
    first, second = _decisions(one.events), _decisions(other.events)
    shared = [(first[number], second[number]) for number in sorted(first.keys() & second.keys())]
    differing = [pair for pair in shared if pair[0].candidate_ids != pair[1].candidate_ids]
    values, others = _values(one.events), _values(other.events)
    return Diff(
        one,
        other,
        tuple(settings),
        next(_divergences(one.events, other.events), None),
        differing[0] if differing else None,
        len(shared) - len(differing),
        (len(first), len(second)),
        tuple(name for name, value in values.items() if name in others and others[name] != value),
        tuple(name for name in values if name not in others),
        tuple(name for name in others if name not in values),
        is_reordered=_are_reordered(one.events, other.events),
    )


@dataclass(slots=True)
class _Collected:
    events: list[Event] = field(default_factory=list)
    points: list[BiasPoint] = field(default_factory=list)

    def note(self, transaction: Transaction, _time_s: float) -> None:
        if transaction.events and isinstance(
            transaction.events[0], CampaignStarted
        ):  # it may begin again in its recording
            self.events.clear()
            self.points.clear()
        self.events.extend(transaction.events)
        self.points.extend(bias.point for bias in transaction.bias)


def _journalled(name: str, database: Path, database_url: str | None) -> JournalEvents:
    with reading_journal(database, database_url) as (store, connection):
        events = tuple(store.journal())
        if not events or not isinstance(events[0], CampaignStarted):
            raise StoreError(f"{name} has no journal yet", expected="a run that has begun")
        plan = events[0].plan
        # What the policy declares takes the features of the whole pool, so it is read as it was written.
        declared = dict(store.trajectory(plan.metrics)) if plan.metrics else {}
        pool: Pool = referenced_in(connection, list(events))
    ledger = Ledger(pool)
    metrics = (ledger.fold_journalled(event).metrics for event in events)
    points = tuple(
        (each.observation, replace(each.point, declared=_declared_at(declared, each.observation)))
        for each in metrics
        if each is not None
    )
    return JournalEvents(name, events, Trajectory(plan.label, plan.unit, points))


def _declared_at(written: Mapping[int, BiasPoint], observation: int) -> tuple[tuple[Metric, float | None], ...]:
    """Return the declared metrics that were written after an observation; none where its row is missing."""
    return written[observation].declared if observation in written else ()


def _divergences(one: Sequence[Event], other: Sequence[Event]) -> Iterator[Divergence]:
    for row, (first, second) in enumerate(zip_longest(one[1:], other[1:]), 2):
        if first is None or second is None or type(first) is not type(second):
            yield Divergence(row, first, second)
        elif parts := differing_fields(first, second):
            yield Divergence(row, first, second, tuple(parts))


def _are_reordered(one: Sequence[Event], other: Sequence[Event]) -> bool:
    """Tell whether both journals hold the same events; decisions are compared by their numbers."""
    first, second = _decisions(one), _decisions(other)
    if first.keys() != second.keys() or any(differing_fields(first[number], second[number]) for number in first):
        return False
    counts = [Counter(own_fields(e) for e in each if not isinstance(e, DecisionMade)) for each in (one, other)]
    return counts[0] == counts[1]


def _decisions(events: Sequence[Event]) -> dict[int, DecisionMade]:
    return {event.decision: event for event in events if isinstance(event, DecisionMade)}


def _values(events: Sequence[Event]) -> dict[str, float]:
    """Return what was measured beside the start set."""
    measured = dataset_of(event for event in events if not isinstance(event, StartSetLoaded))
    return {which: each.value for which, each in measured.items()}
