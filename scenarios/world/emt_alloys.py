"""The default test world: hypothetical crystals of seven metals, whose energies effective medium theory gives at once.

Prototypes take the metals in turn at the volume of Vegard's law, and strains and displacements break their symmetry,
until each of the seven crystal systems has its members. The family of a crystal is what pymatgen finds of the crystal
as it is stored, and only crystals of which the answer does not hang on the tolerance are kept. Everything hangs on the
seed alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from agent.pool.candidates import Candidate, Pool, make_pool
from protocols.errors import SettingsError, invariant
from protocols.wire.messages import Quantity
from scenarios.world.calculated import calculate
from scenarios.world.crystal_prototypes import PROTOTYPES
from scenarios.world.crystals.distortion import CRYSTAL_SYSTEMS, DISPLACEMENT, ROUTES, moves_of, of_volume, strain_of
from scenarios.world.crystals.search import FEATURE_TOLERANCES, MadeCrystal, MeanDistances, Search
from simulators.calculators.catalogue import EMT_METALS
from simulators.crystals.catalogue import FORMATION_ENERGY, VOLUME

if TYPE_CHECKING:
    from pymatgen.core import Structure

FloatArray = NDArray[np.float64]
Count = Callable[[int, int], None]
"""Called with how many are done and how many there are."""

KNOWN_PROPERTIES: Final = (FORMATION_ENERGY, VOLUME)
"""What is calculated of every crystal of this world at once: milliseconds each."""

MEMBERS_PER_FAMILY: Final = 215
"""Crystals of each crystal system: 1,505 in all, enough that no family runs dry in a campaign of some 300 requests."""

MAX_TRIALS_PER_MEMBER: Final = 40
"""Bound of the search; one or two trials are usual."""

PURE_FCC: Final = frozenset({("A1", "cubic")})
"""Left out: energies are counted from these, and seven values of zero would be ties."""


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
) -> list[MadeCrystal]:
    """Generate distinct crystals, equally many of every crystal system.

    Args:
        seed: Another seed, other crystals.
        members_per_family: Crystals of each crystal system, at least 1.
        progress: Called as crystals are found.

    Returns:
        `7 * members_per_family` crystals, in the order in which they were found.
    """
    rng = np.random.default_rng(seed)
    search = Search(dict.fromkeys(CRYSTAL_SYSTEMS, members_per_family), _radius, MeanDistances(), PURE_FCC)
    total = members_per_family * len(CRYSTAL_SYSTEMS)
    for _ in range(MAX_TRIALS_PER_MEMBER * total):
        target = min(CRYSTAL_SYSTEMS, key=lambda family: search.sizes[family])  # the first of equals
        if search.sizes[target] == members_per_family:
            return search.found
        if search.offer(*_draw(rng, target)) and progress is not None:
            progress(len(search.found), total)
    invariant(search.sizes[target] == members_per_family, f"no {members_per_family} {target} crystals were found")
    return search.found


def _draw(rng: np.random.Generator, target: str) -> tuple[str, Structure]:
    """Draw a prototype, its metals and its distortion on a route to the crystal system `target`."""
    from pymatgen.core import Structure

    routes = ROUTES[target]
    lattices, strain, displacement = routes[int(rng.integers(len(routes)))]
    fitting = [prototype for prototype in PROTOTYPES if prototype.lattice in lattices]
    prototype = fitting[int(rng.integers(len(fitting)))]
    metals = dict(zip("ABC", rng.permutation(len(EMT_METALS)), strict=False))
    symbols = [EMT_METALS[metals[label]] for label in prototype.labels]
    volume = sum(atom_volume(symbol) for symbol in symbols)
    cell = of_volume(prototype.cell() @ strain_of(rng, strain), volume)
    moves = moves_of(rng, displacement, len(symbols), diagonal=strain == "diagonal")
    moves *= DISPLACEMENT * (volume / len(symbols)) ** (1.0 / 3.0)
    positions = prototype.positions() + moves @ np.linalg.inv(cell)
    return prototype.name, Structure(cell, symbols, positions)


@cache
def atom_volume(symbol: str) -> float:
    """Volume of an atom in its fcc metal [Å^3], for Vegard's law."""
    from ase.data import atomic_numbers, reference_states

    return float(reference_states[atomic_numbers[symbol]]["a"]) ** 3 / 4.0


def _radius(symbol: str) -> float:
    """Half the nearest distance in the fcc metal [Å]."""
    return 0.5 * float((2.0**0.5 * atom_volume(symbol)) ** (1.0 / 3.0))


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
    quantities: dict[str, tuple[Quantity, ...]] = {}
    answers = calculate(structures, KNOWN_PROPERTIES, "emt", processes=processes)
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
