"""Values of somebody else's molecules: read as canonical molecules, and what cannot be used is said or refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from protocols.errors import TableError
from simulators.molecules.known_values import read_known_values
from tests.support.samples.molecules import needs_rdkit
from tests.support.samples.table_files import written

pytestmark = needs_rdkit


def test_values_are_those_of_canonical_molecules_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "values.csv.gz"
    path.write_bytes(gzip.compress(b"id,smi,mu\n1,OCC,1.7\n2,C1=CC=CC=C1,0\n"))
    told: list[tuple[int, int]] = []
    found = read_known_values(path, "smi", "mu", lambda done, total: told.append((done, total)))
    assert list(found.values.items()) == [("CCO", 1.7), ("c1ccccc1", 0.0)]
    assert found.words == "2 molecules with a value"
    assert told[-1] == (2, 2)


def test_rows_that_cannot_be_used_are_left_out_and_counted(tmp_path: Path) -> None:
    path = written(tmp_path, "smiles,mu\nCO,1.70\nOC,1.7001\nC[NH3+],3\nCC,\nC1CC,2\nC,0\n", "values.csv")
    found = read_known_values(path, "smiles", "mu")
    assert found.values == {"CO": 1.7, "C": 0.0}
    assert (found.without_value, found.no_candidates, found.repeated) == (1, 2, 1)
    assert "'C[NH3+]' in line 4 of values.csv" in found.words
    assert "1 rows of a molecule that was there before, with the same value" in found.words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("smiles,dipole\nC,0\n", "has no column 'mu'"),
        ("molecule,mu\nC,0\n", "has no column 'smiles'"),
        ("smiles,mu\nC,0\nCO,much\n", "has 'much' in line 3"),
        ("smiles,mu\nCO,1.7\nC,0\nOC,1.2\n", "'CO' has 'mu' = 1.7 in line 2 of values.csv and 1.2 in line 4"),
        ("smiles,mu\nC1CC,0\n[Na+],1\n", "0 molecules with a value"),
        ("smiles,mu\nC,\n", "1 rows without a value"),
        ("smiles,mu\n", "has no rows"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_with_what_is_wrong(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(TableError) as refused:
        read_known_values(written(tmp_path, text, "values.csv"), "smiles", "mu")
    assert words in str(refused.value)
