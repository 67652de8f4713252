"""The search for distinct crystals: what is drawn is kept when it is sane, of one crystal system, wanted and new."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from agent.pool.candidates import content_id
from protocols.structures.identity import content_of, formula_of
from protocols.structures.neighbours import neighbours_of
from protocols.structures.sites import Sites
from protocols.structures.symmetry import crystal_system_of
from protocols.wire.structure import CrystalStructure

if TYPE_CHECKING:
    from pymatgen.core import Structure

FloatArray = NDArray[np.float64]

TOLERANCES: Final = ((0.01, -1.0), (0.1, 5.0))
"""Distance [Å] and angle [degree] tolerances between which the crystal system must stay the same: pymatgen's default
is 0.01, that of the Materials Project 0.1. A negative angle means that angles are judged by distances, or a cell
sheared by four degrees would pass for a straight one."""

FEATURE_TOLERANCES: Final = (0.03, -1.0)
"""Distance [Å] and angle [degree] tolerances of the primitive cell that features tell of: between those above."""

MIN_CONTACT: Final = 0.72
"""Shortest distance allowed, per sum of the radii of the two atoms: beyond it atoms only repel each other."""

SAME_CRYSTAL: Final = 0.03
"""Crystals of one formula whose mean distances differ by less than this [Å] are one: equal values would send a
spacing estimate of the entropy to minus infinity."""

FINGERPRINT_DEPTH: Final = 6
"""Neighbours of each kind in the fingerprint of a crystal."""

FINGERPRINT_CUTOFF: Final = 2.6
"""Farthest neighbour in the fingerprint [(volume per atom)^(1/3)]."""

TOO_CLOSE: Final = "atoms too close"
KNOWN_ALREADY: Final = "the same crystal as another"
UNSURE: Final = "a crystal system that hangs on the tolerance"
NOT_WANTED: Final = "of a family that is not wanted or full"


@dataclass(frozen=True, slots=True)
class MadeCrystal:
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


class Memory(Protocol):
    """Tells a new crystal from those that are kept."""

    def note_of(self, crystal: CrystalStructure, structure: Structure, formula: str) -> Any | None:
        """Return what a crystal is known again by; None where it is known."""

    def keep(self, formula: str, note: Any) -> None:
        """Note a crystal that is kept."""


@dataclass(slots=True)
class MeanDistances:
    """Takes crystals of one formula with nearly the same mean distances for one (`fingerprint_of`)."""

    known: dict[str, list[FloatArray]] = field(default_factory=dict)

    def note_of(self, _crystal: CrystalStructure, structure: Structure, formula: str) -> FloatArray | None:
        """Return its fingerprint; None where another is nearly the same."""
        fingerprint = fingerprint_of(structure)
        known = self.known.setdefault(formula, [])
        return None if any(bool(np.abs(fingerprint - each).max() < SAME_CRYSTAL) for each in known) else fingerprint

    def keep(self, formula: str, note: FloatArray) -> None:
        """Note a fingerprint."""
        self.known.setdefault(formula, []).append(note)


@dataclass(slots=True)
class Contents:
    """Takes crystals for one when they are one material, however they are written (`protocols.structures.identity`)."""

    known: set[str] = field(default_factory=set)

    def note_of(self, crystal: CrystalStructure, _structure: Structure, _formula: str) -> str | None:
        """Return its identity; None where it is known."""
        sites = Sites(crystal.symbols, np.array(crystal.cell), np.array(crystal.scaled_positions))
        content = content_of(sites, crystal.volume, neighbours_of(sites, crystal.volume))
        return None if content in self.known else content

    def keep(self, _formula: str, note: str) -> None:
        """Note an identity."""
        self.known.add(note)


@dataclass(slots=True)
class Search:
    """What was found so far.

    Attributes:
        wanted: Crystal system -> how many of it.
        radius: Of an element [Å]: two atoms touch at the sum of theirs.
        memory: Tells what is new; several searches may share one.
        excluded: Pairs of prototype and crystal system that are not kept.
        found: In the order in which they were found.
        sizes: Crystal system -> how many were found.
        refused: Why something that was drawn was not kept, and how often.
    """

    wanted: Mapping[str, int]
    radius: Callable[[str], float]
    memory: Memory
    excluded: frozenset[tuple[str, str]] = frozenset()
    found: list[MadeCrystal] = field(default_factory=list)
    sizes: dict[str, int] = field(init=False)
    refused: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.sizes = dict.fromkeys(self.wanted, 0)

    def want(self, wanted: Mapping[str, int]) -> None:
        """Change how many are wanted of each crystal system."""
        self.wanted = wanted
        self.sizes = dict.fromkeys(wanted, 0) | self.sizes

    def is_full(self, family: str) -> bool:
        """Whether no more of a family are wanted."""
        return self.sizes.get(family, 0) >= self.wanted.get(family, 0)

    def offer(self, prototype: str, drawn: Structure) -> bool:
        """Keep a crystal that is sane, of one crystal system that still has room, and new."""
        why = self._judge(prototype, drawn)
        if why:
            self.refused[why] += 1
        return not why

    def _judge(self, prototype: str, drawn: Structure) -> str:
        """Keep a crystal, or return why not."""
        crystal = CrystalStructure.from_pymatgen(drawn)
        structure = crystal.to_pymatgen()
        if not atoms_have_room(structure, self.radius):
            return TOO_CLOSE
        formula = formula_of(crystal.symbols)
        note = self.memory.note_of(crystal, structure, formula)
        if note is None:
            return KNOWN_ALREADY
        family = _crystal_system(crystal)
        if family is None:
            return UNSURE
        if self.is_full(family) or (prototype, family) in self.excluded:
            return NOT_WANTED
        self.memory.keep(formula, note)
        self.sizes[family] += 1
        self.found.append(MadeCrystal(crystal, family, formula, prototype))
        return ""


def atoms_have_room(structure: Structure, radius: Callable[[str], float]) -> bool:
    """Whether no two atoms are closer than `MIN_CONTACT` of the sum of their radii."""
    radii = np.array([radius(site.specie.symbol) for site in structure])
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
