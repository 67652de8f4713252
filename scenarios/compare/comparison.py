"""What a comparison found, and its measures; how it is shown and kept is next door."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from agent.entropy.bias import BIAS_METRICS
from agent.metrics import Metric
from scenarios.compare.course import course_measures
from scenarios.compare.measures import Contrast, Measure, best_in, contrasts
from scenarios.compare.model_measures import ModelScores, family_means, model_measures
from scenarios.compare.statistics import CONFIDENCE, TEST
from scenarios.compare.truth_measures import truth_measures
from scenarios.compare.verdicts import sentences
from scenarios.effects.truth import ERROR, HELD
from scenarios.run.trajectory import Trajectory


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
        notes: What a person should know of table and settings.
    """

    scenario: str
    seeds: tuple[int, ...]
    runs: Mapping[str, list[Trajectory]]
    models: tuple[ModelScores, ...] = ()
    held_out: tuple[int, ...] = ()
    pool_size: int = 0
    ends: Mapping[str, tuple[CampaignEnd, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def policies(self) -> tuple[str, ...]:
        """In the order in which they were asked for."""
        return tuple(self.runs)

    def acquired(self, policy: str) -> list[int]:
        """Return how much was acquired with every seed: the budget, unless values were refused or nothing was left."""
        return [run.points[-1][0] for run in self.runs[policy]]

    @property
    def alike_with_every_seed(self) -> tuple[str, ...]:
        """The policies whose campaigns do not hang on the seed, of several: nothing of start set or choice is drawn."""
        return tuple(
            policy
            for policy, runs in self.runs.items()
            if len(runs) > 1 and all(run.points == runs[0].points for run in runs)
        )

    @property
    def common(self) -> list[int]:
        """Acquisitions that all policies reached, by seed: where their models are compared."""
        return [min(counts) for counts in zip(*(self.acquired(policy) for policy in self.policies), strict=True)]

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics that the campaigns keep."""
        first = next((runs[0] for runs in self.runs.values() if runs), None)
        return BIAS_METRICS if first is None else tuple(metric for metric, _ in first.points[0][1].figures)

    def final(self, policy: str, metric: str) -> list[float | None]:
        """Return a metric at the end of every seed's run."""
        return [run.points[-1][1].value(metric) for run in self.runs[policy]]

    def bias_measures(self) -> list[Measure]:
        """Return every metric that the campaigns keep, before and after."""
        return [self._bias_measure(metric) for metric in self.metrics]

    @property
    def compares_families(self) -> bool:
        """Whether the campaigns keep the bias metrics, beside others or alone."""
        return BIAS_METRICS[0] in self.metrics

    @property
    def has_declared(self) -> bool:
        """Whether they keep metrics that a policy declares, which lead."""
        return any(metric not in BIAS_METRICS for metric in self.metrics)

    def truth_measures(self) -> list[Measure]:
        """Return how far off the effects are, on the way and at the end; none where nobody knows the truth."""
        return truth_measures(self.runs)

    def course_measures(self) -> list[Measure]:
        """Return where the mean gap was best, what was lost since, and its area; none where families say nothing."""
        return course_measures(self.runs) if self.compares_families else []

    def campaign_measures(self) -> list[Measure]:
        """Return what the campaigns themselves came to: what the policy is after leads, and the truth stands beside."""
        kept, names = self.bias_measures(), {metric.name for metric in BIAS_METRICS}
        declared = [each for each in kept if each.name not in names]
        bias = [each for each in kept if each.name in names]
        return [*declared, *self.truth_measures(), *bias, *self.course_measures()]

    def model_measures(self) -> list[Measure]:
        """Return the scores of every model and target, and their mean, as many rows acquired by every policy."""
        return model_measures(self.models, self.policies, self.common)

    def measures(self) -> list[Measure]:
        """Return every figure: of the campaigns, and of the models."""
        return [*self.campaign_measures(), *self.model_measures()]

    def contrasts(self, measures: Sequence[Measure]) -> list[Contrast]:
        """Return the tests of these measures."""
        return contrasts(measures, self.policies)

    def sentences(self) -> list[str]:
        """Return what the comparison comes to, a sentence for each figure; none of a policy that stands alone."""
        return sentences(self.contrasts(self.measures()))

    def json(self) -> str:
        """Return figures at start and end by policy and seed, the tests, and the scores of the models."""
        bias, course, models = self.bias_measures(), self.course_measures(), self.model_measures()
        truth, everything = self.truth_measures(), self.measures()
        document: dict[str, Any] = {
            "scenario": self.scenario,
            "seeds": list(self.seeds),
            "judged": self.policies[0],
            "confidence": CONFIDENCE,
            "test": TEST,
            "fair_control": fair_control(self),
            "sentences": self.sentences(),
            "best_policy": {_key(each): best_in(each, everything) for each in everything},
            "acquired": {policy: self.acquired(policy) for policy in self.policies},
            "abandoned": {policy: [end.abandoned for end in ends] for policy, ends in self.ends.items()},
            "ended": {policy: [end.reason for end in ends] for policy, ends in self.ends.items()},
            "start": {each.name: list(each.before) for each in bias},
            "final": {policy: {each.name: list(each.after[policy]) for each in bias} for policy in self.policies},
            "course": {policy: {each.name: list(each.after[policy]) for each in course} for policy in self.policies},
            "tests": [test.flat() for test in self.contrasts(everything)],
        }
        if truth:
            document["start"] |= {each.name: list(each.before) for each in truth if each.name in {ERROR, HELD}}
            document["against_truth"] = {
                policy: {each.name: list(each.after[policy]) for each in truth} for policy in self.policies
            }
        document |= self._models_document(models) if self.models else {}
        return json.dumps(document, indent=2, ensure_ascii=False)

    def _models_document(self, models: Sequence[Measure]) -> dict[str, Any]:
        return {
            "held_out": list(self.held_out),
            "compared_at": self.common,
            "downstream": [
                {"target": each.target, "model": each.model, "score": each.name, "unit": each.unit}
                | {"start": list(each.before), "final": {policy: list(each.after[policy]) for policy in self.policies}}
                for each in models
            ],
            "by_family": {
                target: family_means(list(of_target), self.policies, self.common)
                for target, of_target in groupby(self.models, key=lambda each: each.target)
            },
        }

    def _bias_measure(self, metric: Metric) -> Measure:
        first = self.runs[self.policies[0]]
        return Measure(
            "",
            "",
            metric.name,
            metric.label,
            metric.unit,
            metric.lower_is_better,
            tuple(run.points[0][1].value(metric.name) for run in first),
            {policy: tuple(self.final(policy, metric.name)) for policy in self.policies},
        )


def fair_control(comparison: Comparison) -> str:
    """Say what makes the comparison a fair one, and what does not."""
    held_out = "the same rows held out, " if any(comparison.held_out) else ""
    text = (
        f"Fair control: with a seed, every policy has the same pool, {held_out}start set and budget, and its default "
        "options unless it is the scenario's own."
    )
    acquired = {policy: comparison.acquired(policy) for policy in comparison.policies}
    if len({tuple(counts) for counts in acquired.values()}) > 1:
        means = ", ".join(f"{policy} {sum(counts) / len(counts):g}" for policy, counts in acquired.items())
        text += f" Not fair in one thing: they acquired different numbers of rows ({means}); models are scored at the "
        text += "most that all have."
    if alike := comparison.alike_with_every_seed:
        names = " and ".join(alike)
        text += f" With every seed {names} went the same way: the seeds vary nothing but the others."
    return text


def _key(measure: Measure) -> str:
    """Return the name of a figure in a file: "mean_gap", "energy random_forest r2"."""
    return " ".join(part for part in (measure.target, measure.model, measure.name) if part)
