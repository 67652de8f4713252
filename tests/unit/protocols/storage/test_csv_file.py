"""A CSV file is there whole or not at all."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocols.errors import StoreError
from protocols.storage.csv_file import write_csv, write_rows_as_csv


def test_rows_stand_below_the_names_of_their_columns(tmp_path: Path) -> None:
    write_csv(tmp_path / "made.csv", ("name", "µ"), [("a, b", 1.5), ("", 2)])
    assert (tmp_path / "made.csv").read_bytes() == 'name,µ\n"a, b",1.5\n,2\n'.encode()


def test_texts_that_a_spreadsheet_would_carry_out_are_harmless_and_numbers_are_left_alone(tmp_path: Path) -> None:
    write_csv(tmp_path / "made.csv", ("=a", "b"), [("@SUM(1)", -1.5), ("+x", "-2.5")])
    assert (tmp_path / "made.csv").read_text() == "'=a,b\n'@SUM(1),-1.5\n'+x,-2.5\n"


def test_a_file_of_somebody_else_gets_the_same_and_stays_open() -> None:
    file = io.BytesIO()
    write_rows_as_csv(file, ("name", "µ"), [("a, b", 1.5), ("", 2)])
    assert file.getvalue() == 'name,µ\n"a, b",1.5\n,2\n'.encode()


def test_rows_that_fail_on_the_way_leave_no_file(tmp_path: Path) -> None:
    def failing() -> Iterator[tuple[int]]:
        yield (1,)
        yield (1 // 0,)

    with pytest.raises(ZeroDivisionError):
        write_csv(tmp_path / "made.csv", ("a",), failing())
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be written"):
        write_csv(tmp_path / "none" / "made.csv", ("a",), [])
