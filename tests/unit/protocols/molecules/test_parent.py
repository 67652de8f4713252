"""A molecule that is to be changed says which changes are sound: sane, closed-shell, and nothing new that falls off."""

from __future__ import annotations

import pytest

from protocols.extras import load
from protocols.molecules.parent import Parent
from protocols.molecules.smiles import SmilesError
from tests.support.samples.molecules import needs_rdkit

pytestmark = needs_rdkit


def changed(parent: Parent, atomic_number: int) -> str | None:
    """Who the parent becomes when its first atom's first hydrogen turns into another atom."""
    edited = load("rdkit.Chem").RWMol(parent.molecule)
    hydrogen = parent.hydrogen_on(edited.GetAtomWithIdx(0))
    edited.GetAtomWithIdx(hydrogen).SetAtomicNum(atomic_number)
    product = parent.product(edited)
    return None if product is None else product.smiles


def test_heavy_atoms_stand_in_the_order_of_the_canonical_text_and_know_their_hydrogens() -> None:
    parent = Parent.of("OCC")
    assert parent.smiles == "CCO"
    atoms = list(parent.heavy_atoms())
    assert [atom.GetSymbol() for atom in atoms] == ["C", "C", "O"]
    assert [parent.hydrogen_on(atom) is None for atom in Parent.of("O=C=O").heavy_atoms()] == [True] * 3
    assert parent.hydrogen_on(atoms[2]) == len(parent.molecule.GetAtoms()) - 1


def test_a_sound_change_has_a_name_and_an_impossible_one_has_none() -> None:
    assert changed(Parent.of("CC"), 9) == "CCF"
    assert changed(Parent.of("CC"), 11) is None, "sodium is a metal, and no candidate has one"


def test_what_falls_off_is_no_product_unless_it_was_there_before() -> None:
    assert changed(Parent.of("CO"), 9) is None, "fluoromethanol loses hydrogen fluoride"
    assert changed(Parent.of("CC(O)F"), 9) == "OC(F)CF"


def test_what_is_no_candidate_is_no_parent() -> None:
    with pytest.raises(SmilesError, match="charge"):
        Parent.of("C[NH3+]")
