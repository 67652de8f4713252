"""A crystal is the same material in whatever format, cell, origin and order it is written."""

from __future__ import annotations

from collections import Counter

import pytest

from protocols.structures.parse import read_structure
from protocols.structures.reading import ReadStructure, StructureSettings
from tests.support.crystals import GROUPS, Crystal, crystals_of_all_systems, writings_of

CRYSTALS = 200
SLICES = 10
"""The crystals are read in as many tests, so that a fault is found soon."""

VOLUME_TOLERANCE = 1e-7
"""Of the volume per atom, relatively: what eight digits tell."""


def read(text: str) -> ReadStructure:
    """Read what can be read."""
    found = read_structure(text, StructureSettings())
    assert isinstance(found, ReadStructure), found
    return found


def volume_per_atom(found: ReadStructure) -> float:
    """Return the room of an atom [Å³]."""
    return found.crystal.volume / len(found.crystal.symbols)


@pytest.mark.parametrize("part", range(SLICES))
def test_a_crystal_is_the_same_however_it_is_written(part: int) -> None:
    for crystal in crystals_of_all_systems(CRYSTALS)[part::SLICES]:
        formula = crystal.structure.composition.reduced_formula
        room = crystal.structure.volume / len(crystal.structure)
        by_content: dict[str, list[str]] = {}
        for name, text in writings_of(crystal.structure).items():
            found = read(text)
            assert (name, found.crystal_system, found.formula) == (name, crystal.system, formula)
            assert volume_per_atom(found) == pytest.approx(room, rel=VOLUME_TOLERANCE), name
            by_content.setdefault(found.content, []).append(name)
        assert len(by_content) == 1, by_content


def test_the_crystals_are_of_all_seven_systems_and_all_different() -> None:
    made: tuple[Crystal, ...] = crystals_of_all_systems(CRYSTALS)
    assert set(Counter(each.system for each in made)) == set(GROUPS)
    assert len({read(each.structure.to(fmt="json")).content for each in made}) == CRYSTALS
