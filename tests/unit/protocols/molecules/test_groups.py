"""A group is a name and a SMILES whose first atom binds once; anything else is refused by name."""

from __future__ import annotations

import pytest

from protocols.errors import SettingsError
from protocols.molecules.groups import GROUPS, read_group
from protocols.molecules.smiles import read_smiles
from tests.support.samples.molecules import needs_rdkit

pytestmark = needs_rdkit


@pytest.mark.parametrize("name", GROUPS)
def test_the_usual_groups_bind_to_a_methyl(name: str) -> None:
    bound = read_group(name, GROUPS[name])
    assert bound.GetNumAtoms() == read_smiles(f"C{GROUPS[name]}").atoms
    assert bound.GetBondBetweenAtoms(0, 1) is not None


@pytest.mark.parametrize("fragment", ["c1ccccc1", "S(=O)(=O)C", "-F", "[Si](C)(C)C"])
def test_groups_of_the_users_own_may_be_any_that_bind_once(fragment: str) -> None:
    assert read_group("mine", fragment).GetAtomWithIdx(0).GetDegree() == 4


@pytest.mark.parametrize(
    ("name", "fragment", "told"),
    [
        ("oxo", "=O", "does not bind once by its first atom"),
        ("ring", "1CC1", "does not bind once by its first atom"),
        ("H", "[H]", "does not bind once by its first atom"),
        ("none", "", "does not bind once by its first atom"),
        ("salt", ".O", "more than one molecule"),
        ("copper", "[Cu]", "a metal, Cu"),
        ("ammonium", "[NH3+]", r"a charge of \+1"),
        ("open", "C(", "not closed"),
        ("X", "X", "cannot be read from character 2 on"),
        ("", "F", "a name of 1 to 32 characters"),
        ("x" * 33, "F", "a name of 1 to 32 characters"),
    ],
)
def test_what_is_no_group_is_refused(name: str, fragment: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        read_group(name, fragment)
