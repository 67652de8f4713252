"""Draws until a pool is full: evenly over the crystal systems, and no longer where nothing new comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from scenarios.world.crystals.random_crystals import RandomDraws
from scenarios.world.crystals.search import Search

if TYPE_CHECKING:
    from pymatgen.core import Structure

BARREN: Final = 300
"""Draws in a row without a new crystal after which a family is given up: the last of a hundred equally likely crystals
is then overlooked in one of twenty searches (0.99^300 = 0.05)."""

FEWEST_DRAWS: Final = 32
"""Random crystals that are drawn at once at least: a draw takes milliseconds, and the start of a process seconds."""

Draw = Callable[[np.random.Generator, str], tuple[str, "Structure"]]
"""Draws a crystal on the way to a crystal system: the name of its kind, and the crystal."""

Count = Callable[[int], None]
"""Called with how many crystals were found."""


@dataclass(frozen=True, slots=True)
class Filling:
    """What one generator is to find.

    Attributes:
        search: That keeps the crystals; what it wants of each family is set here.
        number: Crystals that are wanted.
        families: Crystal systems that they may be of.
        rng: What is drawn with.
        count: Called as crystals are found.
    """

    search: Search
    number: int
    families: tuple[str, ...]
    rng: np.random.Generator
    count: Count

    def evenly(self, draw: Draw) -> None:
        """Draw until there are enough, as evenly over the families as they can be."""
        open_families = list(self.families)
        misses = dict.fromkeys(self.families, 0)
        while open_families and not self._is_full:
            self._share_out(open_families)
            target = min(open_families, key=lambda family: self.search.sizes[family])  # the first of equals
            if self._offer(*draw(self.rng, target)):
                misses = dict.fromkeys(self.families, 0)
                continue
            misses[target] += 1
            if misses[target] >= BARREN:
                open_families.remove(target)

    def anyhow(self, draw: Draw) -> None:
        """Draw until there are enough of any of the families, or nothing new has come for long."""
        self.search.want(dict.fromkeys(self.families, self.number))
        missed = 0
        while missed < BARREN and not self._is_full:
            missed = 0 if self._offer(*draw(self.rng, "")) else missed + 1

    def at_random(self, draws: RandomDraws, tries: int) -> None:
        """Draw random crystals until there are enough, or so often for each that is wanted."""
        self.search.want(dict.fromkeys(self.families, self.number))
        left = self.number * tries
        while left and not self._is_full:
            amount = min(left, max(FEWEST_DRAWS, self.number - len(self.search.found)))
            for name, drawn in draws.draws(self.rng, amount):
                if not self._is_full:
                    self._offer(name, drawn)
            left -= amount

    @property
    def _is_full(self) -> bool:
        return len(self.search.found) >= self.number

    def _offer(self, name: str, drawn: Structure) -> bool:
        is_kept = self.search.offer(name, drawn)
        if is_kept:
            self.count(len(self.search.found))
        return is_kept

    def _share_out(self, open_families: Sequence[str]) -> None:
        """Set how many are wanted of each family: what was found of those given up, and the rest evenly."""
        closed = {each: self.search.sizes.get(each, 0) for each in self.families if each not in open_families}
        share, more = divmod(self.number - sum(closed.values()), len(open_families))
        self.search.want(closed | {family: share + (at < more) for at, family in enumerate(open_families)})


def seeds(seed: int) -> Iterator[int]:
    """Yield a seed for each generator, so that one that is added changes no other's crystals."""
    sequence = np.random.SeedSequence(seed)
    while True:
        yield int(sequence.spawn(1)[0].generate_state(1, np.uint64)[0])
