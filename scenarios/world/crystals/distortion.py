"""How a crystal is strained and its atoms are moved, so that its symmetry falls to the system that is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scenarios.world.crystal_prototypes import Lattice

FloatArray = NDArray[np.float64]

STRAIN: Final = 0.10
"""Largest normal strain, doubled where only one axis is strained: enough to move the energy by some 0.1 eV/atom, and
still a crystal of metal."""

SHEAR: Final = (0.05, 0.12)
"""Smallest and largest shear strain; the smallest turns an angle by 5.7 degrees, which shows at every tolerance."""

DISPLACEMENT: Final = 0.12
"""Largest displacement of an atom along an axis [(volume per atom)^(1/3)], about 0.3 Å."""

Route = tuple[tuple[Lattice, ...], str, str]
"""Lattices of the prototypes, strain, and displacement that lead to a crystal system."""

ANY_LATTICE: Final[tuple[Lattice, ...]] = ("cubic", "tetragonal", "orthorhombic", "hexagonal", "trigonal")

ROUTES: Final[Mapping[str, tuple[Route, ...]]] = {
    "cubic": ((("cubic",), "none", "none"),),
    "hexagonal": (
        (("hexagonal",), "none", "none"),
        (("hexagonal",), "axial", "none"),
        (("hexagonal",), "axial", "axis"),
    ),
    "monoclinic": ((ANY_LATTICE, "monoclinic", "none"), (ANY_LATTICE, "monoclinic", "plane")),
    "orthorhombic": (
        (("orthorhombic",), "none", "none"),
        (ANY_LATTICE, "orthogonal", "none"),
        (ANY_LATTICE, "orthogonal", "axis"),
    ),
    "tetragonal": (
        (("tetragonal",), "none", "none"),
        (("tetragonal", "cubic"), "axial", "none"),
        (("tetragonal", "cubic"), "axial", "axis"),
    ),
    "triclinic": ((ANY_LATTICE, "triclinic", "none"), (ANY_LATTICE, "triclinic", "free")),
    "trigonal": (
        (("trigonal",), "none", "none"),
        (("trigonal",), "axial", "axis"),
        (("trigonal", "hexagonal"), "axial", "axis"),
        (("cubic",), "diagonal", "none"),
        (("cubic",), "diagonal", "axis"),
    ),
}
"""Crystal system -> the ways to it; an offer that lands elsewhere is taken for what it is."""

CRYSTAL_SYSTEMS: Final = tuple(ROUTES)
"""The seven families, sorted."""

STRAIN_KINDS: Final = ("axial", "orthogonal", "monoclinic", "triclinic")
"""What may be done to a crystal of any lattice."""


@dataclass(frozen=True, slots=True)
class Amplitude:
    """How far crystals are distorted.

    Attributes:
        strain: Largest normal strain.
        shear: Smallest and largest shear strain.
        displacement: Largest displacement along an axis [(volume per atom)^(1/3)].
    """

    strain: float = STRAIN
    shear: tuple[float, float] = SHEAR
    displacement: float = DISPLACEMENT

    @classmethod
    def of_strain(cls, strain: float) -> Amplitude:
        """Return the usual amplitude, made larger or smaller so that the largest normal strain is this one."""
        share = strain / STRAIN
        return cls(strain, (SHEAR[0] * share, SHEAR[1] * share), DISPLACEMENT * share)


USUAL: Final = Amplitude()


def strain_of(rng: np.random.Generator, kind: str, amplitude: Amplitude = USUAL) -> FloatArray:
    """Return a deformation of the axes x ∥ a, z ∥ c, symmetric and thus without rotation, shape (3, 3)."""
    strain = np.zeros((3, 3))
    normal = rng.uniform(-amplitude.strain, amplitude.strain, 3)
    shear = rng.uniform(*amplitude.shear, 3) * np.where(rng.integers(2, size=3) == 1, 1.0, -1.0)
    if kind == "axial":
        strain[2, 2] = 2.0 * normal[2]
    elif kind == "diagonal":  # along the body diagonal [111] of a cubic cell
        strain = shear[0] * (1.0 - np.eye(3))
    elif kind != "none":
        strain = np.diag(normal)
    if kind in ("monoclinic", "triclinic"):
        strain[0, 2] = strain[2, 0] = shear[1]
    if kind == "triclinic":
        strain[0, 1] = strain[1, 0] = shear[0]
        strain[1, 2] = strain[2, 1] = shear[2]
    return np.eye(3) + strain


def moves_of(rng: np.random.Generator, kind: str, count: int, *, diagonal: bool) -> FloatArray:
    """Return displacements of atoms within ±1: none, along the axis, in the plane x-z, or free, shape (count, 3)."""
    moves = rng.uniform(-1.0, 1.0, (count, 3))
    axis = np.full(3, 3.0**-0.5) if diagonal else np.array([0.0, 0.0, 1.0])
    if kind == "axis":
        return np.outer(moves[:, 2], axis)
    allowed = {"none": (0.0, 0.0, 0.0), "plane": (1.0, 0.0, 1.0), "free": (1.0, 1.0, 1.0)}[kind]
    confined: FloatArray = moves * np.array(allowed)
    return confined


def of_volume(cell: FloatArray, volume: float) -> FloatArray:
    """Return a cell made larger or smaller in all directions alike, until it has that volume [Å^3]."""
    grown: FloatArray = cell * (volume / abs(float(np.linalg.det(cell)))) ** (1.0 / 3.0)
    return grown
