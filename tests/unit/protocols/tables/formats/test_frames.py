"""Extended xyz: a frame a row; keys are columns, as they stand, and the atoms a structure without what was measured."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read, write

from protocols.tables.formats import frames
from tests.support.samples.table_files import numbers_in, opened, refused, texts_in, written


def by_ase(folder: Path) -> tuple[Path, list[Atoms]]:
    atoms = []
    for count, symbol in enumerate(("Cu", "Ni")):
        each = bulk(symbol)
        each.calc = SinglePointCalculator(each, energy=-0.5 - count, forces=np.zeros((1, 3)))
        each.info = {"name": f"no {count}", "code": "007", "n": count, "relaxed": True, "of": {"a": [1]}, "arr": [1, 2]}
        atoms.append(each)
    write(folder / "t.extxyz", atoms)
    return folder / "t.extxyz", atoms


def test_what_ase_writes_is_read(tmp_path: Path) -> None:
    path, atoms = by_ase(tmp_path)
    file = opened(path, texts=("structure",))
    assert set(file.names) == {"name", "code", "n", "relaxed", "of", "arr", "energy", "structure"}
    assert texts_in(path, "name") == ["no 0", "no 1"]
    assert texts_in(path, "code") == ["007", "007"]
    assert numbers_in(path, "energy") == ["-0.5", "-1.5"]
    assert texts_in(path, "of") == ['JSON {"a": [1]}'] * 2
    for text, each in zip(texts_in(path, "structure"), atoms, strict=True):
        assert "energy" not in str(text)
        again = read(io.StringIO(str(text)), format="extxyz")
        assert (again.get_chemical_formula(), again.pbc.all()) == (each.get_chemical_formula(), True)
        np.testing.assert_array_equal(again.cell, each.cell)
    assert file.places([0, 1]) == ["frame 1 (line 1) of t.extxyz", "frame 2 (line 4) of t.extxyz"]


def test_keys_are_read_as_they_are_written(tmp_path: Path) -> None:
    comment = """a=1.50 b="x \\"y\\" z" c='it' d={1 2} e=[[1, 2], [3]] flag f = T "Lattice"="1 0 0 0 1 0 0 0 1" """
    path = written(tmp_path, f"1\n{comment.replace(chr(34) + 'Lattice' + chr(34), 'Lattice')}\nH 0 0 0\n\n\n", "t.xyz")
    expected = {"a": "1.50", "b": 'x "y" z', "c": "it", "d": "JSON {1 2}", "e": "JSON [[1, 2], [3]]", "flag": "True"}
    assert {name: texts_in(path, name)[0] for name in expected} == expected
    assert texts_in(path, "f") == ["T"]
    assert texts_in(path, "structure") == ['1\nLattice="1 0 0 0 1 0 0 0 1"\nH 0 0 0\n']


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty"),
        ("x\n\nH 0 0 0\n", "Line 1 of"),
        ("0\n\n", "the number of its atoms"),
        ("1\na=1\nH 0 0 0\n2\na=1\nH 0 0 0\n", "The frame in line 4 of"),
        ("3\n", "ends after 0 of 3 atoms"),
        ("1\na=1 a=2\nH 0 0 0\n", "the key 'a' twice"),
        ("1\nstructure=2\nH 0 0 0\n", "none called structure"),
        ('1\na="1\nH 0 0 0\n', "Line 2 of"),
    ],
)
def test_a_frame_that_cannot_be_read_is_told_with_its_line(tmp_path: Path, content: str, words: str) -> None:
    assert words in refused(written(tmp_path, content, "t.extxyz"))


def test_more_frames_than_a_table_has_rows_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MAX_TABLE_ROWS", 1)
    assert "too many rows" in refused(by_ase(tmp_path)[0])
