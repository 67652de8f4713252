"""The same crystals are the same candidates from every kind of file that holds structures."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator
from ase.db import connect
from ase.io import write
from pymatgen.io.ase import AseAtomsAdaptor

from protocols.tables.table import CandidateTable, TableColumns, read_table

CRYSTALS = {
    "copper": (bulk("Cu", cubic=True), -0.5),
    "magnesium": (bulk("Mg"), -0.25),
    "tin": (bulk("Sn", "bct", a=5.83, c=3.18), 0.125),
    "salt": (bulk("NaCl", "rocksalt", a=5.64), -2.5),
}
"""Name -> a crystal and its energy."""


def with_results() -> list[Atoms]:
    made = []
    for name, (atoms, energy) in CRYSTALS.items():
        each = atoms.copy()
        each.calc = SinglePointCalculator(each, energy=energy)
        each.info["name"] = name
        made.append(each)
    return made


def as_frames(folder: Path) -> tuple[Path, str, str]:
    write(folder / "t.extxyz", with_results())
    return folder / "t.extxyz", "name", "structure"


def as_database(folder: Path, name: str = "t.db") -> tuple[Path, str, str]:
    with connect(folder / name) as database:
        for each in with_results():
            database.write(each, name=each.info["name"])
    return folder / name, "name", "structure"


def as_json_database(folder: Path) -> tuple[Path, str, str]:
    return as_database(folder, "t.json")


def as_folder(folder: Path) -> tuple[Path, str, str]:
    place = folder / "pool"
    place.mkdir()
    endings = [".cif", ".vasp", ".extxyz", ".cif"]
    with (place / "energies.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["name", "file", "energy"])
        for (name, (atoms, energy)), ending in zip(CRYSTALS.items(), endings, strict=True):
            target = place / f"{name}{ending}"
            if ending == ".cif":
                AseAtomsAdaptor.get_structure(atoms).to(str(target))
            else:
                write(target, atoms)
            rows.writerow([name, f"{name}{ending}", energy])
    return place, "name", "structure"


def as_jarvis(folder: Path) -> tuple[Path, str, str]:
    records = [
        {
            "jid": name,
            "energy": energy,
            "atoms": {
                "lattice_mat": atoms.cell.tolist(), "coords": atoms.get_scaled_positions().tolist(),
                "elements": atoms.get_chemical_symbols(), "cartesian": False,
            },
        }
        for name, (atoms, energy) in CRYSTALS.items()
    ]  # fmt: skip
    (folder / "t.json").write_text(json.dumps(records))
    return folder / "t.json", "jid", "atoms"


def as_matbench(folder: Path) -> tuple[Path, str, str]:
    rows = [[AseAtomsAdaptor.get_structure(atoms).as_dict(), energy] for atoms, energy in CRYSTALS.values()]
    content = {"index": list(CRYSTALS), "columns": ["structure", "energy"], "data": rows}
    (folder / "t.json").write_text(json.dumps(content))
    return folder / "t.json", "index", "structure"


def as_optimade(folder: Path) -> tuple[Path, str, str]:
    entries = [
        {
            "id": name,
            "type": "structures",
            "attributes": {
                "energy": energy,
                "lattice_vectors": atoms.cell.tolist(),
                "cartesian_site_positions": atoms.positions.tolist(),
                "species_at_sites": atoms.get_chemical_symbols(),
                "species": [
                    {"name": each, "chemical_symbols": [each], "concentration": [1.0]} for each in set(atoms.symbols)
                ],
                "dimension_types": [1, 1, 1],
                "nsites": len(atoms),
                "structure_features": [],
            },
        }
        for name, (atoms, energy) in CRYSTALS.items()
    ]
    (folder / "t.json").write_text(json.dumps({"data": entries, "meta": {"more_data_available": False}}))
    return folder / "t.json", "id", "structure"


def as_lines(folder: Path) -> tuple[Path, str, str]:
    path, _, _ = as_jarvis(folder)
    lines = [json.dumps(record) for record in json.loads(path.read_text())]
    (folder / "t.jsonl").write_text("\n".join(lines))
    return folder / "t.jsonl", "jid", "atoms"


def read(path: Path, name: str | None, structure: str) -> CandidateTable:
    columns = TableColumns(id=name, property="energy", unit="eV", structure=structure, on_no_entropy="warn")
    return read_table(path, columns)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> CandidateTable:
    """The crystals as the frames of an extended xyz."""
    path, _, structure = as_frames(tmp_path_factory.mktemp("frames"))
    return read(path, None, structure)


def test_the_crystals_are_what_they_are(reference: CandidateTable) -> None:
    assert reference.families == ("cubic", "hexagonal", "tetragonal", "cubic")
    assert reference.formulas == ("Cu", "Mg", "Sn", "NaCl")
    assert reference.values.tolist() == [energy for _, energy in CRYSTALS.values()]


@pytest.mark.parametrize(
    "written", [as_database, as_json_database, as_folder, as_jarvis, as_matbench, as_optimade, as_lines]
)
def test_a_crystal_is_one_candidate_wherever_it_stands(
    written: Callable[[Path], tuple[Path, str, str]], tmp_path: Path, reference: CandidateTable
) -> None:
    path, name, structure = written(tmp_path)
    table = read(path, None, structure)
    assert table.families == reference.families
    assert table.formulas == reference.formulas
    assert table.values.tolist() == reference.values.tolist()
    assert table.candidate_ids == reference.candidate_ids
    assert read(path, name, structure).source_ids == tuple(CRYSTALS)
