"""Which rows of a table can be used: each kind of fault is dropped and counted, or stops with its place."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from protocols.errors import TableError
from protocols.tables.table import TableColumns, read_table, read_values

ROWS = {
    "an empty id": (",x,1,1,Fe", "jid"),
    "a dash for a family": ("b,-,1,1,Fe", "kind"),
    "a family that is too long": (f"b,{'k' * 65},1,1,Fe", "kind"),
    "no number": ("b,x,soon,1,Fe", "energy"),
    "a missing value": ("b,x,n/a,1,Fe", "energy"),
    "a value beyond its range": ("b,x,11,1,Fe", "energy"),
    "a value without bounds": ("b,x,inf,1,Fe", "energy"),
    "a feature without bounds": ("b,x,1,-inf,Fe", "f"),
    "a feature that is none": ("b,x,1,1 eV,Fe", "f"),
    "a formula with words": ("b,x,1,1,BCC Fe", "formula"),
    "no formula": ("b,x,1,1,None", "formula"),
}
GOOD = ("a,x,0.5,1,Fe", "c,x,0.6,2,NaN", "d,y,0.7,3,FeO", "e,y,0.8,4,Fe2O3")


def written(folder: Path, *rows: str) -> Path:
    path = folder / "t.csv"
    path.write_text("jid,kind,energy,f,formula\n" + "".join(f"{row}\n" for row in rows))
    return path


def columns(**fields: object) -> TableColumns:
    described = {"id": "jid", "family": "kind", "property": "energy", "unit": "eV", "valid_range": [0, 10]}
    return TableColumns.model_validate(described | fields)


def meaning(column: str, **fields: object) -> TableColumns:
    return columns(**({"composition": "formula"} if column == "formula" else {"features": ["f"]}), **fields)


@pytest.mark.parametrize(("row", "column"), ROWS.values(), ids=ROWS)
def test_a_row_that_cannot_be_used_stops_with_its_place_and_the_setting(tmp_path: Path, row: str, column: str) -> None:
    path = written(tmp_path, GOOD[0], row, *GOOD[1:])
    with pytest.raises(TableError) as caught:
        read_table(path, meaning(column))
    said = str(caught.value)
    assert said.startswith(f"Column {column!r} has ")
    assert " in line 3 of t.csv" in said
    assert 'on_missing = "drop"' in said


@pytest.mark.parametrize(("row", "column"), ROWS.values(), ids=ROWS)
def test_such_a_row_is_left_out_and_counted_when_the_scenario_says_so(tmp_path: Path, row: str, column: str) -> None:
    path = written(tmp_path, GOOD[0], row, *GOOD[1:], row)
    table = read_table(path, meaning(column, on_missing="drop"))
    assert table.candidate_ids == ("a", "c", "d", "e")
    (said,) = table.account
    assert (said.handling, said.count, said.places) == ("dropped", 2, ("line 3 of t.csv", "line 7 of t.csv"))
    assert said.reason.startswith(f"column {column!r}: ")
    assert read_values(path, meaning(column, on_missing="drop")).candidate_ids == table.candidate_ids


def test_every_fault_at_once_leaves_the_good_rows_whatever_their_order(tmp_path: Path) -> None:
    rows = [*GOOD, *(row for row, column in ROWS.values() if column != "f")]
    random.Random(3).shuffle(rows)
    table = read_table(written(tmp_path, *rows), columns(composition="formula", on_missing="drop"))
    assert sorted(table.candidate_ids) == ["a", "c", "d", "e"]
    assert sum(each.count for each in table.account) == table.dropped == len(rows) - len(GOOD)


def test_a_table_of_which_no_row_is_left_says_by_what(tmp_path: Path) -> None:
    with pytest.raises(
        TableError, match="'energy': no number in 2 rows; column 'kind': '-', which counts as missing in"
    ):
        read_table(written(tmp_path, "a,x,soon,1,Fe", "b,x,later,1,Fe", "c,-,1,1,Fe"), meaning("f", on_missing="drop"))


def test_words_for_an_unknown_value_are_told_and_empty_cells_are_not(tmp_path: Path) -> None:
    path = written(tmp_path, *GOOD, "f,x,n/a,1,Fe", "g,x,,2,Fe", "h,x,N/A,3,Fe")
    assert [str(each) for each in read_table(path, meaning("f", on_missing="unknown")).account] == [
        "1 converted: column 'energy': 'n/a', which counts as missing (line 6 of t.csv).",
        "1 converted: column 'energy': 'N/A', which counts as missing (line 8 of t.csv).",
    ]


def test_marks_of_the_table_itself_hold_in_every_column(tmp_path: Path) -> None:
    path = written(tmp_path, *GOOD, "?!,x,1,1,Fe", "f,?!,1,1,Fe", "g,x,?!,1,Fe", "h,x,1,1,?!", "i,x,-9999,1,Fe")
    table = read_table(path, columns(composition="formula", on_missing="drop", missing=["?!", "-9999"]))
    assert (table.candidate_ids, table.dropped) == (("a", "c", "d", "e"), 5)
    assert all("counts as missing" in each.reason for each in table.account)


def test_a_formula_is_only_read_where_features_come_of_it(tmp_path: Path) -> None:
    path = written(tmp_path, *GOOD, "f,x,1,1,steel 42")
    table = read_table(path, columns(features=["f"], composition="formula"))
    assert table.formulas[-1] == "steel 42"


def test_levels_of_factors_have_one_spelling_and_a_missing_one_is_none(tmp_path: Path) -> None:
    path = written(tmp_path, "a,x,0.5,1.0,Fe", "b,x,0.6,2.0,Fe", "c,x,0.7,n/a,Fe", "d,x,0.8,3.0,Fe")
    table = read_table(path, columns(features=[], factors=["f", "kind"], on_missing="drop"))
    assert table.designs is not None
    assert table.designs.factors["f"] == ("1", "2", "3")
    assert [each.handling for each in table.account] == ["dropped", "converted"]


def test_ids_keep_the_text_of_the_table_beside_ours(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "MP 10/α,x,1,1,Fe", " mp-11 ,x,2,2,Fe"), meaning("f"))
    assert table.candidate_ids[1] == "mp-11"
    assert table.source_ids == ("MP 10/α", "mp-11")
    assert read_table(tmp_path / "t.csv", meaning("f", id=None)).source_ids == ("", "")


def test_whole_numbers_for_ids_are_one_with_decimals_and_without(tmp_path: Path) -> None:
    path = written(tmp_path, "194.0,x,1,1,Fe", "194,x,2,2,Fe")
    with pytest.raises(
        TableError, match=r"ids '194\.0' and '194' in line 2 of t\.csv and line 3 .* both written '194'"
    ):
        read_table(path, meaning("f"))


def test_ids_that_look_alike_are_told_and_are_two(tmp_path: Path) -> None:
    path = written(tmp_path, "mp-1,x,1,1,Fe", "MP-1,x,2,5,Fe", "a b,x,3,2,Fe", "a\u00a0b,x,4,3,Fe", "c,x,5,7,Fe")
    table = read_table(path, meaning("f"))
    assert len(set(table.candidate_ids)) == 5
    assert [each.handling for each in table.account] == ["noted", "noted"]
    assert {each.places for each in table.account} <= {(f"line {line} of t.csv",) for line in (2, 3, 4, 5)}


@pytest.mark.parametrize("cell", ["x" * 501, "a\u2028b", "a\x07b"])
def test_an_id_that_no_message_can_carry_is_refused_or_left_out(tmp_path: Path, cell: str) -> None:
    path = written(tmp_path, *GOOD, f"{cell},x,1,1,Fe")
    with pytest.raises(TableError, match=r"'jid' has .* in line 6 of t\.csv, "):
        read_table(path, meaning("f"))
    assert read_table(path, meaning("f", on_missing="drop")).candidate_ids == ("a", "c", "d", "e")


@pytest.mark.parametrize(("row", "column"), ROWS.values(), ids=ROWS)
def test_rows_to_be_measured_stay_where_all_others_that_cannot_be_used_are_left_out(
    tmp_path: Path, row: str, column: str
) -> None:
    path = written(tmp_path, GOOD[0], row, *GOOD[1:], "m,x,,5,FeO", "n,,,5,FeO")
    table = read_table(path, meaning(column, on_missing="unknown_or_drop"))
    unmeasured = "b" if row.startswith("b,x,n/a") else ""
    assert table.candidate_ids == tuple(sorted(filter(None, ("a", unmeasured, "c", "d", "e", "m"))))
    assert table.dropped == (1 if unmeasured else 2), "a row without a family is left out, measured or not"
