"""Features of a candidate, from its formula or its crystal structure; never from a measured or calculated property.

Every geometric feature is independent of the choice of the cell's axes and origin, and all but the number of sites
change continuously with the structure. Lengths are measured in d = (volume per atom)^(1/3), so that they describe the
shape, and the volume stands in columns of its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from protocols.errors import TableError
from protocols.structures.formulas import FormulaError, read_formula
from protocols.structures.neighbours import pairs_within
from protocols.structures.symmetry import symmetry_of
from protocols.wire.structure import CrystalStructure

FloatArray = NDArray[np.float64]

FEATURE_PLACES: Final = 6
"""Decimal places of a feature: far below any meaning, above the last bits in which machines differ."""

NEIGHBOUR_CUTOFF: Final = 2.0
"""Farthest neighbour looked at [d]: three shells of a close packing (1.12, 1.59, 1.94 d)."""

BOND_FULL, BOND_NONE = 1.2, 1.5
"""A neighbour counts fully up to the first distance and not at all from the second on [d]: the first shells of fcc
(1.12 d) and bcc (1.09 and 1.26 d) are bonds, the second shell of fcc (1.59 d) is none."""

ATOMIC_MASS_DENSITY: Final = 1.66053906660
"""One atomic mass unit per cubic ångström [g/cm^3], CODATA 2018."""

SHELL_CENTRES: Final = (1.0, 1.15, 1.3, 1.45, 1.6, 1.75)
"""Where the radial distribution is sampled [d]."""

SHELL_WIDTH: Final = 0.075
"""Standard deviation of a sample of the radial distribution [d]: half the distance of two centres."""

LATTICE_RANKS: Final = (1, 2, 3, 7)
"""Which of the shortest lattice vectors are features; a lattice has at most 7 Voronoi-relevant pairs ±v."""

LATTICE_IMAGES: Final = 2
"""Coefficients searched for short lattice vectors: in an LLL-reduced cell none of the seven needs more."""

ELEMENTAL_PROPERTIES: Final[tuple[tuple[str, str], ...]] = (
    ("atomic_number", "Atomic no"),
    ("atomic_mass", "Atomic mass"),
    ("group", "group"),
    ("row", "row"),
    ("electronegativity", "X"),
    ("atomic_radius", "Atomic radius"),
    ("molar_volume", "Molar volume"),
    ("melting_point", "Melting point"),
    ("ionization_energy", "Ionization energies"),
    ("electron_affinity", "Electron affinity"),
)
"""Name of a property and its key in pymatgen's table [1, u, 1, 1, Pauling, Å, cm^3/mol, K, eV, eV]."""

COMPOSITION_KEPT: Final = 1 + 2 * len(ELEMENTAL_PROPERTIES)
"""Features of composition that a crystal keeps: of one of few elements the range repeats the deviation."""

_NUMBER: Final = 0
_MASS: Final = 1
_RADIUS: Final = 5

GEOMETRY_NAMES: Final = (
    "density",
    "volume_per_atom",
    "packing_fraction",
    "sites_per_primitive_cell",
    *(f"lattice_vector_{rank}" for rank in LATTICE_RANKS),
    "nearest_distance_mean",
    "nearest_distance_std",
    "nearest_distance_min",
    "contact_ratio_mean",
    "contact_ratio_min",
    "coordination_mean",
    "coordination_std",
    "unlike_bond_fraction",
    "bond_anisotropy_min",
    "bond_anisotropy_max",
    *(f"radial_distribution_{centre:.2f}" for centre in SHELL_CENTRES),
)
"""Geometric columns of `structure_features`, in order."""


def composition_features(compositions: Sequence[str]) -> tuple[FloatArray, tuple[str, ...]]:
    """Describe compositions by statistics of their elements, weighted by atomic fraction.

    An element without a value of a property takes the mean of its row of the periodic table.

    Args:
        compositions: Formulas, length n.

    Returns:
        Matrix of shape (n, 31) (number of elements; mean, standard deviation and range of every elemental property)
        and the names of its columns.

    Raises:
        TableError: When a formula cannot be read.
    """
    statistics = ("mean", "std", "range")
    names = ("elements", *(f"{name}_{kind}" for kind in statistics for name, _ in ELEMENTAL_PROPERTIES))
    rows = [
        _composition_row(composition_amounts(composition, number)) for number, composition in enumerate(compositions)
    ]
    return _matrix(rows, len(names)), names


def structure_features(
    structures: Sequence[CrystalStructure | None],
    symmetry_tolerance: float,
    angle_tolerance: float,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[FloatArray, tuple[str, ...]]:
    """Describe crystals by composition and geometry.

    Args:
        structures: Length n.
        symmetry_tolerance: Distance within which atoms count as equivalent when the primitive cell is looked for [Å].
        angle_tolerance: The same of angles of the lattice [degree]; negative to go by the distance only.
        progress: Called with (done, n) after every structure.

    Returns:
        Matrix of shape (n, 45) (`structure_row`) and the names of its columns.

    Raises:
        TableError: When a structure is missing or has an unknown element.
    """
    rows: list[FloatArray] = []
    for number, structure in enumerate(structures):
        if structure is None:
            raise TableError(
                f"Candidate number {number + 1} has no structure",
                expected="a structure for every candidate",
                action="fill or drop this row, or use features of the formula",
            )
        rows.append(structure_row(structure, symmetry_tolerance, angle_tolerance))
        if progress is not None:
            progress(number + 1, len(structures))
    names = structure_feature_names()
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(names)), names


