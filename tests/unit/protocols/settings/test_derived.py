"""What follows from other settings lies below all that a person says, and names the setting that it follows from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pydantic import BaseModel

from protocols.errors import SettingsError
from protocols.settings.derived import Derivation
from protocols.settings.layers import Layer, set_layer
from protocols.settings.resolve import ResolvedSettings, resolve


class Table(BaseModel):
    unit: str
    width: int = 1


class Campaign(BaseModel):
    unit: str
    budget: int


class Instrument(BaseModel):
    slots: int = 2
    kind: str = "furnace"
    table: Table | None = None


class Lab(BaseModel):
    table: Table
    campaign: Campaign
    shared: Instrument = Instrument()
    several: dict[str, Instrument] = {}


def shares(given: Mapping[str, Any]) -> Iterator[Derivation]:
    for name in given.get("several", {}):
        yield Derivation(("several", name, "kind"), ("several", name), constant=name)
        yield Derivation(("several", name), ("shared",), merges=True)


def takes(given: Mapping[str, Any]) -> Iterator[Derivation]:
    yield Derivation(("campaign", "unit"), ("table", "unit"))
    for name in given.get("several", {}):
        yield Derivation(("several", name, "table"), ("table",))


def lab(values: dict[str, Any], *assignments: str) -> ResolvedSettings[Lab]:
    return resolve(Lab, [Layer("lab.toml", values), set_layer(assignments)], rules=(shares, takes))


def refusal(values: dict[str, Any], *assignments: str) -> str:
    with pytest.raises(SettingsError) as caught:
        lab(values, *assignments)
    return str(caught.value)


LAB: dict[str, Any] = {"table": {"unit": "eV"}, "campaign": {"budget": 3}}


def test_what_nobody_sets_follows_and_says_from_what() -> None:
    found = lab(LAB)
    assert found.settings.campaign.unit == "eV"
    assert found.source_of["campaign.unit"] == "derived from table.unit"
    assert not found.is_asked_for("campaign.unit")
    assert not found.is_asked_for("table.width")
    assert found.is_asked_for("campaign.budget")


def test_what_somebody_sets_does_not_follow() -> None:
    found = lab(LAB, "campaign.unit=K")
    assert (found.settings.campaign.unit, found.source_of["campaign.unit"]) == ("K", "--set campaign.unit")
    assert found.is_asked_for("campaign.unit")


def test_a_table_that_merges_takes_only_what_it_lacks_and_later_rules_see_it() -> None:
    values = LAB | {"shared": {"slots": 5}, "several": {"a": {}, "b": {"slots": 1, "table": {"unit": "K"}}}}
    found = lab(values)
    one, other = found.settings.several["a"], found.settings.several["b"]
    assert (one.slots, one.kind, one.table) == (5, "a", Table(unit="eV"))
    assert (other.slots, other.kind, other.table) == (1, "b", Table(unit="K"))
    sources = {key: found.source_of[f"several.a.{key}"] for key in ("slots", "kind", "table.unit", "table.width")}
    assert sources == {
        "slots": "derived from shared.slots",
        "kind": "derived from several.a",
        "table.unit": "derived from table.unit",
        "table.width": "default",
    }


def test_a_derived_table_is_a_copy() -> None:
    values = LAB | {"several": {"a": {}}}
    lab(values)
    assert values["several"] == {"a": {}}
    assert LAB == {"table": {"unit": "eV"}, "campaign": {"budget": 3}}


def test_what_is_wrong_or_not_set_where_a_value_comes_from_is_told_there_alone() -> None:
    assert refusal(LAB | {"table": {"unit": 5}}).startswith("table.unit is 5 (from lab.toml)")
    assert refusal(LAB | {"table": {}, "several": {"a": {}}}).startswith("table.unit is not set")
    shared = {"shared": {"slots": "many"}, "several": {"a": {}, "b": {"slots": 3}}}
    assert refusal(LAB | shared).startswith('shared.slots is "many" (from lab.toml)')


def test_what_is_wrong_only_where_it_is_derived_says_from_what() -> None:
    class Narrow(BaseModel):
        width: int = 1
        name: str

    def wrong(_given: Mapping[str, Any]) -> Iterator[Derivation]:
        yield Derivation(("width",), ("name",))

    with pytest.raises(SettingsError, match=r'^width is "wide" \(derived from name\)'):
        resolve(Narrow, [Layer("lab.toml", {"name": "wide"})], rules=(wrong,))


def test_a_setting_around_derived_ones_is_blamed_on_what_a_person_wrote() -> None:
    said = refusal(LAB, "campaign.budget=x")
    assert said.startswith('campaign.budget is "x" (from --set campaign.budget)')


@pytest.mark.parametrize("campaign", [3, "x", ["unit"]])
def test_nothing_is_put_into_what_is_no_table(campaign: object) -> None:
    assert "campaign" in refusal(LAB | {"campaign": campaign})
    assert "campaign.unit" not in refusal(LAB | {"campaign": campaign})
