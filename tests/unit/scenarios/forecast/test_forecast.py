"""A forecast plays both policies on the same drawn pools, and is a function of what is known and of the seed."""

from __future__ import annotations

import dataclasses

import numpy as np

from agent.settings import AdditionalPropertySettings
from scenarios.forecast.forecast import PLAYED, Forecast, forecast_from
from scenarios.forecast.ground import Ground


def test_both_policies_begin_with_the_start_set_and_end_with_the_budget(told: Forecast) -> None:
    starts = {float(value) for policy in PLAYED for value in told.courses[policy]["mean_gap"].draws[:, 0]}
    assert len(starts) == 1
    assert {told.courses[policy]["evenness"].draws.shape for policy in PLAYED} == {(3, 13)}


def test_a_family_that_is_all_alike_cannot_be_helped(told: Forecast) -> None:
    level = max(each.now for each in told.ceilings if each.now is not None)
    assert [each.family for each in told.ceilings if each.is_hopeless(level)] == ["alike"]


def test_the_policy_is_expected_to_be_more_even_than_random(told: Forecast) -> None:
    ends = [told.courses[policy]["mean_gap"].mean[-1] for policy in PLAYED]
    assert ends[0] < ends[1]


def test_the_same_seed_tells_the_same_and_another_one_something_else(told: Forecast, ground: Ground) -> None:
    again, other = (forecast_from(ground, "small", draws=3, seed=seed, processes=1) for seed in (0, 1))
    for policy in PLAYED:
        same = told.courses[policy]["mean_gap"].draws
        np.testing.assert_array_equal(same, again.courses[policy]["mean_gap"].draws)
        assert (same != other.courses[policy]["mean_gap"].draws).any()
    assert told.ceilings == again.ceilings != other.ceilings


def test_several_balanced_properties_are_drawn_and_played_together(ground: Ground) -> None:
    second = AdditionalPropertySettings(unit="GPa")
    settings = ground.settings.model_copy(update={"additional_properties": {"modulus": second}, "budget": 4})
    both = dataclasses.replace(ground, values=np.column_stack((ground.values, -3.0 * ground.values)), settings=settings)
    told = forecast_from(both, "two", draws=2, seed=0, processes=1)
    assert told.property == "energy and modulus"
    assert np.isfinite(told.courses["gap_gain"]["mean_gap"].draws).all()
    assert all(each.at_most is not None for each in told.ceilings)
