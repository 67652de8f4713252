"""A CIF holds what its formula and its Z say."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from protocols.structures.cif.formula import check_formula, formula_sum
from protocols.structures.cif.text import Block, blocks_of
from protocols.structures.faults import StructureFault


def block_of(formula: str, z: str = "?") -> Block:
    """Return a block that states its formula in line 2, and Z in line 3."""
    (block,) = blocks_of(f"data_x\n_chemical_formula_sum '{formula}'\n_cell_formula_units_Z {z}\n")
    return block


def check(formula: str, z: str, held: Mapping[str, int]) -> None:
    """Compare a formula with what a cell holds."""
    block = block_of(formula, z)
    stated = formula_sum(block)
    assert stated is not None
    assert stated.amounts is not None
    check_formula(block, stated.value, stated.amounts, [symbol for symbol in held for _ in range(held[symbol])])


@pytest.mark.parametrize(
    ("formula", "amounts"),
    [
        ("Na4 Cl4", {"Na": 4, "Cl": 4}),
        ("Na4Cl4", {"Na": 4, "Cl": 4}),
        ("(Na Cl)", {"Na": 1, "Cl": 1}),
        ("Al0.5 O .5", None),
        ("Al.5 O1.50", {"Al": 0.5, "O": 1.5}),
        ("NA4 CL4", None),
        ("(Na Cl)4", None),
        ("rock salt", None),
        ("Na0", None),
    ],
)
def test_amounts_are_read_or_not_at_all(formula: str, amounts: Mapping[str, float] | None) -> None:
    found = formula_sum(block_of(formula))
    assert found is not None
    assert found.amounts == amounts


def test_a_formula_that_is_unknown_is_none() -> None:
    assert formula_sum(block_of("?")) is None


def test_heavy_hydrogen_in_a_formula_is_refused() -> None:
    with pytest.raises(StructureFault, match="isotope D"):
        formula_sum(block_of("D2 O"))


@pytest.mark.parametrize(
    ("formula", "z", "held"),
    [
        ("Na Cl", "4", {"Na": 4, "Cl": 4}),
        ("Na Cl", "4(0)", {"Na": 4, "Cl": 4}),
        ("Na Cl", "?", {"Na": 4, "Cl": 4}),
        ("Na4 Cl4", "4", {"Na": 4, "Cl": 4}),
        ("Na4 Cl4", "1", {"Na": 4, "Cl": 4}),
        ("O1", "0", {"O": 1}),
        ("O5", "2", {"O": 5}),
        ("Al0.67 O1", "?", {"Al": 2, "O": 3}),
        ("Al0.67 O1", "3", {"Al": 2, "O": 3}),
    ],
)
def test_a_cell_of_whole_formulas_is_right(formula: str, z: str, held: Mapping[str, int]) -> None:
    check(formula, z, held)


@pytest.mark.parametrize(
    ("formula", "z", "held", "reason", "line"),
    [
        ("Na4 Cl4", "?", {"Na": 1, "Cl": 1}, "the cell does not hold the formula", 2),
        ("Na4 Cl4", "4", {"Na": 1, "Cl": 1}, "the cell does not hold the formula", 2),
        ("Na2 Cl2", "?", {"Na": 3, "Cl": 3}, "the cell does not hold the formula", 2),
        ("Na2 Cl", "?", {"Na": 4, "Cl": 4}, "the cell does not hold the formula", 2),
        ("C200 H399", "?", {"C": 200, "H": 400}, "the cell does not hold the formula", 2),
        ("Al0.67 O1", "?", {"Al": 3, "O": 3}, "the cell does not hold the formula", 2),
        ("Sr Ti O3", "?", {"Sr": 1, "Ti": 1}, "elements of the formula have no site", 2),
        ("Sr Ti", "?", {"Sr": 1, "Ti": 1, "O": 3}, "sites of elements that the formula lacks", 2),
        ("Na Cl", "2", {"Na": 4, "Cl": 4}, "Z contradicts the cell", 3),
        ("Na Cl", "4", {"Na": 1, "Cl": 1}, "Z contradicts the cell", 3),
        ("Cu", "4", {"Cu": 1}, "Z contradicts the cell", 3),
        ("Na4 Cl4", "3", {"Na": 4, "Cl": 4}, "Z contradicts the cell", 3),
        ("Na4 Cl4", "four", {"Na": 4, "Cl": 4}, "coordinates or cell are no numbers", 3),
    ],
)
def test_a_cell_that_holds_something_else_is_refused(
    formula: str, z: str, held: Mapping[str, int], reason: str, line: int
) -> None:
    with pytest.raises(StructureFault) as caught:
        check(formula, z, held)
    assert (caught.value.unread.reason, caught.value.unread.line) == (reason, line)
