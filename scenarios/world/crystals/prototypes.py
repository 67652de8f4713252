"""Crystals of prototypes: the elements on their sublattices in turn, strained on a route to each crystal system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from protocols.errors import SettingsError
from protocols.settings.suggestions import did_you_mean, listed
from scenarios.settings.crystals import CrystalsSettings
from scenarios.world.crystal_prototypes import ALL_PROTOTYPES, COMMON_NAMES, Prototype
from scenarios.world.crystals.distortion import ROUTES, Amplitude, Route, moves_of, of_volume, strain_of
from scenarios.world.crystals.sizes import Radius, volume_at_contact

if TYPE_CHECKING:
    from pymatgen.core import Structure

SETTING: Final = "pool.crystals.prototypes"


@dataclass(frozen=True, slots=True)
class PrototypeDraws:
    """Draws prototypes with elements and distortion.

    Attributes:
        ways: Crystal system -> its routes, each with the prototypes that can take it; none for what cannot be reached.
        elements: Label of a sublattice -> what may be on it.
        amplitude: Of the distortions.
        radius: Of an element [Å].
    """

    ways: Mapping[str, tuple[tuple[Route, tuple[Prototype, ...]], ...]]
    elements: Mapping[str, tuple[str, ...]]
    amplitude: Amplitude
    radius: Radius

    def draw(self, rng: np.random.Generator, target: str) -> tuple[str, Structure]:
        """Draw a prototype, its elements and its distortion on a route to the crystal system `target`."""
        from pymatgen.core import Structure

        routes = self.ways[target]
        (_, strain, displacement), fitting = routes[int(rng.integers(len(routes)))]
        prototype = fitting[int(rng.integers(len(fitting)))]
        on = _drawn_elements(rng, sorted(set(prototype.labels)), self.elements)
        symbols = [on[label] for label in prototype.labels]
        # The ideal crystal is as large as its atoms, and a strain leaves its volume.
        volume = volume_at_contact(prototype.cell(), symbols, prototype.positions(), self.radius)
        cell = of_volume(prototype.cell() @ strain_of(rng, strain, self.amplitude), volume)
        moves = moves_of(rng, displacement, len(symbols), diagonal=strain == "diagonal")
        moves *= self.amplitude.displacement * (volume / len(symbols)) ** (1.0 / 3.0)
        return prototype.name, Structure(cell, symbols, prototype.positions() + moves @ np.linalg.inv(cell))


def prototype_draws(settings: CrystalsSettings, families: Sequence[str], radius: Radius) -> PrototypeDraws:
    """Return what draws crystals of prototypes.

    Raises:
        SettingsError: On a prototype that is not known, or that the elements cannot fill, or when none can be.
    """
    elements = {label: settings.sublattices.get(label) or settings.elements for label in ("A", "B", "C")}
    named = [prototype_named(name) for name in settings.prototypes]
    for each in named:
        if not _can_fill(each, elements):
            raise _unfilled(each, elements)
    usable = named or [each for each in ALL_PROTOTYPES if _can_fill(each, elements)]
    is_strained = settings.strain > 0.0
    ways = {}
    for family in families:
        routes = [route for route in ROUTES[family] if is_strained or route[1:] == ("none", "none")]
        fitting = [(route, tuple(each for each in usable if each.lattice in route[0])) for route in routes]
        ways[family] = tuple((route, prototypes) for route, prototypes in fitting if prototypes)
    return PrototypeDraws(ways, elements, Amplitude.of_strain(settings.strain), radius)


def prototype_named(name: str) -> Prototype:
    """Return a prototype by its own name or by what people call it.

    Raises:
        SettingsError: When there is none.
    """
    known = {each.name: each for each in ALL_PROTOTYPES}
    common = {each.lower(): own for each, own in COMMON_NAMES.items()}
    own = name if name in known else common.get(name.lower(), "")
    if not own:
        raise SettingsError(
            f"There is no prototype {name!r} ({SETTING})",
            expected=f"one of {listed([*COMMON_NAMES])}, or a Strukturbericht symbol ({listed([*known])})",
            action=did_you_mean(name, [*COMMON_NAMES, *known]) or f"correct {SETTING}",
        )
    return known[own]


def _can_fill(prototype: Prototype, elements: Mapping[str, Sequence[str]]) -> bool:
    """Whether its sublattices can have different elements."""
    return _fills(sorted(set(prototype.labels)), elements, frozenset())


def _fills(labels: Sequence[str], elements: Mapping[str, Sequence[str]], taken: frozenset[str]) -> bool:
    if not labels:
        return True
    return any(_fills(labels[1:], elements, taken | {symbol}) for symbol in elements[labels[0]] if symbol not in taken)


def _drawn_elements(
    rng: np.random.Generator, labels: Sequence[str], elements: Mapping[str, Sequence[str]]
) -> dict[str, str]:
    """Draw a different element for each label."""
    on: dict[str, str] = {}
    for number, label in enumerate(labels):
        taken = frozenset(on.values())
        free = [
            symbol
            for symbol in elements[label]
            if symbol not in taken and _fills(labels[number + 1 :], elements, taken | {symbol})
        ]
        on[label] = free[int(rng.integers(len(free)))]
    return on


def _unfilled(prototype: Prototype, elements: Mapping[str, Sequence[str]]) -> SettingsError:
    labels = sorted(set(prototype.labels))
    told = "; ".join(f"{label}: {', '.join(elements[label])}" for label in labels)
    return SettingsError(
        f"The prototype {prototype.name!r} has {len(labels)} sublattices, and no different elements for them ({told})",
        expected="an element of its own for each sublattice",
        action="name more elements in pool.crystals.elements, or leave the prototype out",
    )