def structure_feature_names() -> tuple[str, ...]:
    """Names of the features of a crystal, length 45: of composition, then `GEOMETRY_NAMES`."""
    return (*composition_features(())[1][:COMPOSITION_KEPT], *GEOMETRY_NAMES)


def structure_row(crystal: CrystalStructure, symmetry_tolerance: float, angle_tolerance: float) -> FloatArray:
    """Describe one crystal: number of elements, mean and standard deviation of every elemental property, geometry.

    Returns:
        Shape (45,), rounded to `FEATURE_PLACES`.

    Raises:
        TableError: When it has an unknown element.
    """
    amounts = {symbol: float(crystal.symbols.count(symbol)) for symbol in sorted(set(crystal.symbols))}
    composition = _composition_row(amounts)[:COMPOSITION_KEPT]
    geometry = _geometry_row(crystal, symmetry_tolerance, angle_tolerance)
    return _rounded(np.concatenate((composition, geometry)))


def _matrix(rows: Sequence[FloatArray], width: int) -> FloatArray:
    return _rounded(np.array(rows, dtype=np.float64).reshape(len(rows), width))


def _rounded(values: FloatArray) -> FloatArray:
    rounded: FloatArray = np.round(values, FEATURE_PLACES) + 0.0
    return rounded


def composition_amounts(composition: str, number: int) -> dict[str, float]:
    """Return amounts by element symbol, in the order of the symbols.

    Raises:
        TableError: When the formula cannot be read; it names the candidate by its number, from 0.
    """
    try:
        return read_formula(composition)
    except FormulaError as error:
        raise TableError(
            f"The composition {composition!r} of candidate number {number + 1} cannot be read: {error.found}",
            expected=error.expected,
            action="correct or drop this row",
        ) from None


def _composition_row(amounts: Mapping[str, float]) -> FloatArray:
    try:
        values = np.array([elemental_values(symbol) for symbol in amounts])
    except ValueError as error:
        raise TableError(f"Unknown element: {error}", expected="symbols of the periodic table") from error
    weights = np.array(list(amounts.values()))
    weights = weights / weights.sum()
    mean = weights @ values
    deviation = np.sqrt(weights @ (values - mean) ** 2)
    return np.concatenate(([float(len(amounts))], mean, deviation, np.ptp(values, axis=0)))


@cache
def elemental_values(symbol: str) -> tuple[float, ...]:
    """Return the values of `ELEMENTAL_PROPERTIES` of an element.

    Raises:
        ValueError: When there is no such element.
    """
    return tuple(elemental_value(symbol, key) for _, key in ELEMENTAL_PROPERTIES)


def elemental_value(symbol: str, key: str) -> float:
    """Return a value of pymatgen's table, or the mean of the element's row where it has none.

    Raises:
        ValueError: When there is no such element.
    """
    from pymatgen.core import Element

    element = Element(symbol)
    own = _known(element, key)
    if own is not None:
        return own
    peers = [other for other in Element if other.row == element.row]
    known = [found for peer in peers if (found := _known(peer, key)) is not None]
    known = known or [found for peer in Element if (found := _known(peer, key)) is not None]
    return sum(known) / len(known)


def _known(element: object, key: str) -> float | None:
    """Return an elemental value, read from the table itself: pymatgen's attributes warn where there is none."""
    if key in ("group", "row"):
        return float(getattr(element, key))
    value = element.data.get(key)  # type: ignore[attr-defined]
    if isinstance(value, Sequence) and not isinstance(value, str):
        value = value[0] if value else None
    return float(value) if isinstance(value, int | float) and np.isfinite(value) else None


@dataclass(frozen=True, slots=True)
class _Neighbours:
    """Directed pairs closer than the cut-off: indices of both atoms (m,), distance (m,) [d], vector (m, 3) [d]."""

    centre: NDArray[np.int64]
    other: NDArray[np.int64]
    distance: FloatArray
    vector: FloatArray


def _geometry_row(crystal: CrystalStructure, symmetry_tolerance: float, angle_tolerance: float) -> FloatArray:
    count = len(crystal.symbols)
    volume = crystal.volume / count
    length = volume ** (1.0 / 3.0)
    elemental = np.array([elemental_values(symbol) for symbol in crystal.symbols])
    radii = elemental[:, _RADIUS]
    grams_per_cm3 = ATOMIC_MASS_DENSITY * elemental[:, _MASS].sum() / crystal.volume
    packing = 4.0 / 3.0 * np.pi * (radii**3).sum() / crystal.volume
    sites, lattice = _primitive(crystal, symmetry_tolerance, angle_tolerance)
    neighbours = _neighbours(crystal, length)
    return np.concatenate(
        (
            [grams_per_cm3, volume, packing, float(sites)],
            _short_vectors(lattice),
            _distance_statistics(neighbours, count, radii / length),
            _bond_statistics(neighbours, elemental[:, _NUMBER]),
            _shells(neighbours, count),
        )
    )


