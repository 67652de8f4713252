"""JSON as one value: lists of objects, Matbench, OPTIMADE, and what is none of these."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from protocols.tables.account import MAX_REASON, Handling
from protocols.tables.files import column_names
from protocols.tables.formats import json_records
from tests.support.samples.table_files import numbers_in, opened, refused, texts_in

JARVIS = [
    {"jid": "JVASP-1", "formation_energy_peratom": -0.5, "atoms": {"lattice_mat": [[1, 0, 0]], "coords": []}},
    {"jid": "JVASP-2", "formation_energy_peratom": "na", "atoms": None, "extra": True},
]
MATBENCH = {
    "index": ["mb-1", "mb-2"],
    "columns": ["structure", "gap"],
    "data": [[{"@module": "pymatgen.core.structure", "sites": []}, 1.5], [{"sites": [1]}, None]],
}


def entry(name: str, **attributes: Any) -> dict[str, Any]:
    return {"id": name, "type": "structures", "attributes": attributes}


OPTIMADE = {
    "meta": {"data_returned": 99, "more_data_available": True},
    "data": [
        entry("x/1", lattice_vectors=[[1, 0, 0]], species_at_sites=["Cu"], nsites=1, _mp_gap=1.5),
        entry("x/2", _mp_gap=None, id="other"),
    ],
}


def written(folder: Path, content: Any, name: str = "t.json") -> Path:
    text = content if isinstance(content, str) else json.dumps(content)
    (folder / name).write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return folder / name


@pytest.mark.parametrize("name", ["t.json", "t.json.gz"])
def test_a_list_of_objects_is_a_row_each(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, JARVIS, name)
    file = opened(path, texts=("jid",))
    assert file.names == ("jid", "formation_energy_peratom", "atoms", "extra")
    assert texts_in(path, "jid") == ["JVASP-1", "JVASP-2"]
    assert texts_in(path, "atoms") == ['JSON {"coords":[],"lattice_mat":[[1,0,0]]}', None]
    assert numbers_in(path, "formation_energy_peratom") == [-0.5, "na"]
    assert file.place(1) == f"record 2 of {name}"
    assert file.notes == ()


def test_a_table_in_parts_has_its_index_as_a_column(tmp_path: Path) -> None:
    path = written(tmp_path, MATBENCH)
    assert column_names(path) == ("index", "structure", "gap")
    assert texts_in(path, "index") == ["mb-1", "mb-2"]
    assert texts_in(path, "structure")[1] == 'JSON {"sites":[1]}'
    assert numbers_in(path, "gap") == [1.5, None]
    assert column_names(written(tmp_path, {"columns": ["index"], "data": [["a"]]})) == ("index",)
    assert texts_in(written(tmp_path, {"columns": ["index"], "index": [0], "data": [["a"]]}), "index") == ["a"]


def test_a_response_of_optimade_has_its_attributes_and_the_structure(tmp_path: Path) -> None:
    path = written(tmp_path, OPTIMADE)
    file = opened(path, numeric=("_mp_gap",))
    assert file.names == ("id", "lattice_vectors", "species_at_sites", "nsites", "_mp_gap", "structure")
    assert texts_in(path, "id") == ["x/1", "x/2"]
    assert numbers_in(path, "_mp_gap") == [1.5, None]
    structure, nothing = texts_in(path, "structure")
    assert nothing is None
    assert json.loads(str(structure).removeprefix("JSON "))["attributes"].keys() == {
        "lattice_vectors", "species_at_sites", "nsites",
    }  # fmt: skip
    assert [(note.handling, "one page" in note.reason, "(99)" in note.reason) for note in file.notes] == [
        (Handling.NOTED, True, True)
    ]
    assert file.place(0) == "entry 1 of t.json"


def test_a_whole_response_needs_no_note(tmp_path: Path) -> None:
    whole: tuple[dict[str, Any], ...] = ({}, {"meta": {}}, {"meta": {"more_data_available": False}})
    for meta in whole:
        assert opened(written(tmp_path, {"data": [entry("a", x=1)], **meta}), numeric=("x",)).notes == ()
    more = {"data": [entry("a", x=1)], "meta": {"more_data_available": True}}
    assert "more entries" in opened(written(tmp_path, more), numeric=("x",)).notes[0].reason


def test_a_page_with_a_long_name_is_told_in_as_much_as_an_account_takes(tmp_path: Path) -> None:
    (note,) = opened(written(tmp_path, OPTIMADE, f"{'x' * 245}.json"), numeric=("_mp_gap",)).notes
    assert len(note.reason) == MAX_REASON


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "neither a list nor an object"),
        ("3", "neither a list nor an object"),
        ([], "is empty"),
        ([{}], "is empty"),
        ([1], "record 1 is a int and no object"),
        ('[{"a": 1}] 2', "Extra data"),
        ('[{"a": 1, "a": 2}]', "'a' stands twice"),
        ("[" * 100_000, "recursion"),
        ('{"a": 1}\n{"a": 2}', "Extra data"),
        ({"a": {"0": 1}}, "one object with the keys 'a'. Expected: a list of objects"),
        (dict.fromkeys("abcdef", 1), "the keys 'a', 'b', 'c', 'd', …"),
        ({"columns": "a", "data": []}, "no list of names"),
        ({"columns": ["a"], "data": 1}, "no list"),
        ({"columns": ["a"], "index": 1, "data": []}, "no list"),
        ({"columns": ["a"], "data": [[1, 2]]}, "record 1 of its data is no list of 1 cells"),
        ({"columns": ["a"], "index": [1], "data": [[1], [2]]}, "its index has 1 entries and its data 2"),
        ({"columns": ["a"], "index": [1, 2], "data": [[1]]}, "its index has 2 entries and its data 1"),
        ({"data": [{"id": 1}]}, "entry 1 has no id or no attributes"),
        ({"data": [3]}, "entry 1 has no id or no attributes"),
        ({"ids": [1], "nextid": 2}, "the row 1 of its ids is not there"),
        ({"ids": [1], "nextid": 2, "1": {"cell": 1}}, "a row without numbers"),
        ({"ids": 1, "nextid": 2}, "is empty"),
    ],
)
def test_what_is_no_table_says_what_would_be_one(tmp_path: Path, content: Any, words: str) -> None:
    assert words in refused(written(tmp_path, content))


def test_more_records_than_a_table_has_rows_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_records, "MAX_TABLE_ROWS", 1)
    assert "too many rows" in refused(written(tmp_path, JARVIS))
