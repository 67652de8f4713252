"""Crystals that others are made of, read from tables, files and folders by the processes that read structures."""

from __future__ import annotations

from pathlib import Path

import pytest
from ase.build import bulk
from ase.io import write

from protocols.errors import TableError
from scenarios.settings.crystals import SubstitutionSettings
from scenarios.world.crystals.parents import read_parents

pytestmark = pytest.mark.system


def read(path: Path) -> list[str]:
    parents = read_parents(SubstitutionSettings(path=str(path)), lambda *_: None)
    return [each.name for each in parents]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a POSCAR, a CIF and an extended xyz."""
    parents = tmp_path / "parents"
    parents.mkdir()
    write(parents / "POSCAR", bulk("NaCl", "rocksalt", a=5.64), format="vasp")
    write(parents / "b.cif", bulk("Cu", "fcc", a=3.6))
    write(parents / "c.extxyz", bulk("Si", "diamond", a=5.43))
    return parents


def test_a_folder_of_files_is_read_in_the_order_of_their_names(folder: Path) -> None:
    assert read(folder) == ["NaCl", "Cu", "Si"]


@pytest.mark.parametrize(("name", "formula"), [("POSCAR", "NaCl"), ("b.cif", "Cu"), ("c.extxyz", "Si")])
def test_a_file_of_one_structure_is_one_parent(folder: Path, name: str, formula: str) -> None:
    assert read(folder / name) == [formula]


def test_a_table_gives_a_parent_a_row(folder: Path, tmp_path: Path) -> None:
    cif = (folder / "b.cif").read_text().replace('"', "'")
    (tmp_path / "parents.csv").write_text(f'name,structure\none,"{cif}"\n')
    assert read(tmp_path / "parents.csv") == ["Cu"]
    (folder / "table.csv").write_text("file\nb.cif\nc.extxyz\n")
    assert read(folder) == ["Cu", "Si"]


def test_a_parent_that_cannot_be_used_is_named_with_its_file_and_line(folder: Path) -> None:
    lines = (folder / "POSCAR").read_text().splitlines()
    lines[5] = "Na Xy"
    (folder / "d.vasp").write_text("\n".join(lines) + "\n")
    with pytest.raises(
        TableError, match=r"A parent of substitutions cannot be used: .*d.vasp, line 6 is a POSCAR with the atom 'Xy'"
    ):
        read(folder)


@pytest.mark.parametrize("kind", ["nothing", "empty folder"])
def test_where_no_parent_is_the_path_is_named(tmp_path: Path, kind: str) -> None:
    if kind == "empty folder":
        (tmp_path / "parents").mkdir()
    with pytest.raises(TableError, match=r"pool.crystals.substitutions.path"):
        read(tmp_path / "parents")
