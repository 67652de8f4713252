"""Which rows of a pool are looked at, and how they are described."""

from __future__ import annotations

import numpy as np
import pytest

from agent.surrogate.active_rows import ActiveRows, PoolRows, equal_shares
from agent.surrogate.standardise import measure_columns

N = 400
CODES = np.array([0] * 300 + [1] * 90 + [2] * 10)
REFERENCE = np.arange(0, N, 20)


def pool_rows(families: int = 3) -> PoolRows:
    features = np.random.default_rng(0).normal(size=(N, 2))
    return PoolRows(features, np.minimum(CODES, families - 1), families, measure_columns(features))


def test_rows_of_two_families_lie_one_further_apart_in_the_square() -> None:
    rows = pool_rows().of(np.array([0, 1, 350, 395]))
    assert rows.shape == (4, 5)
    between = np.square(rows[:, None, 2:] - rows[None, :, 2:]).sum(axis=2)
    assert between == pytest.approx(np.array([[0, 0, 1, 1], [0, 0, 1, 1], [1, 1, 0, 1], [1, 1, 1, 0]]))


def test_a_single_family_has_no_columns() -> None:
    assert pool_rows(1).groups == 0
    assert pool_rows(1).of(np.array([3])).shape == (1, 2)


def test_a_small_pool_is_looked_at_whole() -> None:
    active = ActiveRows(pool_rows(), CODES, REFERENCE, most=N)
    active.scale(np.ones(5), 10)
    assert active.indices.tolist() == list(range(N))
    assert sum(len(block) for _, block, _ in active.blocks()) == N


def test_of_a_large_one_equal_shares_are_drawn_with_the_reference_and_without_what_is_known() -> None:
    active = ActiveRows(pool_rows(), CODES, REFERENCE, most=60)
    active.known = np.array([1, 2, 301, 391])
    active.scale(np.ones(5), 10)
    assert np.isin(REFERENCE, active.indices).all()
    drawn = equal_shares(CODES, active.known, 60)
    assert np.bincount(CODES[drawn]).tolist() == [26, 25, 9]
    assert not np.isin(drawn, active.known).any()
    assert active.indices.tolist() == sorted({*drawn.tolist(), *REFERENCE.tolist()})


def test_another_number_of_known_rows_draws_others_and_the_same_draws_the_same() -> None:
    first = equal_shares(CODES, np.array([1]), 60)
    assert equal_shares(CODES, np.array([1]), 60).tolist() == first.tolist()
    assert equal_shares(CODES, np.array([1, 2]), 60).tolist() != first.tolist()


def test_more_than_there_are_are_all_of_them() -> None:
    assert equal_shares(CODES, np.array([5]), 1_000).tolist() == [i for i in range(N) if i != 5]
