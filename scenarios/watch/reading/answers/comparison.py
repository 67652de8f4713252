"""Two runs beside each other: where their decisions part, and how their figures stand at the same observation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from scenarios.watch.reading.source import Source
from scenarios.watch.state.answers import ComparedMetric, Comparison
from scenarios.watch.state.moment import DecisionCard
from scenarios.watch.state.runs import Campaign

AT_ONCE: Final = 200
"""Decisions of each run that are compared at a time."""


def compare_runs(left: Source, right: Source) -> Comparison:
    """Compare two runs.

    Args:
        left: One.
        right: The other.

    Raises:
        StoreError: When one of them cannot be read.
    """
    one, two = left.campaign(), right.campaign()
    compared, parting = _first_difference(left, right)
    ends = [source.moment() for source in (left, right)]
    lasts = [end.last_observation for end in ends if end.last_observation is not None]
    observation = min(lasts) if len(lasts) == len(ends) else None
    words = [*_ground(one, two)]
    if parting is not None:
        words += [f"at decision {parting[0].decision} {_chose(one, parting[0])}; {_chose(two, parting[1])}"]
    return Comparison(
        left=left.key,
        right=right.key,
        same=parting is None,
        compared=compared,
        first_difference=None if parting is None else parting[0].decision,
        words=tuple(words),
        metrics={} if observation is None else _metrics(left, right, one, observation),
        observation=observation,
    )


def _first_difference(left: Source, right: Source) -> tuple[int, tuple[DecisionCard, DecisionCard] | None]:
    """Return how many decisions are the same from the beginning, and the first two that are not."""
    compared = 0
    while True:
        pairs = list(zip(left.decisions(compared, AT_ONCE), right.decisions(compared, AT_ONCE), strict=False))
        for one, two in pairs:
            if {each.candidate for each in one.candidates} != {each.candidate for each in two.candidates}:
                return compared, (one, two)
            compared += 1
        if len(pairs) < AT_ONCE:
            return compared, None


def _ground(one: Campaign, two: Campaign) -> Iterator[str]:
    """Say what of the two campaigns is not the same."""
    for what in ("property", "unit", "policy", "seed", "budget_unit"):
        then, now = getattr(one, what), getattr(two, what)
        if then != now:
            yield f"{what.replace('_', ' ')}: {then} on the left, {now} on the right"
    if one.families != two.families:
        yield f"{len(one.families)} families on the left, {len(two.families)} on the right, not all the same"


def _chose(campaign: Campaign, card: DecisionCard) -> str:
    return f"{campaign.key} chose {', '.join(each.name for each in card.candidates) or 'nothing'}"


def _metrics(left: Source, right: Source, campaign: Campaign, observation: int) -> dict[str, ComparedMetric]:
    figures = [source.moment(observation).metrics for source in (left, right)]
    return {
        metric.name: ComparedMetric(
            left=figures[0][metric.name],
            right=figures[1][metric.name],
            lower_is_better=metric.lower_is_better,
            unit=metric.unit,
        )
        for metric in campaign.metrics
        if all(metric.name in each for each in figures)
    }
