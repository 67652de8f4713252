"""Crystals that are made of given ones: other elements on their sites, as much larger as their bonds are longer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from protocols.errors import SettingsError
from protocols.settings.suggestions import did_you_mean, listed
from scenarios.settings.crystals import SubstitutionSettings
from scenarios.world.crystals.distortion import STRAIN_KINDS, Amplitude, of_volume, strain_of
from scenarios.world.crystals.parents import Parent
from scenarios.world.crystals.sizes import closest_contact, covalent_radius

if TYPE_CHECKING:
    from pymatgen.core import Structure


@dataclass(frozen=True, slots=True)
class SubstitutionDraws:
    """Draws substitutions.

    Attributes:
        settings: Which.
        parents: What they are made of.
        elements: What comes in.
    """

    settings: SubstitutionSettings
    parents: tuple[Parent, ...]
    elements: tuple[str, ...]

    def draw(self, rng: np.random.Generator, _target: str) -> tuple[str, Structure]:
        """Draw a parent, what its elements become, and a strain."""
        from pymatgen.core import Structure

        parent = self.parents[int(rng.integers(len(self.parents)))]
        crystal = parent.crystal
        becomes = self._drawn(rng, sorted(set(crystal.symbols) - set(self.settings.kept)))
        symbols = [becomes.get(symbol, symbol) for symbol in crystal.symbols]
        cell, positions = np.array(crystal.cell), np.array(crystal.scaled_positions)
        # Covalent radii say how much longer a bond becomes; how long it is, the parent knows best.
        before = closest_contact(cell, crystal.symbols, positions, covalent_radius)
        after = closest_contact(cell, symbols, positions, covalent_radius)
        volume = crystal.volume * (before / after) ** 3
        if self.settings.strain > 0.0:
            kind = STRAIN_KINDS[int(rng.integers(len(STRAIN_KINDS)))]
            cell = cell @ strain_of(rng, kind, Amplitude.of_strain(self.settings.strain))
        return f"as {parent.name}", Structure(of_volume(cell, volume), symbols, positions)

    def _drawn(self, rng: np.random.Generator, replaced: Sequence[str]) -> dict[str, str]:
        """Draw what each element becomes: different ones, as far as there are enough that do not stay already."""
        free = [each for each in self.elements if each not in self.settings.kept] or list(self.elements)
        order = rng.permutation(len(free))
        return {symbol: free[order[number % len(free)]] for number, symbol in enumerate(replaced)}


def substitution_draws(
    settings: SubstitutionSettings, parents: tuple[Parent, ...], elements: tuple[str, ...]
) -> SubstitutionDraws:
    """Return what draws substitutions.

    Raises:
        SettingsError: When something is to stay that no parent has, or nothing is to change.
    """
    held = sorted({symbol for each in parents for symbol in each.crystal.symbols})
    for symbol in settings.kept:
        if symbol not in held:
            raise SettingsError(
                f"No parent holds {symbol!r} (pool.crystals.substitutions.kept)",
                expected=f"some of {listed(held)}",
                action=did_you_mean(symbol, held) or "correct pool.crystals.substitutions.kept",
            )
    if set(held) <= set(settings.kept):
        raise SettingsError(
            "pool.crystals.substitutions.kept names every element of the parents: nothing is replaced",
            expected="an element that becomes another",
            action="leave one out of it",
        )
    return SubstitutionDraws(settings, parents, elements)
