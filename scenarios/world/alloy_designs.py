"""Alloys as a closure of designs: every combination of elements on sublattices, prototypes and strains.

The drawn pool of `emt_alloys` strains each crystal in its own way, so that no two of them differ in one thing alone and
nothing in it is an intervention. Here a crystal is made of factors, and every combination is there:

| factor | levels |
|---|---|
| `a`, `b`, `c` | the element on each sublattice of the prototype; equal ones make a pure metal in its geometry |
| `prototype` | named ones of `crystal_prototypes`, all with the same sublattices |
| `strain` | of the c axis, at the volume of Vegard's law; a factor where there are two or more |

To change `a` and nothing else is an element substitution, to change `prototype` a change of structure. Several designs
may make one crystal (CsCl with its elements exchanged, say); they are told by the distances of their neighbours.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from agent.pool.candidates import Candidate, Pool, make_pool
from agent.pool.designs import asked_again, make_designs
from protocols.errors import InvariantViolation, SettingsError
from protocols.settings.suggestions import did_you_mean
from protocols.tables.families import ALL
from protocols.wire.structure import CrystalStructure
from scenarios.settings.alloy_designs import AlloyDesignsSettings
from scenarios.world.crystal_prototypes import PROTOTYPES, Prototype
from scenarios.world.crystals.distortion import of_volume
from scenarios.world.crystals.search import FEATURE_TOLERANCES, MadeCrystal, fingerprint_of
from scenarios.world.emt_alloys import atom_volume, emt_property
from simulators.calculators.catalogue import EMT_METALS

if TYPE_CHECKING:
    from pymatgen.core import Structure

FloatArray = NDArray[np.float64]
Count = Callable[[int, int], None]
"""Called with how many are done and how many there are."""

PROTOTYPE: Final = "prototype"
STRAIN: Final = "strain"

SAME_CRYSTAL: Final = 1e-3
"""Two designs make one crystal when the mean distances of their neighbours differ by less [Å]: both are ideal, and
differ by rounding or by a tenth of an ångström."""

NEIGHBOURS: Final = 20
"""Neighbours of each kind that are compared: fcc and hcp have the same eighteen nearest, and differ then."""

REACH: Final = 3.0
"""Farthest neighbour compared [(volume per atom)^(1/3)]: some hundred in a dense crystal."""


@dataclass(frozen=True, slots=True)
class AlloyDesigns:
    """The designs before a pool is made of them.

    Attributes:
        columns: Factor -> its level in each design, each of length m.
        crystals: What is made, each once, length n.
        made: Position in `crystals` of what each design makes, length m.
    """

    columns: Mapping[str, tuple[str, ...]]
    crystals: tuple[MadeCrystal, ...]
    made: tuple[int, ...]


def make_alloy_designs(
    settings: AlloyDesignsSettings, property_name: str, progress: Callable[[str, int, int], None]
) -> tuple[Pool, FloatArray]:
    """Return the pool with its designs, and the true value of one property of every candidate, in pool order.

    Args:
        settings: Which crystals, and what is asked of them.
        property_name: What EMT calculates.
        progress: Called with what is done, how many are, and how many there are.

    Raises:
        SettingsError: On what is not known: a prototype, an element, a property.
        TableError: When the designs are no closure, or effects cannot be asked of it.
    """
    made = combine(settings, lambda done, total: progress("making crystals", done, total))
    pool = pool_of(made, settings)
    return pool, emt_property(pool, property_name, progress)


def combine(settings: AlloyDesignsSettings, progress: Count | None = None) -> AlloyDesigns:
    """Make every combination, and find which of them are one crystal.

    Raises:
        SettingsError: On a prototype or an element that is not known, or prototypes of different sublattices.
    """
    prototypes, elements = _prototypes(settings.prototypes), _elements(settings.elements)
    sublattices = sorted(set(prototypes[0].labels))
    total = len(elements) ** len(sublattices) * len(prototypes) * len(settings.strains)
    rows: list[tuple[str, ...]] = []
    made: list[int] = []
    found = _Found([], {})
    for metals, prototype, strain in _combinations(elements, sublattices, prototypes, settings.strains):
        on = dict(zip(sublattices, metals, strict=True))
        rows.append((*metals, prototype.name, f"{strain:+g}" if strain else "0"))
        made.append(found.place_of(_crystal(prototype, on, strain), prototype.name))
        if progress is not None:
            progress(len(rows), total)
    names = (*(label.lower() for label in sublattices), PROTOTYPE, STRAIN)
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    if len(settings.strains) == 1:
        del columns[STRAIN]
    return AlloyDesigns(columns, tuple(found.crystals), tuple(made))


def pool_of(made: AlloyDesigns, settings: AlloyDesignsSettings) -> Pool:
    """Return the pool of the crystals, with the features of their structures and with their designs."""
    from agent.pool.features import structure_features

    features, names = structure_features([crystal.structure for crystal in made.crystals], *FEATURE_TOLERANCES)
    candidates = [Candidate(c.candidate_id, ALL, c.formula, c.structure) for c in made.crystals]
    pool = make_pool(candidates, features, names)
    place = [pool.index_of[crystal.candidate_id] for crystal in made.crystals]
    designs = make_designs(
        made.columns,
        [place[number] for number in made.made],
        [each.formula for each in pool.candidates],
        queried=settings.queried,
        reference=settings.reference,
    )
    return replace(pool, designs=designs)


def with_question(pool: Pool, settings: AlloyDesignsSettings) -> Pool:
    """Return a pool with the question of these settings asked of its designs.

    Raises:
        TableError: Where it cannot be asked.
    """
    if pool.designs is None:
        raise InvariantViolation("a closure of alloys has designs")
    texts = [each.formula for each in pool.candidates]
    asked = asked_again(pool.designs, texts, queried=settings.queried, reference=settings.reference)
    return replace(pool, designs=asked)


def sources() -> list[Path]:
    """Return the files of code that a closure hangs on."""
    from agent.pool import designs, features
    from protocols.structures import symmetry
    from scenarios.world import crystal_prototypes, emt_alloys
    from scenarios.world.calculated import sources_of_calculations
    from scenarios.world.crystals import distortion, search

    modules = (crystal_prototypes, distortion, search, emt_alloys, designs, features, symmetry)
    return [Path(__file__), *(Path(str(module.__file__)) for module in modules), *sources_of_calculations()]


@dataclass(slots=True)
class _Found:
    """The crystals so far, and their fingerprints by formula."""

    crystals: list[MadeCrystal]
    known: dict[str, list[tuple[int, FloatArray]]]

    def place_of(self, drawn: Structure, prototype: str) -> int:
        """Return the position of a crystal, which is a new one unless it is known."""
        crystal = CrystalStructure.from_pymatgen(drawn)
        structure = crystal.to_pymatgen()
        formula = structure.composition.reduced_formula
        fingerprint = fingerprint_of(structure, depth=NEIGHBOURS, reach=REACH)
        same = self.known.setdefault(formula, [])
        for place, other in same:
            if bool(np.abs(fingerprint - other).max() < SAME_CRYSTAL):
                return place
        same.append((len(self.crystals), fingerprint))
        self.crystals.append(MadeCrystal(crystal, ALL, formula, prototype))
        return len(self.crystals) - 1


def _combinations(
    elements: Sequence[str], sublattices: Sequence[str], prototypes: Sequence[Prototype], strains: Sequence[float]
) -> Iterator[tuple[tuple[str, ...], Prototype, float]]:
    """Go through all combinations, the strain fastest."""
    for metals in itertools.product(elements, repeat=len(sublattices)):
        for prototype, strain in itertools.product(prototypes, strains):
            yield metals, prototype, strain


def _crystal(prototype: Prototype, on: Mapping[str, str], strain: float) -> Structure:
    """Return a prototype with an element on each sublattice, its c axis strained, at the volume of Vegard's law."""
    from pymatgen.core import Structure

    symbols = [on[label] for label in prototype.labels]
    cell = prototype.cell() @ np.diag([1.0, 1.0, 1.0 + strain])
    volume = sum(atom_volume(symbol) for symbol in symbols)
    return Structure(of_volume(cell, volume), symbols, prototype.positions())


def _prototypes(names: Sequence[str]) -> list[Prototype]:
    known = {each.name: each for each in PROTOTYPES}
    for name in names:
        if name not in known:
            raise SettingsError(
                f"There is no prototype {name!r}",
                expected=f"one of {', '.join(known)}",
                action=did_you_mean(name, known) or "name one of these in pool.designs.prototypes",
            )
    first, *others = found = [known[name] for name in names]
    for each in others:
        if set(each.labels) != set(first.labels):
            raise SettingsError(
                f"{first.name!r} has the sublattices {_labels(first)}, {each.name!r} has {_labels(each)}",
                expected="the same sublattices in all of pool.designs.prototypes: each of them is a factor",
                action="leave one of the two out",
            )
    return found


def _elements(names: Sequence[str]) -> tuple[str, ...]:
    for name in names:
        if name not in EMT_METALS:
            raise SettingsError(
                f"Effective medium theory does not know the element {name!r}",
                expected=f"some of {', '.join(EMT_METALS)}",
                action="correct pool.designs.elements",
            )
    return tuple(names) or EMT_METALS


def _labels(prototype: Prototype) -> str:
    return " ".join(sorted(set(prototype.labels)))
