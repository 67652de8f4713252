"""The figures of a run that other programs see: plain values, whoever read them.

`scenarios.watch.figures` makes them of a run that is watched. What is not known is None, and is then not told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Timing:
    """How often something was done, and how long that took together [s]."""

    count: int
    sum_s: float


@dataclass(frozen=True, slots=True)
class InstrumentFigures:
    """One instrument.

    Attributes:
        id: Its name.
        is_online: Whether it is there; None where nobody knows.
        in_flight: What it was asked and has not answered; None where nobody knows, as over a broker.
        oldest_s: How long it has held the oldest of that [s].
        silent_s: How long nothing has come from it [s]; None where nothing ever came.
        accepted: Results of it that were accepted; None likewise.
        failed: Reason -> attempts that it said had failed.
        expired: Attempts that it did not answer in time; None likewise.
    """

    id: str
    is_online: bool | None = None
    in_flight: int | None = None
    oldest_s: float | None = None
    silent_s: float | None = None
    accepted: int | None = None
    failed: Mapping[str, int] = field(default_factory=dict)
    expired: int | None = None


@dataclass(frozen=True, slots=True)
class RunFigures:
    """One run.

    Attributes:
        run: Its key, which tells it from the others here.
        campaign: Its campaign's name.
        property: What is measured.
        policy: Who decides.
        phase: preparing, running, paused, stopping, finished, interrupted or unreadable.
        reason: Why it stands so; empty where it just runs.
        problem: Why it cannot be read; empty where it can.
        is_paused_by_itself: Whether it is paused, and no operator said so.
        is_agent_there: Whether its agent works; None where nobody knows.
        journal_row: Number of the journal's last row.
        observation: Number of the last accepted value; 0 is the start set.
        decisions: How many were made.
        spent: Of the budget.
        budget: In all.
        budget_unit: What both count.
        in_flight: Requests that are awaited.
        oldest_in_flight_s: How long the oldest of them is awaited [s].
        abandoned: Candidates that were abandoned.
        awaiting_approval: Decisions that wait for a person.
        results: Receipt (accepted, duplicate, late, contradicts, refused) -> answers that got it.
        quarantined: Reason -> messages that were put aside.
        retries: Attempts after the first of their candidate.
        entropies: Family -> entropy; None where it is not defined.
        sizes: Family -> observations.
        entropy_range: Between the richest family and the poorest.
        mean_gap: Mean distance of the families from the richest one.
        best_mean_gap: The smallest so far.
        last_event_at_s: When the journal grew last [s since 1970].
        deciding: How long the policy took.
        committing: How long commits took.
        instruments: By name, in order.
    """

    run: str
    phase: str
    campaign: str = ""
    property: str = ""
    policy: str = ""
    reason: str = ""
    problem: str = ""
    is_paused_by_itself: bool = False
    is_agent_there: bool | None = None
    journal_row: int = 0
    observation: int | None = None
    decisions: int | None = None
    spent: float | None = None
    budget: float | None = None
    budget_unit: str = "candidates"
    in_flight: int | None = None
    oldest_in_flight_s: float | None = None
    abandoned: int | None = None
    awaiting_approval: int | None = None
    results: Mapping[str, int] = field(default_factory=dict)
    quarantined: Mapping[str, int] = field(default_factory=dict)
    retries: int | None = None
    entropies: Mapping[str, float | None] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    entropy_range: float | None = None
    mean_gap: float | None = None
    best_mean_gap: float | None = None
    last_event_at_s: float | None = None
    deciding: Timing | None = None
    committing: Timing | None = None
    instruments: tuple[InstrumentFigures, ...] = ()
