"""The elastic tensor with relaxed ions: stresses of small strains, each with its atoms where they have no force.

| symbol | meaning | unit |
|---|---|---|
| ε | one of six strains, Voigt's order xx yy zz yz xz xy, engineering shears; ± `STRAIN` | 1 |
| σ | stress, ASE's sign: positive under tension | eV/Å^3 |
| C_ij | (σ_i(+ε_j) − σ_i(−ε_j)) / 2ε, of the relaxed crystal, made symmetric | GPa |

Ions move under strain wherever symmetry lets them: half of silicon's clamped C44 goes (Stillinger-Weber: 109.8 clamped,
56.4 relaxed). The forces that drive them are about strain × C × the area of an atom, so the largest force that is left
must be a small share of that, whatever the calculator: a fixed 0.1 eV/Å relaxes nothing at a strain of 0.001.

Components are told in the standard axes of the crystal (a along x; c along z, or b along y of a monoclinic one), which
spglib finds: a cell that is turned, or primitive, gives the same ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from protocols.wire.messages import FailureReason
from simulators.calculators.choice import CalculatorChoice
from simulators.crystals.averages import Averages, averages_of
from simulators.crystals.bench import Bench
from simulators.crystals.limits import Limits, relax
from simulators.crystals.relaxed_cell import RelaxedCell
from simulators.crystals.standard_axes import rotation_to_standard
from simulators.evaluator import EvaluationFailed

if TYPE_CHECKING:
    from ase import Atoms

FloatArray = NDArray[np.float64]

STRAIN: Final = 2e-3
"""Size of a strain. Below it single-precision potentials are rough, above it metals are no longer linear: at 1e-4, 1e-3
and 2e-3 EMT's constants agree within 0.1 GPa."""

FORCE_SHARE: Final = 0.01
"""Largest force that is left, per strain × C × area of an atom. Halving it changes no constant by 0.1 %."""

LEAST_FMAX: Final = 2e-6
"""No force is asked to be smaller [eV/Å]: a soft crystal's would be lost in rounding."""

VOIGT: Final = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))
"""Pairs of axes in Voigt's order."""

GPA_PER_ATOMIC: Final = 160.21766208
"""One eV/Å^3 [GPa]."""


@dataclass(frozen=True, slots=True, eq=False)
class ElasticTensor:
    """Elastic constants of a crystal, and how they were had.

    Attributes:
        constants: In the standard axes of the crystal, shape (6, 6) [GPa].
        clamped: The same of ions that follow the strain only.
        fmax: Largest force that was allowed, of the softest strain [eV/Å].
        steps: Steps of the optimizer in all.
        asymmetry: Largest |C_ij − C_ji| before they were made equal [GPa].
    """

    constants: FloatArray
    clamped: FloatArray
    fmax: float
    steps: int
    asymmetry: float


def elastic_tensor(bench: Bench) -> ElasticTensor:
    """Return the elastic constants of the crystal on the bench, calculated once.

    Raises:
        EvaluationFailed: When a relaxation fails, as `limits.relax`.
    """
    if bench.elastic is None:
        found = strained(bench.choice, bench.relaxed(), bench.limits)
        bench.elastic = found
        bench.notes["elastic"] = (
            f"12 strains of {STRAIN:g}, ions relaxed to {found.fmax:.2g} eV/Å and below in {found.steps} steps;"
            f" |Cij-Cji| {found.asymmetry:.2g} GPa; standard axes of spglib"
        )
    return bench.elastic


def averages(bench: Bench) -> Averages:
    """Return the moduli of a polycrystal of the crystal on the bench.

    Raises:
        EvaluationFailed: CALCULATION_FAILED when the crystal gives way to a strain: it has no moduli then.
    """
    constants = elastic_tensor(bench).constants
    lowest = float(np.linalg.eigvalsh(constants)[0])
    if lowest <= 0:
        raise EvaluationFailed(
            FailureReason.CALCULATION_FAILED,
            f"the crystal is not stable under strain: the lowest eigenvalue of its elastic tensor is {lowest:.3g} GPa;"
            " it has no moduli of a polycrystal",
        )
    return averages_of(constants)


def strained(
    choice: CalculatorChoice, relaxed: RelaxedCell, limits: Limits, *, force_share: float = FORCE_SHARE
) -> ElasticTensor:
    """Return the elastic constants of a relaxed crystal; see the module.

    Raises:
        EvaluationFailed: When the ions do not relax, as `limits.relax`.
    """
    free, clamped = np.zeros((6, 6)), np.zeros((6, 6))
    steps, smallest = 0, float("inf")
    for column in range(6):
        for sign in (1.0, -1.0):
            at = _Strained(choice, relaxed.atoms, column, sign * STRAIN)
            clamped_stress = at.stress()
            fmax = max(LEAST_FMAX, force_share * _force_of(clamped_stress, relaxed))
            done = relax(f"the ions under strain {column + 1}", at.atoms, fmax, limits)
            steps, smallest = steps + done.steps, min(smallest, fmax)
            weight = sign / (2.0 * STRAIN) * GPA_PER_ATOMIC
            clamped[:, column] += weight * clamped_stress
            free[:, column] += weight * at.stress()
    turn = rotation_to_standard(relaxed.atoms)
    asymmetry = float(np.abs(free - free.T).max())
    return ElasticTensor(_turned(free, turn), _turned(clamped, turn), smallest, steps, asymmetry)


class _Strained:
    """A copy of a crystal under one strain, with a calculator of its own."""

    def __init__(self, choice: CalculatorChoice, atoms: Atoms, column: int, size: float) -> None:
        deformation = np.eye(3)
        i, j = VOIGT[column]
        deformation[i, j] += size if i == j else 0.5 * size
        if i != j:
            deformation[j, i] += 0.5 * size
        self.atoms = atoms.copy()
        self.atoms.set_cell(np.array(atoms.cell) @ deformation, scale_atoms=True)
        self.atoms.calc = choice.build()

    def stress(self) -> FloatArray:
        stress: FloatArray = np.asarray(self.atoms.get_stress(), dtype=np.float64)
        return stress


def _force_of(stress: FloatArray, relaxed: RelaxedCell) -> float:
    """Return strain × C × area of an atom [eV/Å]: the stress that the strain makes, on the face of an atom's cube."""
    return float(np.abs(stress).max()) * float(relaxed.volume ** (2.0 / 3.0))


def _turned(constants: FloatArray, rotation: FloatArray) -> FloatArray:
    """Return constants, made symmetric, in axes that `rotation` leads to, shape (6, 6)."""
    symmetric = 0.5 * (constants + constants.T)
    full = np.zeros((3, 3, 3, 3))
    for one, (i, j) in enumerate(VOIGT):
        for other, (k, m) in enumerate(VOIGT):
            for place in {(i, j, k, m), (j, i, k, m), (i, j, m, k), (j, i, m, k)}:
                full[place] = symmetric[one, other]
    turned = np.einsum("ai,bj,ck,dl,ijkl->abcd", *(rotation,) * 4, full)
    return np.array([[turned[i, j, k, m] for k, m in VOIGT] for i, j in VOIGT], dtype=np.float64)
