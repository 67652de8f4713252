"""What stands beside CSV files: `datapackage.json`, a Tabular Data Package with units, licence and creators. Pure.

Source: Frictionless Standards, Tabular Data Package 1.0, https://specs.frictionlessdata.io/tabular-data-package/
A field's `unit` is ours: the standard has none, and lets publishers add properties.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from protocols.storage.csv_cells import to_cell
from scenarios.export.about import About
from scenarios.export.table import Column, Table
from scenarios.settings.dataset import ORCID

FILE: Final = "datapackage.json"
PROFILE: Final = "tabular-data-package"


@dataclass(frozen=True, slots=True)
class WrittenTable:
    """A table and the file that it stands in.

    Attributes:
        table: The table.
        path: Of the file, within the package.
        size_bytes: Its size [byte].
        sha256: Its digest.
    """

    table: Table
    path: str
    size_bytes: int
    sha256: str


def data_package(tables: Sequence[WrittenTable], about: About) -> bytes:
    """Return the description of CSV files.

    Args:
        tables: The tables as they were written.
        about: What is said of all.
    """
    said = about.said
    tree: dict[str, Any] = {
        "profile": PROFILE,
        "name": about.campaign["name"],
        "id": about.campaign["uid"],
        "title": said.title,
        "description": f"{said.description}\n\n{said.citation}",
        "created": about.made_at,
        "keywords": list(said.keywords),
        "contributors": [
            {"title": each.name, "role": "author"}
            | ({"organization": each.affiliation} if each.affiliation else {})
            | ({"path": f"{ORCID}{each.orcid}"} if each.orcid else {})
            for each in said.creators
        ],
        "sources": [
            *({"title": each.in_words, "path": each.url} for each in about.works),
            *({"title": each, "path": each} for each in said.sources),
        ],
        "resources": [_resource(each) for each in tables],
        "entropilot": about.tree(),
    }
    if said.licence is not None:
        tree["licenses"] = [{"name": said.licence, "path": about.licence_url}]
    kept = {name: value for name, value in tree.items() if value != []}
    return (json.dumps(kept, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _resource(written: WrittenTable) -> dict[str, Any]:
    table = written.table
    return {
        "profile": "tabular-data-resource",
        "name": table.name,
        "path": written.path,
        "title": table.title,
        "description": table.description,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": written.size_bytes,
        "hash": f"sha256:{written.sha256}",
        "schema": {
            "fields": [_field(each) for each in table.columns],
            "missingValues": [""],
            "primaryKey": list(table.key),
        },
    }


def _field(column: Column) -> dict[str, str]:
    told = {"name": to_cell(column.name), "description": column.description, "type": column.kind.value}
    return told | ({"unit": column.unit} if column.unit else {})
