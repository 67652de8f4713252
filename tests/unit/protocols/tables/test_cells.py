"""Cells of any type become texts and numbers, or are said to be none."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import numpy as np
import pandas as pd
import pytest

from protocols.errors import TableError
from protocols.tables.account import AccountEntry
from protocols.tables.cells import missing_cell, number_cells, numbers_of, text_cells, texts_of
from protocols.tables.files import NestedCell, TableFile
from protocols.tables.format import TableFormat


class Memory:
    """A table in memory, whose rows have numbers."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    def names(self) -> list[str]:
        return list(self._frame.columns)

    def frame(self, names: Sequence[str], numeric: Sequence[str], texts: Sequence[str]) -> pd.DataFrame:
        return self._frame

    def place(self, row: int) -> str:
        return f"row {row + 1} of t.parquet"

    def notes(self) -> tuple[AccountEntry, ...]:
        return ()


def file_of(cells: object, dtype: object = None) -> TableFile:
    """A table with one column `x`."""
    frame = pd.DataFrame({"x": pd.Series(cells, dtype=dtype)})
    return TableFile(Path("t.parquet"), ("x",), frame, Memory(frame))


OBJECTS: list[tuple[object, str]] = [
    (" a b ", "a b"),
    (194, "194"),
    (2**60 + 1, "1152921504606846977"),
    (np.int64(7), "7"),
    (np.uint8(7), "7"),
    (True, "True"),
    (np.bool_(False), "False"),
    (0.1, "0.1"),
    (np.float32(0.1), "0.1"),
    (Decimal("1E+2"), "100"),
    (Decimal("194.50"), "194.50"),
    (b"cubic", "cubic"),
    (bytearray("é", "utf-8"), "é"),
    (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    (None, ""),
    (pd.NA, ""),
    (pd.NaT, ""),
    (math.nan, ""),
    (np.float32("nan"), ""),
    (Decimal("NaN"), ""),
    (np.datetime64("NaT"), ""),
    ("n/a", ""),
    (b"None", ""),
    ("\u200b", ""),
]


@pytest.mark.parametrize(("cell", "text"), OBJECTS, ids=lambda each: repr(each)[:30])
def test_an_object_is_the_text_that_a_person_would_write(cell: object, text: str) -> None:
    cells = text_cells(file_of(["x", cell], object), "x")
    assert cells.texts == ["x", text]
    assert not cells.refused


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        (b"\xff\xfe", "bytes that are no UTF-8 text"),
        (["a"], "a list, and no text"),
        (np.array([1, 2]), "a list, and no text"),
        ({"a"}, "a list, and no text"),
        ({"a": 1}, "a record, and no text"),
        (NestedCell('{"a":1}'), "a record, and no text"),
        (NestedCell("[1]"), "a list, and no text"),
        (dt.date(2020, 1, 2), "a date, and no text"),
        (pd.Timestamp("2020-01-02"), "a date, and no text"),
        (dt.timedelta(1), "a date, and no text"),
        (np.datetime64("2020-01-02"), "a date, and no text"),
        (1j, "a complex, and no text"),
    ],
)
def test_what_is_no_text_is_refused_with_its_place(cell: object, found: str) -> None:
    file = file_of(pd.Series(["x", cell, cell], dtype=object))
    cells = text_cells(file, "x")
    assert (cells.texts, cells.refused, cells.missing) == (["x", "", ""], {1: found, 2: found}, {})
    with pytest.raises(TableError, match=rf"'x' has {found} in row 2 of t\.parquet"):
        texts_of(file, "x")


@pytest.mark.parametrize("dtype", ["Int64", "UInt64", "int64[pyarrow]", "category", object])
def test_a_gap_makes_no_floats_of_whole_numbers(dtype: str) -> None:
    if "pyarrow" in str(dtype):
        pytest.importorskip("pyarrow", reason="pyarrow is an extra")
    large = 2**53 + 1
    assert texts_of(file_of([large, None, 194] if dtype != "category" else [str(large), None, "194"], dtype), "x") == [
        str(large), "", "194",
    ]  # fmt: skip


@pytest.mark.parametrize("dtype", ["str", "string", object, "category", "string[pyarrow]"])
def test_texts_are_the_same_in_every_type_of_text(dtype: str) -> None:
    if "pyarrow" in str(dtype):
        pytest.importorskip("pyarrow", reason="pyarrow is an extra")
    cells = text_cells(file_of(["a", None, " NA", "b"], dtype), "x")
    assert cells.texts == ["a", "", "", "b"]
    assert cells.missing == {"": [1], "NA": [2]}


def test_floats_that_are_whole_are_called_by_their_whole_number_and_others_as_they_are_written() -> None:
    assert texts_of(file_of([194.0, math.nan, 2.0]), "x") == ["194", "", "2"]
    assert texts_of(file_of([194.0, math.nan, 2.5]), "x") == ["194.0", "", "2.5"]
    assert texts_of(file_of(np.array([0.1, 2.5], np.float32)), "x") == ["0.1", "2.5"]
    assert texts_of(file_of([True, False, None], "boolean"), "x") == ["True", "False", ""]


