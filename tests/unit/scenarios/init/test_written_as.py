"""A table is read as its first lines agree, unless a person says how it is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocols.errors import TableError
from protocols.tables.format import USUAL, TableFormat
from scenarios.init.written_as import written_as


@pytest.mark.parametrize(("text", "delimiter", "decimal"), [
    ("a;b\n1,5;2\n", ";", ","), ("a;b\n1.5;2\n", ";", "."), ("a\tb\n1\t2\n", "\t", "."), ("a,b\n1,2\n", None, "."),
])  # fmt: skip
def test_the_first_lines_tell(tmp_path: Path, text: str, delimiter: str | None, decimal: str) -> None:
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    found = written_as(tmp_path / "t.csv", USUAL)
    assert (found.delimiter, found.decimal) == (delimiter, decimal)


def test_who_says_it_is_believed_and_told(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a;b\n1;2\n", encoding="utf-8")
    with pytest.raises(TableError, match="separated by ';'"):
        written_as(tmp_path / "t.csv", TableFormat(delimiter="|"))
    kept = written_as(tmp_path / "t.csv", TableFormat(missing=("x",)))
    assert (kept.delimiter, kept.missing) == (";", ("x",))
