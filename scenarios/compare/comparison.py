"""What a comparison found, and its measures; how it is shown and kept is next door."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from agent.entropy.bias import BIAS_METRICS, BiasMetric
from scenarios.compare.downstream import Score
from scenarios.compare.measures import Contrast, Measure, baseline_of, contrasts
from scenarios.compare.statistics import CONFIDENCE
from scenarios.run.trajectory import Trajectory
from scenarios.settings.models import ModelName

ModelRuns = Mapping[str, tuple[tuple[Score, ...], ...]]
"""Policy -> by seed, the scores from the start to the end."""

SCORES: Final[tuple[tuple[str, str, bool, Callable[[Score], float]], ...]] = (
    ("r2", "R²", False, lambda score: score.r2),
    ("mae", "MAE", True, lambda score: score.mae),
)
"""Scores of a model: name, label, whether lower is better, and where it stands."""


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


@dataclass(frozen=True, slots=True)
class CampaignEnd:
    """How one campaign ended.

    Attributes:
        abandoned: Candidates that were abandoned: their values were refused, say.
        reason: Why it ended, as the campaign says it.
        is_finished: Whether it came to its end; if not, it paused itself, as a run would.
    """

    abandoned: int
    reason: str
    is_finished: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """Trajectories by policy, one for each seed, and what models made of what was acquired.

    Attributes:
        scenario: Its name.
        seeds: The seeds, in the order of the trajectories.
        runs: Policy -> trajectories.
        models: The downstream models; empty where none were asked for.
        held_out: Rows of the test set of each seed; zeros without downstream models.
        pool_size: Candidates in all.
        ends: Policy -> how its campaigns ended, by seed.
    """

    scenario: str
    seeds: tuple[int, ...]
    runs: Mapping[str, list[Trajectory]]
    models: tuple[ModelScores, ...] = ()
    held_out: tuple[int, ...] = ()
    pool_size: int = 0
    ends: Mapping[str, tuple[CampaignEnd, ...]] = field(default_factory=dict)

    @property
    def policies(self) -> tuple[str, ...]:
        """In the order in which they were asked for."""
        return tuple(self.runs)

    def acquired(self, policy: str) -> list[int]:
        """Return how much was acquired with every seed: the budget, unless values were refused or nothing was left."""
        return [run.points[-1][0] for run in self.runs[policy]]

    @property
    def common(self) -> list[int]:
        """Acquisitions that all policies reached, by seed: where their models are compared."""
        return [min(counts) for counts in zip(*(self.acquired(policy) for policy in self.policies), strict=True)]

    def final(self, policy: str, metric: str) -> list[float | None]:
        """Return a bias figure at the end of every seed's run."""
        return [getattr(run.points[-1][1], metric) for run in self.runs[policy]]

    def bias_measures(self) -> list[Measure]:
        """Return every bias figure, before and after."""
        return [self._bias_measure(metric) for metric in BIAS_METRICS]

    def model_measures(self) -> list[Measure]:
        """Return R² and mean absolute error of every model and target, as many rows acquired by every policy."""
        return [
            Measure(
                each.target,
                each.model,
                name,
                label,
                each.unit if name == "mae" else "",
                lower,
                tuple(value(scores[0]) for scores in each.runs[self.policies[0]]),
                {policy: tuple(value(score) for score in each.at(policy, self.common)) for policy in self.policies},
            )
            for each in self.models
            for name, label, lower, value in SCORES
        ]

    def contrasts(self, measures: Sequence[Measure]) -> list[Contrast]:
        """Return the tests of these measures."""
        return contrasts(measures, self.policies)

    def json(self) -> str:
        """Return figures at start and end by policy and seed, the tests, and the scores of the models."""
        bias, models = self.bias_measures(), self.model_measures()
        document: dict[str, Any] = {
            "scenario": self.scenario,
            "seeds": list(self.seeds),
            "baseline": baseline_of(self.policies),
            "confidence": CONFIDENCE,
            "acquired": {policy: self.acquired(policy) for policy in self.policies},
            "abandoned": {policy: [end.abandoned for end in ends] for policy, ends in self.ends.items()},
            "ended": {policy: [end.reason for end in ends] for policy, ends in self.ends.items()},
            "start": {each.name: list(each.before) for each in bias},
            "final": {policy: {each.name: list(each.after[policy]) for each in bias} for policy in self.policies},
            "tests": [test.flat() for test in self.contrasts([*bias, *models])],
        }
        if self.models:
            document |= {"held_out": list(self.held_out), "compared_at": self.common}
            document["downstream"] = [
                {"target": each.target, "model": each.model, "score": each.name, "unit": each.unit}
                | {"start": list(each.before), "final": {policy: list(each.after[policy]) for policy in self.policies}}
                for each in models
            ]
        return json.dumps(document, indent=2, ensure_ascii=False)

    def _bias_measure(self, metric: BiasMetric) -> Measure:
        first = self.runs[self.policies[0]]
        return Measure(
            "",
            "",
            metric.name,
            metric.label,
            metric.unit,
            metric.lower_is_better,
            tuple(getattr(run.points[0][1], metric.name) for run in first),
            {policy: tuple(self.final(policy, metric.name)) for policy in self.policies},
        )