def test_a_record_is_its_json_where_structures_are_read() -> None:
    cells = text_cells(file_of([NestedCell('{"n":1}'), "data_x"], object), "x", records=True)
    assert cells.texts == ['{"n":1}', "data_x"]


def test_marks_of_the_table_itself_are_missing_texts_and_numbers() -> None:
    own = TableFormat(missing=("unknown", " -9999 "))
    assert text_cells(file_of(["unknown", "Unknown", "-9999"]), "x", own).missing == {"unknown": [0], "-9999": [2]}
    assert texts_of(file_of([1, -9999]), "x", own) == ["1", ""]
    assert texts_of(file_of([1.5, -9999.0]), "x", own) == ["1.5", ""]
    for cells in ([1.0, -9999.0], [1, -9999], ["1", "-9999"], ["1", "-9999.0"], [b"1", b"-9999"], [1, "unknown"]):
        numbers = number_cells(file_of(pd.Series(cells)), "x", own)
        np.testing.assert_array_equal(numbers.numbers, [1, np.nan])
        ((_, rows),) = numbers.missing.items()
        assert list(rows) == [1]


def test_an_error_says_of_a_mark_of_the_table_itself_that_it_counts_as_missing() -> None:
    own = TableFormat(missing=(" unknown ",))
    error = missing_cell(file_of(["1", "unknown"], object), {"x": np.array([False, True])}, "fill it", own)
    assert "Column 'x' has 'unknown', which counts as missing, in row 2" in str(error)


def test_a_text_that_is_lawful_is_not_missing() -> None:
    assert text_cells(file_of(["NA", "x"]), "x", lawful={"NA": "NA"}).texts == ["NA", "x"]


@pytest.mark.parametrize("many", [1, 2000])
def test_marks_are_found_among_few_texts_and_among_many(many: int) -> None:
    texts = [f"a{number}" for number in range(many)]
    assert text_cells(file_of([*texts, "None", "a|b"]), "x").missing == {"None": [many]}
    assert text_cells(file_of(texts), "x").missing == {}
    assert text_cells(file_of([*texts, "n/a\u200b"]), "x").missing == {"n/a\u200b": [many]}


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        ([1, 2], [1, 2]),
        (["1", " 2.5 ", "1e3"], [1, 2.5, 1000]),
        (["1", "n/a", "NaN", ""], [1, np.nan, np.nan, np.nan]),
        ([Decimal("1.5"), None], [1.5, np.nan]),
        ([b"1.5", None], [1.5, np.nan]),
        ([True, None], [1, np.nan]),
        (["True", "n/a", "false"], [1, np.nan, 0]),
        ([10**400, -(10**400)], [np.inf, -np.inf]),
    ],
)
def test_numbers_are_read_of_whatever_holds_them(cells: list[object], numbers: list[float]) -> None:
    np.testing.assert_array_equal(numbers_of(file_of(pd.Series(cells, dtype=object)), "x"), numbers)


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "float32", "boolean", "double[pyarrow]", "int64[pyarrow]"])
def test_a_missing_number_is_missing_in_every_type(dtype: str) -> None:
    if "pyarrow" in dtype:
        pytest.importorskip("pyarrow", reason="pyarrow is an extra")
    cells = number_cells(file_of([1, None, 0], dtype), "x")
    np.testing.assert_array_equal(cells.numbers, [1, np.nan, 0])
    assert {mark: list(rows) for mark, rows in cells.missing.items()} == {"": [1]}


@pytest.mark.parametrize("cell", ["abc", "1_000", "1,5", "0.75 eV", "Na", [1.0], dt.date(2020, 1, 1), "True", 1j])
def test_what_is_no_number_is_refused(cell: object) -> None:
    cells = number_cells(file_of(pd.Series([1.0, cell], dtype=object)), "x")
    assert list(cells.refused) == [1]
    assert math.isnan(cells.numbers[1])


def test_a_number_with_a_decimal_comma_is_told_with_the_setting_that_reads_it() -> None:
    with pytest.raises(TableError, match=r'name another column, or set decimal = ","'):
        numbers_of(file_of(["1.5", "1,5"], object), "x")
    with pytest.raises(TableError, match=r"fix the cell, or name another column\."):
        numbers_of(file_of(["1.5", "1,5,5"], object), "x")


def test_a_decimal_comma_is_read_where_the_table_has_it_and_a_point_is_then_none() -> None:
    comma = TableFormat(decimal=",")
    np.testing.assert_array_equal(numbers_of(file_of(["1,5", "n/a", 2.5], object), "x", comma), [1.5, np.nan, 2.5])
    with pytest.raises(TableError, match="-1,25"):
        numbers_of(file_of(["1.500", "1,5"], object), "x", comma)
