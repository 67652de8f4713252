"""The first row that cannot be used stops, or all such rows are counted by reason."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from protocols.errors import TableError
from protocols.tables.account import MAX_REASON, account_of
from protocols.tables.faults import Faults, RowFault, Sieve


def sieve(rows: int = 6, *, drops: bool = True) -> Sieve:
    return Sieve(np.ones(rows, dtype=bool), lambda row: f"line {row + 2} of t.csv", drops)


def faults(column: str, reason: str, *rows: int) -> Faults:
    return Faults(column, reason, np.array(rows), lambda row: RowFault(f"'cell {row}'", "a number", after=": why"))


def test_a_row_counts_for_the_first_fault_that_is_found_in_it() -> None:
    one = sieve()
    one.reject(faults("a", "no number", 1, 4), faults("b", "an empty cell", 0, 1, 2, 3), faults("a", "no number", 5, 0))
    told = [(each.reason, list(each.rows)) for each in one.findings()]
    assert told == [("column 'a': no number", [1, 4, 5]), ("column 'b': an empty cell", [0, 2, 3])]
    assert one.sound.sum() == 0


def test_the_first_row_stops_and_tells_how_many_are_like_it() -> None:
    one = sieve(drops=False)
    one.reject(faults("a", "no number", 3, 4), faults("b", "an empty cell", 5), faults("a", "no number", 2))
    with pytest.raises(TableError) as caught:
        one.raise_first()
    said = str(caught.value)
    assert said.startswith("Column 'a' has 'cell 2' in line 4 of t.csv: why (3 such cells in the column). Expected: a")
    assert said.endswith('fix the cell, or set on_missing = "drop" to leave such rows out.')


def test_leaving_rows_out_is_no_advice_where_no_row_would_be_left() -> None:
    one = sieve(2, drops=False)
    one.reject(faults("note", "no number", 0, 1))
    with pytest.raises(TableError) as caught:
        one.raise_first()
    assert "on_missing" not in str(caught.value)
    assert str(caught.value).endswith("fix the cell, or correct the column: no row can be used with it.")


def test_nothing_stops_where_nothing_is_wrong_or_rows_are_left_out() -> None:
    sieve(drops=False).raise_first()
    one = sieve()
    one.reject(faults("a", "no number", 1))
    one.raise_first()
    assert one.kept(Path("t.csv")).tolist() == [0, 2, 3, 4, 5]


def test_a_table_of_which_nothing_is_left_says_by_what() -> None:
    one = sieve()
    one.reject(faults("a", "no number", 0, 1, 2, 3), faults("b", "an empty cell", 4, 5))
    with pytest.raises(TableError, match="column 'a': no number in 4 rows; column 'b': an empty cell in 2 rows"):
        one.kept(Path("t.csv"))


def test_what_is_said_of_the_first_row_has_no_comma_where_nothing_follows() -> None:
    one = sieve(1)
    fault = RowFault("'Missing', which counts as missing,", "a number")
    one.reject(Faults("a", "a mark", np.array([0]), lambda _: fault))
    with pytest.raises(TableError, match=r"has 'Missing', which counts as missing\. Expected: a number"):
        one.kept(Path("t.csv"))


def test_an_account_names_the_first_three_places_and_looks_them_up_once() -> None:
    one = sieve()
    one.reject(faults("a", "no number", 0, 1, 2, 3), faults("b", "an empty cell", 4))
    asked: list[list[int]] = []

    def places(rows: object) -> list[str]:
        asked.append(list(rows))  # type: ignore[call-overload]
        return [f"row {row}" for row in asked[-1]]

    many, single = account_of(one.findings(), places)
    assert asked == [[0, 1, 2, 4]]
    assert str(many) == "4 dropped: column 'a': no number (row 0, row 1, row 2, …)."
    assert str(single) == "1 dropped: column 'b': an empty cell (row 4)."


def test_a_reason_is_no_longer_than_an_account_takes() -> None:
    one = sieve()
    one.reject(faults("m" * 400, "no number", 1))
    (entry,) = account_of(one.findings(), lambda _: ["row 1"])
    assert len(entry.reason) == MAX_REASON
    assert entry.reason.endswith("m…")
