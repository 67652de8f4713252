"""The standard axes and cells of a crystal, as spglib finds them."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from protocols.wire.messages import FailureReason
from simulators.evaluator import EvaluationFailed

if TYPE_CHECKING:
    from ase import Atoms

FloatArray = NDArray[np.float64]

SYMPREC: Final = 1e-3
"""Distance within which atoms are of one symmetry [Å]: far above what a relaxation leaves, far below a distortion that
anybody made."""


def symmetry_of(atoms: Atoms) -> Any:
    """Return spglib's description of a crystal.

    Raises:
        EvaluationFailed: CALCULATION_FAILED when it finds none.
    """
    import spglib

    cell: Any = (np.array(atoms.cell), atoms.get_scaled_positions(), atoms.numbers)
    with warnings.catch_warnings():
        # Each call announces that errors will be raised in place of None; either will do.
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            found = spglib.get_symmetry_dataset(cell, symprec=SYMPREC)
        except Exception as error:  # of its own kinds, by version
            raise _none(str(error)) from error
    if found is None:
        raise _none("no symmetry")
    return found


def rotation_to_standard(atoms: Atoms) -> FloatArray:
    """Return the rotation from the axes of the cell as it lies to the standard ones, shape (3, 3)."""
    rotation: FloatArray = np.array(symmetry_of(atoms).std_rotation_matrix)
    return rotation


def conventional_cell(atoms: Atoms) -> Atoms:
    """Return the standard conventional cell, without a calculator."""
    from ase import Atoms as Made

    found = symmetry_of(atoms)
    # An atom at 1 − 1e-16 of an edge is the one at 0: cut as it stands, a slab would have it on its other side.
    positions = np.round(found.std_positions, 9) % 1.0
    return Made(numbers=found.std_types, scaled_positions=positions, cell=found.std_lattice, pbc=True)


def _none(why: str) -> EvaluationFailed:
    return EvaluationFailed(FailureReason.CALCULATION_FAILED, f"spglib finds no symmetry in the relaxed crystal: {why}")
