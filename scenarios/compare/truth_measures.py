"""How far off the effects are, as figures: on the way and at the end, where the scenario knows the truth.

| figure | meaning |
|---|---|
| error at n | root mean square error of the effects after n acquisitions [unit]; the last is where each policy ended |
| held at n | share of the 90 % intervals that hold the truth; shown, not judged: honest ones do in 0.9 of the cases |

All policies' effects are estimated by one model, that of the policy whose metrics are kept. Pure functions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from scenarios.compare.measures import Measure
from scenarios.effects.truth import ERROR, ERROR_LABEL, HELD, HELD_LABEL, AgainstTruth
from scenarios.run.trajectory import Trajectory

CHECKPOINTS: Final = 3
"""Where the course of a campaign is looked at: after each third of what all acquired; sooner is what a choice buys."""


def checkpoints(runs: Mapping[str, Sequence[Trajectory]]) -> list[int]:
    """Return the observations on the way at which campaigns are compared, ascending; the end comes after them."""
    reached = min(run.points[-1][0] for of_policy in runs.values() for run in of_policy)
    shares = (reached * number // CHECKPOINTS for number in range(1, CHECKPOINTS))
    return sorted({observation for observation in shares if observation > 0})


def truth_measures(runs: Mapping[str, Sequence[Trajectory]]) -> list[Measure]:
    """Return error, then held, at every checkpoint and at the end; none where nobody knows the truth."""
    if not all(run.against_truth for of_policy in runs.values() for run in of_policy):
        return []
    first = next(iter(runs.values()))
    start = [run.against_truth.get(0) for run in first]
    measures: list[Measure] = []
    for name, label, unit, lower_is_better in (
        (ERROR, ERROR_LABEL, first[0].unit, True),
        (HELD, HELD_LABEL, "", None),
    ):
        before = tuple(_value(each, name) for each in start)
        for at in (*checkpoints(runs), None):
            found = {
                policy: tuple(_value(_at(run, at), name) for run in of_policy) for policy, of_policy in runs.items()
            }
            named = name if at is None else f"{name}_at_{at}"
            about = f"{label} at {'the end' if at is None else at}"
            measures.append(Measure("", "", named, about, unit, lower_is_better, before, found))
    return measures


def _at(run: Trajectory, observation: int | None) -> AgainstTruth | None:
    """Return how far off a run was at an observation, or at its end."""
    return run.against_truth.get(run.points[-1][0] if observation is None else observation)


def _value(against: AgainstTruth | None, name: str) -> float | None:
    if against is None:
        return None
    return against.error if name == ERROR else against.held
