"""Downstream models: is what a policy acquired worth more to a model than what another acquired?

The second claim of H. Zhang et al., Appl. Phys. Rev. 10, 021403 (2023). A model is trained on the start set and the
first t acquisitions, in the order in which they came, for t = 0, k, 2k, … and at the end, and scored on rows that no
policy could acquire (`scenarios.compare.trials`). Policies are compared at the most acquisitions that all of them
reached with a seed, for one of them may end its campaign early:

| score | meaning |
|---|---|
| R² | 1 − Σ(y − ŷ)² / Σ(y − ȳ)², ȳ the mean of the test rows: 0 is as good as their mean, 1 is perfect |
| MAE | mean of |y − ŷ| [unit of the target] |

Both are taken over all test rows and over those of every family; within a family ȳ is its own mean. A family with fewer
than `MIN_FAMILY_TEST_ROWS` of them has neither: it would be the scatter of a few rows.

Rows in which a target is not known are left out, for this target, of training and of scoring. Pure functions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from agent.acquisition.base import FloatArray, IndexArray
from agent.pool.candidates import Pool
from protocols.errors import SettingsError, TableError
from protocols.settings.suggestions import did_you_mean
from scenarios.compare.models import make_model
from scenarios.compare.trials import Trial
from scenarios.settings.model import Scenario
from scenarios.settings.models import ModelName
from scenarios.world.world import World

MIN_TRAINING_ROWS: Final = 10
"""Fewest rows to train on [row]: twice the neighbours that the least demanding model asks for."""

MIN_TEST_ROWS: Final = 10
"""Fewest rows to score on [row]: with fewer, R² is mostly their own scatter."""


MIN_FAMILY_TEST_ROWS: Final = 5
"""Fewest test rows of a family that are scored by themselves [row]: as many as give an entropy that says something."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is predicted: name, unit, and its value of every candidate of the whole pool, NaN where unknown, (n,)."""

    name: str
    unit: str
    values: FloatArray


@dataclass(frozen=True, slots=True)
class FamilyScore:
    """One model on the test rows of one family.

    Attributes:
        family: Its name.
        test_rows: Its rows that were scored.
        r2: Coefficient of determination within the family; None where all of its test rows have one value.
        mae: Mean absolute error [unit of the target].
    """

    family: str
    test_rows: int
    r2: float | None
    mae: float


@dataclass(frozen=True, slots=True)
class Score:
    """One model, trained once.

    Attributes:
        acquired: Acquisitions that it was trained on, beside the start set.
        training_rows: All rows that it was trained on: those of them in which the target is known.
        test_rows: Rows that it was scored on.
        r2: Coefficient of determination.
        mae: Mean absolute error [unit of the target].
        families: The same of every family with enough test rows.
    """

    acquired: int
    training_rows: int
    test_rows: int
    r2: float
    mae: float
    families: tuple[FamilyScore, ...] = ()

    @property
    def worst_r2(self) -> float | None:
        """Within the family that is predicted worst; None where none is scored."""
        return min((each.r2 for each in self.families if each.r2 is not None), default=None)

    @property
    def worst_mae(self) -> float | None:
        """Of the family that is predicted worst [unit of the target]."""
        return max((each.mae for each in self.families), default=None)


def targets_of(scenario: Scenario, world: World) -> tuple[Target, ...]:
    """Return what is to be predicted.

    Raises:
        SettingsError: When a target is no measured property of the pool.
    """
    own, unit = scenario.campaign.property, scenario.campaign.unit
    columns = scenario.pool.columns
    additional = {} if columns is None else columns.additional_properties
    units = {own: unit, **additional}
    for name in scenario.evaluation.targets:
        if name not in units:
            raise SettingsError(
                f"The evaluation names a target {name!r} that the pool does not have",
                expected="one of " + ", ".join(units),
                action=did_you_mean(name, units) or _add_column(name, from_table=columns is not None),
            )
    chosen = scenario.evaluation.targets or (own,)
    return tuple(Target(name, units[name], world.values if name == own else world.additional[name]) for name in chosen)


def require_rows(targets: Sequence[Target], trials: Sequence[Trial]) -> None:
    """Check that every target is known often enough, in every start set and in every test set.

    Raises:
        TableError: When it is not, or when all test rows have one value.
    """
    for target in targets:
        for trial in trials:
            training, test = _known(target, trial.start), _known(target, trial.test)
            for where, found, needed, wider in (
                ("start set", len(training), MIN_TRAINING_ROWS, "start.size"),
                ("test set", len(test), MIN_TEST_ROWS, "evaluation.test_fraction"),
            ):
                if found < needed:
                    raise TableError(
                        f"The {where} of seed {trial.seed} has {found} rows with a known {target.name!r}",
                        expected=f"at least {needed}",
                        action=f"make {wider} larger, or name another target",
                    )
            if np.ptp(target.values[test]) == 0:
                raise TableError(
                    f"All {len(test)} test rows of seed {trial.seed} have {target.name} = {target.values[test][0]:g}",
                    expected="values that differ: R² divides by their variance",
                    action="name another target",
                )


def scored_observations(acquired: int, every: int, common: int) -> tuple[int, ...]:
    """Return after how many acquisitions to score: 0, k, 2k, …, the last, and the last that all policies reached."""
    return tuple(sorted({*range(0, acquired + 1, every), min(common, acquired), acquired}))


def scores_of(
    pool: Pool,
    target: Target,
    trial: Trial,
    acquired: IndexArray,
    *,
    model: ModelName,
    every: int,
    common: int,
) -> Iterator[Score]:
    """Train and score one model along one campaign.

    Args:
        pool: The whole pool.
        target: What to predict.
        trial: Start set and test set.
        acquired: Indices in the whole pool, in the order of acquisition, shape (t,).
        model: Its name.
        every: Acquisitions between two scores.
        common: Acquisitions that all policies reached with this seed, at which they are compared.
    """
    from sklearn.metrics import mean_absolute_error, r2_score

    test = _known(target, trial.test)
    truth = target.values[test]
    for count in scored_observations(len(acquired), every, common):
        rows = _known(target, np.concatenate([trial.start, acquired[:count]]))
        trained = make_model(model, trial.seed).fit(pool.features[rows], target.values[rows])
        predicted = trained.predict(pool.features[test])
        r2, mae = float(r2_score(truth, predicted)), float(mean_absolute_error(truth, predicted))
        families = tuple(_family_scores(pool, test, truth, predicted))
        yield Score(count, len(rows), len(test), r2, mae, families)


def _family_scores(pool: Pool, test: IndexArray, truth: FloatArray, predicted: FloatArray) -> Iterator[FamilyScore]:
    for code, family in enumerate(pool.families):
        rows = pool.family_codes[test] == code
        y, error = truth[rows], truth[rows] - predicted[rows]
        if len(y) >= MIN_FAMILY_TEST_ROWS:
            total = float(np.square(y - y.mean()).sum())
            r2 = 1.0 - float(np.square(error).sum()) / total if np.ptp(y) > 0 else None
            yield FamilyScore(family, len(y), r2, float(np.abs(error).mean()))


def _known(target: Target, rows: IndexArray) -> IndexArray:
    return rows[np.isfinite(target.values[rows])]


def _add_column(name: str, *, from_table: bool) -> str:
    if from_table:
        return f"add {name} and its unit to [pool.columns.additional_properties]"
    return "name the campaign's property, or leave evaluation.targets out"
