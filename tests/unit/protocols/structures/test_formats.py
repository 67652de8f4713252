"""A format is told by what the text holds; what may be two is refused."""

from __future__ import annotations

import pytest

from protocols.structures.faults import StructureFault
from protocols.structures.formats import (
    ASE_JSON,
    CIF,
    EXTXYZ,
    JARVIS_JSON,
    OPTIMADE_JSON,
    OWN_JSON,
    POSCAR,
    PYMATGEN_JSON,
    STRUCTURE_FORMATS,
    format_of_object,
    format_of_text,
    name_of,
)
from protocols.structures.objects import OBJECT_READERS
from protocols.structures.parse import TEXT_READERS

CELL = "1 0 0\n0 1 0\n0 0 1\n"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("# by hand\n\n DATA_x\n_a 1\n", CIF),
        ("any words\n-1.5e0\n" + CELL + "Na\n", POSCAR),
        ("\n1 1 1\n" + CELL + "Na\n", POSCAR),
        ("data_x\n1.0\n" + CELL + "Na_pv\n", POSCAR),
        ('1\nLattice="1 0 0"\n', EXTXYZ),
    ],
)
def test_a_text_is_told_by_its_beginning(text: str, kind: str) -> None:
    assert format_of_text(text) == kind


@pytest.mark.parametrize(
    ("keys", "kind"),
    [
        ("cell symbols scaled_positions", OWN_JSON),
        ("@module lattice sites", PYMATGEN_JSON),
        ("numbers positions cell pbc", ASE_JSON),
        ("1 ids nextid", ASE_JSON),
        ("numbers positions cell ids nextid", ASE_JSON),
        ("lattice_mat coords elements cartesian", JARVIS_JSON),
        ("lattice_vectors cartesian_site_positions species_at_sites", OPTIMADE_JSON),
    ],
)
def test_an_object_is_told_by_its_keys(keys: str, kind: str) -> None:
    content = dict.fromkeys(keys.split())
    assert format_of_object(content) == kind
    if kind == OPTIMADE_JSON:
        assert format_of_object({"id": 1, "attributes": content}) == kind


@pytest.mark.parametrize("text", ["", "words", "/etc/passwd", "2\nno lattice\nNa 0 0 0\n", "s\n1.0\n1 0 0\n0 1 0\n"])
def test_a_text_of_no_format_is_refused(text: str) -> None:
    with pytest.raises(StructureFault) as caught:
        format_of_text(text)
    assert caught.value.unread.reason == "the format is not told"
    assert POSCAR in caught.value.unread.expected


@pytest.mark.parametrize("item", ["_cell_length_a 1", "  _symmetry", "loop_", "1 LOOP_ _a"])
def test_a_poscar_with_items_of_a_cif_is_refused(item: str) -> None:
    with pytest.raises(StructureFault, match="CIF or POSCAR"):
        format_of_text(f"data_x\n1.0\n{CELL}{item}\n")


def test_what_may_be_two_formats_is_refused() -> None:
    with pytest.raises(StructureFault, match="pymatgen JSON or JARVIS atoms"):
        format_of_object(dict.fromkeys(["lattice", "sites", "lattice_mat", "coords", "elements"]))
    with pytest.raises(StructureFault, match="none"):
        format_of_object({})


def test_every_format_has_a_reader_and_a_name() -> None:
    assert set(STRUCTURE_FORMATS) == {OWN_JSON, *TEXT_READERS, *OBJECT_READERS}
    assert [name_of(CIF), name_of(ASE_JSON)] == ["a CIF", "a structure (ASE JSON)"]
