"""The energies of surfaces: slabs that are cut from the relaxed crystal, never from the one that was given.

γ = (E_slab − n E_bulk) / 2A, with ions relaxed at the cell of the bulk. Cut from a crystal that is strained, a slab
would carry the strain's energy (2 % of γ111 of aluminium). Cubic crystals of one atom a primitive cell only: their
planes are all alike, so that there is no choice of where to cut.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Final

import numpy as np

from protocols.wire.messages import FailureReason
from simulators.crystals.bench import Bench
from simulators.crystals.limits import energy_of, relax
from simulators.crystals.one_element import conventional_of_one_element
from simulators.crystals.standard_axes import symmetry_of
from simulators.evaluator import EvaluationFailed

if TYPE_CHECKING:
    from ase import Atoms

Face = tuple[int, int, int]

THICKNESS: Final = 14.0
"""Least thickness of a slab [Å]: seven planes of close-packed copper; eleven change EMT's energies by 0.001 J/m²."""

VACUUM: Final = 8.0
"""Empty space on each side [Å]: more than the reach of the calculators of the list."""

FMAX: Final = 2e-3
"""Largest force that is left [eV/Å]: an error of about 1e-6 eV an atom, 1e-5 J/m²."""

J_PER_M2: Final = 16.0217662
"""One eV/Å^2 [J/m^2]."""

SAME_PLACE: Final = 1e-5
"""Shares of an edge that rounding may add: an atom so near to the end of the cell is at its beginning."""

FIRST_CUBIC: Final = 195
"""Smallest number of a cubic space group."""


def surface_energy(bench: Bench, face: Face) -> float:
    """Return the energy of a surface of the crystal on the bench [J/m^2].

    Raises:
        EvaluationFailed: UNSUPPORTED for a crystal whose surface is a choice; when ions do not relax.
    """
    name = f"the surface {''.join(map(str, face))}"
    cell = conventional_of_one_element(bench, name, "the plane of the cut")
    symmetry = symmetry_of(bench.relaxed().atoms)
    primitive = len(set(symmetry.mapping_to_primitive))
    if symmetry.number < FIRST_CUBIC or primitive > 1:
        raise EvaluationFailed(
            FailureReason.UNSUPPORTED,
            f"{name} is calculated of cubic crystals with one atom a primitive cell; this one is of space group"
            f" {symmetry.international} with {primitive}",
        )
    slab = slab_of(cell, face)
    slab.calc = bench.choice.build()
    done = relax(name, slab, FMAX, bench.limits)
    area = float(np.linalg.norm(np.cross(slab.cell[0], slab.cell[1])))
    bench.notes[f"surface_{''.join(map(str, face))}"] = (
        f"slab of {len(slab)} atoms cut from the relaxed crystal, {2 * VACUUM:g} Å of vacuum,"
        f" ions relaxed to {FMAX:g} eV/Å in {done.steps} steps"
    )
    return (energy_of(name, slab) - len(slab) * bench.relaxed().energy) / (2.0 * area) * J_PER_M2


def slab_of(cell: Atoms, face: Face) -> Atoms:
    """Return a slab of at least `THICKNESS` with empty space on both sides, of a cubic conventional cell."""
    from ase.build import surface

    height = float(np.array(cell.cell)[0, 0]) / float(np.linalg.norm(face))
    slab = surface(cell, face, ceil(THICKNESS / height), periodic=True)
    # Without empty space the slab is the crystal, and an atom that rounding put at its other end can be taken back.
    slab.wrap(eps=SAME_PLACE)
    slab.center(vacuum=VACUUM, axis=2)
    return slab
