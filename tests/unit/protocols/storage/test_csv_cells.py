"""No cell that we write is carried out by a spreadsheet, numbers stay numbers, and every text comes back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.storage.csv_cells import from_cell, to_cell

DANGEROUS_STARTS = ("=", "+", "-", "@", "\t", "\n", "＝", "＋", "－", "＠")

NUMBERS = ("-1.5", "+3", "-1e-05", "+.5", "-1,5", "-1.234,5", "-inf", "nan", " -7 ", "12", "1E+22")

TEXTS = st.text(st.sampled_from("'=+-@\t\r\n \\x0a\x00\x1b\x85＝é") | st.characters(), max_size=8)


@pytest.mark.parametrize("start", DANGEROUS_STARTS)
@pytest.mark.parametrize("rest", ["HYPERLINK(1)", "", "cmd|' /C calc'!A0", "1+1"])
def test_a_cell_that_begins_like_a_formula_gets_an_apostrophe(start: str, rest: str) -> None:
    assert to_cell(start + rest) == f"'{start}{rest}"
    assert to_cell(f"  {start}{rest}") == f"'  {start}{rest}"


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_stays_as_it_is(number: str) -> None:
    assert to_cell(number) == number
    assert from_cell(number) == number


@pytest.mark.parametrize("text", ["fcc", "a=b", "NaCl", "Fe(II)O", "", "it's", "'quoted'", "a\nb", "Å", "\\frac"])
def test_usual_texts_stay_as_they_are(text: str) -> None:
    assert to_cell(text) == text
    assert from_cell(text) == text


def test_control_characters_are_written_so_that_a_person_sees_them() -> None:
    assert to_cell("a\x1b[2Jb\\") == r"'\a\x1b[2Jb\\"
    assert to_cell("\x00=1") == r"'\\x00=1"
    assert to_cell("\r=1") == r"'\\x0d=1", "Python's writer before 3.13 does not quote it, and a reader ends the row"


@given(TEXTS)
def test_every_text_comes_back(text: str) -> None:
    assert from_cell(to_cell(text)) == text


@given(TEXTS)
def test_no_cell_begins_like_a_formula_or_holds_a_control_character(text: str) -> None:
    cell = to_cell(text)
    assert not any(ord(each) < 32 or 127 <= ord(each) < 160 for each in cell if each not in "\t\r\n")
    assert cell == text or cell.startswith("'")
    if cell.lstrip().startswith(DANGEROUS_STARTS):
        assert from_cell(cell) == cell, "a number"


@given(TEXTS)
def test_what_is_harmless_already_is_not_changed_by_reading_and_writing_it_again(text: str) -> None:
    cell = to_cell(text)
    assert to_cell(from_cell(cell)) == cell
