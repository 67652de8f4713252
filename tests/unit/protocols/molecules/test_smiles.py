"""A SMILES is read without a chemistry package: formula, charge, and what keeps it from being a candidate."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.molecules.smiles import ELEMENTS, NONMETALS, SmilesError, read_smiles
from tests.support.samples.molecules import needs_rdkit

QM9 = Path(__file__).parents[4] / "../shared/data/qm9/qm9_smiles_133885.csv"

FORMULAS = {
    "O": "H2O",
    "F": "FH",
    "[H][H]": "H2",
    "[H]O[H]": "H2O",
    "[C-]#[O+]": "CO",
    "C#N": "CHN",
    "NC=O": "CH3NO",
    "c1ccccc1": "C6H6",
    "O=[N+]([O-])c1ccccc1": "C6H5NO2",
    "CN(C)c1ccc([N+](=O)[O-])cc1": "C8H10N2O2",
    "c1cc[nH]c1": "C4H5N",
    "Cn1cccc1": "C5H7N",
    "c1ccncc1": "C5H5N",
    "c1ccoc1": "C4H4O",
    "c1ccsc1": "C4H4S",
    "O=c1cc[nH]cc1": "C5H5NO",
    "c1cc[se]c1": "C4H4Se",
    "c1ccc2ccccc2c1": "C10H8",
    "c1ccc(cc1)-c1ccccc1": "C12H10",
    "C/C=C\\C": "C4H8",
    "C[C@@H](N)C(=O)O": "C3H7NO2",
    "CS(=O)(=O)C": "C2H6O2S",
    "CS(C)=O": "C2H6OS",
    "FS(F)(F)(F)(F)F": "F6S",
    "FP(F)(F)(F)F": "F5P",
    "C[Si](C)(C)C": "C4H12Si",
    "BrCCl": "CH2BrCl",
    "IC1CC%11CC1CC%11": "C7H11I",
    "C12C3C4C1C5C2C3C45": "C8H8",
    "OB(O)O": "BH3O3",
    "N#CC#N": "C2N2",
    "C1=CC=CC=C1": "C6H6",
    "[He]": "He",
}


@pytest.mark.parametrize("smiles", FORMULAS)
def test_the_formula_counts_the_hydrogens_that_the_text_leaves_out(smiles: str) -> None:
    content = read_smiles(smiles)
    assert (content.formula, content.charge) == (FORMULAS[smiles], 0)
    assert content.electrons % 2 == 0


def test_atoms_and_electrons_are_counted_with_the_hydrogens() -> None:
    water = read_smiles("O")
    assert (water.atoms, water.electrons) == (3, 10)


REFUSED = {
    "": "it is empty",
    "CC.O": "more than one molecule, parted by '.'",
    "[Na+].[Cl-]": "more than one molecule",
    "C[N+](C)(C)C": r"a charge of \+1",
    "[O-]C=O": "a charge of -1",
    "[NH3++]": r"a charge of \+2",
    "[NH3+2]": r"a charge of \+2",
    "[2H]O": r"an isotope, '\[2H\]'",
    "[13CH4]": "an isotope",
    "[CH3:1]C": "it numbers an atom",
    "[Cu]": "a metal, Cu",
    "C[Hg]C": "a metal, Hg",
    "[CH3]": "its 9 electrons cannot all be paired: it is a radical",
    "[N]=O": "its 15 electrons cannot all be paired",
    "C1CC": "a ring or a branch is not closed",
    "CC(": "a ring or a branch is not closed",
    "C)C": r"'\)' closes no branch",
    "C(=)C": r"'\)' closes no branch",
    "C=": "a bond leads nowhere",
    "=C": "no atom before '='",
    "C==C": "no atom before '='",
    "1CC1": "no atom before '1'",
    "(C)C": r"no atom before '\('",
    "C11": "bonded to itself",
    "XYZ": "cannot be read from character 1 on",
    "CCé": "cannot be read from character 3 on",
    "C C": "cannot be read from character 2 on",
    "[Xx]": r"'\[Xx\]' is no atom",
    "[C": "cannot be read from character 1 on",
    "C*": "cannot be read from character 2 on",
    "ethanol": "cannot be read from character 1 on",
}


@pytest.mark.parametrize("smiles", REFUSED)
def test_what_cannot_be_a_candidate_is_refused_by_name(smiles: str) -> None:
    with pytest.raises(SmilesError, match=REFUSED[smiles]):
        read_smiles(smiles)


@given(st.text(alphabet="CNOSclnos[]()=#123%+-H@./\\Fr", max_size=12))
def test_whatever_the_text_it_is_read_or_refused(text: str) -> None:
    try:
        content = read_smiles(text)
    except SmilesError:
        return
    assert set(content.amounts) <= NONMETALS <= set(ELEMENTS)
    assert content.atoms > 0


@needs_rdkit
@pytest.mark.skipif(not QM9.exists(), reason="the folder of real tables is not beside the repository")
def test_formulas_are_those_of_rdkit_for_the_molecules_of_qm9() -> None:
    from rdkit.Chem import MolFromSmiles
    from rdkit.Chem.rdMolDescriptors import CalcMolFormula

    with QM9.open(encoding="utf-8") as file:
        every_64th = [row["smiles"] for row in csv.DictReader(file)][::64]
    assert len(every_64th) > 2_000
    assert [read_smiles(smiles).formula for smiles in every_64th] == [
        CalcMolFormula(MolFromSmiles(smiles)) for smiles in every_64th
    ]
