"""The table of what a value adds to a sample, of either sign."""

from __future__ import annotations

import numpy as np
import pytest

from agent.entropy.change_table import ChangeTable, normal_nodes
from agent.entropy.measure import EntropyMeasure

M_SPACING = EntropyMeasure("m_spacing", 1e-3)


def table_of(measure: EntropyMeasure, sample: np.ndarray) -> ChangeTable:
    return ChangeTable(measure.added(sample), sample, -4.0, 4.0, undefined=1.0)


def test_it_says_what_each_value_adds_of_either_sign() -> None:
    sample = np.sort(np.random.default_rng(0).normal(size=25))
    y = np.random.default_rng(1).uniform(-4.0, 4.0, 500)
    added = M_SPACING.added(sample)
    assert added is not None
    exact = added.gain(y)
    assert exact.min() < 0.0 < exact.max()
    assert np.abs(table_of(M_SPACING, sample).at(y) - exact).mean() < 0.01 * np.abs(exact).mean()


def test_without_an_entropy_it_is_what_it_is_told_and_ties_leave_it_finite() -> None:
    assert table_of(M_SPACING, np.empty(0)).at(np.array([0.3])).tolist() == [1.0]
    published = table_of(EntropyMeasure(), np.full(8, 2.0))
    assert np.isfinite(published.at(np.array([0.3, 2.0]))).all()


def test_the_nodes_have_the_moments_of_a_normal() -> None:
    nodes, weights = normal_nodes()
    assert weights.sum() == pytest.approx(1.0)
    assert weights @ nodes == pytest.approx(0.0, abs=1e-12)
    assert weights @ np.square(nodes) == pytest.approx(1.0, abs=2e-3)
