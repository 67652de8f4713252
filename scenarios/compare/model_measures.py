"""The scores of downstream models as figures: of each model, and the mean of all that predict a target."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from scenarios.compare.downstream import Score
from scenarios.compare.measures import Measure
from scenarios.compare.statistics import estimate
from scenarios.settings.models import ModelName

ModelRuns = Mapping[str, tuple[tuple[Score, ...], ...]]
"""Policy -> by seed, the scores from the start to the end."""


@dataclass(frozen=True, slots=True)
class ScoreKind:
    """A score of a model.

    Attributes:
        name: Its name in files.
        label: Its name for people.
        has_unit: Whether it is an error in the unit of the target, and so the better the lower; else a pure number,
            the better the higher.
        value: Where it stands.
    """

    name: str
    label: str
    has_unit: bool
    value: Callable[[Score], float | None]


WORST: Final = "worst_family"
"""How the names of scores begin that are of the family that is predicted worst."""

SCORES: Final = (
    ScoreKind("r2", "R²", has_unit=False, value=lambda score: score.r2),
    ScoreKind("mae", "MAE", has_unit=True, value=lambda score: score.mae),
    ScoreKind(f"{WORST}_r2", "R² of the worst family", has_unit=False, value=lambda score: score.worst_r2),
    ScoreKind(f"{WORST}_mae", "MAE of the worst family", has_unit=True, value=lambda score: score.worst_mae),
)
"""Overall, and of the family that is predicted worst."""

ALL_MODELS: Final = "mean of the models"
"""Stands for a model: the mean of their R²."""


@dataclass(frozen=True, slots=True)
class ModelScores:
    """One model that predicts one target.

    Attributes:
        target: What it predicts.
        unit: Of the target.
        model: Its name.
        runs: Its scores.
    """

    target: str
    unit: str
    model: ModelName
    runs: ModelRuns

    def at(self, policy: str, acquired: Sequence[int]) -> list[Score]:
        """Return a policy's score after so many acquisitions, by seed."""
        pairs = zip(self.runs[policy], acquired, strict=True)
        return [next(score for score in scores if score.acquired == count) for scores, count in pairs]


def model_measures(models: Sequence[ModelScores], policies: Sequence[str], common: Sequence[int]) -> list[Measure]:
    """Return the scores of every model and target; of several models of a target the mean R² too.

    Args:
        models: Their scores.
        policies: In the order in which they were asked for.
        common: Acquisitions that all policies reached, by seed: where models are compared.
    """
    return [
        measure
        for _, of_target in groupby(models, key=lambda each: each.target)
        for measure in _of_target(list(of_target), policies, common)
    ]


def family_means(
    models: Sequence[ModelScores], policies: Sequence[str], common: Sequence[int]
) -> dict[str, dict[str, tuple[float | None, float | None]]]:
    """Return policy -> family -> mean R² and MAE within it, over the models of one target and the seeds.

    None where one of them is not defined with every seed and model.
    """
    means: dict[str, dict[str, tuple[float | None, float | None]]] = {}
    for policy in policies:
        scores = [each for model in models for score in model.at(policy, common) for each in score.families]
        means[policy] = {
            family: (
                _over([e.r2 for e in scores if e.family == family]),
                _over([e.mae for e in scores if e.family == family]),
            )
            for family in dict.fromkeys(each.family for each in scores)
        }
    return means


def _over(values: Sequence[float | None]) -> float | None:
    found = estimate(values)
    return None if found is None else found.mean


def _of_target(models: Sequence[ModelScores], policies: Sequence[str], common: Sequence[int]) -> Iterator[Measure]:
    r2 = []
    for each in models:
        of_model = [_measure(each, score, policies, common) for score in SCORES]
        r2.append(of_model[0])
        yield from of_model
    if len(models) > 1:
        yield _mean_of(r2, policies)


def _measure(each: ModelScores, score: ScoreKind, policies: Sequence[str], common: Sequence[int]) -> Measure:
    before = tuple(score.value(scores[0]) for scores in each.runs[policies[0]])
    after = {policy: tuple(score.value(found) for found in each.at(policy, common)) for policy in policies}
    unit = each.unit if score.has_unit else ""
    return Measure(each.target, each.model, score.name, score.label, unit, score.has_unit, before, after)


def _mean_of(r2: Sequence[Measure], policies: Sequence[str]) -> Measure:
    """Return the mean R² of several models."""
    before = _mean([each.before for each in r2])
    after = {policy: _mean([each.after[policy] for each in r2]) for policy in policies}
    return Measure(r2[0].target, ALL_MODELS, "r2", "R²", "", lower_is_better=False, before=before, after=after)


def _mean(by_model: Sequence[tuple[float | None, ...]]) -> tuple[float | None, ...]:
    """Return the mean over several models, by seed; None where one is not defined."""
    return tuple(
        None if any(x is None for x in of_seed) else sum(x for x in of_seed if x is not None) / len(of_seed)
        for of_seed in zip(*by_model, strict=True)
    )
