"""Standard features."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from agent.surrogate import pool_blocks
from agent.surrogate.standardise import ColumnMemory, measure_columns


def test_columns_get_mean_zero_and_deviation_one() -> None:
    features = np.random.default_rng(0).normal(loc=[1e3, -2.0], scale=[1e-3, 50.0], size=(100, 2))
    rows = measure_columns(features).apply(features)
    assert rows.mean(axis=0) == pytest.approx([0.0, 0.0], abs=1e-9)
    assert rows.std(axis=0) == pytest.approx([1.0, 1.0])


def test_constant_columns_are_left_out() -> None:
    features = np.column_stack((np.arange(7.0), np.full(7, 0.1), np.zeros(7)))
    assert measure_columns(features).apply(features).shape == (7, 1)


def test_statistics_do_not_depend_on_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    features = np.random.default_rng(0).normal(loc=[1e3, -2.0], scale=[1e-3, 50.0], size=(100, 2))
    whole = measure_columns(features)
    monkeypatch.setattr(pool_blocks, "BLOCK_ROWS", 7)
    assert measure_columns(features).centre == pytest.approx(whole.centre, rel=1e-14)
    assert measure_columns(features).scale == pytest.approx(whole.scale, rel=1e-9)
    assert whole.centre.tolist() == features.mean(axis=0).tolist()
    assert whole.scale.tolist() == features.std(axis=0).tolist()


def test_single_precision_is_summed_in_double() -> None:
    """A million steps of one ten-millionth of the sum would be lost otherwise."""
    features: np.ndarray[Any, Any] = np.full((1_000_000, 1), 0.1, dtype=np.float32)
    features[::2] = 0.3
    assert measure_columns(features).centre == pytest.approx([0.2], rel=1e-7)
    assert measure_columns(features).scale == pytest.approx([0.1], rel=1e-7)


def test_rows_are_measured_by_the_statistics_of_the_pool() -> None:
    columns = measure_columns(np.array([[0.0], [2.0]]))
    assert columns.apply(np.array([[5.0]])).tolist() == [[4.0]]


def test_the_memory_measures_another_matrix_anew() -> None:
    memory = ColumnMemory()
    a, b = np.array([[0.0], [2.0]]), np.array([[0.0], [4.0]])
    assert memory.of(a) is memory.of(a)
    assert memory.of(b).scale.tolist() == [2.0]
