"""What is told of a shadow: the lab's choices with those of the policy beside them, at any decision."""

from __future__ import annotations

from typing import Literal

from scenarios.watch.state.model import Number, Seed, Shown, Time
from scenarios.watch.state.runs import MetricShown, Phase


class ShadowSide(Shown):
    """The lab, or the policy in its shadow, over the decisions that were compared."""

    chosen: int
    """Candidates that it chose."""
    in_poorest: int
    """How many of them were of the family that was poorest then."""


class ShadowFamily(Shown):
    """A family, and how many candidates of it were chosen."""

    family: str
    """Its name."""
    lab: int
    """By the lab."""
    shadow: int
    """By the policy in its shadow."""


class ShadowChoice(Shown):
    """A candidate that was chosen."""

    id: str
    """Of the candidate."""
    name: str
    """In its table; its id where that is not known."""
    family: str
    """Its family; empty where that is not known."""
    score: Number = None
    """What the policy gave it; null of the lab's, and where it gave none."""
    agreement: Literal["candidate", "family", "none"] | None = None
    """Of the lab's: whether the policy chose it too, or another of its family; null of ours."""


class ShadowDecision(Shown):
    """A decision of the lab, with what the policy would have chosen there."""

    number: int
    """From 0, as they were heard."""
    lab_number: int | None
    """The lab's own number of it; null where no request was heard."""
    at: Time
    """When the lab said so, by its own clock."""
    observation: int
    """Results that were known then."""
    starved_family: str | None
    """The family that was poorest then."""
    lab: tuple[ShadowChoice, ...]
    """What the lab chose."""
    shadow: tuple[ShadowChoice, ...]
    """What the policy would have chosen, best first; none where it had nothing more to ask for."""
    reason: str
    """Why, by the policy."""


class ShadowCourse(Shown):
    """How it went, decision by decision; of a long one evenly spread."""

    decision: tuple[int, ...]
    """How many decisions were compared."""
    lab_in_poorest: tuple[Number, ...]
    """Share of the lab's choices up to there that were of the family that was poorest then."""
    shadow_in_poorest: tuple[Number, ...]
    """The same of the policy's."""
    same: tuple[Number, ...]
    """Share of the lab's choices up to there that the policy made too."""
    metrics: dict[str, tuple[Number, ...]]
    """Bias of the lab's dataset then, by metric."""


class ShadowBrought(Shown):
    """What candidates brought that were chosen by the two at once, or by one of them alone."""

    by: Literal["both", "lab", "shadow"]
    """Who chose them."""
    chosen: int
    """How many, each once."""
    measured: int
    """Of these the lab has measured."""
    entropy_gain: Number
    """Mean change of the entropy of its family, when one was measured [nat]."""


class ShadowView(Shown):
    """A lab and the policy in its shadow, as they stood after some of its decisions."""

    key: str
    """Names it in addresses."""
    name: str
    """Of the lab's campaign."""
    phase: Phase
    """Where the shadow is in its life."""
    reason: str
    """Why it ended, or how far the two agree; in a sentence."""
    policy: str
    """The policy that is asked."""
    seed: Seed
    """Its seed."""
    scenario: str
    """Name of its settings; empty where it is not known."""
    label: str
    """What is balanced, as people read it."""
    unit: str
    """Its unit."""
    started_at: Time
    """When it began to listen."""
    budget: int
    """How many choices of the lab it follows."""
    decisions: int
    """Decisions that were compared, in all."""
    shown: int
    """After how many of them this is."""
    same: int
    """Of the lab's choices, those that the policy made too."""
    same_family: int
    """Those where it chose the same or another of the same family."""
    lab: ShadowSide
    """The lab."""
    shadow: ShadowSide
    """The policy in its shadow."""
    families: tuple[ShadowFamily, ...]
    """Those of which something was chosen, most chosen first; none where families are not known."""
    metrics: tuple[MetricShown, ...]
    """The figures of bias that the course has."""
    course: ShadowCourse
    """Over all decisions."""
    rows: tuple[ShadowDecision, ...]
    """The last decisions up to there, the latest first."""
    brought: tuple[ShadowBrought, ...] = ()
    """What the choices brought; known once the shadow has ended."""
    notes: tuple[str, ...] = ()
    """What to know before reading anything into it; once it has ended."""
