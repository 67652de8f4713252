"""Input that nobody wishes for has a defined outcome each: the table in `agent.acquisition.gap_gain`, row by row."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import pytest

from agent.acquisition.base import AcquisitionContext, Proposal
from agent.acquisition.gap_gain import GapGain
from agent.entropy.measure import ESTIMATORS, EntropyMeasure


def is_sound(proposal: Proposal) -> bool:
    """Distinct choices, finite figures."""
    indices = [choice.index for choice in proposal.choices]
    scores = [choice.score for choice in proposal.choices if choice.score is not None]
    finite = all(math.isfinite(figure) for figure in (*scores, *proposal.details.values()))
    return len(set(indices)) == len(indices) > 0 and finite


def propose(context: AcquisitionContext, count: int = 2) -> Proposal:
    proposal = GapGain().propose(context, count)
    assert is_sound(proposal)
    return proposal


@pytest.mark.parametrize("known", [0, 1, 3])
def test_too_few_values_are_drawn_by_the_seed(biased: Callable, known: int) -> None:
    context = biased(0).context(observed=np.arange(known), seed=7)
    proposal = propose(context)
    assert proposal.reason.startswith(f"{known} values are too few to predict from; drawn at random")
    assert GapGain().propose(context, 2) == proposal


def test_one_family_has_no_gaps_and_the_model_decides(world_of: Callable) -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(60, 2))
    world = world_of(features, np.zeros(60, dtype=np.int64), ("all",), features[:, 0])
    proposal = propose(world.context(observed=np.arange(10)))
    assert proposal.details["gap_share"] == 0.0
    assert proposal.details["model_share"] > 0.0


def test_families_of_one_candidate_each(world_of: Callable) -> None:
    rng = np.random.default_rng(1)
    world = world_of(rng.normal(size=(12, 2)), np.arange(12), tuple("abcdefghijkl"), rng.normal(size=12))
    propose(world.context(observed=np.arange(5)), 7)


@pytest.mark.parametrize("columns", [0, 2])
def test_no_features_or_constant_ones_leave_a_family_s_candidates_equal(world_of: Callable, columns: int) -> None:
    rng = np.random.default_rng(2)
    codes = np.repeat([0, 1], 30)
    world = world_of(np.full((60, columns), 3.0), codes, ("a", "b"), rng.normal(size=60))
    proposal = propose(world.context(observed=np.concatenate((np.arange(6), np.arange(30, 40)))), 1)
    assert proposal.choices[0].index in {6, 40}


def test_values_that_are_all_equal(world_of: Callable) -> None:
    rng = np.random.default_rng(3)
    world = world_of(rng.normal(size=(60, 2)), np.repeat([0, 1], 30), ("a", "b"), np.full(60, 2.5))
    propose(world.context(observed=np.arange(15, 45)))


def test_a_family_without_values_is_asked_for(biased: Callable) -> None:
    world = biased(4)
    kept = world.start[world.pool.family_codes[world.start] != 2]
    proposal = propose(world.context(observed=kept), 1)
    assert proposal.target_family == "trigonal"
    assert proposal.details["expected_gain"] == pytest.approx(1.0)


def test_a_family_without_candidates_keeps_its_gap(biased: Callable) -> None:
    world = biased(5)
    left = np.setdiff1d(np.flatnonzero(world.pool.family_codes != 1), world.start)
    proposal = propose(world.context(available=left))
    assert proposal.target_family != "tetragonal"


def test_no_candidate_left_is_said_and_the_last_ones_are_all_chosen(biased: Callable) -> None:
    world = biased(1)
    assert GapGain().propose(world.context(available=np.empty(0, dtype=np.int64)), 1).choices == ()
    last = np.setdiff1d(np.arange(480), world.start)[-3:]
    proposal = propose(world.context(available=last), 5)
    assert sorted(choice.index for choice in proposal.choices) == last.tolist()
    assert proposal.runner_up is None


def test_none_of_the_rows_looked_at_is_free(biased: Callable) -> None:
    world = biased(2)
    all_of_it = GapGain(active_rows=20)
    first = all_of_it.propose(world.context(), 1)
    free = np.setdiff1d(np.arange(480), np.union1d(world.start, np.arange(0, 480, 1)[::2]))[-2:]
    proposal = all_of_it.propose(world.context(available=free), 2)
    assert first.choices
    assert sorted(choice.index for choice in proposal.choices) == free.tolist()


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_every_estimator_of_entropy(biased: Callable, estimator: str) -> None:
    context = dataclasses.replace(biased(3).context(), measure=EntropyMeasure(estimator, 1e-3))
    propose(context, 3)


def test_an_outlier_of_a_million_deviations_leaves_all_figures_finite(biased: Callable) -> None:
    world = biased(6)
    world.truth[world.start[0]] = 1e6
    propose(world.context(pending=np.setdiff1d(np.arange(480), world.start)[:3]), 3)
