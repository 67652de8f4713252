"""Columns that cannot be used are refused, with what is wrong of them."""

from __future__ import annotations

import numpy as np
import pytest

from agent.causal.graph.variables import Variables, standardise
from protocols.errors import TableError

ROWS = np.random.default_rng(0).normal(size=(20, 3))
NAMES = ("a", "b", "c")


def changed(row: int, column: int, value: float) -> np.ndarray:
    rows = ROWS.copy()
    rows[row, column] = value
    return rows


@pytest.mark.parametrize(
    ("names", "rows", "words"),
    [
        (NAMES, ROWS[:3], r"3 rows for 3 columns.*at least 4 rows"),
        (("a", "b"), ROWS, r"shape \(20, 3\) for 2 names"),
        (NAMES, ROWS[:, 0], r"shape \(20,\)"),
        (("a",), ROWS[:, :1], r"1 column\b.*a cause and an effect"),
        (("a", "b", "a"), ROWS, r"column 'a' is there more than once"),
        (NAMES, changed(4, 1, np.nan), r"column 'b' has nan in row 5"),
        (NAMES, changed(0, 2, np.inf), r"column 'c' has inf in row 1"),
        (NAMES, changed(0, 2, -1e200), r"column 'c' has -1e\+200 in row 1"),
    ],
)
def test_what_no_graph_can_be_found_of_is_refused(names: tuple[str, ...], rows: np.ndarray, words: str) -> None:
    with pytest.raises(TableError, match=words):
        Variables.of(names, rows)


def test_a_target_that_is_a_feature_is_refused() -> None:
    with pytest.raises(TableError, match="target 'b' is one of the features"):
        Variables.with_target(NAMES, ROWS, "b", ROWS[:, 1])


@pytest.mark.parametrize("factor", [1.0, -3.3356, 1e-30])
def test_a_target_that_is_a_feature_in_another_unit_is_refused(factor: float) -> None:
    with pytest.raises(TableError, match="feature 'b' is the target 'y' in another unit"):
        Variables.with_target(NAMES, ROWS, "y", 5.0 * factor + factor * ROWS[:, 1])


def test_as_many_values_of_the_target_as_rows_are_asked_for() -> None:
    with pytest.raises(TableError, match="20 rows of features and 19 values of 'y'"):
        Variables.with_target(NAMES, ROWS, "y", np.arange(19.0))


def test_the_target_is_the_last_column() -> None:
    made = Variables.with_target(NAMES, ROWS, "y", np.arange(20.0))
    assert made.names == (*NAMES, "y")
    assert made.values[:, 3].tolist() == list(range(20))


def test_rows_and_columns_are_taken_in_the_order_that_is_asked_for() -> None:
    made = Variables.of(NAMES, ROWS)
    assert (made.rows(np.array([3, 3, 1, 0, 2])).values == ROWS[[3, 3, 1, 0, 2]]).all()
    columns = made.columns([2, 0])
    assert columns.names == ("c", "a")
    assert (columns.values == ROWS[:, [2, 0]]).all()


def test_what_was_given_is_copied_and_cannot_be_written_to() -> None:
    rows = ROWS.copy()
    made = Variables.of(NAMES, rows)
    rows[:] = 0.0
    assert (made.values == ROWS).all()
    with pytest.raises(ValueError, match="read-only"):
        made.values[0, 0] = 1.0


def test_standardised_columns_have_mean_0_and_variance_1_and_a_constant_is_0() -> None:
    rows = np.column_stack((1e9 + ROWS[:, 0], 1e-30 * ROWS[:, 1], np.full(20, 0.1)))
    found = standardise(Variables.of(NAMES, rows))
    assert found.Z.mean(axis=1) == pytest.approx(0.0, abs=1e-6)
    assert found.Z.std(axis=1) == pytest.approx([1.0, 1.0, 0.0])
    assert found.scale == pytest.approx([ROWS[:, 0].std(), 1e-30 * ROWS[:, 1].std(), 0.0], rel=1e-6)
    assert found.correlations == pytest.approx(found.Z @ found.Z.T / 20)
