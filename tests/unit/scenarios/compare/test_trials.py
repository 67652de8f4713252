"""Test sets: every family has its share, the seed decides, and what is held out is out of the pool."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from agent.pool.candidates import Candidate, Pool, make_pool
from protocols.errors import SettingsError
from scenarios.compare.trials import held_out, make_trials, open_pool
from scenarios.settings.derived import scenario_of
from scenarios.settings.model import Scenario
from scenarios.world.world import World

SIZES = {"cubic": 50, "hexagonal": 30, "triclinic": 5}


def pool_of(sizes: dict[str, int]) -> Pool:
    candidates = [Candidate(f"{family}-{i:03}", family) for family, size in sizes.items() for i in range(size)]
    features = np.random.default_rng(0).normal(size=(len(candidates), 2))
    return make_pool(candidates, features, ("x", "y"))


POOL = pool_of(SIZES)
WORLD = World(POOL, np.random.default_rng(1).normal(size=len(POOL)), np.zeros(0, dtype=np.int64))


def scenario(**start: Any) -> Scenario:
    columns = {"family": "f", "property": "p", "unit": "u", "features": ["x", "y"]}
    return scenario_of(
        {"name": "s", "pool": {"path": "t.csv", "columns": columns}, "campaign": {"budget": 5}, "start": start}
    )


def counted(pool: Pool, rows: np.ndarray[Any, Any]) -> list[int]:
    return np.bincount(pool.family_codes[rows], minlength=len(pool.families)).tolist()


def test_every_family_is_held_out_in_proportion() -> None:
    assert counted(POOL, held_out(POOL, 0, 0.2)) == [10, 6, 1]
    assert counted(POOL, held_out(POOL, 0, 0.5)) == [25, 15, 3]
    assert len(held_out(POOL, 0, 0.0)) == 0


def test_the_seed_decides_who() -> None:
    assert held_out(POOL, 1, 0.2).tolist() == held_out(POOL, 1, 0.2).tolist()
    assert held_out(POOL, 1, 0.2).tolist() != held_out(POOL, 2, 0.2).tolist()


def test_a_fraction_that_leaves_a_family_empty_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"0\.9 holds out all 5 candidates of family 'triclinic'.*test_fraction"):
        held_out(POOL, 0, 0.9)
    with pytest.raises(SettingsError, match="all 1 candidates of family 'b'"):
        held_out(pool_of({"a": 9, "b": 1}), 0, 0.5)


def test_a_policy_gets_the_pool_without_the_test_set() -> None:
    for trial in make_trials(scenario(size=20), WORLD, [0, 1], 0.2):
        opened = open_pool(WORLD, trial)
        assert len(opened.pool) == len(POOL) - len(trial.test)
        assert not {POOL.candidate_ids[row] for row in trial.test} & set(opened.pool.candidate_ids)
        assert opened.pool.families == POOL.families
        assert [POOL.candidate_ids[row] for row in opened.rows] == list(opened.pool.candidate_ids)
        assert np.array_equal(opened.pool.features, POOL.features[opened.rows])
        assert np.array_equal(opened.values, WORLD.values[opened.rows, None])
        assert np.array_equal(opened.rows[opened.start], trial.start)
        assert len(trial.start) == 20
        assert not set(trial.start.tolist()) & set(trial.test.tolist())


def test_without_a_test_set_nothing_is_taken_away() -> None:
    (trial,) = make_trials(scenario(size=20), WORLD, [0], 0.0)
    opened = open_pool(WORLD, trial)
    assert opened.pool is POOL
    assert opened.start.tolist() == trial.start.tolist()


def test_a_start_set_that_the_rest_cannot_give_says_how_many_are_held_out() -> None:
    with pytest.raises(SettingsError, match=r"start set of 80 .*cannot be chosen, with 17 of 85 held out for tests"):
        make_trials(scenario(size=80), WORLD, [0], 0.2)
    with pytest.raises(SettingsError, match="start set of 80 candidates cannot be chosen, with"):
        make_trials(scenario(size=80), WORLD, [0], 0.2)


def test_a_start_set_that_is_all_the_rest_leaves_nothing_to_choose() -> None:
    with pytest.raises(SettingsError, match="All 68 candidates that are not held out are in the start set"):
        make_trials(scenario(size=68), WORLD, [0], 0.2)
