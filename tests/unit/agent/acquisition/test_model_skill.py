"""What a model knows beyond the means of the families, each value by a model that was not fitted to it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from agent.acquisition.base import FloatArray, PoolArrays
from agent.acquisition.ceilings import Known
from agent.acquisition.model_skill import LEAST_JUDGED, MOST_JUDGED, model_skills
from agent.entropy.measure import EntropyMeasure
from agent.entropy.model_skill import ModelSkill
from agent.entropy.target_properties import TargetProperty

ROWS = 60
TARGET = TargetProperty(measure=EntropyMeasure("m_spacing", 1e-3))


def known(values: FloatArray, features: FloatArray, rows: int = ROWS) -> Known:
    """The first rows of three families, which differ by a level."""
    codes = np.arange(len(values)) % 3
    pool = PoolArrays(tuple(f"{row:03d}" for row in range(len(values))), features, codes, ("a", "b", "c"))
    observed = np.arange(rows)
    return Known(pool, observed, (values + 5.0 * codes)[:rows, None], np.arange(rows, len(values)), (TARGET,))


def smooth() -> tuple[FloatArray, FloatArray]:
    """A property that its features tell, and these."""
    features = np.random.default_rng(0).uniform(-2.0, 2.0, (ROWS, 2))
    return np.sin(features[:, 0]) + 0.3 * features[:, 1], features


def test_features_that_tell_the_property_are_known_by_it_and_levels_of_families_are_no_merit() -> None:
    values, features = smooth()
    (told,) = model_skills(known(values, features))
    assert told.share > 0.9
    assert not told.is_too_little
    assert told.mean_error == pytest.approx(values.std(), rel=0.1)
    assert told.values == ROWS


@pytest.mark.parametrize("columns", [2, 50])
@pytest.mark.parametrize("seed", range(3))
def test_features_that_say_nothing_of_it_are_found_out_however_many_they_are(seed: int, columns: int) -> None:
    features = np.random.default_rng(seed).normal(size=(ROWS, columns))
    values = np.random.default_rng(100 + seed).normal(size=ROWS)
    (told,) = model_skills(known(values, features))
    assert told.is_too_little


def test_a_pool_without_features_is_known_by_nothing() -> None:
    values, _ = smooth()
    (told,) = model_skills(known(values, np.empty((ROWS, 0))))
    assert told.share == pytest.approx(0.0, abs=0.1)


def test_few_values_and_values_that_are_all_equal_tell_nothing() -> None:
    values, features = smooth()
    assert model_skills(known(values, features, LEAST_JUDGED - 1)) == ()
    assert len(model_skills(known(values, features, LEAST_JUDGED))) == 1
    same = known(values, features)
    assert model_skills(dataclasses.replace(same, values=np.ones((ROWS, 1)))) == ()


def test_of_very_many_values_an_even_spread_is_judged() -> None:
    features = np.random.default_rng(0).uniform(-2.0, 2.0, (MOST_JUDGED + 200, 1))
    (told,) = model_skills(known(np.sin(features[:, 0]), features, MOST_JUDGED + 200))
    assert told.values == MOST_JUDGED
    assert told.share > 0.9


def test_a_model_that_errs_by_more_than_the_mean_does_harm() -> None:
    assert ModelSkill("energy", 2.0, 1.0, 30).share == -3.0
    assert ModelSkill("energy", 2.0, 1.0, 30).is_too_little
