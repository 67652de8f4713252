"""Makes the crystals of a pool, by every generator that its settings name, and tells what became of what was drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from protocols.errors import SettingsError
from protocols.settings.suggestions import listed
from protocols.structures.formulas import FormulaError, read_formula
from scenarios.display.progress import ProgressCall
from scenarios.settings.crystals import CrystalsSettings
from scenarios.world.crystals.distortion import CRYSTAL_SYSTEMS
from scenarios.world.crystals.filling import Filling, seeds
from scenarios.world.crystals.orderings import ordering_draws
from scenarios.world.crystals.parents import Parent
from scenarios.world.crystals.prototypes import prototype_draws
from scenarios.world.crystals.random_crystals import random_draws
from scenarios.world.crystals.search import Contents, MadeCrystal, Memory, Search
from scenarios.world.crystals.sizes import Calculators, Radius, covalent_radius
from scenarios.world.crystals.substitutions import substitution_draws

MAKING: Final = "making crystals"
"""What a progress bar calls it."""


@dataclass(frozen=True, slots=True)
class MadeCrystals:
    """What was made.

    Attributes:
        crystals: Distinct ones, in the order in which they were found.
        notes: What a person should know: what could not be made, and what failed.
    """

    crystals: tuple[MadeCrystal, ...]
    notes: tuple[str, ...]


@dataclass(slots=True)
class _Making:
    """The crystals so far, of all generators."""

    families: tuple[str, ...]
    memory: Memory
    progress: ProgressCall
    total: int
    seeds: Iterator[int]
    found: list[MadeCrystal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def fill(
        self, what: str, number: int, radius: Radius, fill: Callable[[Filling], None], families: tuple[str, ...]
    ) -> None:
        """Let one generator fill a search of its own; what others have found is known."""
        search = Search({}, radius, self.memory)
        before = len(self.found)
        rng = np.random.default_rng(next(self.seeds))
        filling = Filling(
            search,
            number,
            families,
            rng,
            lambda count: self.progress(MAKING, before + count, self.total),
        )
        fill(filling)
        self.found += search.found
        if len(search.found) < number:
            why = _counted(search.refused)
            self.notes.append(f"{what}: {len(search.found)} crystals of {number} were found{why}.")


def require_possible(settings: CrystalsSettings, calculators: Calculators) -> None:
    """Check elements against what there is and what the calculators know.

    Raises:
        SettingsError: Naming the first that is wrong.
    """
    calculators.require(settings.elements, "pool.crystals.elements")
    for label, symbols in settings.sublattices.items():
        calculators.require(symbols, f"pool.crystals.sublattices.{label}")
    if settings.substitutions is not None:
        calculators.require(settings.substitutions.kept, "pool.crystals.substitutions.kept")
    for formula in settings.random.compositions if settings.random is not None else ():
        try:
            calculators.require(read_formula(formula), "pool.crystals.random.compositions")
        except FormulaError:
            continue  # said by whoever draws it


def make_crystals(
    settings: CrystalsSettings,
    seed: int,
    calculators: Calculators,
    parents: tuple[Parent, ...],
    progress: ProgressCall,
) -> MadeCrystals:
    """Return the crystals that the settings ask for; the same for the same seed.

    Args:
        settings: Which.
        seed: Another seed, other crystals.
        calculators: What they are calculated with.
        parents: What substitutions are made of; none without them.
        progress: Called as crystals are found.

    Raises:
        SettingsError: On what is not known or cannot be made, and when no crystal is found.
    """
    require_possible(settings, calculators)
    families = tuple(sorted(settings.families or CRYSTAL_SYSTEMS))
    making = _Making(families, Contents(), progress, _total(settings), seeds(seed))
    radius = calculators.radius
    # Every generator takes its seed, also where it makes nothing: one that is added changes no other's crystals.
    _of_prototypes(settings, making, radius)
    _substituted(settings, making, parents, radius)
    _ordered(settings, making, radius)
    _at_random(settings, making, radius)
    if not making.found:
        raise SettingsError(
            f"No crystal was found for the pool. {' '.join(making.notes)}",
            expected="prototypes, elements and families that go together",
            action="name more elements or prototypes, allow a strain, or leave pool.crystals.families out",
        )
    return MadeCrystals(tuple(making.found), tuple(making.notes))


def _of_prototypes(settings: CrystalsSettings, making: _Making, radius: Radius) -> None:
    if not settings.number:
        next(making.seeds)
        return
    draws = prototype_draws(settings, making.families, radius)
    reached = tuple(family for family in making.families if draws.ways[family])
    beyond = [family for family in making.families if family not in reached]
    if beyond:
        strained = "" if settings.strain else ", and pool.crystals.strain is 0"
        making.notes.append(f"No prototype leads to {listed(beyond)}{strained}.")
    making.fill("Prototypes", settings.number, radius, lambda filling: filling.evenly(draws.draw), reached)


def _substituted(settings: CrystalsSettings, making: _Making, parents: tuple[Parent, ...], radius: Radius) -> None:
    asked = settings.substitutions
    if asked is None:
        next(making.seeds)
        return
    draws = substitution_draws(asked, parents, settings.elements)
    # A bond of a parent may be shorter than what a calculator says of an element: that of ions, say.
    smaller = _smaller(radius, covalent_radius)
    making.fill("Substitutions", asked.number, smaller, lambda filling: filling.anyhow(draws.draw), making.families)


def _ordered(settings: CrystalsSettings, making: _Making, radius: Radius) -> None:
    asked = settings.orderings
    if asked is None:
        next(making.seeds)
        return
    draws = ordering_draws(asked, settings.elements, radius)
    making.fill("Ordered alloys", asked.number, radius, lambda filling: filling.anyhow(draws.draw), making.families)


def _at_random(settings: CrystalsSettings, making: _Making, radius: Radius) -> None:
    asked = settings.random
    if asked is None:
        return
    draws = random_draws(asked, settings.elements, making.families, radius)
    smaller = _smaller(radius, covalent_radius)
    making.fill(
        "Random crystals", asked.number, smaller, lambda filling: filling.at_random(draws, asked.tries), making.families
    )
    if draws.failures:
        making.notes.append(f"pyxtal failed in {draws.failures.total()} draws{_counted(draws.failures)}.")


def _smaller(one: Radius, other: Radius) -> Radius:
    return lambda symbol: min(one(symbol), other(symbol))


def _total(settings: CrystalsSettings) -> int:
    further = (settings.substitutions, settings.orderings, settings.random)
    return settings.number + sum(each.number for each in further if each is not None)


def _counted(reasons: Mapping[str, int]) -> str:
    """Say how often each reason came, the most frequent first; nothing without any."""
    told = [f"{count} × {reason}" for reason, count in Counter(reasons).most_common()]
    return f" ({'; '.join(told)})" if told else ""
