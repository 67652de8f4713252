"""What is told of a run: its card in a list of runs, and the campaign that it is."""

from __future__ import annotations

from typing import Final, Literal

from scenarios.watch.state.model import Number, Seed, Shown, Time

SourceKind = Literal["folder", "broker"]
"""Where a run is read from."""

RunKind = Literal["run", "shadow", "what_if"]
"""What a run is: a campaign of an agent, one that was only followed, or one that answers a question."""

Phase = Literal["preparing", "running", "paused", "stopping", "finished", "interrupted", "unreadable"]
"""Where a run is in its life; `interrupted` is one whose agent is gone, `unreadable` one with a problem."""

MAX_SPARKLINE: Final = 60
"""Most points of a sparkline: more do not fit where it is drawn."""


class RunCard(Shown):
    """A run in a list of runs."""

    key: str
    """Names the run in addresses: its folder's name below the folder of runs."""
    name: str
    """Of the campaign."""
    source: SourceKind
    """Where it is read from."""
    kind: RunKind = "run"
    """What it is."""
    phase: Phase
    """Where it is in its life."""
    reason: str = ""
    """Why it is paused, stopped or finished, or what it waits for; empty where it just runs."""
    policy: str = ""
    """The policy that decides."""
    property: str = ""
    """What is balanced, as people read it."""
    unit: str = ""
    """Its unit."""
    observation: int | None = None
    """Number of the last observation; 0 is the start set, null before it."""
    budget: int | None = None
    """What may be asked for, in `budget_unit`."""
    spent: int | None = None
    """Of that, what has its outcome."""
    budget_unit: str = "candidates"
    """What the budget counts."""
    in_flight: int | None = None
    """Requests that are awaited."""
    starved_family: str | None = None
    """The poorest family."""
    entropy_range: Number = None
    """Range of entropy now [nat]."""
    entropy_range_start: Number = None
    """The same of the start set [nat]."""
    mean_gap: Number = None
    """Mean gap to the richest now [nat]."""
    mean_gap_start: Number = None
    """The same of the start set [nat]."""
    last_event_at: Time = None
    """When its last event was written."""
    problem: str = ""
    """Why it cannot be read, in a sentence; empty where it can."""
    sparkline: tuple[Number, ...] = ()
    """The mean gap over the run, or the first metric of a policy that is after something else."""


class MetricShown(Shown):
    """A figure that is kept per observation."""

    name: str
    """In columns and files."""
    label: str
    """What people read."""
    short: str
    """The same where there is little room."""
    unit: str
    """Of the figure; empty for a pure number."""
    lower_is_better: bool
    """Which way is good."""


class Campaign(Shown):
    """What of a campaign does not change while it runs, but for its digest and what may be done with it."""

    key: str
    """Names the run in addresses."""
    name: str
    """Of the campaign."""
    source: SourceKind
    """Where it is read from."""
    kind: RunKind = "run"
    """What it is."""
    uid: str
    """Names the campaign for ever."""
    label: str
    """What is balanced, as people read it."""
    property: str
    """The property whose entropy is balanced."""
    unit: str
    """Its unit."""
    policy: str
    """The policy that decides."""
    seed: Seed
    """Of the campaign."""
    scenario: str
    """Name of its scenario; empty where it is not known."""
    families: tuple[str, ...]
    """In an order that stays while no family joins."""
    compares_families: bool
    """Whether the bias metrics say anything: whether there are two families, or the policy is after nothing else."""
    metrics: tuple[MetricShown, ...]
    """In the order in which they are shown: those of the policy lead."""
    started_at: Time
    """When it began."""
    pool_size: int | None
    """How many candidates it began with; null where that is not known."""
    budget_unit: str
    """What the budget counts."""
    can_control: bool = False
    """Whether orders can be sent from here."""
    why_not: str = ""
    """Why not, in a sentence; empty where they can."""
    has_time_travel: bool = True
    """Whether any moment of the past can be shown."""
    journal_digest: str = ""
    """Of the journal's last row, which stands for all of it."""
    fidelities: tuple[str, ...] = ()
    """The methods that the policy chooses among; none where it chooses candidates only."""
