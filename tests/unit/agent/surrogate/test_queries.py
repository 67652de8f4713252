"""The rows that are asked about: every one once, and never all of a pool at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.surrogate import pool_blocks, queries
from agent.surrogate.growing import GrowingGP, GrowthSettings
from agent.surrogate.queries import Queries
from agent.surrogate.standardise import measure_columns


class Watched(np.memmap):
    """A memory map that knows the most rows that were ever read at once."""

    most_rows = 0

    def __getitem__(self, key: Any) -> Any:
        found = super().view(np.ndarray)[key]
        Watched.most_rows = max(Watched.most_rows, len(found) if found.ndim == 2 else 0)
        return found

    def __array_function__(self, *arguments: object) -> np.ndarray:
        raise AssertionError("the whole map was given to a function")

    def __array_ufunc__(self, *arguments: object, **options: object) -> np.ndarray:
        raise AssertionError("the whole map was given to a function")


@pytest.fixture
def mapped(tmp_path: Path) -> np.ndarray:
    """1,000 rows of five features in single precision, in a file."""
    rows = np.random.default_rng(0).normal(loc=[0, 1, 2, 3, 1e4], size=(1000, 5)).astype(np.float32)
    rows.tofile(tmp_path / "features.f32")
    Watched.most_rows = 0
    return Watched(tmp_path / "features.f32", dtype=np.float32, mode="r", shape=(1000, 5))


@pytest.mark.parametrize("kept_bytes", [1 << 29, 0])
def test_blocks_cover_every_row_once_and_in_order(kept_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "KEPT_BYTES", kept_bytes)
    monkeypatch.setattr(queries, "BLOCK_ROWS", 64)
    features = np.random.default_rng(0).normal(size=(1000, 3))
    indices, columns = np.arange(0, 1000, 3), measure_columns(features)
    asked = Queries(features, indices, columns)
    asked.scale(np.array([0.5, 1.0, 2.0]), 10)
    found = np.full((len(indices), 3), np.nan)
    for at, rows, halves in asked.blocks():
        assert np.isnan(found[at]).all()
        assert len(rows) <= 64
        assert halves == pytest.approx(0.5 * np.square(rows).sum(axis=1))
        found[at] = rows
    assert found == pytest.approx(columns.apply(features[indices]) / [0.5, 1.0, 2.0], rel=1e-14)


def test_a_pool_in_a_file_is_never_read_whole(mapped: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    """Statistics, first fit, growth and prediction read blocks of 64 rows at most."""
    monkeypatch.setattr(queries, "KEPT_BYTES", 0)
    monkeypatch.setattr(queries, "BLOCK_ROWS", 64)
    monkeypatch.setattr(pool_blocks, "BLOCK_ROWS", 64)
    columns = measure_columns(mapped)
    rows = np.arange(0, 1000, 25)
    X, y = columns.apply(mapped[rows]), np.sin(np.arange(40.0))
    process = GrowingGP(Queries(mapped, np.arange(1000), columns), X[:30], y[:30], GrowthSettings(memory_bytes=0))
    for row in range(30, 40):
        process.append(X[row], float(y[row]))
    assert np.isfinite(process.predict()).all()
    assert 0 < Watched.most_rows <= 64


def test_a_pool_in_a_file_gives_what_the_same_in_memory_does(
    mapped: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = np.array(mapped[:])
    y = np.sin(np.arange(30.0))

    def predicted(features: np.ndarray) -> np.ndarray:
        columns = measure_columns(features)
        process = GrowingGP(
            Queries(features, np.arange(1000), columns), columns.apply(inside[:30]), y, GrowthSettings()
        )
        return np.array(process.predict())

    kept = predicted(inside)
    monkeypatch.setattr(queries, "KEPT_BYTES", 0)
    assert predicted(mapped) == pytest.approx(kept, abs=1e-9)


def test_many_training_rows_and_queries_are_in_single_precision() -> None:
    features = np.random.default_rng(0).normal(size=(1000, 2))
    asked = Queries(features, np.arange(1000), measure_columns(features))
    asked.scale(np.ones(2), 49_999)
    assert asked.dtype is np.float64
    asked.scale(np.ones(2), 50_000)
    assert asked.dtype is np.float32
    assert all(rows.dtype == np.float32 for _, rows, _ in asked.blocks())
