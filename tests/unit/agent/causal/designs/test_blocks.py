"""Blocks: among rows as among all, and their sum."""

from __future__ import annotations

import numpy as np
import pytest

from agent.causal.designs.blocks import CAUTION, SMOOTH_LENGTHSCALE, Block, cautious, covariance_of, stacked
from protocols.errors import InvariantViolation

N = 7
RNG = np.random.default_rng(0)
BLOCKS = [
    Block("features", 0.5, features=RNG.normal(size=(N, 3))),
    Block("diagonal", 0.2, diagonal=RNG.random(N)),
    Block("smooth", 0.1, position=RNG.normal(size=(N, 2))),
]
VARIANCES = np.array([0.7, 1.3, 0.4])


def test_the_sum_of_all_blocks_is_that_of_each_by_its_variance() -> None:
    everything = np.arange(N)
    whole = covariance_of(BLOCKS, VARIANCES, N)
    np.testing.assert_allclose(whole, np.tensordot(VARIANCES, stacked(BLOCKS, everything), 1), atol=1e-12)
    rows = np.array([5, 0, 3])
    np.testing.assert_allclose(whole[np.ix_(rows, rows)], np.tensordot(VARIANCES, stacked(BLOCKS, rows), 1), atol=1e-12)


def test_a_smooth_block_falls_with_the_distance_of_its_positions() -> None:
    block = Block("smooth", 1.0, position=np.array([[0.0], [SMOOTH_LENGTHSCALE], [0.0]]))
    K = block.among(np.arange(3))
    assert K[0, 1] == pytest.approx(np.exp(-0.5))
    assert K[0, 2] == 1.0


def test_choosing_is_cautious_of_what_is_irregular_alone() -> None:
    np.testing.assert_array_equal(cautious(BLOCKS, VARIANCES), VARIANCES * [1.0, CAUTION, 1.0])


def test_a_block_of_nothing_stops_the_process() -> None:
    with pytest.raises(InvariantViolation, match="features, a diagonal or positions"):
        Block("empty", 1.0).among(np.arange(2))


def test_no_block_is_no_covariance() -> None:
    np.testing.assert_array_equal(covariance_of([], np.empty(0), 2), np.zeros((2, 2)))
    assert stacked([], np.arange(2)).shape == (0, 2, 2)
