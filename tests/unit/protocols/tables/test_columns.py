"""Which column is meant: a header that is missing is told as such."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocols.errors import TableError
from protocols.tables.columns import require_column


def test_a_first_line_of_cells_is_no_header() -> None:
    names = ("mp-1", "cubic", "-1.25", "0.5", "3", "4")
    with pytest.raises(TableError, match=r"the header is missing: its first line is mp-1, cubic, -1\.25, 0\.5, 3, …"):
        require_column(Path("t.csv"), "energy", names)
    assert require_column(Path("t.csv"), "-1.25", names) == "-1.25"


def test_a_column_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(TableError, match=r"no column 'energie'.*did you mean 'energy'"):
        require_column(Path("t.csv"), "energie", ("id", "energy", "0"))
