"""The published selection and its controls: what each arm draws, keeps, is told and needs."""

from __future__ import annotations

import numpy as np
import pytest

from agent.causal.graph.losses import laplacian_distance
from agent.causal.reference.schedule import ARMS, Arm
from agent.causal.reference.selection import Universe, select
from protocols.errors import SettingsError
from tests.support.samples.causal import random_system

BATCH, ROUNDS = 8, 5


@pytest.fixture(scope="module")
def universe() -> Universe:
    variables, _ = random_system(1, 300, 4)
    return Universe.of(variables, np.repeat([0, 1, 2], [150, 100, 50]))


def chosen(universe: Universe, arm: Arm, seed: int = 0, rounds: int = ROUNDS) -> list[np.ndarray]:
    """The batches that were kept."""
    found = select(universe, arm, seed=seed, rounds=rounds, batch=BATCH)
    return np.split(found.rows[1:], rounds)


def test_the_target_is_a_sink_of_the_global_graph(universe: Universe) -> None:
    assert not universe.told.weights[:, 3].any()
    assert universe.told.weights[3].any()


def test_all_arms_of_a_seed_begin_with_the_same_row_and_other_seeds_with_others(universe: Universe) -> None:
    starts = {
        arm: [int(select(universe, arm, seed=k, rounds=1, batch=BATCH).rows[0]) for k in range(5)] for arm in ARMS
    }
    assert starts["active"] == starts["control"] == starts["best_of_three"]
    assert len(set(starts["active"])) > 1


@pytest.mark.parametrize("arm", ARMS)
def test_a_selection_is_the_same_each_time(universe: Universe, arm: Arm) -> None:
    one, other = (select(universe, arm, seed=3, rounds=ROUNDS, batch=BATCH) for _ in range(2))
    assert (one.rows == other.rows).all()
    assert one.losses == other.losses


@pytest.mark.parametrize(("arm", "times"), [("active", 3), ("control", 1), ("best_of_three", 3)])
def test_an_arm_needs_the_values_of_all_its_batches_and_keeps_one_a_round(
    universe: Universe, arm: Arm, times: int
) -> None:
    found = select(universe, arm, seed=0, rounds=ROUNDS, batch=BATCH)
    assert len(found.rows) == 1 + ROUNDS * BATCH
    assert len(found.looked_at) == 1 + times * ROUNDS * BATCH
    assert set(found.rows.tolist()) <= set(found.looked_at.tolist())
    assert len(found.losses) == len(found.kept) == ROUNDS
    assert found.is_told_the_answer == (times == 3)


@pytest.mark.parametrize("arm", ["active", "control"])
def test_a_batch_is_of_one_subset_the_one_that_is_told(universe: Universe, arm: Arm) -> None:
    found = select(universe, arm, seed=1, rounds=12, batch=BATCH)
    for batch, subset in zip(np.split(found.rows[1:], 12), found.kept, strict=True):
        assert set(batch.tolist()) <= set(universe.subsets[subset].tolist())
        assert len(set(batch.tolist())) == BATCH
    assert len(set(found.kept)) > 1


def test_the_fair_control_draws_from_all_rows(universe: Universe) -> None:
    mixed = [{int(row >= 150) + int(row >= 250) for row in batch} for batch in chosen(universe, "best_of_three")]
    assert max(len(subsets) for subsets in mixed) > 1


@pytest.mark.parametrize("arm", ["active", "best_of_three"])
def test_the_batch_is_kept_that_brings_the_graph_nearest_to_the_global_one(universe: Universe, arm: Arm) -> None:
    found = select(universe, arm, seed=2, rounds=ROUNDS, batch=BATCH)
    rows = found.rows[:1]
    for k, (loss, kept) in enumerate(zip(found.losses, found.kept, strict=True)):
        batches = np.split(found.looked_at[1 + 3 * BATCH * k :][: 3 * BATCH], 3)
        losses = [
            laplacian_distance(universe.graph_of(np.append(rows, each)).weights, universe.told.weights)
            for each in batches
        ]
        assert kept == int(np.argmin(losses))
        assert loss == min(losses)
        rows = np.append(rows, batches[kept])
    assert (rows == found.rows).all()


def test_what_cannot_be_drawn_is_refused(universe: Universe) -> None:
    with pytest.raises(SettingsError, match="no arm 'activ'"):
        select(universe, "activ", seed=0)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="number of rounds is 0"):
        select(universe, "active", seed=0, rounds=0)
    with pytest.raises(SettingsError, match="batch has 51 rows, the smallest subset 50"):
        select(universe, "active", seed=0, batch=51)
    with pytest.raises(SettingsError, match=r"batch has 3 rows.*there are 4 variables"):
        select(universe, "active", seed=0, batch=3)
