"""What counts as missing, in every column."""

from __future__ import annotations

import pytest

from protocols.tables.marks import WORDS, in_words, is_missing

SAID = (
    "",
    "-",
    "—",
    "NA",
    "na",
    "N/A",
    "n/a",
    "NaN",
    "nan",
    "-nan",
    "None",
    "NONE",
    "null",
    "NULL",
    "<NA>",
    "#N/A",
    "NaT",
    "#SPILL!",
    "#CALC!",
    "-nan(ind)",
    "-NaN(IND)",
    "nan(snan)",
)


@pytest.mark.parametrize("text", SAID)
def test_what_programs_write_for_nothing_counts_as_missing(text: str) -> None:
    assert is_missing(text)


@pytest.mark.parametrize("text", ["Na", "N", "0", "no", "cubic", "unknown", "NaCl", "nano", "non", "P-1", "x" * 1000])
def test_what_may_be_a_name_does_not(text: str) -> None:
    assert not is_missing(text)


def test_sodium_nitride_is_the_one_mark_that_is_a_formula() -> None:
    assert {text for text in (*SAID, *WORDS) if not is_missing(text, formulas=True)} == {"NaN"}


def test_marks_of_the_table_itself_count_as_they_stand_and_among_formulas_too() -> None:
    assert is_missing("CO", ("CO",), formulas=True)
    assert is_missing("NaN", ("NaN",), formulas=True)
    assert not is_missing("Co", ("CO",))


def test_a_mark_is_shown_and_an_empty_cell_called_so() -> None:
    assert in_words("n/a") == "'n/a', which counts as missing"
    assert in_words("") == "an empty cell"
