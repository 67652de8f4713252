"""A start is written beside its table, never over anything, and loads as it is."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from protocols.errors import SettingsError, StoreError, TableError
from scenarios.display.console import PlainConsole
from scenarios.init.columns import Asked
from scenarios.init.report import start_table
from scenarios.init.start import write_start
from scenarios.lab.source import load_mapping
from scenarios.lab.trial import try_message, try_request
from scenarios.world.world import build_world
from tests.support.mapping.scenarios import TABLE, TEMPERATURE, write_recipes


@pytest.fixture
def table(tmp_path: Path) -> Path:
    write_recipes(tmp_path, TEMPERATURE, "strength", "MPa")
    return tmp_path / TABLE


def test_a_start_can_be_tried_at_once(table: Path) -> None:
    start = write_start(table, Asked(unit="MPa"), instrument="furnace")
    assert start.path == table.with_name("recipes-lab.toml")
    source = load_mapping(str(start.path))
    assert source.scenario is not None
    _, recipient, (sent,) = try_request(source, build_world(source.scenario).pool, "S 00")
    assert (recipient, sent.topic) == ("furnace", "lab/furnace/run")
    told = try_message(source, "lab/furnace/done", b'{"job": "a1", "value": 300}')
    assert told.rule == "lab.result"


def test_a_second_start_has_a_name_of_its_own_and_one_that_is_there_is_kept(table: Path) -> None:
    first = write_start(table, Asked())
    assert write_start(table, Asked()).path != first.path
    with pytest.raises(StoreError, match="is there already"):
        write_start(table, Asked(), out=first.path)


def test_a_start_is_beside_its_table(table: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with pytest.raises(SettingsError, match="beside its table"):
        write_start(table, Asked(), out=tmp_path / "other" / "x.toml")
    assert write_start(table, Asked(), out=tmp_path / "x.toml").path.exists()


def test_an_instrument_has_an_id(table: Path) -> None:
    with pytest.raises(SettingsError, match="is no id"):
        write_start(table, Asked(), instrument="Furnace 1")


@pytest.mark.parametrize(("name", "expected"), [("Meine Öfen (2)", "meine-fen-2"), ("äöü", "lab")])
def test_a_table_of_any_name_makes_a_scenario_with_one_of_ours(table: Path, name: str, expected: str) -> None:
    renamed = table.with_name(f"{name}.csv")
    table.rename(renamed)
    source = load_mapping(str(write_start(renamed, Asked()).path))
    assert source.facts.campaign == expected


def test_what_was_guessed_is_shown(table: Path) -> None:
    console = PlainConsole(file=io.StringIO(), width=200)
    console.print(start_table(write_start(table, Asked(unit="MPa"))))
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert all(each in shown for each in ("36, of which 12 are measured", "strength [MPa]", "recipes-lab.toml"))


def test_a_start_whose_table_makes_no_pool_is_not_written(table: Path) -> None:
    text = table.read_text(encoding="utf-8").strip().split("\n")
    table.write_text("\n".join([*text, text[1], ""]), encoding="utf-8")
    with pytest.raises(TableError, match="cannot be used as it was understood"):
        write_start(table, Asked(id=text[0].split(",")[0]))
    assert not table.with_name("recipes-lab.toml").exists()
