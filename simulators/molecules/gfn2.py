"""GFN2-xTB by tblite: relax a molecule, and its energy, dipole moment and gap where it has come to rest.

Method: C. Bannwarth, S. Ehlert, S. Grimme, J. Chem. Theory Comput. 15, 1652 (2019). Against experiment its dipole
moments are 0.3 D too large on the mean (docs/explanation/molecule-lab.md).

The unit trap: tblite's documentation says debye of the dipole moment that ASE returns, and it is e·Å, as everywhere in
ASE. We take the library's own values, which are in atomic units, and convert them here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from protocols.extras import load
from protocols.wire.messages import FailureReason
from simulators.evaluator import EvaluationFailed

if TYPE_CHECKING:
    from ase import Atoms

METHOD: Final = "GFN2-xTB"

MAX_FORCE: Final = 0.05
"""Largest force on an atom at rest [eV/Å]: ASE's usual choice. At 0.01 dipole moments change by less than 0.02 D for
three times the cost."""

MAX_STEPS: Final = 300
"""Most steps of a relaxation; a substituted benzene takes 13."""


@dataclass(frozen=True, slots=True)
class Relaxation:
    """A molecule that was relaxed.

    Attributes:
        atoms: Where its atoms have come to.
        energy: [eV].
        steps: How many steps it took.
        converged: Whether no force is above `MAX_FORCE`.
    """

    atoms: Atoms
    energy: float
    steps: int
    converged: bool


@dataclass(frozen=True, slots=True)
class ElectronicState:
    """What a method says of a geometry.

    Attributes:
        energy: Total energy [eV].
        dipole: Magnitude of the dipole moment [D].
        gap: LUMO less HOMO [eV].
    """

    energy: float
    dipole: float
    gap: float


def relax(atoms: Atoms) -> Relaxation:
    """Relax a neutral molecule with paired electrons by limited-memory BFGS; `atoms` is moved.

    Raises:
        EvaluationFailed: CALCULATION_FAILED when the electrons do not converge, or atoms meet.
    """
    from ase.optimize import LBFGS

    atoms.calc = load("tblite.ase").TBLite(method=METHOD, verbosity=0)
    optimizer = LBFGS(atoms, logfile=None)
    try:
        with _one_thread():
            converged = optimizer.run(fmax=MAX_FORCE, steps=MAX_STEPS)
            energy = float(atoms.get_potential_energy())
    except RuntimeError as error:  # what tblite raises, and ASE's errors of calculators
        raise _failed(error) from None
    atoms.calc = None
    return Relaxation(atoms, energy, int(optimizer.nsteps), bool(converged))


def electronic_state(atoms: Atoms) -> ElectronicState:
    """Return energy, dipole moment and gap of a neutral molecule with paired electrons, where it is.

    Raises:
        EvaluationFailed: CALCULATION_FAILED when the electrons do not converge, or atoms meet.
    """
    import numpy as np
    from ase.units import Bohr, Debye, Hartree

    try:
        with _one_thread():
            calculator = load("tblite.interface").Calculator(METHOD, atoms.numbers, atoms.positions / Bohr)
            calculator.set("verbosity", 0)
            result = calculator.singlepoint()
    except RuntimeError as error:
        raise _failed(error) from None
    dipole = float(np.linalg.norm(result.get("dipole"))) * Bohr / Debye
    orbitals = result.get("orbital-energies")
    filled = round(float(result.get("orbital-occupations").sum())) // 2  # two electrons each, whatever the smearing
    gap = float(orbitals[filled] - orbitals[filled - 1]) * Hartree
    return ElectronicState(float(result.get("energy")) * Hartree, dipole, gap)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Calculate on one thread: the same sums in the same order, and one core for each evaluation."""
    with _thread_pools().limit(limits=1):
        yield


@cache
def _thread_pools() -> Any:
    """Return the pools of tblite and of the linear algebra below it, looked up once: that takes milliseconds."""
    from threadpoolctl import ThreadpoolController

    load("tblite.interface")  # pools can be limited once their library is there
    return ThreadpoolController()


def _failed(error: Exception) -> EvaluationFailed:
    return EvaluationFailed(FailureReason.CALCULATION_FAILED, f"{METHOD}: {' '.join(str(error).split())}")
