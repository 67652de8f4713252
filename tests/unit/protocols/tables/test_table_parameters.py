"""A table of parameters: what requests carry is what its rows say, and the lab that plays it knows the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent.pool.tables import pool_from_table
from protocols.errors import TableError
from protocols.tables.table import CandidateTable, TableColumns, read_table, read_values
from tests.support.samples.table_files import written

RECIPES = """run,kind,temperature,flow,solvent,yield
A,slow,300,0.25,ethanol,10
B,slow,310,0.5,water,20.5
C,fast,320,4,ethanol,31
D,fast,330,8.5,water,
"""
COLUMNS = TableColumns(
    family="kind", property="yield", unit="%", parameters={"temperature": "K", "flow": "mL/min"}, labels=("solvent",),
    on_missing="unknown",
)  # fmt: skip


def read(folder: Path, content: str = RECIPES, columns: TableColumns = COLUMNS, name: str = "t.csv") -> CandidateTable:
    return read_table(written(folder, content, name), columns)


def changed(**told: Any) -> TableColumns:
    return TableColumns.model_validate(COLUMNS.model_dump(exclude_unset=True) | told)


def test_every_candidate_of_the_pool_has_the_parameters_of_its_row(tmp_path: Path) -> None:
    pool = pool_from_table(read(tmp_path, columns=changed(id="run")))
    told = {each.source_id: each.parameters for each in pool.candidates}
    assert [(each.name, each.value, each.unit) for each in told["C"].quantities()] == [  # type: ignore[union-attr]
        ("temperature", 320.0, "K"),
        ("flow", 4.0, "mL/min"),
    ]
    assert {name: each.labels()["solvent"] for name, each in told.items() if each is not None} == {
        "A": "ethanol", "B": "water", "C": "ethanol", "D": "water",
    }  # fmt: skip
    assert pool.feature_names == ("temperature", "flow")
    assert pool.features[pool.index_of[pool.candidate_ids[0]]].tolist() == [300.0, 0.25]


def test_the_lab_that_plays_the_table_knows_the_same_candidates_and_parameters(tmp_path: Path) -> None:
    path = written(tmp_path, RECIPES, "t.csv")
    table, known = read_table(path, COLUMNS), read_values(path, COLUMNS)
    assert known.candidate_ids == table.candidate_ids
    assert known.parameters == table.parameters


def test_parameters_and_labels_tell_candidates_apart_and_the_pool_of_old_keeps_its_ids(tmp_path: Path) -> None:
    twins = "kind,f,t,solvent,yield\nslow,1,300,a,1\nslow,1,300,b,2\nslow,1,310,a,4\nfast,2,300,a,3\nfast,3,300,a,5\n"
    described = TableColumns(family="kind", property="yield", unit="%", features=("f",))
    with pytest.raises(TableError, match="The same material"):
        read(tmp_path, twins, described)
    told = described.model_copy(update={"parameters": {"t": "K"}, "labels": ("solvent",)})
    assert len(set(read(tmp_path, twins, told).candidate_ids)) == 5
    alone = twins.replace("slow,1,300,b,2\nslow,1,310,a,4\n", "slow,9,300,b,2\n")
    with_them = read(tmp_path, alone, described.model_copy(update={"parameters": {"f": "m"}}))
    assert with_them.candidate_ids == read(tmp_path, alone, described).candidate_ids


@pytest.mark.parametrize(
    ("cell", "complaint"),
    [
        ("C,fast,,4", "olumn 'temperature'"),
        ("C,fast,warm,4", "olumn 'temperature'"),
        ("C,fast,1e200,4", "olumn 'temperature'"),
    ],
)
def test_a_parameter_that_is_none_is_told_with_its_place(tmp_path: Path, cell: str, complaint: str) -> None:
    with pytest.raises(TableError, match=complaint) as caught:
        read(tmp_path, RECIPES.replace("C,fast,320,4", cell))
    assert "line 4" in str(caught.value)


def test_a_label_must_be_there_and_travel_on_one_line(tmp_path: Path) -> None:
    header, *lines = (line.split(",") for line in RECIPES.split())
    rows = [dict(zip(header, line, strict=True)) for line in lines]
    numbers = {"temperature", "flow", "yield"}
    for bad, complaint in (
        ("", "solvent"),
        ("two\nlines", r"control character U\+000A"),
        ("x" * 501, "501 characters"),
    ):
        rows[1]["solvent"] = bad
        content = "\n".join(
            json.dumps({name: float(each) if name in numbers and each else each or None for name, each in row.items()})
            for row in rows
        )
        with pytest.raises(TableError, match=complaint):
            read(tmp_path, content, name="t.jsonl")


def test_labels_that_no_request_has_room_for_are_told_with_their_row(tmp_path: Path) -> None:
    names = [f"note-{place}" for place in range(64)]
    lines = [f"kind,t,yield,{','.join(names)}"]
    lines += [
        f"{kind},{at},{at},{','.join(['x' * (600 if at == 3 else 2)] * 64)}"[:70_000] for at, kind in enumerate("aabb")
    ]
    table = "\n".join(lines).replace("x" * 600, "材" * 200)
    columns = TableColumns(family="kind", property="yield", unit="%", parameters={"t": "K"}, labels=tuple(names))
    with pytest.raises(TableError, match=r"labels in line 5 of t\.csv take 39,386 bytes in a request"):
        read(tmp_path, table, columns)


def test_replicates_of_one_recipe_must_agree_in_it(tmp_path: Path) -> None:
    again = RECIPES + "A,slow,300,0.25,ethanol,12\n"
    columns = changed(id="run", on_replicates="mean")
    merged = read(tmp_path, again, columns)
    assert len(merged.parameters) == 4
    with pytest.raises(TableError, match="differ in 'solvent'"):
        read(tmp_path, again.replace("ethanol,12", "water,12"), columns)


def test_a_pattern_of_features_takes_no_label(tmp_path: Path) -> None:
    table = read(tmp_path, columns=changed(id="run", features=("*",)))
    assert table.feature_names == ("temperature", "flow")
    assert table.parameters[0].labels() == {"solvent": "ethanol"}
