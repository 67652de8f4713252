from __future__ import annotations

import json

from scenarios.export.about import About
from scenarios.export.data_package import WrittenTable, data_package
from scenarios.export.table import Table


def test_it_describes_every_field_with_type_and_unit_and_says_licence_and_sources(
    about: About, tables: tuple[Table, ...]
) -> None:
    written = [WrittenTable(each, f"{each.name}.csv", 7, "a" * 64) for each in tables]
    package = json.loads(data_package(written, about))
    assert package["profile"] == "tabular-data-package"
    assert package["licenses"] == [{"name": "CC-BY-4.0", "path": "https://spdx.org/licenses/CC-BY-4.0"}]
    assert package["contributors"][0]["path"] == "https://orcid.org/0000-0002-1825-0097"
    assert {"https://doi.org/10.1063/5.0138913", "https://example.org/table"} <= {
        each["path"] for each in package["sources"]
    }
    dataset = package["resources"][0]
    assert (dataset["path"], dataset["bytes"], dataset["hash"]) == ("dataset.csv", 7, f"sha256:{'a' * 64}")
    value = next(each for each in dataset["schema"]["fields"] if each["name"] == "value")
    assert (value["type"], value["unit"]) == ("number", "eV")
    assert dataset["schema"]["primaryKey"] == ["candidate"]
    for resource, table in zip(package["resources"], tables, strict=True):
        assert [each["name"] for each in resource["schema"]["fields"]] == list(table.headings)
