"""A factor that grows against one made at once."""

from __future__ import annotations

import numpy as np
import pytest

from agent.acquisition.base import FloatArray
from agent.surrogate.factor import GrowingFactor


@pytest.mark.parametrize("begun", [1, 4, 11])
def test_a_factor_that_grew_is_that_of_the_whole_matrix(begun: int) -> None:
    rng = np.random.default_rng(begun)
    A = rng.normal(size=(12, 30))
    K: FloatArray = A @ A.T
    factor = GrowingFactor(np.linalg.cholesky(K[:begun, :begun]).astype(np.float64), 15)
    for n in range(begun, 12):
        cross_row = factor.solve(K[:n, n : n + 1])[:, 0]
        factor.append(cross_row, float(np.sqrt(K[n, n] - cross_row @ cross_row)))
    assert len(factor) == 12
    assert factor.lower == pytest.approx(np.linalg.cholesky(K), abs=1e-10)


def test_what_is_solved_for_the_first_rows_is_gone_on_from() -> None:
    L = np.tril(np.random.default_rng(0).normal(size=(6, 6))) + 3.0 * np.eye(6)
    k = np.random.default_rng(1).normal(size=6)
    factor = GrowingFactor(L, 9)
    for first in (0, 2, 6):
        b = factor.solve(k[:first, None])[:, 0]
        assert L[:first, :first] @ b == pytest.approx(k[:first], abs=1e-12)
        assert L @ np.concatenate((b, factor.solve_rest(b, k[first:]))) == pytest.approx(k, abs=1e-12)


def test_it_solves_for_several_columns_either_way() -> None:
    L = np.tril(np.random.default_rng(0).normal(size=(6, 6))) + 3.0 * np.eye(6)
    columns = np.random.default_rng(1).normal(size=(6, 4))
    for capacity in (6, 9):
        factor = GrowingFactor(L, capacity)
        assert L @ factor.solve(columns) == pytest.approx(columns, abs=1e-12)
        assert L.T @ factor.solve(columns, transposed=True) == pytest.approx(columns, abs=1e-12)
