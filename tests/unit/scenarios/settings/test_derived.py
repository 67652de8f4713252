"""A scenario's derived settings: told by the table or by `[simulator]`, once, and named for where they come from."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.errors import SettingsError
from protocols.settings.fields import known_length
from protocols.settings.layers import Layer
from scenarios.settings.derived import resolve_scenario, scenario_of
from scenarios.settings.model import Scenario
from scenarios.settings.renamed import RENAMED

COLUMNS: dict[str, Any] = {
    "family": "system", "property": "gap", "unit": "eV", "features": ["x"], "valid_range": [0.0, 9.0],
    "additional_properties": {"volume": "Å^3"},
}  # fmt: skip


def given(**changes: Any) -> dict[str, Any]:
    pool = {"path": "t.csv", "columns": COLUMNS}
    return {"name": "mine", "pool": pool, "campaign": {"budget": 3}} | changes


def test_the_table_says_property_unit_and_range_of_the_campaign_and_the_units_of_further_properties() -> None:
    found = resolve_scenario(
        [Layer("a.toml", given(campaign={"budget": 3, "additional_properties": {"volume": {"weight": 2.0}}}))]
    )
    campaign = found.settings.campaign
    assert (campaign.property, campaign.unit, campaign.valid_range) == ("gap", "eV", (0.0, 9.0))
    assert campaign.additional_properties["volume"].unit == "Å^3"
    assert found.source_of["campaign.unit"] == "derived from pool.columns.unit"
    assert (
        found.source_of["campaign.additional_properties.volume.unit"]
        == "derived from pool.columns.additional_properties.volume"
    )
    assert found.source_of["simulator.table.columns.unit"] == "derived from pool.columns.unit"
    assert found.source_of["simulator.evaluator"] == "derived from pool.columns"


def test_a_lab_with_columns_of_its_own_takes_none_of_the_pools() -> None:
    own = {"family": "system", "property": "gap", "unit": "eV", "features": ["x", "y"]}
    scenario = scenario_of(given(simulator={"table": {"columns": own}}))
    assert scenario.simulator.table is not None
    assert (scenario.simulator.table.path, scenario.simulator.table.columns.valid_range) == ("t.csv", None)


def test_an_evaluator_of_ones_own_gets_no_table() -> None:
    assert scenario_of(given(simulator={"evaluator": "ase"})).simulator.table is None


def test_a_missing_property_of_the_table_is_told_once() -> None:
    columns = {name: value for name, value in COLUMNS.items() if name != "property"}
    with pytest.raises(SettingsError) as caught:
        scenario_of(given(pool={"path": "t.csv", "columns": columns}, simulators={"a": {}}))
    assert str(caught.value).startswith("pool.columns.property is not set")


@pytest.mark.parametrize("wrong", [{"campaign": 3}, {"pool": 3}, {"simulators": 3}, {"simulator": []}])
def test_a_section_that_is_none_is_told_as_such(wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises(SettingsError, match=rf"\b{name} is .*table of settings"):
        scenario_of(given(**wrong))


def test_every_new_name_of_a_renamed_setting_is_a_setting_and_no_old_one_is() -> None:
    for old, new in RENAMED.items():
        assert known_length(Scenario, tuple(new.split("."))) == len(new.split(".")), new
        assert known_length(Scenario, tuple(old.split("."))) < len(old.split(".")), old
