"""What a candidate is made of: whatever its structure or its formula says, and nothing where neither does."""

from __future__ import annotations

from agent.pool.candidates import Candidate
from agent.pool.elements import elements_of
from protocols.wire.structure import CrystalStructure

NICKEL = CrystalStructure(
    cell=((3.0, 0.0, 0.0), (0.0, 3.0, 0.0), (0.0, 0.0, 3.0)), symbols=("Ni",), scaled_positions=((0.0, 0.0, 0.0),)
)


def test_the_elements_are_those_of_the_structure_and_of_the_formula() -> None:
    assert elements_of(Candidate("x", "f", "CuAu3", NICKEL)) == {"Cu", "Au", "Ni"}
    assert elements_of(Candidate("x", "f", "CuAu3")) == {"Cu", "Au"}
    assert elements_of(Candidate("x", "f", "", NICKEL)) == {"Ni"}


def test_a_name_that_is_no_formula_says_nothing() -> None:
    assert elements_of(Candidate("x", "f", "sample 7", NICKEL)) == {"Ni"}
    assert elements_of(Candidate("x", "f", "sample 7")) is None
    assert elements_of(Candidate("x", "f")) is None
