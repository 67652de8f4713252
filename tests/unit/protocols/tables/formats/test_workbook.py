"""Excel: one sheet, values and no formulas, and no name of more digits than a workbook keeps."""

from __future__ import annotations

import datetime as dt
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from protocols.tables.formats import workbook
from tests.support.samples.table_files import numbers_in, opened, refused, texts_in

openpyxl = pytest.importorskip("openpyxl", reason="openpyxl is an extra")

Rows = Sequence[Sequence[object]]


def written(folder: Path, rows: Rows, **sheets: Rows) -> Path:
    book = openpyxl.Workbook()
    book.active.title = "first"
    for name, content in {"first": rows, **sheets}.items():
        sheet = book[name] if name in book.sheetnames else book.create_sheet(name)
        for row in content:
            sheet.append(list(row))
    book.save(folder / "t.xlsx")
    return folder / "t.xlsx"


def test_cells_come_as_they_stand(tmp_path: Path) -> None:
    path = written(tmp_path, [["id", "e"], ["a", 1.5], [7, 2], [True, None], ["001", "x"], [0.5, True], [None, 3]])
    assert texts_in(path, "id") == ["a", 7, True, "001", 0.5, None]
    assert numbers_in(path, "e") == [1.5, 2, None, "x", True, 3]


def test_empty_rows_and_columns_are_passed_over_and_rows_keep_their_numbers(tmp_path: Path) -> None:
    path = written(tmp_path, [[], ["id", None, "e", None, " "], [], ["a", None, 1], ["", " ", None], ["b", "y", 2]])
    file = opened(path, numeric=("e",), texts=("id",))
    assert file.names == ("id", "Unnamed: 1", "e")
    assert file.frame["id"].tolist() == ["a", "b"]
    assert file.places([0, 1]) == [f"row {row} of the sheet 'first' of t.xlsx" for row in (4, 6)]


def test_a_cell_beyond_the_header_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, [["id", "e"], ["a", 1, None, 5]])
    assert "Row 2 of the sheet 'first'" in refused(path, texts=("id",))


def test_several_sheets_are_listed_and_one_can_be_named(tmp_path: Path) -> None:
    path = written(tmp_path, [["id"], ["a"]], second=[["id"], ["b"]])
    said = refused(path)
    assert "several sheets with cells: first, second" in said
    assert 'sheet = "first"' in said
    assert texts_in(path, "id", sheet="second") == ["b"]
    assert "has no sheet 'secnd'" in (said := refused(path, sheet="secnd"))
    assert "did you mean 'second'" in said


def test_a_sheet_without_cells_does_not_count_and_a_workbook_without_any_is_empty(tmp_path: Path) -> None:
    assert texts_in(written(tmp_path, [["id"], ["a"]], second=[]), "id") == ["a"]
    assert "The sheet 'first'" in (said := refused(written(tmp_path, [])))
    assert "is empty" in said


@pytest.mark.parametrize(
    "cell",
    [
        dt.datetime(2020, 1, 1, 12, tzinfo=dt.UTC).replace(tzinfo=None),
        dt.date(2020, 1, 1),
        dt.time(1),
        dt.timedelta(days=1),
    ],
)
def test_dates_in_a_used_column_are_refused_with_their_row(tmp_path: Path, cell: object) -> None:
    path = written(tmp_path, [["id", "e", "f"], ["a", cell, 1]])
    for used in ({"texts": ("e",)}, {"numeric": ("e",)}):
        said = refused(path, **used)
        assert "Column 'e' of" in said
        assert "in row 2 of the sheet 'first'" in said
    assert numbers_in(path, "f") == [1.0]


def test_a_formula_that_failed_is_missing_and_one_without_a_value_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, [["id", "e", "f"], ["a", "#DIV/0!", "=1+1"], ["b", 1, 2]])
    assert numbers_in(path, "e") == [None, 1.0]
    said = refused(path, numeric=("f",))
    assert "holds a formula that was never computed in row 2" in said
    assert "=1+1" in said


def test_a_number_of_more_digits_than_a_workbook_keeps_is_no_name(tmp_path: Path) -> None:
    path = written(tmp_path, [["id", "e"], [10**15 + 1, 1e20]])
    assert "has the number 1e+15 in row 2" in refused(path, texts=("id",))
    assert numbers_in(path, "e") == [1e20]
    assert texts_in(written(tmp_path, [["id"], [10**15 - 1], [str(2**62 + 1)]]), "id") == [10**15 - 1, str(2**62 + 1)]


def test_what_is_no_workbook_is_refused_and_one_that_grows_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, [["id"], ["a"]])
    with zipfile.ZipFile(path) as archive:
        size = sum(each.file_size for each in archive.infolist())
    monkeypatch.setattr(workbook, "MAX_TABLE_BYTES", size - 1)
    assert "when it is unpacked" in refused(path)
    path.write_bytes(b"id,e\na,1\n")
    assert "cannot be read" in refused(path)


def test_a_missing_library_is_named_with_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, [["id"], ["a"]])
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    assert "pip install 'entropilot[excel]'" in refused(path)
