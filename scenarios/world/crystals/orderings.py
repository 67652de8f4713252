"""Ordered alloys: cells of a lattice with several of its atoms, and the elements on them in every order.

All cells of a lattice with k of its points are the Hermite normal forms of determinant k (G. L. W. Hart, R. W. Forcade,
Phys. Rev. B 77, 224115 (2008)). A size, a form and a colouring are drawn; what is one material is kept once.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from protocols.errors import SettingsError
from scenarios.settings.crystals import OrderingSettings
from scenarios.world.crystals.distortion import STRAIN_KINDS, Amplitude, of_volume, strain_of
from scenarios.world.crystals.prototypes import prototype_named
from scenarios.world.crystals.sizes import Radius, volume_at_contact

if TYPE_CHECKING:
    from pymatgen.core import Structure

FEWEST_KINDS: Final = 2
"""Fewest elements of an alloy, and atoms of its cell."""

MOST_KINDS: Final = 3
"""Most elements of one ordered alloy: with more, hardly any two crystals share a formula."""


@dataclass(frozen=True, slots=True)
class OrderingDraws:
    """Draws ordered alloys.

    Attributes:
        settings: Which.
        elements: What may stand on a site.
        radius: Of an element [Å].
    """

    settings: OrderingSettings
    elements: tuple[str, ...]
    radius: Radius

    def draw(self, rng: np.random.Generator, _target: str) -> tuple[str, Structure]:
        """Draw lattice, cell and order."""
        from pymatgen.core import Structure

        lattices = [each for each in self.settings.lattices if _most_points(each, self.settings.atoms)]
        lattice = lattices[int(rng.integers(len(lattices)))]
        prototype = prototype_named(lattice)
        basis = len(prototype.labels)
        least = -(-FEWEST_KINDS // basis)
        points = int(rng.integers(least, self.settings.atoms // basis + 1))
        forms = hermite_forms(points)
        form = forms[int(rng.integers(len(forms)))]
        positions = _points(form, prototype.positions())
        symbols = self._colouring(rng, len(positions))
        cell = np.array(form) @ prototype.cell()
        cell = of_volume(cell, volume_at_contact(cell, symbols, positions, self.radius))
        if self.settings.strain > 0.0:
            kind = STRAIN_KINDS[int(rng.integers(len(STRAIN_KINDS)))]
            volume = abs(float(np.linalg.det(cell)))
            cell = of_volume(cell @ strain_of(rng, kind, Amplitude.of_strain(self.settings.strain)), volume)
        return f"{lattice} ordered", Structure(cell, symbols, positions).get_reduced_structure("LLL")

    def _colouring(self, rng: np.random.Generator, count: int) -> list[str]:
        """Draw which elements there are, two at least, and which stands where."""
        kinds = int(rng.integers(FEWEST_KINDS, min(MOST_KINDS, count, len(self.elements)) + 1))
        chosen = [self.elements[each] for each in rng.permutation(len(self.elements))[:kinds]]
        # One of each for certain, the rest by chance, and all of them shuffled.
        colours = [*range(kinds), *rng.integers(kinds, size=count - kinds).tolist()]
        return [chosen[colours[each]] for each in rng.permutation(count)]


def ordering_draws(settings: OrderingSettings, elements: tuple[str, ...], radius: Radius) -> OrderingDraws:
    """Return what draws ordered alloys.

    Raises:
        SettingsError: When there is one element only, or no room for two atoms in a cell.
    """
    if len(elements) < FEWEST_KINDS:
        raise SettingsError(
            f"pool.crystals.orderings has one element to order: {elements[0]}",
            expected="two or more in pool.crystals.elements",
            action="name another, or leave pool.crystals.orderings out",
        )
    return OrderingDraws(settings, elements, radius)


@cache
def hermite_forms(points: int) -> tuple[tuple[tuple[int, int, int], ...], ...]:
    """Return every integer matrix that makes a cell of so many lattice points, each lattice once, as rows."""
    forms = []
    for a, c in itertools.product(range(1, points + 1), repeat=2):
        if points % (a * c):
            continue
        f = points // (a * c)
        forms += [((a, 0, 0), (b, c, 0), (d, e, f)) for b in range(a) for d in range(a) for e in range(c)]
    return tuple(forms)


def _points(form: tuple[tuple[int, int, int], ...], basis: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the fractional coordinates of all atoms in the larger cell, shape (n, 3)."""
    inside = itertools.product(*(range(form[axis][axis]) for axis in range(3)))
    inverse = np.linalg.inv(np.array(form, dtype=np.float64))
    return np.array([(np.array(point) + atom) @ inverse for point in inside for atom in basis])


def _most_points(lattice: str, atoms: int) -> int:
    """Return how many lattice points a cell of so many atoms has; 0 where that leaves no two atoms."""
    basis = len(prototype_named(lattice).labels)
    return atoms // basis