def _primitive(crystal: CrystalStructure, symmetry_tolerance: float, angle_tolerance: float) -> tuple[int, FloatArray]:
    """Return the sites of the primitive cell and its LLL-reduced lattice vectors, shape (3, 3) [Å]."""
    from pymatgen.core import Lattice

    found = symmetry_of(crystal, symmetry_tolerance, angle_tolerance)
    sites = len(crystal.symbols) if found is None else found.primitive_sites
    lattice = crystal.cell if found is None else found.primitive_lattice
    return sites, np.asarray(Lattice(lattice).get_lll_reduced_lattice().matrix, dtype=np.float64)


@cache
def _coefficients() -> FloatArray:
    """Integer triples of the lattice vectors searched, one of each pair ±v, shape (62, 3)."""
    span = range(-LATTICE_IMAGES, LATTICE_IMAGES + 1)
    return np.array([triple for triple in itertools.product(span, repeat=3) if triple > (0, 0, 0)], dtype=np.float64)


def _short_vectors(lattice: FloatArray) -> FloatArray:
    """Lengths of the shortest lattice vectors per (cell volume)^(1/3): a shape that depends on no choice of axes."""
    lengths = np.sort(np.linalg.norm(_coefficients() @ lattice, axis=1))
    scale = abs(float(np.linalg.det(lattice))) ** (1.0 / 3.0)
    return np.array([float(lengths[rank - 1]) / scale for rank in LATTICE_RANKS])


def _neighbours(crystal: CrystalStructure, length: float) -> _Neighbours:
    """Return the pairs within the cut-off, as `pymatgen.core.Structure.get_neighbor_list` does, to the last bit.

    It spares the structure's making, which takes longer than the pairs.
    """
    lattice = np.array(crystal.cell, dtype=np.float64)
    fractional = np.array(crystal.scaled_positions, dtype=np.float64)
    # One by one: a product of matrices may differ in the last bit, and a neighbour at the cut-off hangs on it.
    points = np.array([np.dot(position, lattice) for position in fractional])
    centre, other, image, distance = pairs_within(points, lattice, NEIGHBOUR_CUTOFF * length)
    vector = (fractional[other] + image - fractional[centre]) @ lattice
    return _Neighbours(centre, other, distance / length, vector / length)


def _distance_statistics(neighbours: _Neighbours, count: int, radii: FloatArray) -> FloatArray:
    """Nearest distances [d] and the nearest distances per sum of radii; an isolated atom counts at the cut-off."""
    nearest = np.full(count, NEIGHBOUR_CUTOFF)
    np.minimum.at(nearest, neighbours.centre, neighbours.distance)
    contact = NEIGHBOUR_CUTOFF / (2.0 * radii)
    ratios = neighbours.distance / (radii[neighbours.centre] + radii[neighbours.other])
    np.minimum.at(contact, neighbours.centre, ratios)
    return np.array([nearest.mean(), nearest.std(), nearest.min(), contact.mean(), contact.min()])


def _bond_statistics(neighbours: _Neighbours, numbers: FloatArray) -> FloatArray:
    """Coordination numbers, the fraction of bonds between unlike elements, and how uneven the bond directions are.

    The anisotropy is the smallest and largest eigenvalue of the mean of 3·u⊗u over the unit bond vectors u, weighted
    as bonds are: 1 and 1 in a cubic crystal.
    """
    ramp = np.clip((BOND_NONE - neighbours.distance) / (BOND_NONE - BOND_FULL), 0.0, 1.0)
    weight = ramp * ramp * (3.0 - 2.0 * ramp)
    coordination = np.bincount(neighbours.centre, weights=weight, minlength=len(numbers))
    total = float(weight.sum())
    if total == 0.0:
        return np.array([0.0, 0.0, 0.0, 1.0, 1.0])
    unlike = float(weight[numbers[neighbours.centre] != numbers[neighbours.other]].sum()) / total
    # Two atoms on one place have no direction; their distance feature says so already.
    unit = neighbours.vector / np.maximum(neighbours.distance, 1e-9)[:, None]
    spread = np.linalg.eigvalsh(3.0 * (unit * weight[:, None]).T @ unit / total)
    return np.array([coordination.mean(), coordination.std(), unlike, spread[0], spread[-1]])


def _shells(neighbours: _Neighbours, count: int) -> FloatArray:
    """Neighbours per atom around each of `SHELL_CENTRES`, counted with a Gaussian weight of height 1."""
    offset = (neighbours.distance[:, None] - np.array(SHELL_CENTRES)) / SHELL_WIDTH
    return np.asarray(np.exp(-0.5 * offset**2).sum(axis=0) / count, dtype=np.float64)
