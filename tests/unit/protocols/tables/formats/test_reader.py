"""What all readers give: cells as they stand, numbers as floats where a column has nothing else."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from protocols.tables.formats.reader import NestedCell, cell_of, frame_of


def test_an_object_and_a_list_are_json_with_their_keys_in_order() -> None:
    assert cell_of({"b": [1, {"d": 1, "c": "é"}], "a": None}) == NestedCell('{"a":null,"b":[1,{"c":"é","d":1}]}')
    assert str(cell_of([1, 2.5])) == "[1,2.5]"
    assert cell_of((1,)) == NestedCell("[1]")
    assert [cell_of(cell) for cell in ("x", 1, None, True, b"x")] == ["x", 1, None, True, b"x"]


def test_numbers_are_floats_where_a_column_has_nothing_else() -> None:
    huge = 10**400
    cells: dict[str, Iterable[object]] = {
        "a": [1, None, 2.5],
        "b": [1, "x", 2],
        "c": iter([1, 2, 3]),
        "d": [True, 1.0, 2],
        "e": [huge, 1.0, 2],
    }
    frame = frame_of(cells, ["a", "b", "d", "e"])
    np.testing.assert_array_equal(frame["a"].to_numpy(), [1.0, np.nan, 2.5])
    assert {name: frame[name].tolist() for name in "bcde"} == {
        "b": [1, "x", 2], "c": [1, 2, 3], "d": [True, 1.0, 2], "e": [huge, 1.0, 2],
    }  # fmt: skip
    assert [type(cell) for cell in frame["c"]] == [int, int, int]
