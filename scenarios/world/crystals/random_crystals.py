"""Random crystals of space groups: what to draw is decided here, and child processes draw it with pyxtal.

Each draw has a seed of its own and stands at its place, so that the pool hangs neither on how many processes there are
nor on who is faster; only a draw that takes longer than `limit_s` may succeed on another machine.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from protocols.concurrency.children import Unanswered, ask_children, usable_cores
from protocols.errors import SettingsError
from protocols.extras import load
from protocols.structures.formulas import FormulaError, read_formula
from protocols.structures.symmetry import LAST_GROUPS
from scenarios.settings.crystals import RandomSettings
from scenarios.world.crystals.random_child import FAILED, STRUCTURE
from scenarios.world.crystals.sizes import Radius, covalent_radius

if TYPE_CHECKING:
    from pymatgen.core import Structure

CHILD: Final = "scenarios.world.crystals.random_child"
"""What a process runs."""

MAX_CHILDREN: Final = 4
"""Most processes that draw: each imports for a second and a half first."""

MOST_KINDS: Final = 3
"""Most elements of a drawn composition."""

MOST_OF_A_KIND: Final = 4
"""Most atoms of an element in a formula unit that is drawn."""

TIMED_OUT: Final = "took longer than limit_s"


@dataclass(frozen=True, slots=True)
class RandomDraws:
    """Draws random crystals.

    Attributes:
        settings: Which.
        groups: Space groups, sorted.
        compositions: Formula units as amounts by element; none to draw them too.
        elements: What drawn compositions are made of.
        radius: Of an element [Å].
        failures: Why draws have failed, and how often.
    """

    settings: RandomSettings
    groups: tuple[int, ...]
    compositions: tuple[dict[str, int], ...]
    elements: tuple[str, ...]
    radius: Radius
    failures: Counter[str] = field(default_factory=Counter)

    def draws(self, rng: np.random.Generator, count: int) -> Iterator[tuple[str, Structure]]:
        """Yield what came of so many draws, in their order; what failed is counted."""
        questions = [json.dumps(self._question(rng)).encode() for _ in range(count)]
        answers: list[dict[str, Any]] = [{FAILED: TIMED_OUT} for _ in questions]
        children = min(MAX_CHILDREN, usable_cores())
        command = (CHILD, str(self.settings.limit_s))
        with closing(ask_children(command, questions, limit_s=self.settings.limit_s, children=children)) as given:
            for place, answer in given:
                if answer is Unanswered.CHILD_DIED:
                    answers[place] = {FAILED: "ended its process"}
                elif isinstance(answer, bytes):
                    answers[place] = json.loads(answer)
        for question, outcome in zip(questions, answers, strict=True):
            if FAILED in outcome:
                self.failures[str(outcome[FAILED])] += 1
            else:
                yield f"random {json.loads(question)['group']}", self._grown(outcome[STRUCTURE])

    def _question(self, rng: np.random.Generator) -> dict[str, Any]:
        """Draw a space group, a composition, how often it stands in the cell, and the seed of the draw."""
        group = self.groups[int(rng.integers(len(self.groups)))]
        unit = self._composition(rng)
        often = int(rng.integers(1, self.settings.atoms // sum(unit.values()) + 1))
        amounts = [often * each for each in unit.values()]
        return {"group": group, "species": list(unit), "amounts": amounts, "seed": int(rng.integers(2**32))}

    def _composition(self, rng: np.random.Generator) -> dict[str, int]:
        if self.compositions:
            return self.compositions[int(rng.integers(len(self.compositions)))]
        while True:
            kinds = int(rng.integers(1, min(MOST_KINDS, len(self.elements), self.settings.atoms) + 1))
            chosen = [self.elements[each] for each in rng.permutation(len(self.elements))[:kinds]]
            amounts = rng.integers(1, MOST_OF_A_KIND + 1, size=kinds)
            amounts //= np.gcd.reduce(amounts)
            if int(amounts.sum()) <= self.settings.atoms:
                return dict(zip(chosen, amounts.tolist(), strict=True))

    def _grown(self, written: dict[str, Any]) -> Structure:
        """Return a drawn crystal, as much larger as the calculator's atoms are than those of covalent radii."""
        from pymatgen.core import Structure

        structure = Structure(written["cell"], written["symbols"], written["positions"])
        own = sum(self.radius(symbol) ** 3 for symbol in written["symbols"])
        covalent = sum(covalent_radius(symbol) ** 3 for symbol in written["symbols"])
        structure.scale_lattice(structure.volume * own / covalent)
        return structure


def random_draws(
    settings: RandomSettings, elements: tuple[str, ...], families: Sequence[str], radius: Radius
) -> RandomDraws:
    """Return what draws random crystals.

    Raises:
        ExtraMissingError: Without pyxtal.
        SettingsError: On a formula that cannot be read, or that is too large for a cell.
    """
    load("pyxtal")
    groups = settings.groups or tuple(_groups(settings.families or tuple(families)))
    units = []
    for formula in settings.compositions:
        try:
            read = read_formula(formula)
        except FormulaError as error:
            raise SettingsError(
                f"The formula {formula!r} cannot be read: {error.found} (pool.crystals.random.compositions)",
                expected=error.expected,
            ) from None
        if any(amount != int(amount) for amount in read.values()) or sum(read.values()) > settings.atoms:
            raise SettingsError(
                f"The formula {formula!r} does not fit a cell of {settings.atoms} atoms",
                expected="whole amounts, and no more atoms than pool.crystals.random.atoms",
                action="set pool.crystals.random.atoms larger, or correct the formula",
            )
        units.append({symbol: int(amount) for symbol, amount in read.items()})
    return RandomDraws(settings, tuple(sorted(groups)), tuple(units), elements, radius)


def _groups(families: Sequence[str]) -> Iterator[int]:
    """Yield the space groups of crystal systems."""
    first = 1
    for last, system in LAST_GROUPS:
        if system in families:
            yield from range(first, last + 1)
        first = last + 1
