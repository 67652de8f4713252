"""One frame of extended xyz is read where it says that it is a crystal."""

from __future__ import annotations

import numpy as np
import pytest

from protocols.structures.extxyz import PERIODIC_BY_RULE, read_extxyz
from protocols.structures.faults import StructureFault
from protocols.structures.sites import OXIDATION_STRIPPED

SALT = (
    '2\nLattice="5.64 0 0 0 5.64 0 0 0 5.64" Properties=species:S:1:pos:R:3 energy=-1.5 pbc="T T T"\n'
    "Na 0 0 0\nCl 2.82 2.82 1.41\n"
)


@pytest.mark.parametrize(
    ("text", "notes"),
    [
        (SALT, ()),
        (SALT.replace(' pbc="T T T"', ""), (PERIODIC_BY_RULE,)),
        (SALT.replace("Properties=species:S:1:pos:R:3 ", ""), ()),
        (SALT.replace("Cl 2", "Cl1- 2"), (OXIDATION_STRIPPED,)),
        (
            SALT.replace("species:S:1:pos:R:3", "pos:R:3:species:S:1")
            .replace("Na 0 0 0", "0 0 0 Na")
            .replace("Cl 2.82 2.82 1.41", "2.82 2.82 1.41 Cl"),
            (),
        ),
        (
            SALT.replace("pos:R:3", "id:I:1:pos:R:3:forces:R:3")
            .replace("Na", "Na 1")
            .replace("Cl", "Cl 2")
            .replace("0 0 0\nCl", "0 0 0 1 1 1\nCl")
            .replace("1.41\n", "1.41 0 0 0\n"),
            (),
        ),
        (SALT.replace('"', "'").replace("pbc='T T T'", "pbc=[True,True,True]"), ()),
    ],
)
def test_a_frame_is_read_by_its_columns(text: str, notes: tuple[str, ...]) -> None:
    found = read_extxyz(text)
    assert (found.symbols, found.notes, found.lines) == (("Na", "Cl"), notes, (3, 4))
    assert found.cell == pytest.approx(np.eye(3) * 5.64)
    assert found.positions == pytest.approx(np.array([[0, 0, 0], [0.5, 0.5, 0.25]]))


@pytest.mark.parametrize(
    ("text", "reason", "line"),
    [
        (SALT + SALT, "atoms and coordinates differ in number", 1),
        (SALT.replace("Na 0 0 0\n", ""), "atoms and coordinates differ in number", 1),
        (SALT.replace("T T T", "T T F"), "is not periodic in three directions", 2),
        (SALT.replace("5.64 0 0 0 5", "5.64 0 0 5"), "coordinates or cell are no numbers", 0),
        (SALT.replace("5.64 0 0 0 5", "a 0 0 0 5"), "coordinates or cell are no numbers", 2),
        (SALT.replace("species:S:1", "mass:R:1"), "columns are not told", 2),
        (SALT.replace("2.82 2.82 1.41", "2.82 2.82"), "coordinates are missing", 4),
        (SALT.replace("2.82 2.82 1.41", "2.82 2.82 x"), "coordinates or cell are no numbers", 4),
        (SALT.replace("2.82 2.82 1.41", "2.82 2.82 inf"), "coordinates or cell are no numbers", 0),
        (SALT.replace("Cl", "X"), "an atom is no element", 4),
        (SALT.replace("5.64", "0.0"), "the cell is flat", 0),
    ],
)
def test_what_is_no_crystal_is_refused(text: str, reason: str, line: int) -> None:
    with pytest.raises(StructureFault) as caught:
        read_extxyz(text)
    assert (caught.value.unread.reason, caught.value.unread.line) == (reason, line)


def test_a_frame_without_atoms_has_none() -> None:
    assert read_extxyz(SALT.replace("2\n", "0\n", 1).split("\nNa")[0]).symbols == ()
