"""All pairs of atoms of a crystal within a distance that follows from its volume: for checks, and for its identity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from protocols.structures.sites import Sites

REACH: Final = 2.0
"""How far pairs are looked for, in edges of a cube as large as the room of one atom: 34 neighbours on average."""

LEAST_REACH: Final = 3.0
"""How far at least [Å]: further than any two atoms may be too close."""

SAME_PLACE: Final = 1e-8
"""Distance below which two points are one [Å], and slack at the reach: pymatgen's own."""

ALL_PERIODIC: Final = np.ones(3, dtype=np.int64)
"""A crystal goes on along all three axes."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Pairs of atoms, m of them, each from both ends: all within `reach`, and all within `LEAST_REACH`.

    Attributes:
        first: Index of one atom, shape (m,).
        second: Index of the other, shape (m,).
        vectors: From the first to the second, shape (m, 3) [Å].
        distances: Their lengths, shape (m,) [Å].
        reach: `REACH` in this crystal [Å].
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    vectors: NDArray[np.float64]
    distances: NDArray[np.float64]
    reach: float


def neighbours_of(sites: Sites, volume: float) -> Neighbours:
    """Return the pairs of atoms, an atom with its own images included, itself left out.

    Args:
        sites: The atoms.
        volume: Of their cell [Å³].
    """
    reach = REACH * float(np.cbrt(volume / len(sites.symbols)))
    cell = np.ascontiguousarray(sites.cell)
    points = np.ascontiguousarray((sites.positions % 1.0) @ cell)
    first, second, images, distances = pairs_within(points, cell, max(reach, LEAST_REACH))
    vectors = points[second] - points[first] + images @ cell
    return Neighbours(first, second, vectors, distances, reach)


def pairs_within(
    points: NDArray[np.float64], cell: NDArray[np.float64], reach: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the pairs of points that are at most `reach` [Å] apart, each from both ends; a point itself is left out.

    Args:
        points: Cartesian coordinates, shape (n, 3) [Å], contiguous.
        cell: Lattice vectors as rows, shape (3, 3) [Å], contiguous.
        reach: How far pairs are looked for [Å].

    Returns:
        Indices of the first and of the second, shape (m,) each; the lattice vector from the second's own place to that
        of the pair, shape (m, 3) [cell vector]; distances, shape (m,) [Å].
    """
    from pymatgen.optimization.neighbors import find_points_in_spheres

    first, second, images, distances = find_points_in_spheres(points, points, reach, ALL_PERIODIC, cell, SAME_PLACE)
    others = (first != second) | (images != 0).any(axis=1)
    return first[others], second[others], images[others], distances[others]
