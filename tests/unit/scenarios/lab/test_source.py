"""A mapping is found in a scenario, in a file of its own, or in the library; what is wrong with it has its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocols.errors import SettingsError
from scenarios.lab.source import load_mapping, mapping_text
from scenarios.settings.library import MAPPINGS, library_mappings
from tests.support.mapping.scenarios import SCENARIO, TEMPERATURE, write_recipes


@pytest.mark.parametrize("name", sorted(library_mappings()))
def test_every_mapping_of_the_library_is_sound_by_itself(name: str) -> None:
    source = load_mapping(name)
    assert source.scenario is None
    assert source.mapping.subscriptions
    assert "[lab.result]" in mapping_text(name)


def test_a_file_with_a_section_alone_is_taken_as_one(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(mapping_text("plc"), encoding="utf-8")
    assert load_mapping(str(path)).mapping.instruments == ("press",)


def test_a_mapping_laid_over_a_scenario_is_for_its_campaign(tmp_path: Path) -> None:
    write_recipes(tmp_path, TEMPERATURE, "strength", "MPa")
    source = load_mapping(str(tmp_path / SCENARIO), MAPPINGS / "plain_json.toml")
    assert source.scenario is not None
    assert (source.facts.campaign, source.facts.units) == ("recipes", {"strength": "MPa"})


def test_further_quantities_keep_the_labs_unit(tmp_path: Path) -> None:
    write_recipes(tmp_path, TEMPERATURE, "ch583", "")
    source = load_mapping(str(tmp_path / SCENARIO), MAPPINGS / "self_driving_lab.toml")
    assert source.facts.units == {"ch583": "", "board_temperature": "K"}


def test_what_is_wrong_in_a_file_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    text = mapping_text("plc")
    path.write_text(text.replace("{instrument}/PV", "{instrumet}/PV"), encoding="utf-8")
    line = text[: text.index("plc/{instrument}/PV")].count("\n") + 1
    with pytest.raises(SettingsError) as refused:
        load_mapping(str(path))
    assert f"mine.toml, line {line}" in str(refused.value)
    path.write_text(text.replace("correlate_by", "corelate_by"), encoding="utf-8")
    with pytest.raises(SettingsError, match=r"lab\.result\.correlate_by"):
        load_mapping(str(path))


def test_a_scenario_without_a_section_has_nothing_to_try() -> None:
    with pytest.raises(SettingsError, match=r"no \[lab\] section"):
        load_mapping("oracle_table")


@pytest.mark.parametrize("name", ["plain_jsn", "nowhere.toml", "nothing-like-it"])
def test_what_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load_mapping(name)
    if name == "plain_jsn":
        assert "did you mean 'plain_json'?" in str(refused.value)


def test_a_mapping_that_the_library_has_not_is_refused_with_the_nearest() -> None:
    with pytest.raises(SettingsError, match="did you mean 'phone'"):
        mapping_text("fone")
    with pytest.raises(SettingsError, match="most like your lab"):
        mapping_text("zzzz")
