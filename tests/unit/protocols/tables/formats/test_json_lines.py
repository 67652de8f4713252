"""JSON lines: an object a line, columns from all of them, every fault with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocols.tables.formats import json_lines
from tests.support.samples.table_files import numbers_in, opened, refused, texts_in, written


def test_columns_are_the_keys_of_all_lines_and_what_lacks_one_has_nothing_there(tmp_path: Path) -> None:
    lines = '{"id": 12345678901234567890, "e": 1.5}\r\n\r\n{"e": NaN, "x": {"b": 1, "a": [2]}}\r\n'
    path = written(tmp_path, lines, "t.jsonl")
    file = opened(path, numeric=("e",), texts=("id", "x"))
    assert file.names == ("id", "e", "x")
    assert texts_in(path, "id") == [12345678901234567890, None]
    assert texts_in(path, "x") == [None, 'JSON {"a":[2],"b":1}']
    assert numbers_in(path, "e") == [1.5, None]
    assert file.places([0, 1]) == ["line 1 of t.jsonl", "line 3 of t.jsonl"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"id": 1}\n{"id": 2,}\n', "Line 2 of"),
        ('{"id": 1}\n\n[1]\n', "Line 3 of"),
        ('{"id": 1, "id": 2}\n', "'id' stands twice"),
        ('{"id": ' + "[" * 100_000, "recursion"),
        ("\n", "is empty"),
        ("{}\n", "is empty"),
    ],
)
def test_a_line_that_is_no_object_is_told(tmp_path: Path, content: str, words: str) -> None:
    assert words in refused(written(tmp_path, content, "t.ndjson"), texts=("id",))


def test_more_lines_than_a_table_has_rows_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "MAX_TABLE_ROWS", 1)
    assert "too many rows" in refused(written(tmp_path, '{"id": 1}\n{"id": 2}\n', "t.jsonl"))
