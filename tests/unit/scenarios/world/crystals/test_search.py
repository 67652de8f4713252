from __future__ import annotations

from pymatgen.core import Lattice, Structure

from scenarios.world.crystals.search import KNOWN_ALREADY, NOT_WANTED, TOO_CLOSE, Contents, Search
from scenarios.world.crystals.sizes import covalent_radius

CUBIC = Structure(Lattice.cubic(4.12), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])


def search() -> Search:
    return Search({"cubic": 2}, covalent_radius, Contents())


def test_one_material_is_kept_once_however_it_is_written() -> None:
    found = search()
    larger = CUBIC.copy()
    larger.make_supercell([[1, 1, 0], [0, 1, 0], [0, 0, 2]])
    larger.translate_sites(range(len(larger)), [0.1, 0.2, 0.3])
    assert found.offer("B2", CUBIC)
    assert not found.offer("B2", larger)
    assert found.refused == {KNOWN_ALREADY: 1}


def test_a_memory_is_shared_between_searches() -> None:
    first = search()
    first.offer("B2", CUBIC)
    second = Search({"cubic": 2}, covalent_radius, first.memory)
    assert not second.offer("B2", CUBIC)


def test_what_is_too_close_or_of_another_family_is_refused_with_the_reason() -> None:
    found = search()
    close = CUBIC.copy()
    close.scale_lattice(CUBIC.volume * 0.3)
    flat = Structure(Lattice.tetragonal(4.0, 5.0), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    assert not found.offer("B2", close)
    assert not found.offer("B2", flat)
    assert found.refused == {TOO_CLOSE: 1, NOT_WANTED: 1}
    assert found.found == []
