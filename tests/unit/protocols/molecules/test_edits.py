"""Edits are changes that a chemist could make: named, canonical, each product once, and nothing that cannot be."""

from __future__ import annotations

import pytest

from protocols.errors import SettingsError
from protocols.molecules.edits import Edit, edits_of, replacements_of
from protocols.molecules.groups import GROUPS
from protocols.molecules.identity import check_molecule
from protocols.molecules.smiles import SmilesError, read_smiles
from tests.support.samples.molecules import needs_rdkit

pytestmark = needs_rdkit

PARENTS = ("Cc1ccc(C=O)cc1", "CCO", "c1cc[nH]c1", "C[C@@H](C(=O)O)N", "C/C=C/C", "c1ccc2ccccc2c1", "CS(C)=O", "C#CC=O")


def products(smiles: str, *groups: str) -> set[str]:
    chosen = {name: GROUPS[name] for name in groups} if groups else GROUPS
    return {edit.product.smiles for edit in edits_of(smiles, chosen)}


def canonical(*smiles: str) -> set[str]:
    return {check_molecule(each).smiles for each in smiles}


def test_a_hydrogen_of_methane_is_replaced_by_every_group_in_their_order() -> None:
    edits = edits_of("C")
    assert [edit.group for edit in edits] == list(GROUPS)
    assert {edit.product.smiles for edit in edits} == canonical(*(f"C{fragment}" for fragment in GROUPS.values()))


def test_a_group_goes_to_every_place_that_makes_another_molecule() -> None:
    assert products("Oc1ccccc1", "F") == canonical("Oc1ccccc1F", "Oc1cccc(F)c1", "Oc1ccc(F)cc1")


@pytest.mark.parametrize("parent", PARENTS)
def test_every_product_is_canonical_and_has_the_atoms_that_it_must_have(parent: str) -> None:
    before = read_smiles(parent).amounts
    for edit in edits_of(parent):
        assert check_molecule(edit.product.smiles) == edit.product
        after = read_smiles(edit.product.smiles).amounts
        change = {symbol: after.get(symbol, 0) - before.get(symbol, 0) for symbol in {*after, *before}}
        group = {} if edit.source is not None else read_smiles(f"C{GROUPS[edit.group]}").amounts
        methane = {} if edit.source is not None else {"C": 1, "H": 4}
        assert change == {symbol: group.get(symbol, 0) - methane.get(symbol, 0) for symbol in change}


@pytest.mark.parametrize("parent", PARENTS)
def test_no_product_comes_twice_and_none_is_the_molecule_itself(parent: str) -> None:
    edits = edits_of(parent)
    reached = [edit.product.smiles for edit in edits]
    assert len(set(reached)) == len(reached) > 5
    assert check_molecule(parent).smiles not in reached
    assert edits == edits_of(check_molecule(parent).smiles), "however the parent is written"


def test_an_edit_says_what_was_changed_and_where() -> None:
    (fluorine,) = [edit for edit in edits_of("Cc1ccc(C=O)cc1", {"F": "F"}) if edit.product.smiles == "Cc1ccc(C=O)cc1F"]
    assert fluorine.words == "F in place of a hydrogen on atom 3 (c) of Cc1ccc(C=O)cc1"
    (moved,) = [edit for edit in edits_of("Cc1ccc(C=O)cc1") if edit.product.smiles == "Cc1ccccc1C=O"]
    assert moved.words == "CH3 moved from atom 2 to atom 4 (c) of Cc1ccc(C=O)cc1"


def test_a_substituent_of_a_ring_is_moved_to_its_other_places() -> None:
    assert {edit.product.smiles for edit in edits_of("Cc1ccc(F)cc1", {})} == canonical("Cc1cccc(F)c1", "Cc1ccccc1F")
    assert edits_of("Cc1ccccc1", {}) == ()


def test_a_substituent_without_a_name_is_called_by_its_smiles() -> None:
    moved = edits_of("CC(C)c1ccccc1O", {"OH": "O"})
    assert {edit.group for edit in moved if edit.source is not None} == {"C(C)C"}


