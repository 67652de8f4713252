"""The tables of a bed say what was measured and leave out what was not; a part of one can be measured again."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from protocols.errors import SettingsError, TableError
from protocols.molecules.features import FEATURE_NAMES
from protocols.wire.messages import FailureReason, Quantity
from simulators.evaluator import EvaluationFailed, Measurement
from simulators.molecules.bed_tables import Recomputed, agrees, some_of, write_features, write_known_table, write_table
from simulators.molecules.benzenes import BenzeneDesign
from simulators.molecules.edit_beds import EditDesign

FAILED = EvaluationFailed(FailureReason.CALCULATION_FAILED, "it did not converge")


def measured(dipole: float) -> Measurement:
    values = (("dipole_moment", dipole, "D"), ("energy", -432.1, "eV"), ("homo_lumo_gap", 4.9, "eV"))
    quantities = tuple(Quantity(name=name, value=value, unit=unit) for name, value, unit in values)
    return Measurement(quantities, {"conformers": 5, "steps": "3 4 5 3 3", "seed_kept": 23, "method": "GFN2-xTB"})


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_design_has_a_row_and_a_molecule_that_failed_an_empty_one(tmp_path: Path) -> None:
    designs = [
        BenzeneDesign("F", "H", "para", "Fc1ccccc1"),
        BenzeneDesign("H", "F", "para", "Fc1ccccc1"),
        BenzeneDesign("H", "I", "para", "Ic1ccccc1"),
    ]
    write_table(tmp_path / "table.csv", designs, {"Fc1ccccc1": measured(2.1917), "Ic1ccccc1": FAILED})
    first, second, failed = rows_of(tmp_path / "table.csv")
    assert first == {
        "smiles": "Fc1ccccc1", "x": "F", "y": "H", "position": "para", "dipole": "2.1917", "energy": "-432.1",
        "gap": "4.9", "conformers": "5", "steps": "18", "seed": "23",
    }  # fmt: skip
    assert second == first | {"x": "H", "y": "F"}
    assert (failed["smiles"], failed["dipole"], failed["seed"]) == ("Ic1ccccc1", "", "")


def test_features_have_a_row_for_each_molecule_in_the_order_of_their_smiles(tmp_path: Path) -> None:
    write_features(tmp_path / "features.csv", {"c1ccccc1": (12.5, 0.0, 0.0), "Fc1ccccc1": (11.25, 2.0, 1.5)})
    rows = rows_of(tmp_path / "features.csv")
    assert [row["smiles"] for row in rows] == ["Fc1ccccc1", "c1ccccc1"]
    assert list(rows[0]) == ["smiles", *FEATURE_NAMES]
    assert list(rows[0].values())[1:] == ["11.25", "2.0", "1.5"]


EDITS = (
    EditDesign("C", "H", "C atom 1", "C", "C sp3"),
    EditDesign("CF", "F", "C atom 1", "C", "C sp3"),
)


def test_known_values_stand_beside_the_factors_of_their_designs(tmp_path: Path) -> None:
    write_known_table(tmp_path / "table.csv", EDITS, {"C": 0.0, "CF": 1.86, "CO": 1.7}, "mu")
    first, second = rows_of(tmp_path / "table.csv")
    assert first == {"smiles": "C", "group": "H", "place": "C atom 1", "parent": "C", "kind": "C sp3", "mu": "0.0"}
    assert second == first | {"smiles": "CF", "group": "F", "mu": "1.86"}


def test_values_with_the_name_of_a_factor_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="called 'kind'"):
        write_known_table(tmp_path / "table.csv", EDITS, {"C": 0.0, "CF": 1.86}, "kind")
    assert not (tmp_path / "table.csv").exists()


def test_some_molecules_of_a_table_are_spread_over_it(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("smiles,dipole\n" + "".join(f"{'C' * number},{number}\n" for number in range(1, 21)) * 2)
    told = some_of(path, 4)
    assert told == {"C": 1.0, "C" * 6: 6.0, "C" * 11: 11.0, "C" * 16: 16.0}
    assert len(some_of(path, 100)) == 20


@pytest.mark.parametrize("content", ["smiles,energy\nC,1\n", "smiles,dipole\nC,much\n", None])
def test_a_file_that_is_no_table_of_designs_is_refused(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "table.csv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(TableError, match="a table of designs with the columns smiles and dipole"):
        some_of(path, 6)


@pytest.mark.parametrize(
    ("differences", "verdict"),
    [
        ([0.0] * 6, True),
        ([0.05] * 6, True),
        ([0.0] * 5 + [0.25], True),
        ([0.0] * 4 + [0.25] * 2, False),
        ([0.0] * 5 + [0.35], False),
    ],
)
def test_a_table_agrees_when_few_molecules_are_beyond_the_tolerance_and_none_far_beyond(
    differences: list[float], verdict: bool
) -> None:
    assert agrees([Recomputed("C", 1.0, measured(1.0 + each - 1e-12)) for each in differences]) == verdict


def test_a_molecule_that_cannot_be_measured_again_does_not_agree() -> None:
    assert not agrees([Recomputed("C", 0.0, FAILED)])
