"""A campaign as it stood after one of its observations, and what a decision was made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from scenarios.watch.state.model import Number, Seed, Shown, Time
from scenarios.watch.state.runs import Phase

Approval = Literal["none", "waiting", "approved", "vetoed", "withdrawn"]
"""What a person said of a decision; `none` where nobody is asked."""


class FamilyMoment(Shown):
    """A family at a moment."""

    family: str
    """Its name."""
    size: int
    """Its values."""
    entropy: Number
    """Of them [nat]; null where it is not defined."""
    low: Number = None
    """Lower end of the 90 % band of the entropy [nat]."""
    high: Number = None
    """Upper end of it [nat]."""
    change: Number = None
    """What the last observation changed of the entropy [nat]; null where it changed another family."""


class Best(Shown):
    """The best that a figure was up to a moment."""

    metric: str
    """Which figure."""
    value: float
    """What it was."""
    observation: int
    """When."""


class InFlightShown(Shown):
    """A request that is awaited."""

    attempt_id: str
    """Names the attempt for ever."""
    candidate: str
    """Our id of the candidate."""
    name: str
    """As the table writes it."""
    family: str | None
    """Its family; null where the run does not tell before its value comes."""
    number: int
    """Which attempt at the candidate it is, from 1."""
    recipient: str
    """Whom it went to."""
    decision: int
    """By which decision."""
    asked_at: Time
    """When."""


class DecidedCandidate(Shown):
    """A candidate that a decision chose."""

    candidate: str
    """Our id."""
    name: str
    """As the table writes it."""
    family: str | None
    """Its family; null where the run does not tell before its value comes."""
    formula: str = ""
    """Its formula; empty where the run does not tell."""
    score: Number = None
    """What the policy gave it."""
    predicted: Number = None
    """What was expected of its value; null where the policy said nothing of it."""
    predicted_sd: Number = None
    """Standard deviation of the value to come, as was expected."""
    measured: Number = None
    """Its value by this moment."""
    measured_sd: Number = None
    """Standard uncertainty of it."""
    status: str = ""
    """Where it stands at this moment: awaited, observed, abandoned, excluded, …"""


class DecisionCard(Shown):
    """A decision: what was chosen, on what ground, and what came of it by the moment that is shown."""

    decision: int
    """Its number, from 0."""
    sequence: int
    """Number of its row in the journal."""
    at: Time
    """When it was made."""
    policy: str
    """Which policy made it."""
    seed: Seed
    """Of the decision."""
    based_on: int
    """The last row of the journal that it knew."""
    reason: str
    """In the policy's words."""
    target_family: str | None = None
    """The family that it meant to enrich."""
    candidates: tuple[DecidedCandidate, ...] = ()
    """What it chose, best first."""
    runner_up: str | None = None
    """The best that it did not choose, by our id."""
    runner_up_name: str | None = None
    """The same as the table writes it, where the run tells."""
    runner_up_score: Number = None
    """What the policy gave that."""
    margin: Number = None
    """By how much it lost to the last choice."""
    known_then: int | None = None
    """How many values were known."""
    in_flight_then: int | None = None
    """How many requests were awaited just before it."""
    approval: Approval = "none"
    """What a person said of it."""
    expected_gain: Number = None
    """What the policy expected of its first choice, in its own measure."""
    real_gain: Number = None
    """By how much the mean gap fell with the value of the first choice [nat]; negative where it rose."""
    details: Mapping[str, Number] = Field(default_factory=dict)
    """Further figures of the policy, by name."""


class Counts(Shown):
    """How many messages came to what; of now, in a moment of the past null."""

    accepted: int | None = None
    """Values that became observations."""
    retries: int | None = None
    """Attempts after a first one."""
    duplicates: int | None = None
    """Results that came again."""
    quarantined: int | None = None
    """Messages that were none of ours."""
    contradicted: int | None = None
    """Results that said something else than the first of their attempt."""
    unproven: int | None = None
    """Messages without the signature that they need."""


class Moment(Shown):
    """A campaign as it stood when an observation had just come; the latest is as it stands now."""

    key: str
    """Of the run."""
    observation: int | None
    """Number of the observation; 0 is the start set, null before it."""
    last_observation: int | None
    """Number of the latest."""
    sequence: int
    """Number of the journal's row up to which everything is told."""
    last_sequence: int
    """Number of the journal's last row."""
    at: Time
    """When that row was written."""
    is_latest: bool
    """Whether it is as the campaign stands now."""
    phase: Phase
    """Where the campaign was in its life."""
    reason: str = ""
    """Why it was paused, stopped or finished, or what it waited for."""
    since: Time = None
    """Since when that was so."""
    spent: int
    """What had its outcome, in the unit of the budget."""
    budget: int
    """What might be asked for."""
    abandoned: int
    """Candidates that were given up."""
    families: tuple[FamilyMoment, ...] = ()
    """In the campaign's order."""
    metrics: Mapping[str, Number] = Field(default_factory=dict)
    """The figures by name."""
    starved_family: str | None = None
    """The poorest family."""
    best: tuple[Best, ...] = ()
    """The best that each figure had been by then; over a broker, since it was listened to."""
    found: Any = None
    """What was found above a threshold, where the policy seeks that: its count; null elsewhere."""
    in_flight: tuple[InFlightShown, ...] = ()
    """Requests that were awaited, oldest first; none where only a broker is heard, which does not tell which."""
    in_flight_count: int | None = None
    """How many requests were awaited; null where that is not known."""
    decision: DecisionCard | None = None
    """The last decision that was made by then."""
    waiting_for: tuple[str, ...] = ()
    """What it waited for, in words."""
    awaiting_approval: tuple[int, ...] = ()
    """Decisions that waited for a person."""
    held: bool = False
    """Whether one had waited for so long that nothing else was decided."""
    counts: Counts = Counts()
    """How many messages came to what."""
