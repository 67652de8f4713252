"""A mapped array travels by its name, its parts by their values, and its pages can be given back."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from protocols.errors import StoreError
from protocols.tables.blocks.mapped_array import MappedArray, give_back, mapped

SHAPE = (4_000, 50)


@pytest.fixture
def array(tmp_path: Path) -> MappedArray:
    np.arange(SHAPE[0] * SHAPE[1], dtype=np.float64).tofile(tmp_path / "array")
    return mapped(str(tmp_path / "array"), "<f8", SHAPE)


def test_it_travels_by_its_name(array: MappedArray) -> None:
    sent = pickle.dumps(array)
    assert len(sent) < 1_000
    assert pickle.loads(sent).tolist() == array.tolist()
    assert isinstance(pickle.loads(sent), MappedArray)


def test_a_part_and_what_is_computed_travel_by_their_values(array: MappedArray) -> None:
    for part in (array[3:7], array[::2], array.T, array[5] + 1.0, array[[4, 2]], array.view()):
        again = pickle.loads(pickle.dumps(part))
        assert type(again) is np.ndarray
        assert again.tolist() == np.asarray(part).tolist()


def test_nobody_can_write_to_it(array: MappedArray) -> None:
    with pytest.raises(ValueError, match="read-only"):
        array[0, 0] = 1.0


def test_a_file_that_is_gone_or_too_short_is_told(array: MappedArray) -> None:
    path = Path(str(array.filename))
    with pytest.raises(StoreError, match="cannot be mapped"):
        mapped(str(path), "<f8", (SHAPE[0] + 1, SHAPE[1]))
    path.unlink()
    with pytest.raises(StoreError, match=r"cannot be mapped .* Expected: the arrays .* What to do: start again"):
        mapped(str(path), "<f8", SHAPE)


def test_any_other_array_has_nothing_to_give_back() -> None:
    array = np.ones(3)
    give_back(array)
    give_back(array[1:])
    assert array.tolist() == [1.0, 1.0, 1.0]
