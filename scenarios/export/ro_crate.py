"""The metadata of a research object crate: `ro-crate-metadata.json`, after RO-Crate 1.2. Pure.

What stands in it is flattened JSON-LD: a list of entities that name each other. Its files are described one by one,
with size and digest; the rest are contextual entities (`crate_entities`).

Source: RO-Crate Metadata Specification 1.2, https://w3id.org/ro/crate/1.2
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from scenarios.export.about import About
from scenarios.export.columns import DATASET
from scenarios.export.crate_entities import (
    UID,
    Entity,
    actions,
    instruments,
    licence_entity,
    people,
    ref,
    refs,
    software,
    uid,
    variables,
    works,
)
from scenarios.export.data_package import WrittenTable

FILE: Final = "ro-crate-metadata.json"
CONTEXT: Final = "https://w3id.org/ro/crate/1.2/context"
SPECIFICATION: Final = "https://w3id.org/ro/crate/1.2"
ROOT: Final = "./"
FOLDERS: Final = {"tables": "The tables, with what their columns hold", "run": "What the run wrote itself"}
"""Folder -> what it holds."""


@dataclass(frozen=True, slots=True)
class CrateFile:
    """A file of a crate.

    Attributes:
        path: Within it.
        name: For people.
        description: What it is.
        media_type: Its kind.
        size_bytes: Its size [byte].
        sha256: Its digest.
    """

    path: str
    name: str
    description: str
    media_type: str
    size_bytes: int
    sha256: str


def crate_metadata(
    about: About, tables: Sequence[WrittenTable], others: Sequence[CrateFile], scenario: str | None
) -> bytes:
    """Return the metadata of a crate.

    Args:
        about: What is said of the run.
        tables: Its tables as they were written.
        others: All other files but the metadata themselves.
        scenario: Path of the settings among them; None where they are not known.
    """
    return (json.dumps(crate_tree(about, tables, others, scenario), indent=2, ensure_ascii=False) + "\n").encode()


def crate_tree(
    about: About, tables: Sequence[WrittenTable], others: Sequence[CrateFile], scenario: str | None
) -> dict[str, Any]:
    """Return the same as a tree."""
    dataset = next(each for each in tables if each.table.name == DATASET)
    persons, organisations = people(about)
    licence, cited, programs, measuring = licence_entity(about), works(about), software(about), instruments(about)
    done = actions(about, dataset.path, [each.path for each in tables], scenario)
    columns = {each.path: variables(each.table) for each in tables}
    files = [_table_entity(each, columns[each.path]) for each in tables] + [_file_entity(each) for each in others]
    folders = _folders([each["@id"] for each in files])
    root = _root(about, files, folders) | {"license": ref(licence["@id"]), "citation": refs(cited)}
    root |= {"author": refs(persons), "creator": refs(persons)} if persons else {}
    root["variableMeasured"] = refs(columns[dataset.path][2:4])  # the value and its uncertainty
    root["mentions"] = refs(done)
    contextual = [licence, uid(about), *persons, *organisations, *cited, *programs, *measuring, *done]
    described = [entity for each in columns.values() for entity in each]
    return {"@context": CONTEXT, "@graph": [_descriptor(about), root, *folders, *files, *contextual, *described]}


def _descriptor(about: About) -> Entity:
    return {
        "@id": FILE,
        "@type": "CreativeWork",
        "conformsTo": ref(SPECIFICATION),
        "about": ref(ROOT),
        "dateCreated": about.made_at,
        "description": f"Metadata of the crate, written by Entropilot {about.made_by}",
    }


def _root(about: About, files: Sequence[Entity], folders: Sequence[Entity]) -> Entity:
    said = about.said
    inside = {part["@id"] for folder in folders for part in folder["hasPart"]}
    return {
        "@id": ROOT,
        "@type": "Dataset",
        "name": said.title,
        "description": said.description,
        "datePublished": about.made_at,
        "dateCreated": about.campaign["began_at"],
        "keywords": list(said.keywords),
        "creditText": said.citation,
        "identifier": ref(UID),
        "hasPart": [ref(each["@id"]) for each in (*folders, *files) if each["@id"] not in inside],
    }


def _folders(paths: Sequence[str]) -> list[Entity]:
    found = []
    for folder, description in FOLDERS.items():
        parts = [ref(path) for path in paths if path.startswith(f"{folder}/")]
        if parts:
            found.append(
                {
                    "@id": f"{folder}/",
                    "@type": "Dataset",
                    "name": folder,
                    "description": description,
                    "hasPart": parts,
                }
            )
    return found


def _table_entity(written: WrittenTable, columns: Sequence[Entity]) -> Entity:
    table = written.table
    told = _file_entity(
        CrateFile(written.path, table.title, table.description, "text/csv", written.size_bytes, written.sha256)
    )
    return told | {"variableMeasured": refs(columns)}


def _file_entity(file: CrateFile) -> Entity:
    return {
        "@id": file.path,
        "@type": "File",
        "name": file.name,
        "description": file.description,
        "encodingFormat": file.media_type,
        "contentSize": str(file.size_bytes),
        "sha256": file.sha256,
    }
