"""Databases of ASE, in SQLite and in JSON: the same rows of both, read without carrying anything out."""

from __future__ import annotations

import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator
from ase.db import connect
from ase.io import read

from protocols.tables.files import column_names
from protocols.tables.formats import ase_database
from tests.support.samples.table_files import numbers_in, opened, refused, texts_in

KINDS = ("t.db", "t.json")


def by_ase(path: Path) -> list[Atoms]:
    alloy = bulk("Cu", cubic=True)
    alloy.symbols[0] = "Ni"
    alloy.rattle(0.1, seed=3)
    alloy.calc = SinglePointCalculator(alloy, energy=-0.1 - 0.2, forces=np.ones((4, 3)))
    with connect(path) as database:
        database.write(
            alloy, gap=1.5, name="no 1", metal=True, data={"spread": 0.25, "grid": np.arange(3), "word": "w"}
        )
        database.write(bulk("Al"), gap=2)
        database.write(bulk("Au"), gap=3)
    connect(path).delete([2])
    return [alloy, bulk("Au")]


@pytest.mark.parametrize("kind", KINDS)
def test_what_ase_writes_is_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / kind
    atoms = by_ase(path)
    file = opened(path, texts=("structure",))
    assert set(file.names) == {
        "id", "unique_id", "calculator", "energy", "gap", "name", "metal", "spread", "word", "structure",
    }  # fmt: skip
    assert texts_in(path, "id") == [1, 3]
    assert texts_in(path, "name") == ["no 1", None]
    assert texts_in(path, "metal") == [True, None]
    assert numbers_in(path, "energy") == [-0.1 - 0.2, None]
    assert numbers_in(path, "gap") == [1.5, 3.0]
    assert numbers_in(path, "spread") == [0.25, None]
    assert file.places([0, 1]) == [f"id 1 of {kind}", f"id 3 of {kind}"]
    assert file.notes == ()
    for text, each in zip(texts_in(path, "structure"), atoms, strict=True):
        again = read(io.StringIO(str(text)), format="extxyz")
        assert str(again.symbols) == str(each.symbols)
        assert again.pbc.all()
        np.testing.assert_array_equal(again.cell, each.cell)
        np.testing.assert_array_equal(again.positions, each.positions)


@pytest.mark.parametrize("kind", KINDS)
def test_atoms_that_repeat_nowhere_say_so(tmp_path: Path, kind: str) -> None:
    with connect(tmp_path / kind) as database:
        database.write(Atoms("H2", positions=[(0, 0, 0), (0, 0, 0.74)]), gap=1)
    assert 'pbc="F F F"' in str(texts_in(tmp_path / kind, "structure")[0])


def test_arrays_that_are_lists_are_read_too(tmp_path: Path) -> None:
    row = {"numbers": [1, 1], "positions": [[0, 0, 0], [0, 0, 0.5]], "cell": [[1, 0, 0], [0, 1, 0], [0, 0, 1]]}
    path = tmp_path / "t.json"
    path.write_text(
        json.dumps({"1": {**row, "pbc": [True] * 3, "key_value_pairs": {"gap": 1}}, "ids": [1], "nextid": 2})
    )
    again = read(io.StringIO(str(texts_in(path, "structure")[0])), format="extxyz")
    assert (len(again), again.cell.volume, again.pbc.all()) == (2, 1.0, True)


def test_a_database_is_not_written_to(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    by_ase(path)
    before = path.read_bytes()
    path.chmod(0o400)
    texts_in(path, "name")
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["t.db"]


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE VIEW systems AS WITH RECURSIVE t(id) AS (SELECT 1 UNION ALL SELECT id FROM t) SELECT id FROM t",
        "CREATE VIRTUAL TABLE systems USING fts5(id)",
        "CREATE TABLE other (id INTEGER)",
    ],
)
def test_a_database_whose_rows_are_not_in_a_table_is_refused(tmp_path: Path, statement: str) -> None:
    with closing(sqlite3.connect(tmp_path / "t.db")) as connection:
        connection.execute(statement)
    assert "has no table `systems`" in refused(tmp_path / "t.db")


def test_what_is_no_database_or_one_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    path.write_bytes(b"hello world" * 100)
    assert "cannot be read" in refused(path)
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE systems (id INTEGER)")
    assert "cannot be read (no such column" in refused(path)


def changed(path: Path, statement: str, *values: object) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement, values)
        connection.commit()
    return path


def test_a_damaged_row_is_told_with_its_id(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    by_ase(path)
    changed(path, "UPDATE systems SET key_value_pairs = '{\"energy\": 1}' WHERE id = 1")
    assert "id 1: two columns would be called 'energy'" in refused(path)
    changed(
        path, "UPDATE systems SET key_value_pairs = '{}', numbers = ? WHERE id = 1", np.full(4, 300, "<i4").tobytes()
    )
    assert "id 1: atomic numbers from 0 to" in refused(path)
    changed(path, "UPDATE systems SET numbers = ? WHERE id = 1", np.full(3, 1, "<i4").tobytes())
    assert "id 1: " in refused(path)


def test_a_row_without_cell_or_data_is_read(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    by_ase(path)
    changed(path, "UPDATE systems SET cell = NULL, data = 'null', pbc = NULL")
    assert 'Lattice="0.0 0.0' in str(texts_in(path, "structure")[0])
    assert "spread" not in column_names(path)


def test_an_empty_database_and_too_long_a_one_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.db"
    by_ase(path)
    monkeypatch.setattr(ase_database, "MAX_TABLE_ROWS", 1)
    assert "too many rows" in refused(path)
    changed(path, "DELETE FROM systems")
    assert "is empty" in refused(path)
