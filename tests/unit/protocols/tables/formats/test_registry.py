"""The list of kinds of files: each ending once, and an error that knows them all."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from protocols.errors import TableError
from protocols.tables.formats.packing import PACKINGS
from protocols.tables.formats.registry import (
    FILE_FORMATS,
    FOLDER,
    NOT_BESIDE_STRUCTURES,
    endings_of,
    format_of,
    table_endings,
)
from tests.support.samples.table_files import refused


def test_no_ending_means_two_things() -> None:
    assert [ending for ending, count in Counter(table_endings()).items() if count > 1] == []
    for ending in table_endings():
        assert ending in endings_of(format_of(Path(f"some.name{ending.upper()}")))


def test_packed_files_are_of_the_kind_of_the_plain_ones(tmp_path: Path) -> None:
    for packing in PACKINGS:
        assert format_of(tmp_path / f"t.tsv{packing}").name == "TSV"
        with pytest.raises(TableError):
            format_of(tmp_path / f"t.parquet{packing}")


def test_an_unknown_ending_lists_all_that_are_known(tmp_path: Path) -> None:
    said = refused(tmp_path / "t.xls")
    for each in FILE_FORMATS:
        assert all(ending in said for ending in each.endings)
    assert all(packing in said for packing in PACKINGS)


def test_a_folder_is_one_of_structures_unless_its_name_says_otherwise(tmp_path: Path) -> None:
    assert format_of(tmp_path) is FOLDER
    (tmp_path / "t.csv").mkdir()
    assert "There is no table" in refused(tmp_path / "t.csv")


def test_what_is_no_table_beside_structures_is_a_kind_of_table() -> None:
    assert {each.name for each in FILE_FORMATS} > NOT_BESIDE_STRUCTURES


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("t.jsonl", {"delimiter": ";"}, "delimiter is set"),
        ("t.json", {"decimal": ","}, "decimal is set"),
        ("t.csv", {"sheet": "first"}, "sheet is set"),
    ],
)
def test_a_setting_that_says_nothing_of_a_file_is_refused(
    tmp_path: Path, name: str, settings: dict[str, Any], words: str
) -> None:
    (tmp_path / name).write_text("id,e\na,1\n")
    said = refused(tmp_path / name, **settings)
    assert words in said
    assert "leave out" in said
