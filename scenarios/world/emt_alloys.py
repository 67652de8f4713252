"""The default test world: hypothetical crystals of seven metals, whose energies effective medium theory gives at once.

Prototypes take the metals in turn at the volume of Vegard's law, and strains and displacements break their symmetry,
until each of the seven crystal systems has its members. The family of a crystal is what pymatgen finds of the crystal
as it is stored, and only crystals of which the answer does not hang on the tolerance are kept. Everything hangs on the
seed alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from agent.pool.candidates import Candidate, Pool, content_id, make_pool
from protocols.errors import SettingsError, invariant
from protocols.structures.symmetry import crystal_system_of
from protocols.wire.messages import Quantity
from protocols.wire.structure import CrystalStructure
from scenarios.world.crystal_prototypes import PROTOTYPES, Lattice, Prototype
from scenarios.world.workers import interrupts_deferred, workers
from simulators.calculators.catalogue import EMT_METALS
from simulators.crystals.catalogue import FORMATION_ENERGY, VOLUME
from simulators.crystals.crystal_properties import CrystalProperties
from simulators.evaluator import EvaluationFailed

if TYPE_CHECKING:
    from pymatgen.core import Structure

FloatArray = NDArray[np.float64]
Count = Callable[[int, int], None]
"""Called with how many are done and how many there are."""

KNOWN_PROPERTIES: Final = (FORMATION_ENERGY, VOLUME)
"""What is calculated of every crystal of this world at once: milliseconds each."""

MEMBERS_PER_FAMILY: Final = 215
"""Crystals of each crystal system: 1,505 in all, enough that no family runs dry in a campaign of some 300 requests."""

TOLERANCES: Final = ((0.01, -1.0), (0.1, 5.0))
"""Distance [Å] and angle [degree] tolerances between which the crystal system must stay the same: pymatgen's default
is 0.01, that of the Materials Project 0.1. A negative angle means that angles are judged by distances, or a cell
sheared by four degrees would pass for a straight one."""

FEATURE_TOLERANCES: Final = (0.03, -1.0)
"""Distance [Å] and angle [degree] tolerances of the primitive cell that features tell of: between those above."""

STRAIN: Final = 0.10
"""Largest normal strain, doubled where only one axis is strained: enough to move the energy by some 0.1 eV/atom, and
still a crystal of metal."""

SHEAR: Final = (0.05, 0.12)
"""Smallest and largest shear strain; the smallest turns an angle by 5.7 degrees, which shows at every tolerance."""

DISPLACEMENT: Final = 0.12
"""Largest displacement of an atom along an axis [(volume per atom)^(1/3)], about 0.3 Å."""

MIN_CONTACT: Final = 0.72
"""Shortest distance allowed, per sum of the radii of the two metals: beyond it atoms only repel each other."""

SAME_CRYSTAL: Final = 0.03
"""Crystals of one formula whose mean distances differ by less than this [Å] are one: equal values would send a
spacing estimate of the entropy to minus infinity."""

FINGERPRINT_DEPTH: Final = 6
"""Neighbours of each kind in the fingerprint of a crystal."""

FINGERPRINT_CUTOFF: Final = 2.6
"""Farthest neighbour in the fingerprint [(volume per atom)^(1/3)]."""

MAX_TRIALS_PER_MEMBER: Final = 40
"""Bound of the search; one or two trials are usual."""

CHUNK: Final = 16
"""Crystals that a calculating process takes at once: a quarter of a second, so that progress is seen."""

Route = tuple[tuple[Lattice, ...], str, str]
"""Lattices of the prototypes, strain, and displacement that lead to a crystal system."""

_ANY: Final[tuple[Lattice, ...]] = ("cubic", "tetragonal", "orthorhombic", "hexagonal", "trigonal")
_ROUTES: Final[dict[str, tuple[Route, ...]]] = {
    "cubic": ((("cubic",), "none", "none"),),
    "hexagonal": (
        (("hexagonal",), "none", "none"),
        (("hexagonal",), "axial", "none"),
        (("hexagonal",), "axial", "axis"),
    ),
    "monoclinic": ((_ANY, "monoclinic", "none"), (_ANY, "monoclinic", "plane")),
    "orthorhombic": (
        (("orthorhombic",), "none", "none"),
        (_ANY, "orthogonal", "none"),
        (_ANY, "orthogonal", "axis"),
    ),
    "tetragonal": (
        (("tetragonal",), "none", "none"),
        (("tetragonal", "cubic"), "axial", "none"),
        (("tetragonal", "cubic"), "axial", "axis"),
    ),
    "triclinic": ((_ANY, "triclinic", "none"), (_ANY, "triclinic", "free")),
    "trigonal": (
        (("trigonal",), "none", "none"),
        (("trigonal",), "axial", "axis"),
        (("trigonal", "hexagonal"), "axial", "axis"),
        (("cubic",), "diagonal", "none"),
        (("cubic",), "diagonal", "axis"),
    ),
}

CRYSTAL_SYSTEMS: Final = tuple(_ROUTES)
"""The seven families, sorted."""


@dataclass(frozen=True, slots=True)
class AlloyCrystal:
    """One hypothetical crystal with its crystal system, its reduced formula and the prototype that it came from."""

    structure: CrystalStructure
    family: str
    formula: str
    prototype: str

    @property
    def candidate_id(self) -> str:
        """The id that its content gives it."""
        content = json.dumps(self.structure.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return content_id(self.formula, content)


def make_emt_alloys(
    seed: int,
    property_name: str,
    progress: Callable[[str, int, int], None],
    *,
    members_per_family: int = MEMBERS_PER_FAMILY,
) -> tuple[Pool, FloatArray]:
    """Return the pool and the true value of one property of every candidate, shape (n,), in pool order.

    Raises:
        SettingsError: When the evaluator does not calculate that property.
    """
    _require_calculated(property_name)
    pool = make_emt_pool(
        seed,
        members_per_family=members_per_family,
        progress=lambda done, total: progress("making crystals", done, total),
    )
    return pool, emt_property(pool, property_name, progress)


def emt_property(pool: Pool, property_name: str, progress: Callable[[str, int, int], None]) -> FloatArray:
    """Return one property of every candidate of a pool, calculated, shape (n,), in pool order.

    Raises:
        SettingsError: When the evaluator does not calculate that property.
    """
    _require_calculated(property_name)
    known = emt_quantities(pool, progress=lambda done, total: progress("calculating energies", done, total))
    return np.array([next(q.value for q in known[name] if q.name == property_name) for name in pool.candidate_ids])


def _require_calculated(property_name: str) -> None:
    if property_name not in KNOWN_PROPERTIES:
        raise SettingsError(
            f"The test world emt_alloys has no property {property_name!r}",
            expected=f"one of {', '.join(KNOWN_PROPERTIES)}",
            action="set campaign.property to one of these",
        )


def make_emt_pool(seed: int, *, members_per_family: int = MEMBERS_PER_FAMILY, progress: Count | None = None) -> Pool:
    """Generate the crystals and return them as a pool with the features of their structures.

    Args:
        seed: Another seed, another pool.
        members_per_family: Crystals of each of the seven crystal systems.
        progress: Called as crystals are found.
    """
    from agent.pool.features import structure_features

    crystals = generate_structures(seed, members_per_family=members_per_family, progress=progress)
    features, names = structure_features([crystal.structure for crystal in crystals], *FEATURE_TOLERANCES)
    candidates = [Candidate(c.candidate_id, c.family, c.formula, c.structure) for c in crystals]
    return make_pool(candidates, features, names)


def generate_structures(
    seed: int, *, members_per_family: int = MEMBERS_PER_FAMILY, progress: Count | None = None
) -> list[AlloyCrystal]:
    """Generate distinct crystals, equally many of every crystal system.

    Args:
        seed: Another seed, other crystals.
        members_per_family: Crystals of each crystal system, at least 1.
        progress: Called as crystals are found.

    Returns:
        `7 * members_per_family` crystals, in the order in which they were found.
    """
    rng = np.random.default_rng(seed)
    search = _Search(members_per_family)
    total = members_per_family * len(CRYSTAL_SYSTEMS)
    for _ in range(MAX_TRIALS_PER_MEMBER * total):
        target = min(CRYSTAL_SYSTEMS, key=lambda family: search.sizes[family])  # the first of equals
        if search.sizes[target] == members_per_family:
            return search.found
        if search.offer(*_draw(rng, target)) and progress is not None:
            progress(len(search.found), total)
    invariant(search.sizes[target] == members_per_family, f"no {members_per_family} {target} crystals were found")
    return search.found


@dataclass(slots=True)
class _Search:
    """What was found so far."""

    members_per_family: int
    found: list[AlloyCrystal] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CRYSTAL_SYSTEMS, 0))
    fingerprints: dict[str, list[FloatArray]] = field(default_factory=dict)

    def offer(self, prototype: Prototype, drawn: Structure) -> bool:
        """Keep a crystal that is sane, of one crystal system that still has room, and new."""
        crystal = CrystalStructure.from_pymatgen(drawn)
        structure = crystal.to_pymatgen()
        if not _atoms_have_room(structure):
            return False
        formula = structure.composition.reduced_formula
        fingerprint = fingerprint_of(structure)
        known = self.fingerprints.setdefault(formula, [])
        if any(bool(np.abs(fingerprint - other).max() < SAME_CRYSTAL) for other in known):
            return False
        family = _crystal_system(crystal)
        if family is None or self.sizes[family] == self.members_per_family:
            return False
        if prototype.name == "A1" and family == "cubic":
            return False  # energies are counted from these: seven values of zero would be ties
        known.append(fingerprint)
        self.sizes[family] += 1
        self.found.append(AlloyCrystal(crystal, family, formula, prototype.name))
        return True


def _draw(rng: np.random.Generator, target: str) -> tuple[Prototype, Structure]:
    """Draw a prototype, its metals and its distortion on a route to the crystal system `target`."""
    from pymatgen.core import Structure

    routes = _ROUTES[target]
    lattices, strain, displacement = routes[int(rng.integers(len(routes)))]
    fitting = [prototype for prototype in PROTOTYPES if prototype.lattice in lattices]
    prototype = fitting[int(rng.integers(len(fitting)))]
    metals = dict(zip("ABC", rng.permutation(len(EMT_METALS)), strict=False))
    symbols = [EMT_METALS[metals[label]] for label in prototype.labels]
    cell = prototype.cell() @ _strain(rng, strain)
    volume = sum(atom_volume(symbol) for symbol in symbols)
    cell *= (volume / abs(float(np.linalg.det(cell)))) ** (1.0 / 3.0)
    moves = _moves(rng, displacement, len(symbols), diagonal=strain == "diagonal")
    moves *= DISPLACEMENT * (volume / len(symbols)) ** (1.0 / 3.0)
    positions = prototype.positions() + moves @ np.linalg.inv(cell)
    return prototype, Structure(cell, symbols, positions)


def _strain(rng: np.random.Generator, kind: str) -> FloatArray:
    """Return a deformation of the axes x ∥ a, z ∥ c, symmetric and thus without rotation, shape (3, 3)."""
    strain = np.zeros((3, 3))
    normal = rng.uniform(-STRAIN, STRAIN, 3)
    shear = rng.uniform(*SHEAR, 3) * np.where(rng.integers(2, size=3) == 1, 1.0, -1.0)
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


def _moves(rng: np.random.Generator, kind: str, count: int, *, diagonal: bool) -> FloatArray:
    """Return displacements of atoms within ±1: none, along the axis, in the plane x-z, or free, shape (count, 3)."""
    moves = rng.uniform(-1.0, 1.0, (count, 3))
    axis = np.full(3, 3.0**-0.5) if diagonal else np.array([0.0, 0.0, 1.0])
    if kind == "axis":
        return np.outer(moves[:, 2], axis)
    allowed = {"none": (0.0, 0.0, 0.0), "plane": (1.0, 0.0, 1.0), "free": (1.0, 1.0, 1.0)}[kind]
    confined: FloatArray = moves * np.array(allowed)
    return confined


@cache
def atom_volume(symbol: str) -> float:
    """Volume of an atom in its fcc metal [Å^3], for Vegard's law."""
    from ase.data import atomic_numbers, reference_states

    return float(reference_states[atomic_numbers[symbol]]["a"]) ** 3 / 4.0


