"""What the course of a campaign tells beyond its end: where a figure was best, what was lost since, and the way there.

| figure | meaning |
|---|---|
| best at | the observation, or its cost, at which the mean gap was smallest; of equal ones the first |
| regret | mean gap at the end − at its best [nat]: what stopping there would have spared |
| area | mean of the mean gap over the campaign, by trapezoids between observations [nat]: how soon it fell |

Only observations with a defined mean gap count. Pure functions.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scenarios.compare.measures import Measure
from scenarios.run.trajectory import Trajectory, positions_of


@dataclass(frozen=True, slots=True)
class Course:
    """How the mean gap went.

    Attributes:
        best_at: Where the smallest was: its observation, or what it had cost.
        regret: What it rose since [nat].
        area: Its mean over the campaign [nat].
    """

    best_at: int
    regret: float
    area: float


def course_of(run: Trajectory) -> Course | None:
    """Return how the mean gap of a campaign went; None where it was never defined."""
    places = zip(positions_of(run), run.points, strict=True)  # by cost where measurements have any: at equal cost then
    known = [(place, point.mean_gap) for place, (_, point) in places if point.mean_gap is not None]
    if not known:
        return None
    best_at, best = min(known, key=lambda each: (each[1], each[0]))
    return Course(best_at, known[-1][1] - best, _mean_over(known))


def course_measures(runs: Mapping[str, Sequence[Trajectory]]) -> list[Measure]:
    """Return best-at, regret and area by policy and seed."""
    courses = {policy: [course_of(run) for run in of_policy] for policy, of_policy in runs.items()}

    def values(name: str) -> dict[str, tuple[float | None, ...]]:
        return {
            policy: tuple(None if each is None else float(getattr(each, name)) for each in of_policy)
            for policy, of_policy in courses.items()
        }

    def measure(name: str, label: str, unit: str, *, lower_is_better: bool | None) -> Measure:
        return Measure("", "", f"mean_gap_{name}", label, unit, lower_is_better, (), values(name))

    return [
        measure("area", "mean gap on the way", "nat", lower_is_better=True),
        measure("regret", "mean gap since its best", "nat", lower_is_better=True),
        measure("best_at", "best mean gap at", "", lower_is_better=None),
    ]


def _mean_over(points: Sequence[tuple[int, float]]) -> float:
    (first, value), (last, _) = points[0], points[-1]
    if first == last:
        return value
    area = sum((b - a) * (x + y) / 2 for (a, x), (b, y) in itertools.pairwise(points))
    return area / (last - first)
