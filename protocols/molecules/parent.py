"""A molecule that is to be changed, and which of its changes a chemist could make.

Whatever is made of it is sanitised by RDKit, canonical, neutral and closed-shell, and has nothing that falls off or
turns over by itself which was not there before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from protocols.extras import load
from protocols.molecules.identity import MoleculeIdentity, identity_of, parsed
from protocols.molecules.smiles import SmilesError

LABILE: Final = (
    "[CX4]([OX2H,SX2H,NX3;!H0])[O,S,N,F,Cl,Br,I]",
    "[OX2H,SX2H,NX3;!H0][CX3]=[CX3]",
    "[OX2H,SX2H,NX3;!H0]C#C",
)
"""SMARTS of what falls off or turns over by itself."""


@dataclass(frozen=True, slots=True)
class Parent:
    """A molecule that is to be edited.

    Attributes:
        smiles: Canonical.
        molecule: RDKit's molecule, its heavy atoms in the order of `smiles`, then the hydrogens.
        labile: How often each pattern of `LABILE` is in it already.
    """

    smiles: str
    molecule: Any
    labile: tuple[int, ...]

    @classmethod
    def of(cls, smiles: str) -> Parent:
        """Read a molecule.

        Raises:
            ExtraMissingError: Without RDKit.
            SmilesError: When RDKit can make no sense of the SMILES, or it is no candidate.
        """
        identity = identity_of(parsed(smiles))
        plain = parsed(identity.smiles)
        return cls(identity.smiles, load("rdkit.Chem").AddHs(plain), _labile(plain))

    def hydrogen_on(self, atom: Any) -> int | None:
        """Return the first hydrogen of an atom."""
        return next((each.GetIdx() for each in atom.GetNeighbors() if each.GetAtomicNum() == 1), None)

    def heavy_atoms(self) -> Iterator[Any]:
        """Yield the atoms that can hold a group."""
        yield from (atom for atom in self.molecule.GetAtoms() if atom.GetAtomicNum() > 1)

    def product(self, changed: Any) -> MoleculeIdentity | None:
        """Return who a changed molecule is, or None where no chemist could make it."""
        chem = load("rdkit.Chem")
        with load("rdkit.rdBase").BlockLogs():
            try:
                chem.SanitizeMol(changed)
                plain = chem.RemoveHs(changed)
                chem.AssignStereochemistry(plain, cleanIt=True, force=True)
                identity = identity_of(plain)
            except (ValueError, SmilesError):
                return None
        made = _labile(plain)
        return None if any(after > before for after, before in zip(made, self.labile, strict=True)) else identity


def _labile(molecule: Any) -> tuple[int, ...]:
    """Count what falls off or turns over by itself, by pattern."""
    return tuple(len(molecule.GetSubstructMatches(pattern)) for pattern in _labile_patterns())


@cache
def _labile_patterns() -> tuple[Any, ...]:
    return tuple(map(load("rdkit.Chem").MolFromSmarts, LABILE))
