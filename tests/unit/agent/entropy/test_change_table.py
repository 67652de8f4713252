"""The table of what a value adds to a sample, of either sign."""

from __future__ import annotations

import numpy as np
import pytest

from agent.entropy.change_table import ChangeTable, ChangeTableMemory, normal_nodes
from agent.entropy.measure import EntropyMeasure

M_SPACING = EntropyMeasure("m_spacing", 1e-3)
FORECASTS = [(0.3, 0.2), (-1.0, 1.0)]
"""Mean and deviation."""


def table_of(measure: EntropyMeasure, sample: np.ndarray) -> ChangeTable:
    return ChangeTable(measure.added(sample), sample, -4.0, 4.0, undefined=1.0)


def test_it_says_what_each_value_adds_of_either_sign() -> None:
    sample = np.sort(np.random.default_rng(0).normal(size=25))
    y = np.random.default_rng(1).uniform(-4.0, 4.0, 500)
    added = M_SPACING.added(sample)
    assert added is not None
    exact = added.gain(y)
    assert exact.min() < 0.0 < exact.max()
    found = table_of(M_SPACING, sample).at(y, np.zeros(500), np.zeros(1))[:, 0]
    assert np.abs(found - exact).mean() < 0.01 * np.abs(exact).mean()


def test_it_is_looked_up_at_every_node_of_every_candidate() -> None:
    sample = np.sort(np.random.default_rng(0).normal(size=25))
    table, nodes = table_of(M_SPACING, sample), np.array([-1.0, 0.0, 2.5])
    found = table.at(np.array([0.3, -1.0]), np.array([0.2, 1.0]), nodes)
    each = [[table.at(np.array([m + s * t]), np.zeros(1), np.zeros(1))[0, 0] for t in nodes] for m, s in FORECASTS]
    assert found == pytest.approx(np.array(each), abs=1e-12)


def test_at_the_ends_of_its_range_it_is_what_it_is_there() -> None:
    sample = np.array([-0.5, 0.0, 0.1, 2.0])
    added = M_SPACING.added(sample)
    assert added is not None
    ends = np.array([-4.0, 4.0])
    assert table_of(M_SPACING, sample).at(ends, np.zeros(2), np.zeros(1))[:, 0] == pytest.approx(added.gain(ends))


def test_without_an_entropy_it_is_what_it_is_told_and_ties_leave_it_finite() -> None:
    alone = np.zeros(1)
    assert table_of(M_SPACING, np.empty(0)).at(np.array([0.3]), alone, alone).tolist() == [[1.0]]
    published = table_of(EntropyMeasure(), np.full(8, 2.0))
    assert np.isfinite(published.at(np.array([0.3, 2.0]), np.zeros(2), alone)).all()


def test_a_range_of_one_value_is_looked_up_as_well() -> None:
    table = ChangeTable(M_SPACING.added(np.array([0.0, 1.0])), np.array([0.0, 1.0]), 0.5, 0.5, undefined=1.0)
    assert np.isfinite(table.at(np.array([0.5]), np.zeros(1), np.zeros(1))).all()


def test_a_memory_gives_what_a_new_one_gives_and_keeps_what_has_not_changed() -> None:
    rng, memory = np.random.default_rng(2), ChangeTableMemory()
    samples = [np.sort(rng.normal(size=12)), np.sort(rng.normal(size=9))]
    asked = [
        (0, samples[0], -3.0, 3.0),
        (1, samples[1], -2.0, 3.1),
        (0, samples[0], -2.99, 3.0),
        (0, samples[1], -3, 3),
    ]
    found = [memory.of(key, M_SPACING, x, low, high, undefined=1.0) for key, x, low, high in asked]
    assert found[2] is found[0]
    assert found[3] is not found[0]
    mean, std, nodes = np.linspace(-1.0, 1.0, 5), np.full(5, 0.3), np.array([-2.0, 0.0, 2.0])
    for table, (key, x, low, high) in zip(found, asked, strict=True):
        fresh = ChangeTableMemory().of(key, M_SPACING, x, low, high, undefined=1.0)
        assert table.at(mean, std, nodes).tolist() == fresh.at(mean, std, nodes).tolist()


def test_another_measure_or_a_wider_range_has_a_table_of_its_own() -> None:
    memory, sample = ChangeTableMemory(), np.array([0.0, 0.4, 1.0])
    first = memory.of("g", M_SPACING, sample, -1.0, 2.0, undefined=1.0)
    assert memory.of("g", EntropyMeasure("m_spacing", 1e-2), sample, -1.0, 2.0, undefined=1.0) is not first
    assert memory.of("g", M_SPACING, sample, -1.0, 3.5, undefined=1.0) is not first


def test_the_nodes_have_the_moments_of_a_normal() -> None:
    nodes, weights = normal_nodes()
    assert weights.sum() == pytest.approx(1.0)
    assert weights @ nodes == pytest.approx(0.0, abs=1e-12)
    assert weights @ np.square(nodes) == pytest.approx(1.0, abs=2e-3)
