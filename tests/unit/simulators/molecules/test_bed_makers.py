"""A bed of known values holds the edits between molecules of the table, and says what it left out.

Beds that are measured take the lab's child processes: `tests/system/test_molecules.py`.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from protocols.errors import SettingsError
from protocols.molecules.features import FEATURE_NAMES
from simulators.molecules.bed_makers import BedMaker
from tests.support.samples.molecules import needs_rdkit

GROUPS = {"F": "F", "CN": "C#N", "BH2": "B"}

TABLE = """name,smi,mu
methane,C,0.0
ethane,CC,0.0
fluoromethane,CF,1.72
fluoroethane,FCC,1.83
acetonitrile,CC#N,3.83
propionitrile,CCC#N,3.92
borane,CB,0.6
boroethane,CCB,0.7
argon,[Ar],0.0
"""


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def maker(tmp_path: Path, said: list[str]) -> BedMaker:
    (tmp_path / "known.csv").write_text(TABLE)
    return BedMaker(tmp_path / "bed", said.append, lambda *_: None)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@needs_rdkit
def test_a_bed_of_a_table_has_its_values_and_features_and_leaves_out_what_has_none(
    maker: BedMaker, said: list[str], tmp_path: Path
) -> None:
    maker.of_known(tmp_path / "known.csv", ("smi", "mu"), 2, GROUPS)
    table, features = map(rows_of, maker.paths)
    assert {(row["smiles"], row["group"], row["parent"], row["mu"]) for row in table} == {
        ("C", "H", "C", "0.0"),
        ("CF", "F", "C", "1.72"),
        ("CC#N", "CN", "C", "3.83"),
        ("CC", "H", "CC", "0.0"),
        ("CCF", "F", "CC", "1.83"),
        ("CCC#N", "CN", "CC", "3.92"),
    }
    assert [row["smiles"] for row in features] == sorted({row["smiles"] for row in table})
    assert list(features[0])[1:] == list(FEATURE_NAMES)
    assert any("has no features" in sentence for sentence in said), "MMFF94 knows no boron"
    assert said[-1] == "6 designs of 6 molecules: 2 parents with 2 places"


@needs_rdkit
@pytest.mark.parametrize(
    ("heavy_atoms", "groups", "words"),
    [
        (0, GROUPS, "0 molecules of .* have at most 0 heavy atoms"),
        (2, {"NO2": "[N+](=O)[O-]"}, "can be compared with another"),
    ],
)
def test_a_table_in_which_nothing_matches_is_refused_and_nothing_is_written(
    maker: BedMaker, tmp_path: Path, heavy_atoms: int, groups: dict[str, str], words: str
) -> None:
    with pytest.raises(SettingsError, match=words):
        maker.of_known(tmp_path / "known.csv", ("smi", "mu"), heavy_atoms, groups)
    assert not maker.folder.exists()


@pytest.mark.parametrize("name", ["table.csv", "features.csv"])
def test_a_folder_with_a_bed_is_refused(maker: BedMaker, name: str) -> None:
    maker.require_room()
    maker.folder.mkdir()
    (maker.folder / name).write_text("mine")
    with pytest.raises(SettingsError, match=f"{name} is there already"):
        maker.require_room()
