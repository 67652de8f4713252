"""Who a molecule is: its canonical SMILES, its formula, and the id that is made of them.

With RDKit a SMILES is checked and written in RDKit's canonical way. Without it the text is taken as it is written, and
only what can be seen in the text is checked (`protocols.molecules.smiles`): a table whose SMILES are canonical gives
the same ids on every machine, another one only where RDKit is. RDKit may change its canonical way with its version.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final

from protocols.extras import is_installed, load
from protocols.molecules.smiles import SmilesError, read_smiles

LONGEST_PREFIX: Final = 24
"""Most characters of a formula in an id."""

DIGEST_DIGITS: Final = 16
"""Hexadecimal digits of an id: with 64 bits, two million molecules collide once in 10⁷ tables."""

EXPECTED: Final = "the SMILES of one neutral molecule of nonmetals, without radicals, isotopes and fragments"
"""What a column of molecules holds."""


@dataclass(frozen=True, slots=True)
class MoleculeIdentity:
    """A molecule that can be a candidate.

    Attributes:
        smiles: Canonical where RDKit is installed, else as it was written.
        formula: Its molecular formula in Hill's order.
    """

    smiles: str
    formula: str

    @property
    def candidate_id(self) -> str:
        """An id made of the SMILES, which begins with the formula."""
        digest = hashlib.sha256(self.smiles.encode()).hexdigest()[:DIGEST_DIGITS]
        return f"{self.formula.lower()[:LONGEST_PREFIX]}-{digest}"


def check_molecule(smiles: str) -> MoleculeIdentity:
    """Return who a molecule is.

    Raises:
        SmilesError: When it cannot be a candidate: an empty or unreadable SMILES, several fragments, a charge, a
            radical, an isotope, a metal; and, where RDKit is installed, valences and rings that make no sense.
    """
    content = read_smiles(smiles)
    if not can_be_canonical():
        return MoleculeIdentity(smiles, content.formula)
    return identity_of(parsed(smiles))


def can_be_canonical() -> bool:
    """Whether RDKit is there to check a SMILES and to write it in its canonical way."""
    return is_installed("rdkit")


def parsed(smiles: str) -> Any:
    """Return RDKit's molecule of a SMILES, sanitised, with implicit hydrogens.

    Raises:
        ExtraMissingError: Without RDKit.
        SmilesError: When RDKit can make no sense of it.
    """
    chem = load("rdkit.Chem")
    with load("rdkit.rdBase").BlockLogs():  # it would write to standard error what we raise
        molecule = chem.MolFromSmiles(smiles)
        if molecule is None:
            raise SmilesError(_complaint(smiles))
    return molecule


def _complaint(smiles: str) -> str:
    """Return why RDKit makes no molecule of a SMILES."""
    chem = load("rdkit.Chem")
    molecule = chem.MolFromSmiles(smiles, sanitize=False)
    if molecule is None:
        return "RDKit cannot read it"
    try:
        chem.SanitizeMol(molecule)
    except ValueError as error:  # it names the atom
        return f"it makes no sense: {error}"
    return "RDKit makes no molecule of it"


def identity_of(molecule: Any) -> MoleculeIdentity:
    """Return who one of RDKit's molecules is.

    Raises:
        SmilesError: When it cannot be a candidate.
    """
    chem = load("rdkit.Chem")
    # Twice: the first text may fix a choice that the molecule left open, and the second is written the same again.
    smiles = chem.MolToSmiles(parsed(chem.MolToSmiles(molecule)))
    if "[" in smiles and any(atom.GetNumRadicalElectrons() for atom in molecule.GetAtoms()):  # without, none has any
        raise SmilesError("it is a radical: an atom has unpaired electrons")
    return MoleculeIdentity(smiles, read_smiles(smiles).formula)
