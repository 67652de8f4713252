"""Beds of edits: every group at every place of every parent, once, with what surrounds the place."""

from __future__ import annotations

import pytest

from protocols.errors import SettingsError
from protocols.molecules.edits import CARBON
from protocols.molecules.groups import GROUPS
from protocols.molecules.identity import parsed
from protocols.molecules.smiles import SmilesError
from simulators.molecules.edit_beds import NO_GROUP, EditDesign, designs_among, edit_designs, kind_of
from tests.support.samples.molecules import needs_rdkit

pytestmark = needs_rdkit

TWO = {"F": "F", "CN": "C#N"}


def test_the_bed_of_two_parents_is_this() -> None:
    assert edit_designs(["CO", "C", "OC"], TWO) == (
        EditDesign("CO", "H", "CO atom 1", "CO", "C sp3 beside a heteroatom"),
        EditDesign("N#CCO", "CN", "CO atom 1", "CO", "C sp3 beside a heteroatom"),
        EditDesign("CO", "H", "CO atom 2", "CO", "O sp3"),
        EditDesign("COC#N", "CN", "CO atom 2", "CO", "O sp3"),
        EditDesign("C", "H", "C atom 1", "C", "C sp3"),
        EditDesign("CF", "F", "C atom 1", "C", "C sp3"),
        EditDesign("CC#N", "CN", "C atom 1", "C", "C sp3"),
    )


def test_atoms_that_are_alike_are_one_place() -> None:
    places = {design.place for design in edit_designs(["CCC", "c1ccccc1", "CC(C)C"])}
    assert places == {"CCC atom 1", "CCC atom 2", "c1ccccc1 atom 1", "CC(C)C atom 1", "CC(C)C atom 2"}


def test_the_group_that_is_none_is_the_parent_and_stands_at_every_place() -> None:
    designs = edit_designs(["CCO", "NC=O"])
    assert all((design.smiles == design.parent) == (design.group == NO_GROUP) for design in designs)
    assert {each.place for each in designs if each.group == NO_GROUP} == {each.place for each in designs}
    assert all(design.levels == tuple(getattr(design, name) for name in EditDesign.factors) for design in designs)


def test_a_bed_of_known_molecules_has_pairs_of_parent_and_product_alone() -> None:
    designs = edit_designs(["C", "CC", "CO"], TWO)
    kept = designs_among(designs, {"C", "CC", "CF", "CCF", "CO", "N#CCO"})
    assert {(each.place, each.group) for each in kept} == {
        ("C atom 1", "H"), ("C atom 1", "F"), ("CC atom 1", "H"), ("CC atom 1", "F"),
    }  # fmt: skip
    assert designs_among(designs, {"CC", "CF", "CCF", "C"}) == kept, "methanol alone was no comparison"


def test_a_bed_in_which_nothing_can_be_compared_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"None of 3 designs .* among the 3 molecules"):
        designs_among(edit_designs(["C", "CO"], {"F": "F", "Cl": "Cl"}), {"CF", "CCl", "CO"})


def test_progress_is_told_for_every_parent() -> None:
    told: list[tuple[int, int]] = []
    edit_designs(["C", "N"], TWO, lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]


def test_what_is_no_parent_and_what_has_the_name_of_no_group_is_refused() -> None:
    with pytest.raises(SmilesError):
        edit_designs(["C1CC"])
    with pytest.raises(SettingsError, match="A group is called 'H'"):
        edit_designs(["C"], {**GROUPS, "H": "F"})


@pytest.mark.parametrize(
    ("smiles", "site", "kind"),
    [
        ("C", 0, "C sp3"),
        ("C=C", 0, "C sp2"),
        ("C#N", 0, "C sp beside a heteroatom"),
        ("c1ccoc1", 0, "C aromatic"),
        ("N", 0, "N sp3"),
        ("CO", 1, "O sp3"),
    ],
)
def test_a_kind_is_element_hybridisation_and_a_heteroatom_beside(smiles: str, site: int, kind: str) -> None:
    atom = parsed(smiles).GetAtomWithIdx(site)
    assert (kind_of(atom), atom.GetAtomicNum() == CARBON) == (kind, kind.startswith("C"))