def _radius(symbol: str) -> float:
    """Half the nearest distance in the fcc metal [Å]."""
    return 0.5 * float((2.0**0.5 * atom_volume(symbol)) ** (1.0 / 3.0))


def _atoms_have_room(structure: Structure) -> bool:
    radii = np.array([_radius(site.specie.symbol) for site in structure])
    centre, other, _, distance = structure.get_neighbor_list(2.0 * MIN_CONTACT * float(radii.max()))
    return bool(np.all(distance >= MIN_CONTACT * (radii[centre] + radii[other])))


def _crystal_system(crystal: CrystalStructure) -> str | None:
    """Return the crystal system, or None when it hangs on the tolerance."""
    first, *others = TOLERANCES
    family = crystal_system_of(crystal, *first)
    return family if all(crystal_system_of(crystal, *tolerance) == family for tolerance in others) else None


def fingerprint_of(
    structure: Structure, *, depth: int = FINGERPRINT_DEPTH, reach: float = FINGERPRINT_CUTOFF
) -> FloatArray:
    """Return the mean distances to the k-th neighbour of each kind, by ordered pair of elements [Å].

    It depends on no choice of cell and changes continuously with the crystal (average minimum distances: D. Widdowson
    et al., MATCH Commun. Math. Comput. Chem. 87, 529 (2022), here by element).

    Args:
        structure: The crystal.
        depth: Neighbours of each kind.
        reach: Farthest neighbour [(volume per atom)^(1/3)].
    """
    symbols = np.array([site.specie.symbol for site in structure])
    cutoff = reach * (structure.volume / len(structure)) ** (1.0 / 3.0)
    centre, other, _, distance = structure.get_neighbor_list(cutoff)
    kinds = sorted(set(symbols.tolist()))
    rows = []
    for here in kinds:
        for there in kinds:
            shells = np.full((int((symbols == here).sum()), depth), cutoff)
            for row, atom in enumerate(np.flatnonzero(symbols == here)):
                near = np.sort(distance[(centre == atom) & (symbols[other] == there)])[:depth]
                shells[row, : len(near)] = near
            rows.append(shells.mean(axis=0))
    return np.concatenate(rows)


