"""What is said of each part of a run, and when two figures are the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from agent.campaign.events import BecameEven, Event, GapStalled
from agent.campaign.ledger import Ledger, TrajectoryPoint
from agent.entropy.bias import BIAS_METRICS, BiasPoint
from scenarios.run.trajectory import Bands

FIGURE_TOLERANCE: Final = 1e-9
"""Largest difference of a figure computed again [nat]: the logarithms of two machines differ in the last bits."""


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
        if not equal(written.value(metric.name), value):
            return f"{metric.name} = {written.value(metric.name)}; the journal says {value}"
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
