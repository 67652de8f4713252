"""B3LYP/def2-SVPD by PySCF: one point at a geometry that something cheaper has relaxed.

Functional: P. J. Stephens et al., J. Phys. Chem. 98, 11623 (1994), with VWN-RPA, as PySCF (from 2.3 on) and Gaussian
have it. Basis: D. Rappoport, F. Furche, J. Chem. Phys. 133, 134105 (2010), whose diffuse functions dipole moments need.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from protocols.extras import load
from protocols.wire.messages import FailureReason
from simulators.evaluator import EvaluationFailed
from simulators.molecules.gfn2 import ElectronicState

if TYPE_CHECKING:
    from ase import Atoms

FUNCTIONAL: Final = "b3lyp"
BASIS: Final = "def2-svpd"

METHOD: Final = "B3LYP/def2-SVPD"

MAX_CYCLES: Final = 100
"""Most cycles of the self-consistent field; 10 to 15 are usual."""

ENERGY_TOLERANCE: Final = 1e-9
"""Change of the energy at which a field is self-consistent [hartree]; dipole moments are then good to 1e-4 D."""

LAST_WITHOUT_CORE_POTENTIAL: Final = 36
"""Atomic number of the last element whose electrons the def2 bases treat all; of heavier ones the core is a potential
(krypton is the last)."""


def electronic_state(atoms: Atoms) -> ElectronicState:
    """Return energy, dipole moment and gap of a neutral molecule with paired electrons, where it is.

    Raises:
        ExtraMissingError: Without PySCF.
        EvaluationFailed: CALCULATION_FAILED when the field does not become self-consistent.
    """
    import numpy as np
    from ase.units import Hartree

    symbols = atoms.get_chemical_symbols()
    heavy = {
        symbol for symbol, number in zip(symbols, atoms.numbers, strict=True) if number > LAST_WITHOUT_CORE_POTENTIAL
    }
    with load("pyscf.lib").with_omp_threads(1):
        molecule = load("pyscf.gto").M(
            atom=list(zip(symbols, atoms.positions.tolist(), strict=True)),
            unit="Angstrom",
            basis=BASIS,
            ecp=dict.fromkeys(sorted(heavy), BASIS),
            verbose=0,
        )
        field = load("pyscf.dft").RKS(molecule, xc=FUNCTIONAL)
        field.conv_tol, field.max_cycle = ENERGY_TOLERANCE, MAX_CYCLES
        energy = float(field.kernel())
        if not field.converged:
            raise EvaluationFailed(
                FailureReason.CALCULATION_FAILED, f"{METHOD}: no self-consistent field after {MAX_CYCLES} cycles"
            )
        dipole = float(np.linalg.norm(field.dip_moment(unit="Debye", verbose=0)))
    filled = molecule.nelectron // 2
    gap = float(field.mo_energy[filled] - field.mo_energy[filled - 1])
    return ElectronicState(energy * Hartree, dipole, gap * Hartree)
