"""Indices come out as they went in, and take an eighth of a byte each."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from agent.runtime.packed_indices import PackedIndices


@pytest.mark.parametrize("indices", [[], [0], [7], [8], [0, 1, 9, 16, 1_000], list(range(77))])
def test_they_come_out_as_they_went_in(indices: list[int]) -> None:
    packed = PackedIndices.of(np.array(indices, dtype=np.int64))
    again = pickle.loads(pickle.dumps(packed)).unpacked()
    assert again.dtype == np.int64
    assert again.tolist() == indices


def test_those_of_a_whole_pool_take_a_bit_each() -> None:
    assert len(PackedIndices.of(np.arange(80_000)).bits) == 10_000
