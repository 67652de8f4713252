"""A series as bytes is read back as it was written, and begins its floats where a reader need not copy them."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.watch.state.points import Column
from scenarios.watch.state.series import ALIGNMENT, Series, decode, encode

NAMES = st.text(max_size=30)


@given(
    names=st.lists(NAMES, min_size=1, max_size=5),
    rows=st.integers(0, 7),
    reduced=st.booleans(),
    data=st.data(),
)
def test_what_is_written_is_read_back(names: list[str], rows: int, reduced: bool, data: st.DataObject) -> None:
    floats = st.floats(width=32, allow_nan=True, allow_infinity=False)
    cells = data.draw(st.lists(floats, min_size=rows * len(names), max_size=rows * len(names)))
    values = np.array(cells).reshape(rows, len(names))
    columns = [Column(family=name, what="entropy") for name in names]
    content = encode(Series(3, 9, 10, columns, values, reduced=reduced))
    (length,) = struct.unpack_from("<I", content)
    assert (ALIGNMENT + length) % ALIGNMENT == 0
    assert json.loads(content[ALIGNMENT : ALIGNMENT + length])["rows"] == rows
    again = decode(content)
    assert (again.first, again.last, again.total, again.reduced) == (3, 9, 10, reduced)
    assert [column.family for column in again.columns] == [name.encode(errors="replace").decode() for name in names]
    assert np.array_equal(again.values, values, equal_nan=True)


def test_what_is_no_series_is_refused() -> None:
    with pytest.raises(ValueError, match="length of its header"):
        decode(b"\0")
