"""What is said of each part of a run, and when two figures are the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from agent.campaign.events import BecameEven, Event, GapStalled
from agent.campaign.ledger import Ledger, TrajectoryPoint
from agent.entropy.bias import BIAS_METRICS, BiasPoint
from scenarios.effects.truth import AgainstTruth
from scenarios.run.trajectory import Bands

FIGURE_TOLERANCE: Final = 1e-9
"""Largest difference of a figure computed again [nat]: the logarithms of two machines differ in the last bits."""


DECLARED_TOLERANCE: Final = 1e-8
"""Largest difference of a declared metric computed again [share of it]: models are fitted for it, and kernels of linear
algebra on other machines move those of the library by 3e-11."""


@dataclass(frozen=True, slots=True)
class CheckedPart:
    """What was found of one part of a run.

    Attributes:
        name: The table or file.
        rows: How many rows, lines or figures were sound.
        problem: The first that is not, by its number or key; empty where all are sound.
        note: What a person should know that is no fault.
        action: What to do about the problem, where another copy is not what helps.
    """

    name: str
    rows: int
    problem: str = ""
    note: str = ""
    action: str = ""


@dataclass(frozen=True, slots=True)
class JournalFold:
    """What the journal tells, folded."""

    ledger: Ledger
    """The campaign at the end of the journal."""
    digests: tuple[str, ...]
    """Of every row of the journal."""
    metrics: tuple[TrajectoryPoint, ...]
    """After every observation."""
    against_truth: Mapping[int, AgainstTruth] = field(default_factory=dict)
    """How far off effects are, by observation; empty where the pool or the truth is not known here."""
    why_not: str = ""
    """Why declared metrics are not in it; empty where they are, or there are none."""

    figures: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    """Row -> what the campaign's state said of it there, of the rows that were asked for."""

    @property
    def points(self) -> tuple[BiasPoint, ...]:
        """The trajectory, by observation."""
        return tuple(each.point for each in self.metrics)


def other_figure(written: BiasPoint, right: BiasPoint) -> str:
    """Return the first figure that differs, in words; empty when none does."""
    if written.families != right.families:
        return f"families {', '.join(written.families)}; the journal says {', '.join(right.families)}"
    for at, family in enumerate(right.families):
        for what, one, other in (
            ("size", written.sizes[at], right.sizes[at]),
            ("entropy", written.entropies[at], right.entropies[at]),
        ):
            if not equal(one, other):
                return f"{what} of {family} = {one}; the journal says {other}"
    for what in (*(metric.name for metric in BIAS_METRICS), "starved_family"):
        one, other = getattr(written, what), getattr(right, what)
        if not equal(one, other):
            return f"{what} = {one}; the journal says {other}"
    for metric, value in right.declared:
        if not equal_declared(written.value(metric.name), value):
            return f"{metric.name} = {written.value(metric.name)}; the journal says {value}"
    return ""


def other_truth(written: AgainstTruth | None, right: AgainstTruth | None) -> str:
    """Return what is written wrongly of how far off effects are, in words; empty where it is not told, or right."""
    if written is None or right is None:
        return ""
    for what in ("error", "held"):
        one, other = getattr(written, what), getattr(right, what)
        if not equal_declared(one, other):
            return f"{what} against the truth = {one}; the journal and the scenario say {other}"
    return ""


def other_finding(event: Event, metrics: Sequence[TrajectoryPoint]) -> str:
    """Return what a journalled finding says of the mean gap and the trajectory does not, in words; empty when all fits.

    Args:
        event: Of any kind.
        metrics: After every observation before it.
    """
    match event:
        case BecameEven():
            told = [(event.observation, event.mean_gap)]
        case GapStalled():
            told = [(event.observation, event.mean_gap), (event.best_observation, event.best)]
        case _:
            return ""
    for observation, gap in told:
        right = metrics[observation].point.mean_gap if 0 <= observation < len(metrics) else None
        if right is None or not equal(gap, right):
            return f"a mean gap of {gap} at observation {observation}; the observations say {right}"
    return ""


def other_band(written: Bands, right: Bands, families: Sequence[str]) -> str:
    """Return the first band that differs, in words; empty when none does."""
    for family, one, other in zip(families, written, right, strict=False):
        if (one is None) != (other is None) or not all(map(equal, one or (), other or ())):
            return f"band of {family} = {one}; the journal says {other}"
    return ""


def equal(one: object, other: object) -> bool:
    """Tell whether two figures or texts are the same, up to the last bits."""
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= FIGURE_TOLERANCE
    return one == other


def equal_declared(one: float | None, other: float | None) -> bool:
    """Tell whether two values of a declared metric are the same, up to what machines differ in."""
    if one is None or other is None:
        return one is other
    return abs(one - other) <= DECLARED_TOLERANCE * max(abs(one), abs(other))
