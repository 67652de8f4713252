"""The crystal system of a crystal, by spglib."""

from __future__ import annotations

import warnings

from protocols.wire.structure import CrystalStructure


def crystal_system_of(crystal: CrystalStructure, symmetry_tolerance: float, angle_tolerance: float) -> str | None:
    """Return the crystal system that spglib finds, or None where it finds none.

    Args:
        crystal: The crystal.
        symmetry_tolerance: Distance within which atoms count as symmetric [Å].
        angle_tolerance: The same of angles of the lattice [degree]; negative to go by the distance only.
    """
    from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # spglib announces changes of its interface
            found = SpacegroupAnalyzer(crystal.to_pymatgen(), symmetry_tolerance, angle_tolerance)
            return str(found.get_crystal_system())
    except Exception:  # noqa: BLE001 - spglib's errors have changed their types
        return None
