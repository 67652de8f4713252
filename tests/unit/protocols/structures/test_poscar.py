"""A POSCAR of VASP 5 is read, and what it leaves open is refused."""

from __future__ import annotations

import numpy as np
import pytest

from protocols.structures.faults import StructureFault
from protocols.structures.poscar import read_poscar

SALT = "NaCl\n1.0\n5.64 0 0\n0 5.64 0\n0 0 5.64\nNa Cl\n1 1\nDirect\n0 0 0\n0.5 0.5 0.25\n"


@pytest.mark.parametrize(
    "text",
    [
        SALT,
        SALT.replace("1.0", "2.0").replace("5.64", "2.82"),
        SALT.replace("1.0", f"-{5.64**3}").replace("5.64", "1.0"),
        SALT.replace("1.0", "1 2 3").replace("0 5.64 0", "0 2.82 0").replace("0 0 5.64", "0 0 1.88"),
        SALT.replace("Direct", "Selective dynamics\nDirect")
        .replace("0 0 0\n", "0 0 0 T F T\n")
        .replace("0.25", "0.25 F F F"),
        SALT.replace("Direct", "Cartesian").replace("0.5 0.5 0.25", "2.82 2.82 1.41"),
        SALT.replace("Direct", "kartesisch")
        .replace("0.5 0.5 0.25", "1.41 1.41 .705")
        .replace("1.0", "2")
        .replace("5.64", "2.82"),
        SALT.replace("Na Cl", "Na_pv Cl/3fa8"),
        SALT.replace("0.25", "0.25 Cl"),
        SALT.replace("0.5 ", "5.0d-1 "),
        SALT + "\n0.1 0.2 0.3\n0 0 0\n",
        SALT.rstrip(),
    ],
)
def test_one_crystal_in_all_ways_that_vasp_knows(text: str) -> None:
    found = read_poscar(text)
    assert found.symbols == ("Na", "Cl")
    assert found.cell == pytest.approx(np.eye(3) * 5.64)
    assert found.positions == pytest.approx(np.array([[0, 0, 0], [0.5, 0.5, 0.25]]))
    assert found.lines in {(9, 10), (10, 11)}


@pytest.mark.parametrize(
    ("text", "reason", "line"),
    [
        (SALT.replace("Na Cl\n", ""), "the elements are not named", 6),
        (SALT.replace("Na Cl", "D Cl"), "holds heavy hydrogen", 6),
        (SALT.replace("Na Cl", "A B"), "an atom is no element", 6),
        (SALT.replace("1 1", "1"), "atoms and coordinates differ in number", 7),
        (SALT.replace("1 1", "1 x"), "atoms and coordinates differ in number", 7),
        (SALT.replace("Na Cl\n1 1", "\n"), "atoms and coordinates differ in number", 7),
        (SALT.replace("1 1", "1 2"), "coordinates or cell are no numbers", 11),
        (SALT.replace("1 1", "1 99"), "coordinates are missing", 0),
        (SALT.replace("1 1", "0 0"), "has no atoms", 0),
        (SALT.replace("1 1", f"1 {10**15}"), "has too many atoms", 0),
        (SALT + "0.1 0.2 0.3\n", "atoms and coordinates differ in number", 11),
        (SALT.replace("Direct\n", ""), "the kind of coordinates is not told", 8),
        (SALT + "Direct configuration=  2\n0 0 0\n0 0 0.1\n", "several structures in one cell", 0),
        (SALT.replace("0.25", "nan"), "coordinates or cell are no numbers", 10),
        (SALT.replace("0.5 0.5 0.25", "0.5 0.5"), "coordinates or cell are no numbers", 10),
        (SALT.replace("0.25", "0.25 Br"), "an element contradicts line 6", 10),
        (SALT.replace("1.0", "0.0"), "the scale is no length", 2),
        (SALT.replace("1.0", "1 1 -1"), "the scale is no length", 2),
        (SALT.replace("Direct", "Cartesian").replace("5.64", "0"), "the cell is flat", 0),
    ],
)
def test_what_is_left_open_or_contradicts_itself_is_refused(text: str, reason: str, line: int) -> None:
    with pytest.raises(StructureFault) as caught:
        read_poscar(text)
    assert (caught.value.unread.reason, caught.value.unread.line) == (reason, line)
