"""A table of molecules: which are read, which are refused and where, and what is said of how they were written."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from pydantic import ValidationError

from protocols.errors import TableError
from protocols.tables.molecules import AS_WRITTEN
from protocols.tables.table import CandidateTable, TableColumns, read_table, read_values
from tests.support.samples.molecules import hide, needs_rdkit

COLUMNS = TableColumns(
    smiles="smiles", family="kind", property="dipole", unit="D", features=("f",), on_no_entropy="warn"
)
CANONICAL = "smiles,kind,dipole,f\nO,hydride,1.85,1\nNC=O,amide,3.73,2\nO=Cc1ccccc1,aldehyde,3.0,3\n"


def read(folder: Path, content: str, **fields: object) -> CandidateTable:
    path = folder / "table.csv"
    path.write_text(content, encoding="utf-8")
    return read_table(path, TableColumns.model_validate(COLUMNS.model_dump() | fields))


def refused(folder: Path, content: str, **fields: object) -> str:
    with pytest.raises(TableError) as caught:
        read(folder, content, **fields)
    return str(caught.value)


def test_molecules_have_ids_formulas_and_smiles(tmp_path: Path) -> None:
    table = read(tmp_path, CANONICAL)
    assert table.smiles == ("O", "NC=O", "O=Cc1ccccc1")
    assert table.formulas == ("H2O", "CH3NO", "C7H6O")
    assert table.candidate_ids[2] == "c7h6o-8c15a1ca83578e93"
    assert (table.structures, table.families) == (None, ("hydride", "amide", "aldehyde"))


def test_the_lab_that_plays_the_table_knows_the_same_ids(tmp_path: Path) -> None:
    table = read(tmp_path, CANONICAL)
    assert read_values(tmp_path / "table.csv", COLUMNS).candidate_ids == table.candidate_ids


def test_columns_of_ids_and_formulas_go_before_what_a_smiles_says(tmp_path: Path) -> None:
    content = "id,smiles,kind,dipole,f,formula\nMyWater,O,hydride,1.85,1,H2O water\n"
    table = read(tmp_path, content, id="id", composition="formula")
    assert (table.candidate_ids, table.formulas, table.smiles) == (("mywater",), ("H2O water",), ("O",))


def test_a_table_without_a_column_of_smiles_has_no_molecules(tmp_path: Path) -> None:
    assert read(tmp_path, CANONICAL, smiles=None).smiles is None


def test_parquet_gives_the_same_molecules(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install 'entropilot[parquet]'")
    table = read(tmp_path, CANONICAL)
    pd.read_csv(tmp_path / "table.csv").to_parquet(tmp_path / "table.parquet")
    again = read_table(tmp_path / "table.parquet", COLUMNS)
    assert (again.candidate_ids, again.smiles) == (table.candidate_ids, table.smiles)


@pytest.mark.parametrize(
    ("smiles", "told"),
    [
        ("CC.O", "more than one molecule"),
        ("C[N+](C)(C)C", "a charge of +1"),
        ("[2H]O", "an isotope"),
        ("[Cu]", "a metal, Cu"),
        ("[CH3]", "it is a radical"),
        ("C1CC", "not closed"),
        ("benzene", "cannot be read from character 2 on"),
    ],
)
def test_what_is_no_candidate_is_named_with_its_line_and_column(tmp_path: Path, smiles: str, told: str) -> None:
    said = refused(tmp_path, f"{CANONICAL}{smiles},odd,0.5,4\n")
    assert f"Column 'smiles' has {smiles!r} in line 5 of table.csv: " in said
    assert told in said
    assert "Expected: the SMILES of one neutral molecule" in said


def test_an_empty_smiles_is_a_gap_like_any_other(tmp_path: Path) -> None:
    content = f"{CANONICAL},odd,0.5,4\n"
    assert "Column 'smiles' has an empty cell in line 5" in refused(tmp_path, content)
    assert read(tmp_path, content, on_missing="drop").dropped == 1


def test_a_smiles_that_no_message_could_carry_is_refused(tmp_path: Path) -> None:
    assert "at most 1000 characters" in refused(tmp_path, f"{CANONICAL}{'C' * 1001},odd,0.5,4\n")


@pytest.mark.parametrize("identified", [None, "id"])
def test_a_molecule_that_is_there_twice_is_refused_with_both_lines(tmp_path: Path, identified: str | None) -> None:
    rows = "id,smiles,kind,dipole,f\na,O,hydride,1.85,1\nb,NC=O,amide,3.73,2\nc,O,hydride,1.9,3\n"
    assert re.search(r"molecule 'O' stands in line 2 of .* and line 4 of ", refused(tmp_path, rows, id=identified))


@needs_rdkit
def test_other_ways_to_write_a_molecule_are_one_and_said_to_be_changed(tmp_path: Path) -> None:
    table = read(tmp_path, CANONICAL.replace("O=Cc1ccccc1", "C1=CC=CC=C1C=O"))
    assert table.smiles == ("O", "NC=O", "O=Cc1ccccc1")
    (said,) = table.account
    assert (said.handling, said.count, said.places) == ("converted", 1, ("line 4 of table.csv",))
    assert "were not written in RDKit's canonical way" in said.reason
    assert "stands in line 2" in refused(tmp_path, f"{CANONICAL}[H]O[H],odd,0.5,4\n")


@needs_rdkit
def test_canonical_smiles_are_read_without_a_word(tmp_path: Path) -> None:
    table = read(tmp_path, CANONICAL)
    assert (table.account, [each for each in table.warnings if "SMILES" in each]) == ((), [])


def test_without_rdkit_texts_are_kept_and_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, "rdkit")
    table = read(tmp_path, f"{CANONICAL}[H]O[H],odd,0.5,4\n")
    assert table.smiles is not None
    assert table.smiles[-1] == "[H]O[H]"
    assert AS_WRITTEN in table.warnings
    assert "pip install 'entropilot[molecules]'" in AS_WRITTEN


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"structure": "cif"}, "crystals or molecules"),
        ({"features": ()}, "name feature columns"),
        ({"smiles": "dipole"}, "'dipole' is a measured property"),
    ],
)
def test_columns_that_fit_no_pool_of_molecules_are_refused(fields: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        TableColumns.model_validate(COLUMNS.model_dump() | fields)


def test_a_glob_of_features_takes_no_smiles(tmp_path: Path) -> None:
    assert read(tmp_path, CANONICAL, features=("*",)).feature_names == ("f",)
