"""A crystal is the same material in whatever format, cell, origin and order it is written."""

from __future__ import annotations

import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocols.structures.parse import read_structure
from protocols.structures.reading import ReadStructure, StructureSettings, UnreadStructure
from tests.support.samples.crystals import GROUPS, Crystal, crystals_of_all_systems, symmetrised, writings_of

CRYSTALS = 200
SLICES = 10
"""The crystals are read in as many tests, so that a fault is found soon."""

HARMED = 6
"""Crystals of a slice whose CIF is harmed."""

CIFS = Path(__file__).parents[2] / "../shared/data/mp3dsc/cifs.tar.gz"

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


def harmed(text: str) -> Iterator[tuple[str, str]]:
    """Yield a symmetrised CIF of pymatgen's with something of it left out or changed, and what that is."""
    lines = text.splitlines()
    operations = [at for at, line in enumerate(lines) if "'" in line and "x" in line and line.lstrip()[:1].isdigit()]
    sites = range(lines.index(" _atom_site_occupancy") + 1, len(lines))
    group = [at for at, line in enumerate(lines) if line.startswith(("_symmetry_space_group", "_symmetry_Int"))]
    loop = range(operations[0] - 3, operations[-1] + 1)

    def without(*gone: int) -> str:
        return "\n".join(line for at, line in enumerate(lines) if at not in gone) + "\n"

    yield "no symmetry", without(*group, *loop)
    yield (
        "a group without a name",
        without(*loop).replace(lines[group[0]], "_symmetry_space_group_name_H-M 'of my own'"),
    )
    yield "an operation lacks", without(operations[-1])
    yield "a site lacks", without(sites[-1])
    yield "a site twice", without() + lines[sites[-1]]
    yield "another Z", without().replace("_cell_formula_units_Z   ", "_cell_formula_units_Z   1")
    yield "another edge", without().replace("_cell_length_a   ", "_cell_length_a   1")


@pytest.mark.parametrize("part", range(SLICES))
def test_a_cif_that_lost_something_is_refused_or_still_the_same(part: int) -> None:
    for crystal in crystals_of_all_systems(CRYSTALS)[part::SLICES][:HARMED]:
        text = symmetrised(crystal.structure)
        content = read(text).content
        for what, changed in harmed(text):
            assert changed != text, what
            found = read_structure(changed, StructureSettings(with_symmetry=False))
            assert isinstance(found, UnreadStructure) or found.content == content, (what, changed)


@pytest.mark.skipif(not CIFS.is_file(), reason="needs the CIFs of ../shared/data/mp3dsc")
def test_real_cifs_are_read_without_a_note_and_none_is_taken_for_another() -> None:
    """One of nine, for time; `tests/system/processes/test_structure_reader_on_known_crystals.py` has them all."""
    with tarfile.open(CIFS) as archive:
        members = [member for member in archive if member.isfile()][::9]
        texts = [stream.read().decode() for member in members if (stream := archive.extractfile(member)) is not None]
    found = [read(text) for text in texts]
    assert [each.converted for each in found if each.converted] == []
    assert len({(each.formula, each.content) for each in found}) == len(texts) > 500


def test_the_crystals_are_of_all_seven_systems_and_all_different() -> None:
    made: tuple[Crystal, ...] = crystals_of_all_systems(CRYSTALS)
    assert set(Counter(each.system for each in made)) == set(GROUPS)
    assert len({read(each.structure.to(fmt="json")).content for each in made}) == CRYSTALS
