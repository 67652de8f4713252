"""A molecule is its canonical SMILES where RDKit can write it, and else the text that names it."""

from __future__ import annotations

import re

import pytest

from protocols.extras import ExtraMissingError
from protocols.molecules.identity import check_molecule, parsed
from protocols.molecules.smiles import SmilesError
from protocols.wire.messages import ID_PATTERN
from tests.support.samples.molecules import hide, needs_rdkit

BENZALDEHYDE = "O=Cc1ccccc1"


@needs_rdkit
@pytest.mark.parametrize("written", [BENZALDEHYDE, "c1ccccc1C=O", "C1=CC=CC=C1C=O", "[H]C(=O)c1ccccc1"])
def test_one_molecule_has_one_identity_however_it_is_written(written: str) -> None:
    told = check_molecule(written)
    assert (told.smiles, told.formula) == (BENZALDEHYDE, "C7H6O")
    assert told.candidate_id == check_molecule(BENZALDEHYDE).candidate_id


@needs_rdkit
def test_molecules_that_differ_in_their_shape_only_are_two() -> None:
    assert check_molecule("C/C=C/C") != check_molecule("C/C=C\\C")
    assert check_molecule("N[C@@H](C)C(=O)O") != check_molecule("N[C@H](C)C(=O)O")


def test_an_id_begins_with_the_formula_and_fits_the_protocol() -> None:
    assert check_molecule(BENZALDEHYDE).candidate_id == "c7h6o-8c15a1ca83578e93"
    assert re.match(ID_PATTERN, check_molecule("FC(F)(F)C(Cl)(Br)C(I)(S)P(=O)(N)OB([SiH3])[SeH]").candidate_id)


def test_a_canonical_smiles_has_the_same_identity_with_and_without_rdkit(monkeypatch: pytest.MonkeyPatch) -> None:
    with_it = check_molecule(BENZALDEHYDE)
    hide(monkeypatch, "rdkit")
    assert check_molecule(BENZALDEHYDE) == with_it


def test_without_rdkit_a_smiles_is_taken_as_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, "rdkit")
    assert check_molecule("c1ccccc1C=O").smiles == "c1ccccc1C=O"
    with pytest.raises(SmilesError, match="a charge"):
        check_molecule("[NH4+]")


def test_what_needs_rdkit_names_the_extra_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, "rdkit")
    with pytest.raises(ExtraMissingError, match=r"rdkit is not installed\..*pip install 'entropilot\[molecules\]'"):
        parsed("C")


@needs_rdkit
@pytest.mark.parametrize(
    ("smiles", "told"),
    [
        ("[CH2]", "an atom has unpaired electrons"),
        ("[O][O]", "an atom has unpaired electrons"),
        ("FC(F)(F)(F)(F)F", "valence for atom # 1 C"),
        ("c1ccc(-c2cccc2)c1", "kekulize"),
    ],
)
def test_what_makes_no_sense_is_refused_in_the_words_of_rdkit(
    smiles: str, told: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SmilesError, match=told):
        check_molecule(smiles)
    assert capfd.readouterr() == ("", ""), "RDKit writes its complaints nowhere else"
