"""Features of a molecule that cost no measurement: energy and dipole moments of a force field, by RDKit alone.

Of the conformer with the lowest MMFF94 energy, point charges q at positions r give a dipole moment |Σ (q - mean q) r|;
the mean is taken off so that it does not hang on the origin. Charges: MMFF94's (T. A. Halgren, J. Comput. Chem. 17, 520
(1996)) and Gasteiger's (J. Gasteiger, M. Marsili, Tetrahedron 36, 3219 (1980)).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from protocols.errors import TableError
from protocols.extras import load
from protocols.molecules.conformers import Conformer, conformers_of

FloatArray = NDArray[np.float64]

FEATURE_NAMES: Final = ("e_mmff", "mu_mmff", "mu_gast")
"""Columns of `molecule_features` [kcal/mol, D, D]."""

DEBYE_PER_E_ANGSTROM: Final = 4.803204713
"""One elementary charge times one ångström [D], CODATA 2018."""

SAME_ENERGY: Final = 1e-6
"""Energies nearer than this are one [kcal/mol]: the first seed of them is kept, whatever the last bits are."""


def molecule_features(smiles: Sequence[str]) -> FloatArray:
    """Return energy and dipole moments of molecules, shape (n, 3), in the order of `FEATURE_NAMES`.

    Raises:
        ExtraMissingError: Without RDKit.
        SmilesError: When RDKit can make no sense of a SMILES.
        TableError: When a molecule does not embed, or MMFF94 has no parameters for it.
    """
    return np.array([_features(each) for each in smiles], dtype=np.float64).reshape(len(smiles), len(FEATURE_NAMES))


def _features(smiles: str) -> tuple[float, float, float]:
    kept: Conformer | None = None
    lowest = np.inf
    for conformer in conformers_of(smiles):
        if conformer.energy is not None and conformer.energy < lowest - SAME_ENERGY:
            kept, lowest = conformer, conformer.energy
    if kept is None:
        raise TableError(
            f"The molecule {smiles!r} has no features: it does not embed, or MMFF94 has no parameters for it",
            expected="molecules of the elements and bonds that MMFF94 knows",
            action="leave it out, or bring feature columns of your own",
        )
    molecule = kept.molecule
    properties = load("rdkit.Chem.rdForceFieldHelpers").MMFFGetMoleculeProperties(molecule)
    load("rdkit.Chem.rdPartialCharges").ComputeGasteigerCharges(molecule)
    mmff = [properties.GetMMFFPartialCharge(atom) for atom in range(molecule.GetNumAtoms())]
    gasteiger = [atom.GetDoubleProp("_GasteigerCharge") for atom in molecule.GetAtoms()]
    positions = np.array(molecule.GetConformer().GetPositions())
    return lowest, _dipole(mmff, positions), _dipole(gasteiger, positions)


def _dipole(charges: Sequence[float], positions: FloatArray) -> float:
    """Return the dipole moment of point charges [e] at positions (n, 3) [Å], in debye."""
    centred = np.array(charges) - np.mean(charges)
    return float(DEBYE_PER_E_ANGSTROM * np.linalg.norm(centred @ positions))
