"""The symmetry of a crystal by spglib (A. Togo, K. Shinohara, I. Tanaka, Sci. Technol. Adv. Mater. Methods 4, 2384822).

Every call names both tolerances: a library's default decides no label. spglib is asked directly, with the arguments
that pymatgen's analyzer would give it (atoms numbered by element in the order of their first appearance), so that both
say the same of every crystal.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from protocols.wire.structure import CrystalStructure, Vector

LAST_GROUPS: Final = (
    (2, "triclinic"),
    (15, "monoclinic"),
    (74, "orthorhombic"),
    (142, "tetragonal"),
    (167, "trigonal"),
    (194, "hexagonal"),
    (230, "cubic"),
)
"""The last space group of each crystal system (International Tables for Crystallography A, 2016, table 2.1.1.1)."""

REMEMBERED: Final = 8
"""Crystals whose symmetry is remembered: who labels a crystal and then describes it asks twice in a row."""


@dataclass(frozen=True, slots=True)
class Symmetry:
    """What spglib finds of a crystal.

    Attributes:
        space_group: Number, 1 to 230.
        primitive_sites: Atoms of the primitive cell.
        primitive_lattice: Its lattice vectors as rows [Å].
    """

    space_group: int
    primitive_sites: int
    primitive_lattice: tuple[Vector, Vector, Vector]

    @property
    def crystal_system(self) -> str:
        """One of seven; trigonal is told from hexagonal by the group, not by the lattice."""
        return next(system for last, system in LAST_GROUPS if self.space_group <= last)


def crystal_system_of(crystal: CrystalStructure, symmetry_tolerance: float, angle_tolerance: float) -> str | None:
    """Return the crystal system, or None where spglib finds none within these tolerances (see `symmetry_of`)."""
    found = symmetry_of(crystal, symmetry_tolerance, angle_tolerance)
    return None if found is None else found.crystal_system


@lru_cache(maxsize=REMEMBERED)
def symmetry_of(crystal: CrystalStructure, symmetry_tolerance: float, angle_tolerance: float) -> Symmetry | None:
    """Return the symmetry of a crystal, or None where spglib finds none (two atoms on one place, say).

    Args:
        crystal: The crystal.
        symmetry_tolerance: Distance within which atoms count as equivalent [Å].
        angle_tolerance: The same of angles of the lattice [degree]; negative to go by the distance only.
    """
    import spglib

    number_of = {symbol: number for number, symbol in enumerate(dict.fromkeys(crystal.symbols), start=1)}
    cell = (crystal.cell, crystal.scaled_positions, [number_of[symbol] for symbol in crystal.symbols])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # spglib announces another way of reporting errors; both are taken here
            found = spglib.get_symmetry_dataset(cell, symprec=symmetry_tolerance, angle_tolerance=angle_tolerance)
    except Exception:  # noqa: BLE001 - the types of spglib's errors change with its versions
        return None
    if found is None or not 0 < found.number <= LAST_GROUPS[-1][0]:
        return None
    lattice = tuple(tuple(row) for row in found.primitive_lattice.tolist())
    return Symmetry(int(found.number), int(found.mapping_to_primitive.max()) + 1, lattice)  # type: ignore[arg-type]


def tolerances_in_words(symmetry_tolerance: float, angle_tolerance: float) -> str:
    """Say how symmetry was looked for, as the end of a sentence."""
    angles = "angles by the distance only" if angle_tolerance < 0 else f"angles within {angle_tolerance:g}°"
    return f"by spglib within {symmetry_tolerance:g} Å, {angles}"
