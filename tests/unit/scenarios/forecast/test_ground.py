"""What a campaign would know at its start, what its pool may hold, and what tells nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from agent.pool.candidates import make_pool
from agent.settings import CampaignSettings
from protocols.errors import EntropilotError
from scenarios.forecast import ground as module
from scenarios.forecast.ground import Ground, drawn_values, ground_of

SETTINGS = CampaignSettings(property="energy", unit="eV", budget=12)


def test_the_start_set_is_as_it_is_and_the_others_are_drawn_by_the_seed(ground: Ground) -> None:
    one, again, other = (drawn_values(ground, 3, seed) for seed in (1, 1, 2))
    assert_array_equal(one, again)
    assert (one[:, ground.start] == ground.values).all()
    assert (one[:, ground.remaining] != other[:, ground.remaining]).all()
    assert (one[0] != one[1])[ground.remaining].all()


def test_drawn_values_are_near_the_true_ones_where_the_features_tell_them(ground: Ground, pool_of: Callable) -> None:
    _, _, values = pool_of()
    drawn = drawn_values(ground, 20, 0)[:, :, 0].mean(axis=0)
    assert np.abs(drawn - values)[ground.remaining].mean() < 0.2


def test_no_value_is_out_of_the_range_that_a_campaign_believes(ground: Ground) -> None:
    narrow = dataclasses.replace(ground, settings=ground.settings.model_copy(update={"valid_range": (-1.0, 1.0)}))
    drawn = drawn_values(narrow, 5, 0)[:, narrow.remaining]
    assert drawn.min() == -1.0
    assert drawn.max() == 1.0


def test_a_budget_beyond_the_pool_is_played_to_its_end_and_said(pool_of: Callable) -> None:
    pool, start, values = pool_of()
    many = SETTINGS.model_copy(update={"budget": 500})
    found = ground_of(pool, start, values[start][:, None], many)
    assert found.settings.budget == 90
    assert found.notes == ("the budget is 500 and 90 candidates are left: all of them are played",)


def test_of_a_large_pool_a_sample_is_played_on_and_that_is_said(
    pool_of: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool, start, values = pool_of()
    monkeypatch.setattr(module, "MOST_CANDIDATES", 30)
    found = ground_of(pool, start, values[start][:, None], SETTINGS)
    assert (len(found.pool), found.candidates) == (60, 120)
    assert np.bincount(found.pool.family_codes[found.remaining]).tolist() == [10, 10, 10]
    assert [found.pool.candidate_ids[at] for at in found.start] == [pool.candidate_ids[at] for at in start]
    assert "30 of the 90 candidates" in found.notes[0]


@pytest.mark.parametrize("case", ["one family", "no feature", "constant features", "three values", "equal values"])
def test_what_tells_nothing_is_named(case: str, pool_of: Callable) -> None:
    pool, start, values = pool_of()
    known = values[start][:, None]
    candidates, features, names = pool.candidates, pool.features, pool.feature_names
    words = {
        "one family": "All 120 candidates are of one family, 'half': there is no gap",
        "no feature": "No feature of the pool tells two candidates apart. It has no features",
        "constant features": "Its 2 features are the same for all 120",
        "three values": "The start set has 3 values",
        "equal values": "All 30 values of 'energy' in the start set are 2:",
    }
    if case == "one family":
        candidates = tuple(dataclasses.replace(each, family="half") for each in candidates)
    elif case == "no feature":
        features, names = features[:, :0], ()
    elif case == "constant features":
        features = np.ones_like(features)
    elif case == "three values":
        start, known = start[:3], known[:3]
    else:
        known = np.full_like(known, 2.0)
    with pytest.raises(EntropilotError) as raised:
        ground_of(make_pool(candidates, features, names), start, known, SETTINGS)
    assert words[case] in raised.value.found
    assert raised.value.expected
    assert raised.value.action
