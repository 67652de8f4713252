"""The best observation beside the last: a fold over the bias trajectory, which everybody who shows a campaign uses.

| here | meaning |
|---|---|
| best | the best value that a figure had at any observation, the start set among them; of equal ones the first |
| regret | by how much the last value is worse than the best: last − best, or best − last where higher is better; ≥ 0 |

A campaign that goes on past its best spends its budget on making the dataset worse, which the last value alone never
says. A campaign ends worse than it began when a figure of `HARM` is worse by more than `WORSE_BY`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from agent.entropy.bias import BIAS_METRICS, BiasPoint
from agent.metrics import Metric

HARM: Final = ("mean_gap", "entropy_range", "joint_entropy")
"""Figures that are told with their best: evenness by its mean and its worst case, and what evenness must not cost."""

EVENNESS: Final = frozenset({"entropy_range", "entropy_std", "mean_gap", "evenness"})
"""Figures that only compare families, and can be had by making the richest poorer."""

WORSE_BY: Final = 0.001
"""Least change for the worse that is called one [nat]: the last digit that is shown."""


ROUNDING: Final = 1e-9
"""Values that differ by less are equal [nat]: the logarithms of two machines differ in the last bits."""


@dataclass(frozen=True, slots=True)
class Best:
    """A figure at its best, and at the last observation.

    Attributes:
        metric: Which figure.
        observation: Where it was best, for the first time.
        value: What it was there.
        last: What it is now; None where it is not defined any more.
    """

    metric: Metric
    observation: int
    value: float
    last: float | None

    @property
    def regret(self) -> float | None:
        """By how much it is worse now than at its best; None where it is not defined now."""
        return None if self.last is None else worse_by(self.metric, self.value, self.last)

    def in_words(self) -> str:
        """Say it, as "mean gap 0.020 nat at observation 178, 0.030 now"."""
        unit = f" {self.metric.unit}" if self.metric.unit else ""
        now = "undefined" if self.last is None else _number(self.last)
        return f"{self.metric.short} {_number(self.value)}{unit} at observation {self.observation}, {now} now"


class BestSoFar:
    """Keeps the best of every figure of a growing trajectory."""

    def __init__(self) -> None:
        self._best: dict[str, tuple[int, float]] = {}
        self._last: BiasPoint | None = None

    def see(self, observation: int, point: BiasPoint) -> None:
        """Take in the next point."""
        self._last = point
        for metric, value in point.figures:
            if value is None:
                continue
            before = self._best.get(metric.name)
            if before is None or worse_by(metric, value, before[1]) > ROUNDING:
                self._best[metric.name] = (observation, value)

    def figures(self) -> tuple[Best, ...]:
        """Return the figures that were ever defined, in the order in which they are shown."""
        shown = () if self._last is None else self._last.figures
        return tuple(
            Best(metric, *self._best[metric.name], last) for metric, last in shown if metric.name in self._best
        )


def best_of(points: Iterable[tuple[int, BiasPoint]]) -> tuple[Best, ...]:
    """Return the best of every figure of a whole trajectory: observation and bias, in order."""
    best = BestSoFar()
    for observation, point in points:
        best.see(observation, point)
    return best.figures()


def best_in_words(figures: Sequence[Best], names: Sequence[str] = HARM) -> str:
    """Say the best of some figures in a line; empty where none of them is defined."""
    known = {each.metric.name: each for each in figures}
    return "; ".join(known[name].in_words() for name in names if name in known)


def worse_than_start(before: BiasPoint, after: BiasPoint) -> str:
    """Say in which figures a campaign is worse than it began; empty where it is in none."""
    worse = "; ".join(_worse(before, after))
    thin = f"; at the start {before.coverage:.0%} of the families had five values" if before.coverage < 1 else ""
    return f"worse than it began: {worse}{thin}" if worse else ""


def price_of_evenness(own: BiasPoint, other: BiasPoint, named: str) -> str:
    """Say that a dataset is more even than another one at the price of joint entropy; empty where it is not.

    Args:
        own: The one that looks better.
        other: What it is held against.
        named: The other one, as people call it.
    """
    if own.joint_entropy is None or other.joint_entropy is None:
        return ""
    lost = other.joint_entropy - own.joint_entropy
    if lost <= WORSE_BY or not any(_is_better(metric, own, other) for metric in BIAS_METRICS):
        return ""
    ends = f"{_number(own.joint_entropy)} nat, {_number(other.joint_entropy)} {named}"
    return f"its evenness has a price: joint entropy {ends}"


def _is_better(metric: Metric, own: BiasPoint, other: BiasPoint) -> bool:
    one, two = getattr(own, metric.name), getattr(other, metric.name)
    return metric.name in EVENNESS and one is not None and two is not None and worse_by(metric, one, two) > WORSE_BY


def worse_by(metric: Metric, one: float, other: float) -> float:
    """Return by how much the other value is worse; negative where it is better."""
    return other - one if metric.lower_is_better else one - other


def _worse(before: BiasPoint, after: BiasPoint) -> Iterator[str]:
    for metric in (each for name in HARM for each in BIAS_METRICS if each.name == name):
        was, now = getattr(before, metric.name), getattr(after, metric.name)
        if was is not None and now is not None and worse_by(metric, was, now) > WORSE_BY:
            yield f"{metric.short} {_number(was)} → {_number(now)} {metric.unit}"


def _number(value: float) -> str:
    return f"{value:.3f}".replace("-", "−")