def sources_of_energies() -> list[Path]:
    """Return the files of code that the energies of crystals hang on."""
    from simulators.calculators import catalogue as calculators
    from simulators.crystals import bench, catalogue, crystal_properties, elements, limits, relaxed_cell, shape_kept

    modules = (calculators, bench, catalogue, crystal_properties, elements, limits, relaxed_cell, shape_kept)
    return [Path(str(module.__file__)) for module in modules]


def emt_quantities(pool: Pool, *, processes: int = 2, progress: Count | None = None) -> dict[str, tuple[Quantity, ...]]:
    """Calculate every candidate of a pool with effective medium theory.

    Args:
        pool: Candidates with structures.
        processes: How many processes share the work; 1 for none but our own.
        progress: Called as crystals are done.

    Returns:
        Quantities by candidate id, in pool order.

    Raises:
        SettingsError: When a candidate has no structure or cannot be calculated.
    """
    structures = [candidate.structure for candidate in pool.candidates]
    if processes == 1:
        return _collected(pool, map(_Calculation(), structures), progress)
    with workers(processes) as executor:
        with interrupts_deferred():
            answers = executor.map(_calculate, structures, chunksize=CHUNK)
        return _collected(pool, answers, progress)


def _collected(
    pool: Pool, answers: Iterable[tuple[Quantity, ...] | str], progress: Count | None
) -> dict[str, tuple[Quantity, ...]]:
    quantities: dict[str, tuple[Quantity, ...]] = {}
    for candidate_id, answer in zip(pool.candidate_ids, answers, strict=True):
        if isinstance(answer, str):
            raise SettingsError(
                f"Candidate {candidate_id!r} cannot be calculated: {answer}",
                expected="a pool of crystals of " + ", ".join(EMT_METALS),
            )
        quantities[candidate_id] = answer
        if progress is not None:
            progress(len(quantities), len(pool))
    return quantities


class _Calculation:
    """Calculates one structure after another; what went wrong comes back as text, which every process can send."""

    def __init__(self) -> None:
        self._evaluator = CrystalProperties("emt")

    def __call__(self, structure: CrystalStructure | None) -> tuple[Quantity, ...] | str:
        if structure is None:
            return "it has no structure"
        try:
            return self._evaluator.measure(structure, KNOWN_PROPERTIES).quantities
        except EvaluationFailed as failure:
            return str(failure)


@cache
def _calculation() -> _Calculation:
    return _Calculation()


def _calculate(structure: CrystalStructure | None) -> tuple[Quantity, ...] | str:
    """Calculate in a process of the pool, with the evaluator that it keeps."""
    return _calculation()(structure)
