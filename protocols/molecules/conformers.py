"""Where the atoms of a molecule may be: five embeddings with named seeds, each at its force-field minimum (RDKit).

A dipole moment hangs on the conformer (by up to 2 D in substituted benzenes), so the rule is part of every value: the
seeds are named, all five are tried, and nothing is drawn at random. ETKDG version 3: S. Wang, J. Witek, G. A. Landrum,
S. Riniker, J. Chem. Inf. Model. 60, 2044 (2020). MMFF94: T. A. Halgren, J. Comput. Chem. 17, 490 (1996).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from protocols.extras import load
from protocols.molecules.identity import parsed

SEEDS: Final = (11, 23, 37, 51, 73)
"""Seeds of the embeddings; RDKit takes 0 and 1 for the same one."""

STEPS_PER_ROUND: Final = 500
"""Steps of the force-field minimiser before it is asked whether it has converged."""

ROUNDS: Final = 5
"""Most such rounds: a flexible molecule of thirty atoms needs three."""


@dataclass(frozen=True, slots=True)
class Conformer:
    """One embedding of a molecule.

    Attributes:
        seed: Of the embedding.
        molecule: RDKit's molecule, hydrogens included, with these coordinates.
        energy: MMFF94 energy at its minimum [kcal/mol]; None where the force field has no parameters for the molecule,
            and the coordinates are those of the embedding.
    """

    seed: int
    molecule: Any
    energy: float | None


def conformers_of(smiles: str) -> tuple[Conformer, ...]:
    """Return the conformers of a molecule, in the order of `SEEDS`; fewer or none where it does not embed.

    Raises:
        ExtraMissingError: Without RDKit.
        SmilesError: When RDKit can make no sense of the SMILES.
    """
    embedding, force_field = load("rdkit.Chem.rdDistGeom"), load("rdkit.Chem.rdForceFieldHelpers")
    with load("rdkit.rdBase").BlockLogs():
        plain = load("rdkit.Chem").AddHs(parsed(smiles))
        found = []
        for seed in SEEDS:
            molecule = load("rdkit.Chem").Mol(plain)
            parameters = embedding.ETKDGv3()
            parameters.randomSeed = seed
            if embedding.EmbedMolecule(molecule, parameters) == 0:
                found.append(Conformer(seed, molecule, _minimum(force_field, molecule)))
    return tuple(found)


def _minimum(force_field: Any, molecule: Any) -> float | None:
    """Move a molecule to its minimum and return its energy [kcal/mol]; None where there is no force field for it."""
    properties = force_field.MMFFGetMoleculeProperties(molecule)
    if properties is None:
        return None
    field = force_field.MMFFGetMoleculeForceField(molecule, properties)
    for _ in range(ROUNDS):
        if field.Minimize(maxIts=STEPS_PER_ROUND) == 0:
            break
    return float(field.CalcEnergy())
