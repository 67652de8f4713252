"""An example is a scenario of the library with its tables, and loads where it was copied to."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocols.errors import SettingsError, StoreError
from scenarios.init.example import write_example
from scenarios.settings.library import library_scenarios


@pytest.mark.parametrize("name", sorted(library_scenarios()))
def test_every_scenario_of_the_library_can_be_copied_with_its_comments_and_tables(name: str, tmp_path: Path) -> None:
    copied = write_example(name, tmp_path / "mine")
    assert copied.path.read_bytes() == library_scenarios()[name].read_bytes()
    assert sorted(each.name for each in (tmp_path / "mine").iterdir()) == sorted(each.name for each in copied.files)


def test_an_unknown_name_is_told_with_its_neighbour(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no example 'oracle_tabel'") as refused:
        write_example("oracle_tabel", tmp_path / "mine")
    assert "oracle_table" in refused.value.action


def test_nothing_is_written_over(tmp_path: Path) -> None:
    write_example("oracle_table", tmp_path)
    with pytest.raises(StoreError, match="is there already"):
        write_example("oracle_table", tmp_path)
