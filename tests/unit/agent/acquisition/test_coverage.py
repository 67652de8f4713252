"""Coverage spreads over the features: farthest first, whatever the values, and the same for a policy made today."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from agent.acquisition import coverage
from agent.acquisition.coverage import Coverage
from tests.support.biased_worlds import NONE, World, build_world


def line(positions: list[float]) -> World:
    codes = np.zeros(len(positions), dtype=np.int64)
    return build_world(np.array(positions)[:, None], codes, ("a",), np.zeros(len(positions)))


def chosen(world: World, count: int, observed: np.ndarray, pending: np.ndarray = NONE) -> list[int]:
    context = world.context(observed=observed, pending=pending)
    return [choice.index for choice in Coverage().propose(context, count).choices]


def by_definition(world: World, covered: np.ndarray, available: np.ndarray, count: int) -> list[int]:
    """Farthest point first, straight from the definition."""
    x = (world.pool.features - world.pool.features.mean(axis=0)) / world.pool.features.std(axis=0)
    known, left, found = list(covered), list(available), []
    for _ in range(count):
        distance = [min(float(np.linalg.norm(x[i] - x[s])) for s in known) for i in left]
        found.append(left.pop(int(np.argmax(distance))))
        known.append(found[-1])
    return [int(index) for index in found]


@pytest.mark.parametrize("seed", range(3))
def test_choices_are_those_of_the_definition(biased: Callable, seed: int) -> None:
    world = biased(seed, per_family=25, start_per_family=4)
    context = world.context(pending=np.array([3, 30]))
    covered = np.union1d(context.observed, context.pending)
    expected = by_definition(world, covered, context.available, 8)
    assert [choice.index for choice in Coverage().propose(context, 8).choices] == expected


def test_many_known_rows_are_taken_in_chunks(biased: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    context = biased(1).context()
    whole = Coverage().propose(context, 5)
    monkeypatch.setattr(coverage, "CHUNK_ROWS", 7)
    assert Coverage().propose(context, 5) == whole


def test_values_change_no_choice(biased: Callable) -> None:
    world = biased(0)
    other = World(world.pool, -7.0 * world.truth**2, world.start)
    assert Coverage().propose(world.context(), 6) == Coverage().propose(other.context(), 6)


def test_the_score_is_the_distance_to_the_nearest_and_the_runner_up_is_the_next() -> None:
    world = line([0.0, 1.0, 2.0, 5.0, 10.0])
    proposal = Coverage().propose(world.context(observed=np.array([0])), 1)
    scale = world.pool.features.std()
    assert proposal.choices[0].index == 4
    assert proposal.choices[0].score == pytest.approx(10.0 / scale)
    assert proposal.runner_up is not None
    assert (proposal.runner_up.index, proposal.runner_up.score) == (3, pytest.approx(5.0 / scale))
    assert (
        proposal.reason == f"farthest from all 1 that are known or in flight: {10 / scale:.3g} in standardised features"
    )
    assert proposal.details == {"n_covered": 1.0}


def test_what_is_in_flight_and_what_was_chosen_before_count_as_known() -> None:
    world = line([0.0, 4.0, 5.0, 9.0, 10.0])
    assert chosen(world, 2, observed=np.array([0])) == [4, 2]
    assert chosen(world, 1, observed=np.array([0]), pending=np.array([4])) == [2]


def test_equal_distances_fall_to_the_lowest_index() -> None:
    assert chosen(line([0.0, -3.0, 3.0, 1.0]), 2, observed=np.array([0])) == [1, 2]


def test_with_nothing_known_it_begins_in_the_middle() -> None:
    world = line([-4.0, 0.5, 5.0, 9.0, -9.0])
    assert chosen(world, 3, observed=NONE) == [1, 4, 3]
    assert Coverage().propose(world.context(observed=NONE), 1).reason == "nearest to the centre of the pool"


@pytest.mark.parametrize("features", [np.empty((30, 0)), np.full((30, 2), 7.0)], ids=["no features", "constant"])
@pytest.mark.parametrize("known", [0, 3])
def test_without_a_feature_that_varies_the_seed_draws_and_says_so(features: np.ndarray, known: int) -> None:
    world = build_world(features, np.zeros(30, dtype=np.int64), ("a",), np.zeros(30))
    drawn = set()
    for seed in range(20):
        context = world.context(observed=np.arange(known), seed=seed)
        proposal = Coverage().propose(context, 4)
        indices = [choice.index for choice in proposal.choices]
        assert len(set(indices)) == 4
        assert set(indices) <= set(context.available.tolist())
        assert proposal == Coverage().propose(context, 4)
        assert proposal.reason == (
            f"no feature tells {30 - known} candidates from what is known; drawn at random among them"
        )
        drawn.add(indices[0])
    assert len(drawn) > 5


def test_copies_of_what_is_known_are_drawn_after_all_others() -> None:
    world = line([0.0, 0.0, 0.0, 2.0, 2.0])
    proposal = Coverage().propose(world.context(observed=np.array([0])), 4)
    assert proposal.choices[0].index == 3
    assert {choice.index for choice in proposal.choices} == {1, 2, 3, 4}
    assert [choice.score is None for choice in proposal.choices] == [False, True, True, True]
    assert "drawn at random" in proposal.reason


def test_a_pool_smaller_than_the_count_is_chosen_whole_and_an_empty_one_said() -> None:
    world = line([0.0, 1.0, 2.0])
    assert sorted(chosen(world, 9, observed=np.array([0]))) == [1, 2]
    nothing = Coverage().propose(world.context(available=NONE), 1)
    assert (nothing.choices, nothing.reason) == ((), "no candidate is available")


@pytest.mark.parametrize("in_flight", [0, 3])
def test_a_policy_that_lived_through_a_campaign_proposes_what_a_new_one_does(biased: Callable, in_flight: int) -> None:
    world = biased(2, per_family=40, start_per_family=5)
    lived, requested = Coverage(), list[int]()
    for step in range(25):
        answered = np.array(requested[: max(0, len(requested) - in_flight)], dtype=np.int64)
        pending = np.sort(np.array(requested[len(answered) :], dtype=np.int64))
        context = world.context(acquired=answered, pending=pending, seed=step)
        proposal = lived.propose(context, 2)
        assert proposal == Coverage().propose(context, 2)
        requested.append(proposal.choices[0].index)


def test_a_request_that_is_given_up_is_not_covered_any_more() -> None:
    world = line([0.0, 4.0, 5.0, 9.0, 10.0])
    lived = Coverage()
    lived.propose(world.context(observed=np.array([0]), pending=np.array([4])), 1)
    context = world.context(observed=np.array([0]), available=np.array([1, 2, 3]))
    assert lived.propose(context, 1) == Coverage().propose(context, 1)
    assert lived.propose(context, 1).choices[0].index == 3
