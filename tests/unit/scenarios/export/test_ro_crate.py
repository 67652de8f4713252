"""The crate has the structure that RO-Crate 1.2 requires of one.

What is held against here are the sentences of the specification with MUST. The metadata of this very campaign were held
against `roc-validator` 0.13 as well, which needs the network for the specification's context: nothing required and
nothing but publisher and contact of what is recommended was missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from scenarios.export.about import About
from scenarios.export.as_csv import as_csv
from scenarios.export.data_package import WrittenTable
from scenarios.export.place import Member, size_and_digest
from scenarios.export.ro_crate import CONTEXT, FILE, CrateFile, crate_tree
from scenarios.export.table import Table
from scenarios.settings.dataset import DatasetSettings

DATE = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|\+00:00))?")


def written(tables: tuple[Table, ...]) -> list[WrittenTable]:
    paths = [(each, f"tables/{each.name}.csv") for each in tables]
    return [WrittenTable(each, path, *size_and_digest(Member.of(path, as_csv(each)))) for each, path in paths]


@pytest.fixture
def crate(about: About, tables: tuple[Table, ...]) -> dict[str, Any]:
    settings = CrateFile("scenario.json", "Settings", "The scenario", "application/json", 2, "0" * 64)
    return crate_tree(about, written(tables), [settings], "scenario.json")


def entities(crate: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["@id"]: each for each in crate["@graph"]}


def references(value: Any) -> Iterator[str]:
    """Every `{"@id": …}` within a value."""
    if isinstance(value, list):
        for each in value:
            yield from references(each)
    elif isinstance(value, dict):
        if set(value) == {"@id"}:
            yield value["@id"]
        else:
            for each in value.values():
                yield from references(each)


def test_the_descriptor_names_the_specification_and_the_root(crate: dict[str, Any]) -> None:
    assert crate["@context"] == CONTEXT
    descriptor = entities(crate)[FILE]
    assert descriptor["@type"] == "CreativeWork"
    assert descriptor["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.2"}
    assert descriptor["about"] == {"@id": "./"}


def test_the_root_has_name_description_date_licence_creators_and_citation(crate: dict[str, Any]) -> None:
    root = entities(crate)["./"]
    assert root["@type"] == "Dataset"
    assert root["name"]
    assert "values of energy [eV]" in root["description"]
    assert DATE.fullmatch(root["datePublished"])
    assert root["license"] == {"@id": "https://spdx.org/licenses/CC-BY-4.0"}
    assert [each["@id"] for each in root["creator"]] == ["https://orcid.org/0000-0002-1825-0097", "#creator-2"]
    assert "https://doi.org/10.1063/5.0138913" in set(references(root["citation"]))
    assert root["creditText"].startswith("Josiah Carberry, Ada <b>Example</b>: energy of 3 families")


def test_every_entity_has_id_type_and_name_and_no_two_have_one_id(crate: dict[str, Any]) -> None:
    ids = [each["@id"] for each in crate["@graph"]]
    assert len(set(ids)) == len(ids)
    for each in crate["@graph"]:
        assert each["@type"], each["@id"]
        assert each["@id"] == FILE or each["name"], each["@id"]
        assert not any(isinstance(value, list) and len(value) < 2 for key, value in each.items() if key != "keywords")


def test_whatever_an_entity_refers_to_is_described(crate: dict[str, Any]) -> None:
    known = entities(crate)
    named = {name for each in crate["@graph"] for name in references(list(each.values()))}
    assert named - known.keys() == {"https://w3id.org/ro/crate/1.2"}


def test_every_file_is_a_part_of_the_root_with_size_kind_and_digest(crate: dict[str, Any]) -> None:
    known = entities(crate)
    parts, waiting = set(), ["./"]
    while waiting:
        below = list(references(known[waiting.pop()].get("hasPart", [])))
        parts |= set(below)
        waiting += [each for each in below if each.endswith("/")]
    files = {name: each for name, each in known.items() if each["@type"] == "File"}
    assert set(files) <= parts
    assert {"tables/dataset.csv", "tables/journal.csv", "scenario.json"} <= set(files)
    for each in files.values():
        assert re.fullmatch(r"\d+", each["contentSize"])
        assert re.fullmatch(r"[0-9a-f]{64}", each["sha256"])
        assert "/" in each["encodingFormat"]


def test_it_tells_who_measured_what_decided_and_after_which_paper(crate: dict[str, Any]) -> None:
    known = entities(crate)
    instrument = known["#instrument-python"]
    assert instrument["@type"] == "IndividualProduct"
    assert (instrument["model"], instrument["serialNumber"]) == ("3", "7")
    assert known[instrument["manufacturer"]["@id"]]["name"] == "us"
    assert "told by a loop; 4 values" in instrument["description"]
    measured = known["#measurements-of-python"]
    assert measured["@type"] == "CreateAction"
    assert measured["result"] == {"@id": "tables/dataset.csv"}
    campaign = known["#campaign"]
    assert {"@id": "#policy"} in campaign["instrument"]
    assert campaign["object"] == {"@id": "scenario.json"}
    assert campaign["startTime"] < campaign.get("endTime", "9")
    assert "gap_gain" in known["#policy"]["name"]
    assert "https://doi.org/10.1063/5.0138913" in set(references(known["#policy"]["citation"]))
    assert known["#package-numpy"]["url"] == "https://numpy.org/"
    assert all(each["url"] and each["version"] for each in known.values() if each["@type"] == "SoftwareApplication")


def test_the_value_is_a_variable_with_its_unit(crate: dict[str, Any]) -> None:
    known = entities(crate)
    value, deviation = (known[each] for each in references(known["./"]["variableMeasured"]))
    assert (value["name"], value["unitText"]) == ("value", "eV")
    assert (deviation["name"], deviation["unitText"]) == ("uncertainty", "eV")


def test_without_a_licence_it_says_that_there_is_none(about: About, tables: tuple[Table, ...]) -> None:
    from dataclasses import replace

    bare = replace(about, said=DatasetSettings(title="t", description="d", citation="c"))
    known = entities(crate_tree(bare, written(tables), [], None))
    assert "ask its creators" in known[known["./"]["license"]["@id"]]["description"]
    assert "creator" not in known["./"]
