"""Samples of rows: seeded, and as sure as the rows make them."""

from __future__ import annotations

import numpy as np
import pytest

from agent.causal.graph.bootstrap import bootstrap
from agent.causal.graph.prior_knowledge import PriorKnowledge
from protocols.errors import SettingsError
from tests.support.samples.causal import named, rows_of

TRUTH = np.array([[0.0, 0.0, 0.0], [1.5, 0.0, 0.0], [0.0, -0.8, 0.0]])
"""x0 → x1 → x2."""


def rows(n: int = 400) -> np.ndarray:
    return rows_of(TRUTH, np.random.default_rng(3), n)


def test_strong_edges_are_sure_and_absent_ones_are_not() -> None:
    found = bootstrap(named(rows()), samples=40, seed=0)
    probabilities = found.edge_probabilities()
    assert probabilities[1, 0] == probabilities[2, 1] == 1.0
    assert probabilities[2, 0] < 0.5
    assert probabilities[0, 1] == probabilities[1, 2] == 0.0
    assert (np.diag(probabilities) == 0.0).all()


def test_a_weight_up_to_the_least_makes_no_edge() -> None:
    found = bootstrap(named(rows()), samples=10, seed=0)
    assert found.edge_probabilities(least=1.0)[2, 1] == 0.0
    assert found.edge_probabilities(least=1.0)[1, 0] == 1.0


def test_intervals_hold_the_effects_along_paths_and_widen_with_their_level() -> None:
    found = bootstrap(named(rows()), samples=60, seed=0)
    effects = np.linalg.inv(np.eye(3) - TRUTH)
    low, high = found.effect_intervals(0.99)
    assert ((low <= effects) & (effects <= high)).all()
    narrow_low, narrow_high = found.effect_intervals(0.5)
    assert narrow_high[2, 0] - narrow_low[2, 0] < high[2, 0] - low[2, 0]
    assert found.total_effects().shape == (60, 3, 3)


def test_the_same_seed_draws_the_same_samples_however_many_are_asked_for() -> None:
    few, many = (bootstrap(named(rows()), samples=k, seed=7) for k in (3, 6))
    assert (many.weights[:3] == few.weights).all()
    other = bootstrap(named(rows()), samples=3, seed=8)
    assert not (other.weights == few.weights).all()


def test_knowledge_holds_in_every_sample() -> None:
    known = PriorKnowledge.of(("x0", "x1", "x2"), sinks=["x1"])
    assert (bootstrap(named(rows()), known, samples=10, seed=0).weights[:, :, 1] == 0.0).all()


def test_a_column_that_is_constant_in_a_sample_has_no_edges_in_it() -> None:
    table = rows(12)
    table[:, 0] = 0.0
    table[0, 0] = 1.0  # a third of the samples do not draw this row
    found = bootstrap(named(table), samples=60, seed=0)
    without = [W for W in found.weights if not W[:, 0].any() and not W[0].any()]
    assert len(without) > 10


def test_no_samples_or_an_impossible_level_are_refused() -> None:
    with pytest.raises(SettingsError, match="bootstrap samples is 0"):
        bootstrap(named(rows()), samples=0, seed=0)
    with pytest.raises(SettingsError, match=r"level of an interval is 1\.0"):
        bootstrap(named(rows()), samples=1, seed=0).effect_intervals(1.0)
