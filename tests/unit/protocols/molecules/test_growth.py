"""Molecules of our own: small, sound, each once, and all that growth by an atom or a bond can reach."""

from __future__ import annotations

import pytest

from protocols.errors import SettingsError
from protocols.extras import load
from protocols.molecules.growth import MOST_HEAVY_ATOMS, grown_molecules, heavy_atoms_of
from protocols.molecules.identity import check_molecule, parsed
from protocols.molecules.smiles import read_smiles
from tests.support.samples.molecules import needs_rdkit

pytestmark = needs_rdkit


def test_two_heavy_atoms_make_every_bond_of_carbon_and_none_of_two_heteroatoms() -> None:
    assert grown_molecules(1) == ("C", "N", "O")
    assert grown_molecules(2) == ("C", "N", "O", "C#C", "C#N", "C=C", "C=N", "C=O", "CC", "CN", "CO")


def test_smaller_molecules_come_first_and_are_all_there_again() -> None:
    sizes = [heavy_atoms_of(smiles) for smiles in grown_molecules(4)]
    assert sizes == sorted(sizes)
    assert set(grown_molecules(3)) == {each for each in grown_molecules(4) if heavy_atoms_of(each) <= 3}


def test_every_molecule_is_a_candidate_of_carbon_nitrogen_and_oxygen_and_canonical() -> None:
    for smiles in grown_molecules(4):
        assert check_molecule(smiles).smiles == smiles
        assert set(read_smiles(smiles).amounts) <= {"C", "N", "O", "H"}


@pytest.mark.parametrize("smiles", ["CC(=O)O", "NC(N)=O", "C1CCC1", "C=C1CC1", "O=C=O", "CC(C)C", "C#CC#C"])
def test_what_a_chemist_would_look_for_is_there(smiles: str) -> None:
    assert check_molecule(smiles).smiles in grown_molecules(4)


@pytest.mark.parametrize(
    ("smiles", "why"),
    [
        ("C1=CC1", "a double bond in a ring of three"),
        ("C1#CC1", "a triple bond in a ring"),
        ("C1C2CC12", "two rings"),
        ("C=CO", "an enol"),
        ("OCO", "loses water"),
        ("NO", "a bond of two heteroatoms"),
    ],
)
def test_what_is_strained_or_falls_apart_is_not_there(smiles: str, why: str) -> None:
    assert check_molecule(smiles).smiles not in grown_molecules(4), why


def test_larger_rings_become_aromatic_and_no_ring_has_cumulated_or_triple_bonds() -> None:
    grown = grown_molecules(5)
    assert "c1ccoc1" in grown
    strained = [load("rdkit.Chem").MolFromSmarts(smarts) for smarts in ("*#@*", "*=@*=@*")]
    assert not [smiles for smiles in grown if any(map(parsed(smiles).HasSubstructMatch, strained))]


@pytest.mark.parametrize("heavy_atoms", [0, -1, MOST_HEAVY_ATOMS + 1])
def test_none_and_too_many_atoms_are_refused(heavy_atoms: int) -> None:
    with pytest.raises(SettingsError, match=f"1 to {MOST_HEAVY_ATOMS}"):
        grown_molecules(heavy_atoms)