def test_what_is_part_of_a_ring_is_no_substituent() -> None:
    assert edits_of("c1ccc2c(c1)CCC2", {}) == ()


@pytest.mark.parametrize(
    ("parent", "group", "never"),
    [
        ("CO", "OH", "COO"),
        ("CO", "F", "COF"),
        ("CN", "NH2", "CNN"),
        ("CO", "NO2", "CO[N+](=O)[O-]"),
        ("CO", "OH", "OCO"),
        ("CN", "F", "NCF"),
        ("CO", "Cl", "OCCl"),
        ("C=C", "OH", "C=CO"),
        ("C=C", "NH2", "C=CN"),
        ("C#C", "OH", "C#CO"),
        ("O", "CF3", "OC(F)(F)F"),
    ],
)
def test_what_falls_off_or_turns_over_by_itself_is_not_made(parent: str, group: str, never: str) -> None:
    assert not products(parent, group) & canonical(never)


@pytest.mark.parametrize(
    ("parent", "group", "made"),
    [
        ("O=Cc1ccccc1", "OH", "OC(=O)c1ccccc1"),
        ("C=O", "NH2", "NC=O"),
        ("c1cc[nH]c1", "CH3", "Cn1cccc1"),
        ("CS", "CH3", "CSC"),
        ("c1ccccc1", "OH", "Oc1ccccc1"),
        ("C=C", "OCH3", "C=COC"),
    ],
)
def test_what_a_chemist_makes_is_made(parent: str, group: str, made: str) -> None:
    assert canonical(made) <= products(parent, group)


def test_a_molecule_that_is_labile_already_can_still_be_edited() -> None:
    assert canonical("OC(O)CC") <= products("CC(O)O", "CH3")


def test_a_stereocentre_keeps_its_sense_where_its_hydrogen_is_replaced() -> None:
    assert canonical("N[C@@](C#N)(C)C(=O)O") <= products("N[C@@]([H])(C)C(=O)O", "CN")
    assert canonical("CN[C@@H](C)C(=O)O") <= products("N[C@@H](C)C(=O)O", "CH3")
    assert canonical("C/C=C(/C)F") <= products("C/C=C/C", "F")


@pytest.mark.parametrize("parent", ["O[C@@H](C)c1ccccc1F", "O[C@H](c1ccccc1F)C", "C[C@H](O)c1ccccc1F"])
def test_a_stereocentre_keeps_its_sense_when_it_is_moved(parent: str) -> None:
    moved = {edit.product.smiles for edit in edits_of(parent, {})}
    expected = {check_molecule(parent.replace("c1ccccc1F", ring)).smiles for ring in ("c1cccc(F)c1", "c1ccc(F)cc1")}
    assert moved == expected


def test_a_substituent_whose_double_bond_has_a_sense_is_not_moved() -> None:
    groups = {edit.group for edit in edits_of("C/C=C/c1ccccc1F", {})}
    assert groups == {"F"}


def test_groups_of_the_users_own_are_put_on() -> None:
    found = edits_of("c1ccccc1", {"pyridyl": "c1ccncc1", "SO2Me": "S(=O)(=O)C"})
    assert {edit.product.smiles for edit in found} == canonical("c1ccc(-c2ccncc2)cc1", "CS(=O)(=O)c1ccccc1")
    assert all(isinstance(edit, Edit) and edit.source is None for edit in found)


def test_what_is_no_group_or_no_molecule_is_refused() -> None:
    with pytest.raises(SettingsError, match="does not bind once"):
        edits_of("C", {"oxo": "=O"})
    with pytest.raises(SmilesError, match="a charge"):
        edits_of("[NH4+]")


def test_replacements_are_there_for_every_atom_also_where_they_make_the_same_molecule() -> None:
    made = [(edit.site, edit.group, edit.product.smiles) for edit in replacements_of("CC", {"F": "F", "CN": "C#N"})]
    assert made == [(1, "F", "CCF"), (1, "CN", "CCC#N"), (2, "F", "CCF"), (2, "CN", "CCC#N")]
