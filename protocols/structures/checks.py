"""What every structure must be, whatever it was written in: not flat, not squeezed, no two atoms on one place."""

from __future__ import annotations

from typing import Final

import numpy as np

from protocols.structures.faults import StructureFault
from protocols.structures.neighbours import Neighbours
from protocols.structures.sites import Sites, flat
from protocols.wire.structure import MAX_CELL_LENGTH, MIN_CELL_VOLUME

MIN_VOLUME_PER_ATOM: Final = 1.0
"""Least room of an atom [Å³]: hydrogen at 500 GPa has 1.5, diamond 5.7."""

MIN_DISTANCE: Final = 0.5
"""Least distance of two atoms [Å]: that of H2 is 0.74, and no bond is shorter."""

MIN_SHARE_OF_BOND: Final = 0.5
"""Least distance of two atoms as a share of the sum of their covalent radii: triple bonds have 0.8, metals at hundreds
of gigapascals 0.6. Two images of one atom, or two halves of a split site, lie closer."""


def check_cell(sites: Sites, what: str) -> float:
    """Check that a cell holds room, and return its volume [Å³].

    Raises:
        StructureFault: When it is flat, too long for a message, or holds too little room.
    """
    volume = float(abs(np.linalg.det(sites.cell)))
    if volume < MIN_CELL_VOLUME:
        raise StructureFault(*flat(what, volume))
    if np.abs(sites.cell).max() > MAX_CELL_LENGTH:
        raise StructureFault(
            "the cell is too long",
            f"{what} with a lattice vector of {np.abs(sites.cell).max():.4g} Å",
            f"at most {MAX_CELL_LENGTH:g} Å along each axis",
        )
    if volume < MIN_VOLUME_PER_ATOM * len(sites.symbols):
        raise StructureFault(
            "the cell is too small for its atoms",
            f"{what} with {len(sites.symbols)} atoms in {volume:.3g} Å³",
            f"at least {MIN_VOLUME_PER_ATOM:g} Å³ an atom; lengths in Å",
        )
    return volume


def check_distances(sites: Sites, neighbours: Neighbours, what: str) -> None:
    """Check that no two atoms are closer than a bond can be.

    Raises:
        StructureFault: When two are; with the closest pair.
    """
    from ase.data import atomic_numbers, covalent_radii

    radii = covalent_radii[[atomic_numbers[symbol] for symbol in sites.symbols]]
    least = np.maximum(MIN_DISTANCE, MIN_SHARE_OF_BOND * (radii[neighbours.first] + radii[neighbours.second]))
    closest = int(np.argmin(neighbours.distances / least))
    if neighbours.distances[closest] >= least[closest]:
        return
    first, second = (int(each[closest]) for each in (neighbours.first, neighbours.second))
    raise StructureFault(
        "atoms are too close",
        f"{what} with {sites.symbols[first]} and {sites.symbols[second]} {neighbours.distances[closest]:.3g} Å apart",
        f"at least {least[closest]:.2f} Å: half of the sum of their covalent radii, and {MIN_DISTANCE:g} Å",
        sites.lines[first] if sites.lines else 0,
    )
