"""How a table is written: what can separate cells, and what stands for a missing one."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from protocols.tables.format import USUAL, TableFormat


@pytest.mark.parametrize("mark", [",", ";", "\t", "|", " ", ":"])
def test_a_mark_that_no_cell_needs_can_separate(mark: str) -> None:
    assert TableFormat(delimiter=mark).delimiter == mark


@pytest.mark.parametrize("mark", ['"', "'", "\n", "\r", "\0", ".", "-", "e", "1", "ß"])
def test_a_mark_of_numbers_names_or_lines_cannot(mark: str) -> None:
    with pytest.raises(ValidationError, match="cannot separate"):
        TableFormat(delimiter=mark)


def test_a_mark_for_a_missing_cell_has_no_blanks_around_it() -> None:
    assert TableFormat(missing=(" -9999 ", "not known", "\t")).missing == ("-9999", "not known", "")


def test_the_usual_table_leaves_all_to_its_ending() -> None:
    assert TableFormat(delimiter=None, decimal=".", sheet=None, missing=()) == USUAL
