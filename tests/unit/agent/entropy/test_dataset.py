"""A dataset whose values may be corrected or go away: its bias is that of who never knew another value."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agent.entropy.bias import measure_bias
from agent.entropy.dataset import DatasetBias

FAMILIES = ("a", "b", "c")
CHANGES = st.lists(
    st.tuples(st.integers(0, 9), st.one_of(st.none(), st.floats(-5, 5, allow_nan=False))), min_size=1, max_size=40
)


@given(CHANGES)
def test_the_bias_is_that_of_the_values_that_are_there(changes: list[tuple[int, float | None]]) -> None:
    dataset, known = DatasetBias(FAMILIES), dict[int, float]()
    for index, value in changes:
        if value is not None:
            dataset.put(index, index % 3, (value,))
            known[index] = value
        elif index in known:
            assert dataset.remove(index) == index % 3
            del known[index]
        assert (index in dataset) == (index in known)
    codes = np.array([index % 3 for index in known], dtype=np.int64)
    assert dataset.meter.point() == measure_bias(FAMILIES, codes, np.array(list(known.values())))


def test_a_band_of_more_values_than_there_are_is_none() -> None:
    dataset = DatasetBias(FAMILIES)
    for index in range(6):
        dataset.put(index, 0, (float(index),))
    assert dataset.meter.band_of(0, 6) is not None
    dataset.remove(2)
    assert dataset.meter.band_of(0, 6) is None
    assert dataset.meter.band_of(0, 5) is not None
