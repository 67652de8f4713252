from __future__ import annotations

import csv
import io
import json

import pytest

from protocols.errors import SettingsError
from protocols.storage.csv_cells import from_cell
from scenarios.export.about import About
from scenarios.export.formats import MEDIA_TYPES, encode
from scenarios.export.table import Cell, Column, Kind, Table

STRANGE: tuple[Cell, ...] = ("=1+1", 3, 0.1, True, "2026-01-02T03:04:05Z", {"a": [1, None]})
NOTHING: tuple[Cell, ...] = (None, None, None, None, None, None)
TABLE = Table(
    "odd",
    "Odd",
    "cells of all kinds",
    (
        Column("=text", "a text"),
        Column("count", "a whole number", Kind.INTEGER),
        Column("length", "a number", Kind.NUMBER, "Å"),
        Column("flag", "a truth value", Kind.BOOLEAN),
        Column("when", "a time", Kind.TIME),
        Column("tree", "a tree", Kind.TREE),
    ),
    [STRANGE, NOTHING],
    ("=text",),
)


def test_csv_holds_nothing_that_a_spreadsheet_carries_out_and_the_way_back_is_exact() -> None:
    rows = list(csv.reader(io.StringIO(encode(TABLE, "csv", {}).decode())))
    assert rows[0][0] == "'=text"
    assert rows[1] == ["'=1+1", "3", "0.1", "true", "2026-01-02T03:04:05Z", '{"a": [1, null]}']
    assert rows[2] == [""] * 6
    assert from_cell(rows[1][0]) == "=1+1"


def test_json_says_beside_the_rows_what_each_column_holds() -> None:
    tree = json.loads(encode(TABLE, "json", {"campaign": {"name": "odd"}}))
    assert tree["entropilot_export"] == 1
    assert tree["campaign"] == {"name": "odd"}
    table = tree["tables"][0]
    assert table["columns"][2] == {"name": "length", "description": "a number", "type": "number", "unit": "Å"}
    assert table["rows"][0]["tree"] == {"a": [1, None]}
    assert table["rows"][1]["length"] is None


def test_parquet_has_unit_and_description_in_each_column_and_the_rest_in_the_file() -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra parquet is not installed")
    read = parquet.read_table(io.BytesIO(encode(TABLE, "parquet", {"campaign": {"name": "odd"}})))
    field = read.schema.field("length")
    assert {key.decode(): value.decode() for key, value in field.metadata.items() if b"PARQUET" not in key} == {
        "description": "a number",
        "unit": "Å",
    }
    assert json.loads(read.schema.metadata[b"entropilot"]) == {"campaign": {"name": "odd"}}
    assert [str(each) for each in read.schema.types] == [
        "string", "int64", "double", "bool", "timestamp[us, tz=UTC]", "string",
    ]  # fmt: skip
    first = read.to_pylist()[0]
    assert first["=text"] == "=1+1"
    assert json.loads(first["tree"]) == {"a": [1, None]}
    assert set(read.to_pylist()[1].values()) == {None}


def test_every_form_gives_out_every_table_of_a_run(tables: tuple[Table, ...], about: About) -> None:
    for form in MEDIA_TYPES:
        for table in tables:
            assert len(encode(table, form, about.tree())) > 100


def test_an_unknown_form_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(SettingsError, match="csv, json, parquet"):
        encode(TABLE, "xlsx", {})
