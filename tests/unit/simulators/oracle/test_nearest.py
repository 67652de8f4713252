"""The nearest row is the one of smallest distance in deviations of the table's columns."""

from __future__ import annotations

import numpy as np
import pytest

from protocols.wire.parameters import ParameterColumns, Parameters
from simulators.oracle.nearest import DescribedRows

GRID = np.array([[0.0, 300.0, 1.0], [1.0, 300.0, 1.0], [2.0, 400.0, 1.0]])
ROWS = DescribedRows.of_features(("x", "t", "one"), GRID)
ALL = np.ones(3, dtype=bool)


def point(x: float, t: float, one: float = 1.0) -> dict[str, float]:
    return {"x": x, "t": t, "one": one}


def test_a_row_is_at_no_distance_of_itself() -> None:
    found = ROWS.nearest(point(1.0, 300.0), {}, ALL)
    assert found is not None
    assert (found.row, found.distance) == (1, 0.0)


def test_differences_are_measured_in_deviations_of_their_columns() -> None:
    found = ROWS.nearest(point(1.8, 400.0), {}, ALL)
    assert found is not None
    assert found.row == 2
    assert found.distance == pytest.approx(np.sqrt((0.2 / GRID[:, 0].std()) ** 2 / 3))


def test_of_equally_near_rows_the_first_is_taken() -> None:
    found = ROWS.nearest(point(0.5, 300.0), {}, ALL)
    assert found is not None
    assert found.row == 0


def test_rows_that_cannot_be_used_are_passed_over() -> None:
    found = ROWS.nearest(point(1.0, 300.0), {}, np.array([True, False, True]))
    assert found is not None
    assert found.row == 0
    assert ROWS.nearest(point(1.0, 300.0), {}, np.zeros(3, dtype=bool)) is None


def test_a_number_that_never_varies_must_be_the_same() -> None:
    assert ROWS.nearest(point(1.0, 300.0, one=1.01), {}, ALL) is None


def test_words_must_be_the_same_and_numbers_may_come_in_any_order() -> None:
    columns = ParameterColumns(("t",), ("K",), ("solvent",))
    rows = DescribedRows.of_parameters(
        [Parameters(columns, (at,), (solvent,)) for at, solvent in ((300.0, "a"), (310.0, "b"), (340.0, "a"))]
    )
    found = rows.nearest({"more": 9.0, "t": 312.0}, {"solvent": "a"}, ALL)
    assert found is not None
    assert found.row == 0
    assert rows.nearest({"t": 300.0}, {"solvent": "c"}, ALL) is None
    assert (rows.lacking({}, {"solvent": "a"}), rows.lacking({"t": 1.0}, {})) == ("t", "solvent")
    assert rows.lacking({"t": 1.0}, {"solvent": "a"}) is None


def test_rows_with_words_alone_are_compared_by_them() -> None:
    columns = ParameterColumns(labels=("solvent",))
    rows = DescribedRows.of_parameters([Parameters(columns, (), (each,)) for each in ("a", "b", "c")])
    found = rows.nearest({}, {"solvent": "b"}, ALL)
    assert found is not None
    assert (found.row, found.distance) == (1, 0.0)
