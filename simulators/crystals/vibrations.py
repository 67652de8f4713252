"""Whether a crystal is stable against every small movement that a stated supercell has room for.

Forces of single displaced atoms in a supercell give the frequencies at the wave vectors that fit into it, without
interpolation (phonopy: A. Togo, I. Tanaka, Scr. Mater. 108, 1 (2015)). The smallest is told, without the three of
the crystal moving as a whole at Γ: at Γ alone, a crystal of one atom a cell would have nothing else. An imaginary
frequency is told as a negative number: the crystal falls into another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from protocols.extras import ExtraMissingError, load
from protocols.wire.messages import FailureReason
from simulators.crystals.bench import Bench
from simulators.crystals.limits import require_in_time
from simulators.evaluator import EvaluationFailed

if TYPE_CHECKING:
    from ase import Atoms

FloatArray = NDArray[np.float64]

DISPLACEMENT: Final = 0.01
"""How far an atom is moved [Å]: phonopy's default; EMT's frequencies do not change by 0.1 % at half of it."""

LEAST_HEIGHT: Final = 7.0
"""Smallest height of the supercell [Å]: forces of EMT end at 5.5 Å."""

MAX_ATOMS: Final = 1_000
"""Atoms of the largest supercell: some seconds a displacement by EMT."""

ACOUSTIC: Final = 3
"""Modes at Γ that move the crystal as a whole."""


def smallest_frequency(bench: Bench) -> float:
    """Return the smallest frequency of the crystal on the bench [THz], imaginary ones as negative.

    Raises:
        EvaluationFailed: UNSUPPORTED without phonopy, or for a crystal whose supercell is too large;
            CALCULATION_FAILED when a force is not finite.
    """
    atoms = bench.relaxed().atoms
    multiples = supercell_of(atoms)
    vibrations = vibrations_of(bench, multiples)
    points = _commensurate(multiples)
    found = frequencies(vibrations, points)
    at_rest = np.argsort(np.abs(found[0]))[:ACOUSTIC]
    left = np.concatenate((np.delete(found[0], at_rest), found[1:].ravel()))
    bench.notes["vibrations"] = (
        f"supercell {'x'.join(map(str, multiples))}, {len(points)} wave vectors, displacements of {DISPLACEMENT:g} Å,"
        f" acoustic modes at Γ left out (at most {np.abs(found[0][at_rest]).max():.2g} THz)"
    )
    return float(left.min())


def supercell_of(atoms: Atoms) -> tuple[int, int, int]:
    """Return how often the cell is repeated along each axis: evenly, so that the edges of the zone belong to it.

    Raises:
        EvaluationFailed: UNSUPPORTED when that makes more than `MAX_ATOMS`.
    """
    heights = 1.0 / np.linalg.norm(np.linalg.inv(np.array(atoms.cell)), axis=0)
    along_a, along_b, along_c = (2 * ceil(LEAST_HEIGHT / (2.0 * height) - 1e-6) for height in heights)
    count = along_a * along_b * along_c * len(atoms)
    if count > MAX_ATOMS:
        raise EvaluationFailed(
            FailureReason.UNSUPPORTED,
            f"the supercell {along_a}x{along_b}x{along_c} of this crystal has {count} atoms; frequencies are calculated"
            f" of at most {MAX_ATOMS}",
        )
    return along_a, along_b, along_c


def vibrations_of(bench: Bench, multiples: Sequence[int]) -> Any:
    """Return phonopy's force constants of the relaxed crystal.

    Raises:
        EvaluationFailed: As `smallest_frequency`.
    """
    try:
        phonopy, cells = load("phonopy"), load("phonopy.structure.atoms")
    except ExtraMissingError as error:
        raise EvaluationFailed(FailureReason.UNSUPPORTED, f"frequencies cannot be had: {error}") from None
    atoms = bench.relaxed().atoms
    cell = cells.PhonopyAtoms(
        symbols=atoms.get_chemical_symbols(), cell=np.array(atoms.cell), scaled_positions=atoms.get_scaled_positions()
    )
    vibrations = phonopy.Phonopy(cell, np.diag(multiples), primitive_matrix=np.eye(3), log_level=0)
    vibrations.generate_displacements(distance=DISPLACEMENT)
    vibrations.forces = [_forces(bench, displaced) for displaced in vibrations.supercells_with_displacements]
    vibrations.produce_force_constants()
    vibrations.symmetrize_force_constants()
    return vibrations


def frequencies(vibrations: Any, points: FloatArray) -> FloatArray:
    """Return frequencies at wave vectors [reciprocal lattice], shape (points, modes) [THz]."""
    vibrations.run_qpoints(points)
    found: FloatArray = np.array(vibrations.qpoints.frequencies)
    return found


def _commensurate(multiples: Sequence[int]) -> FloatArray:
    """Return the wave vectors that fit into a supercell, Γ first, shape (n, 3)."""
    axes = [np.arange(count) / count for count in multiples]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)


def _forces(bench: Bench, displaced: Any) -> FloatArray:
    from ase import Atoms as Made

    require_in_time(bench.limits, "the forces of displaced atoms")
    atoms = Made(
        symbols=displaced.symbols, cell=displaced.cell, scaled_positions=displaced.scaled_positions, pbc=True,
        calculator=bench.choice.build(),
    )  # fmt: skip
    forces: FloatArray = np.asarray(atoms.get_forces(), dtype=np.float64)
    if not np.isfinite(forces).all():
        raise EvaluationFailed(FailureReason.CALCULATION_FAILED, "a force of a displaced atom is not finite")
    return forces
