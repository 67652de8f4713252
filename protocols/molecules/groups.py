"""Groups of atoms that stand on a molecule in place of a hydrogen: data, a name and a SMILES whose first atom binds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from protocols.errors import SettingsError
from protocols.extras import load
from protocols.molecules.identity import parsed
from protocols.molecules.smiles import SmilesError, read_smiles

GROUPS: Final[Mapping[str, str]] = {
    "F": "F",
    "Cl": "Cl",
    "OH": "O",
    "NH2": "N",
    "CH3": "C",
    "CN": "C#N",
    "CHO": "C=O",
    "NO2": "[N+](=O)[O-]",
    "OCH3": "OC",
    "CF3": "C(F)(F)F",
    "NMe2": "N(C)C",
}
"""The usual groups, donors and acceptors of electrons, small and large."""

LONGEST_NAME: Final = 32
"""Most characters in the name of a group."""


def read_group(name: str, fragment: str) -> Any:
    """Return RDKit's molecule of a group bound to a methyl: atom 0 is the methyl's carbon, atom 1 the one that binds.

    Raises:
        ExtraMissingError: Without RDKit.
        SettingsError: When the group has no name or no sense, or does not bind once by its first atom.
    """
    if not 0 < len(name) <= LONGEST_NAME:
        raise SettingsError(f"A group is called {name!r}", expected=f"a name of 1 to {LONGEST_NAME} characters")
    smiles = f"C{fragment}"
    try:
        read_smiles(smiles)
        bound = load("rdkit.Chem").AddHs(parsed(smiles))
    except SmilesError as error:
        raise _no_group(name, fragment, f"bound to a methyl, {error}") from None
    methyl, first = bound.GetAtomWithIdx(0), bound.GetAtomWithIdx(1)
    hydrogens = sum(each.GetAtomicNum() == 1 for each in methyl.GetNeighbors())
    if (methyl.GetDegree(), hydrogens) != (4, 3) or first.GetAtomicNum() == 1:
        raise _no_group(name, fragment, "it does not bind once by its first atom")
    return bound


def _no_group(name: str, fragment: str, why: str) -> SettingsError:
    return SettingsError(
        f"The group {name!r} is written {fragment!r}: {why}",
        expected="a SMILES of the group alone, whose first atom binds by a single bond, such as C(F)(F)F for CF3",
    )
