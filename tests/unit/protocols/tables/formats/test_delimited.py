"""Text tables: another delimiter is told with the setting that reads it, and a row keeps its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocols.tables.formats.delimited import looks_like_cells
from tests.support.samples.table_files import numbers_in, opened, refused, texts_in, written


def test_a_tsv_is_separated_by_tabs_and_an_empty_first_cell_is_no_blank(tmp_path: Path) -> None:
    path = written(tmp_path, "id\te\n\t1\na\t\n \t3\n", "t.tsv")
    assert texts_in(path, "id") == ["", "a", ""]
    assert numbers_in(path, "e") == [1.0, None, 3.0]


def test_a_delimiter_and_a_decimal_comma_can_be_set(tmp_path: Path) -> None:
    path = written(tmp_path, "id;e\na;1,5\nb;-2\n")
    assert numbers_in(path, "e", delimiter=";", decimal=",") == [1.5, -2.0]
    blanks = written(tmp_path, "id e\na 1\n", "t.txt")
    assert numbers_in(blanks, "e", delimiter=" ") == [1]


def test_cells_that_were_made_harmless_for_a_spreadsheet_are_read_as_what_they_mean(tmp_path: Path) -> None:
    path = written(tmp_path, "id,'=f,e\na,'=x,-1\nb,''=x,+2\nc,'quoted',3\nd,-1.5,4\n'\\\\x1b,,5\n")
    assert texts_in(path, "=f") == ["=x", "'=x", "'quoted'", "-1.5", ""]
    assert texts_in(path, "id") == ["a", "b", "c", "d", "\x1b"]
    assert numbers_in(path, "e") == [-1, 2, 3, 4, 5]


def test_a_column_with_a_word_keeps_its_decimal_commas_for_whoever_checks_it(tmp_path: Path) -> None:
    path = written(tmp_path, "id;e\na;1,5\nb;n/a\nc;1.234,5\n")
    assert numbers_in(path, "e", delimiter=";", decimal=",") == ["1,5", "n/a", "1.234,5"]


def test_a_thousands_mark_never_becomes_a_decimal_point(tmp_path: Path) -> None:
    path = written(tmp_path, "id;e\na;1.234\nb;2.500\n")
    assert numbers_in(path, "e", delimiter=";", decimal=",") == ["1.234", "2.500"]


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        ("id;e\na;1\nb;2\n", "t.csv", ["separated by ';'", "Expected: commas", 'set delimiter = ";"']),
        ("id;e\na;1,5\nb;2,5\n", "t.csv", ['delimiter = ";" and decimal = ","']),
        ("id;e, eV;x\na;1,5;y\n", "t.csv", ['delimiter = ";"']),
        ("id\te\na\t1\n", "t.csv", ['delimiter = "\\t"']),
        ("id|e\na|1\n", "t.csv", ['delimiter = "|"']),
        ("id,e\na,1\n", "t.tsv", ["separated by ','", "Expected: tabs", 'delimiter = ","']),
        ("a;b\n", "t.csv", ['delimiter = ";"']),
    ],
)
def test_another_delimiter_is_told_with_the_setting(tmp_path: Path, content: str, name: str, words: list[str]) -> None:
    said = refused(written(tmp_path, content, name))
    assert [word for word in words if word not in said] == []


def test_a_list_in_a_cell_is_no_delimiter_and_a_set_one_is_believed(tmp_path: Path) -> None:
    assert opened(written(tmp_path, "id,e,a;b\nx,1,p;q\ny,2,r\n")).names == ("id", "e", "a;b")
    path = written(tmp_path, "a;b,c;d\n1;2,3;4\n")
    assert 'delimiter = ";"' in refused(path)
    assert opened(path, delimiter=",").names == ("a;b", "c;d")
    assert opened(written(tmp_path, "a;b\n1\n2;3\n"), delimiter=",").names == ("a;b",)


@pytest.mark.parametrize(("mark", "name"), [("\t", "t.csv"), ("|", "t.tsv"), (" ", "t.txt")])
def test_a_set_delimiter_that_makes_one_column_of_several_is_told_with_the_one_they_have(
    tmp_path: Path, mark: str, name: str
) -> None:
    said = refused(written(tmp_path, "id,e\na,1\nb,2\n", name), delimiter=mark)
    assert "are separated by ',': by commas the header has 2, by" in said
    assert said.endswith('What to do: set delimiter = ",".')


def test_another_delimiter_is_found_beside_cells_longer_than_the_csv_modules_limit(tmp_path: Path) -> None:
    assert 'set delimiter = ";"' in refused(written(tmp_path, f"id;cif\na;{'x' * 200_000}\n"))


def test_text_without_a_delimiter_is_asked_for_it(tmp_path: Path) -> None:
    said = refused(written(tmp_path, "id e\na 1\n", "t.txt"))
    assert "not said what separates" in said
    assert 'delimiter = ";"' in said


def test_a_row_with_too_many_cells_is_told_with_its_line(tmp_path: Path) -> None:
    said = refused(written(tmp_path, "id e\na  1\n", "t.txt"), numeric=("e",), delimiter=" ")
    assert "Line 2 of" in said
    assert "has 3 cells, and the header 2" in said


def test_a_quote_that_never_ends_is_an_error(tmp_path: Path) -> None:
    assert "cannot be read" in refused(written(tmp_path, 'id,e\n"a,1\nb,2\n'), texts=("id",))


def test_lines_are_counted_past_blank_ones_and_long_cells_also_of_the_last_rows(tmp_path: Path) -> None:
    long = "x" * 200_000
    content = f'id,e\n\na,1\n"{long}\n\n",2\n' + "".join(f"r{row},3\n" for row in range(40))
    file = opened(written(tmp_path, content), numeric=("e",))
    assert [file.place(row) for row in (0, 1, 2, 41)] == [f"line {line} of t.csv" for line in (3, 4, 7, 46)]
    assert file.places([0, 2, 41]) == [file.place(0), file.place(2), file.place(41)]


def test_a_row_that_is_no_longer_in_the_file_is_named_by_its_number(tmp_path: Path) -> None:
    path = written(tmp_path, "id,e\na,1\nb,2\n")
    file = opened(path, numeric=("e",))
    path.write_text("id,e\na,1\n")
    assert file.place(1) == "row 2 of t.csv"


def test_an_empty_text_and_one_without_rows_are_told_apart(tmp_path: Path) -> None:
    assert "is empty" in refused(written(tmp_path, ""))
    assert "has no rows" in refused(written(tmp_path, "id,e\n"))


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("mp-1", "-1.25"), True), (("a", "1,5"), True), (("a", "2.5e-3"), True), (("a", "-3"), True),
        (("id", "0", "1"), False), (("id", "energy"), False), (("id", "e.g."), False),
    ],
)  # fmt: skip
def test_names_that_look_like_cells_are_noticed(names: tuple[str, ...], expected: bool) -> None:
    assert looks_like_cells(names) is expected


def test_two_equal_cells_in_a_first_row_ask_for_a_header(tmp_path: Path) -> None:
    assert "write a header" in refused(written(tmp_path, "a,-1.25,-1.25\nb,2,3\n"))
    assert "rename one of them" in refused(written(tmp_path, "a,b,b\nb,2,3\n"))
