"""Relaxes cell and positions of a crystal: first its volume, then all of it by a cell filter of ASE.

The filter's generalised force on the cell is the virial an atom [eV], so that one `fmax` bounds forces and stresses
alike (ASE's FrechetCellFilter: E. B. Tadmor et al., Phys. Rev. B 59, 235 (1999), with the exact logarithm).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulators.calculators.choice import CalculatorChoice
from simulators.crystals.limits import Limits, energy_of, relax
from simulators.crystals.shape_kept import ShapeKept

if TYPE_CHECKING:
    from ase import Atoms


@dataclass(frozen=True, slots=True)
class RelaxedCell:
    """A crystal without forces and without stress.

    Attributes:
        atoms: The crystal, without a calculator.
        energy: [eV/atom].
        volume: [Å^3/atom].
        steps: Steps of the optimizer.
        force: Largest force [eV/Å], or virial an atom [eV], at the end.
        stress: Largest component of the stress at the end [eV/Å^3].
    """

    atoms: Atoms
    energy: float
    volume: float
    steps: int
    force: float
    stress: float


def relax_cell(choice: CalculatorChoice, start: ShapeKept, fmax: float, limits: Limits) -> RelaxedCell:
    """Return the crystal relaxed in all, from where its volume is relaxed.

    Raises:
        EvaluationFailed: As `limits.relax`.
    """
    from ase.filters import FrechetCellFilter

    what = "the relaxation of the cell"
    atoms = start.atoms.copy()
    atoms.calc = choice.build()
    done = relax(what, FrechetCellFilter(atoms), fmax, limits)
    energy = energy_of(what, atoms) / len(atoms)
    stress = float(np.abs(atoms.get_stress()).max())
    atoms.calc = None
    return RelaxedCell(atoms, energy, float(atoms.get_volume()) / len(atoms), done.steps, done.force, stress)
