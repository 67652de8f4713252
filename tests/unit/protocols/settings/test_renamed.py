"""A setting of an old name is refused by its new one, as it is written where it stands: in a file, variable or flag."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from protocols.errors import SettingsError
from protocols.settings.layers import Layer, environment_layer, set_layer, toml_layer
from protocols.settings.renamed import new_name, renamed_length
from protocols.settings.resolve import resolve

RENAMED = {
    "campaign.more": "campaign.additional",
    "lab.*.delay_s": "lab.*.latency.mean_s",
    "old.section.key": "campaign.budget",
    "operator.*.wish": "operator.*.action",
}


class Campaign(BaseModel):
    budget: int
    additional: dict[str, float] = {}


class Latency(BaseModel):
    mean_s: float = 0.0


class Instrument(BaseModel, extra="forbid"):
    latency: Latency = Latency()


class Action(BaseModel, extra="forbid"):
    action: str


class Settings(BaseModel):
    campaign: Campaign
    lab: dict[str, Instrument] = {}
    operator: tuple[Action, ...] = ()


def refusal(*layers: Layer) -> str:
    with pytest.raises(SettingsError) as caught:
        resolve(Settings, layers, renamed=RENAMED)
    return str(caught.value)


def test_a_file_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    path.write_text("[campaign]\nbudget = 3\n\n[campaign.more.gap]\nweight = 2\n")
    said = refusal(toml_layer(path))
    assert f"no setting campaign.more (from {path}, line 4): it is called campaign.additional now" in said
    assert "use campaign.additional" in said


def test_a_variable_is_told_as_a_variable() -> None:
    said = refusal(environment_layer(Settings, {"ENTROPILOT_CAMPAIGN__MORE": "{}"}), set_layer(("campaign.budget=3",)))
    assert "(from ENTROPILOT_CAMPAIGN__MORE): it is called campaign.additional now" in said
    assert "use ENTROPILOT_CAMPAIGN__ADDITIONAL" in said


def test_a_flag_is_told_with_the_name_that_the_user_gave_to_a_section() -> None:
    said = refusal(set_layer(("lab.furnace.delay_s=3", "campaign.budget=3")))
    assert "no setting lab.furnace.delay_s (from --set lab.furnace.delay_s)" in said
    assert "use lab.furnace.latency.mean_s" in said


def test_an_entry_of_a_list_is_told_with_its_position_and_not_as_a_setting_that_is_missing() -> None:
    said = refusal(Layer("a.toml", {"campaign": {"budget": 1}, "operator": [{"wish": "stop"}]}))
    assert said.startswith("There is no setting operator.0.wish (from a.toml): it is called operator.0.action now")


def test_a_section_that_is_gone_is_told_by_the_setting_and_what_it_stands_for_is_not_missing() -> None:
    said = refusal(Layer("a.toml", {"old": {"section": {"key": 3}}, "campaign": {}}))
    assert said.startswith("There is no setting old.section.key (from a.toml): it is called campaign.budget now")


def test_names_that_are_no_old_ones_have_no_new_one() -> None:
    assert new_name(RENAMED, ("campaign", "budget")) is None
    assert new_name(RENAMED, ("lab", "delay_s")) is None
    assert renamed_length(RENAMED, ("campaign", "more", "gap", "weight")) == 2
    assert renamed_length(RENAMED, ("campaign", "budget")) == 0
