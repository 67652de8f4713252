"""How large atoms are, and with it how large a crystal is at the start: where its closest atoms just touch.

A calculator says how long its own bonds are (`CalculatorChoice.contact_distance`); else atoms have covalent radii (B.
Cordero et al., Dalton Trans. 2832 (2008), in ASE's table). Both are starts, and what is asked for is relaxed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from protocols.errors import SettingsError
from protocols.extras import ExtraMissingError
from protocols.settings.suggestions import did_you_mean, listed
from protocols.structures.neighbours import pairs_within
from protocols.structures.sites import KNOWN
from scenarios.settings.model import Scenario
from simulators.calculators.catalogue import CALCULATOR_NAMES, choose_calculator
from simulators.calculators.choice import CalculatorChoice
from simulators.settings import ASE

FloatArray = NDArray[np.float64]
Radius = Callable[[str], float]
"""Radius of an element [Å]: two atoms touch at the sum of theirs."""

REACH: Final = 3.0
"""How far the closest atoms are looked for [(volume per atom)^(1/3)]: no packing has a neighbour beyond 1.13."""


@dataclass(frozen=True, slots=True)
class Calculators:
    """What the instruments of a scenario calculate with.

    Attributes:
        choices: One for each that calculates with ASE; none where what they know is not known here.
    """

    choices: tuple[CalculatorChoice, ...]

    @classmethod
    def of(cls, scenario: Scenario) -> Calculators:
        """Return the calculators of a scenario; those that are not of the list or not installed say nothing here."""
        choices = []
        for each in scenario.instruments:
            if each.evaluator == ASE and each.calculator in CALCULATOR_NAMES:
                try:
                    choices.append(choose_calculator(each.calculator, each.calculator_parameters))
                except ExtraMissingError:
                    continue
        return cls(tuple(choices))

    @property
    def radius(self) -> Radius:
        """Half of the bond of the first calculator; without one, covalent radii."""
        return bond_radius(self.choices[0]) if self.choices else covalent_radius

    def require(self, symbols: Iterable[str], setting: str) -> None:
        """Check that elements are some, and that the calculators know them.

        Raises:
            SettingsError: Naming the first that is not.
        """
        for symbol in symbols:
            if symbol not in KNOWN:
                raise SettingsError(
                    f"There is no element {symbol!r} ({setting})",
                    expected="a symbol of the periodic table",
                    action=did_you_mean(symbol, sorted(KNOWN)) or f"correct {setting}",
                )
            for choice in self.choices:
                if choice.elements is not None and symbol not in choice.elements:
                    raise SettingsError(
                        f"The calculator {choice.name!r} does not know the element {symbol!r} ({setting})",
                        expected=f"some of {listed(choice.elements)}",
                        action=f"leave it out of {setting}, or name another simulator.calculator",
                    )


def bond_radius(choice: CalculatorChoice) -> Radius:
    """Return what gives half of the bond length of an element, by a calculator."""
    return cache(lambda symbol: 0.5 * choice.contact_distance(symbol))


@cache
def covalent_radius(symbol: str) -> float:
    """Covalent radius of ASE's table [Å]; of the elements beyond curium it has 2 Å, a guess."""
    from ase.data import atomic_numbers, covalent_radii

    return float(covalent_radii[atomic_numbers[symbol]])


def volume_at_contact(cell: FloatArray, symbols: Sequence[str], positions: FloatArray, radius: Radius) -> float:
    """Return the volume of a cell at which its closest atoms touch, each by its own radius [Å^3].

    Args:
        cell: Lattice vectors as rows, shape (3, 3), of any size.
        symbols: One an atom, n.
        positions: Fractional coordinates, shape (n, 3).
        radius: Of an element.
    """
    volume = abs(float(np.linalg.det(cell)))
    return volume / closest_contact(cell, symbols, positions, radius) ** 3


def closest_contact(cell: FloatArray, symbols: Sequence[str], positions: FloatArray, radius: Radius) -> float:
    """Return the smallest distance of two atoms, in sums of their radii."""
    cell = np.ascontiguousarray(cell)
    length = (abs(float(np.linalg.det(cell))) / len(symbols)) ** (1.0 / 3.0)
    points = np.ascontiguousarray(np.asarray(positions) % 1.0) @ cell
    first, second, _, distances = pairs_within(np.ascontiguousarray(points), cell, REACH * length)
    radii = np.array([radius(symbol) for symbol in symbols])
    return float((distances / (radii[first] + radii[second])).min())
