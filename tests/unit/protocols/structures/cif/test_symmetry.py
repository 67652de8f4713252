"""The symmetry that a CIF states, and what contradicts it."""

from __future__ import annotations

import numpy as np
import pytest

from protocols.structures.cif.asymmetric import block_with_atoms, cell_of
from protocols.structures.cif.symmetry import MAX_OPERATIONS, Symmetry, symmetry_of
from tests.support.samples.cif_texts import ROCK_SALT, cif_text, fault_of

P1 = "loop_\n_symmetry_equiv_pos_as_xyz\n'x, y, z'\n"


def symmetry(text: str) -> Symmetry:
    """Return the symmetry of a CIF."""
    block = block_with_atoms(text)
    return symmetry_of(block, cell_of(block))


@pytest.mark.parametrize(
    ("extra", "operations"),
    [
        (ROCK_SALT, [192]),
        ("_space_group_name_Hall '-F 4 2 3'\n", [192]),
        ("_symmetry_space_group_name_H-M ?\n_symmetry_Int_Tables_number 225\n", [192]),
        ("_symmetry_space_group_name_H-M 'F d -3 m'\n", [192, 192]),
        (P1, [1]),
        ("_space_group_symop.operation_xyz 'x,y,z'\n", [1]),
        (P1.replace("loop_", "_space_group_IT_number 0\nloop_"), [1]),
        (P1.replace("loop_", "_space_group_IT_number 1\n_symmetry_space_group_name_H-M 'P 1'\nloop_"), [1]),
        (P1.replace("loop_", "_symmetry_space_group_name_H-M 'of my own'\nloop_"), [1]),
    ],
)
def test_operations_symbol_and_number_say_the_symmetry(extra: str, operations: list[int]) -> None:
    found = symmetry(cif_text(extra))
    assert [len(rotations) for rotations, _ in found.choices] == operations
    assert found.stated


def test_a_cif_that_says_nothing_of_its_symmetry_is_told() -> None:
    found = symmetry(cif_text())
    assert (found.stated, found.line) == (False, 0)
    assert np.array_equal(found.choices[0][0], np.eye(3)[None])


def test_the_axes_of_a_rhombohedral_group_follow_from_the_cell() -> None:
    hexagonal = cif_text("_symmetry_space_group_name_H-M 'R -3 m'\n", lengths=(4, 4, 11), angles=(90, 90, 120))
    rhombohedral = cif_text("_symmetry_space_group_name_H-M 'R -3 m'\n", angles=(57, 57, 57))
    assert [len(symmetry(text).choices[0][0]) for text in (hexagonal, rhombohedral)] == [36, 12]


@pytest.mark.parametrize(
    ("extra", "reason", "line"),
    [
        ("_symmetry_space_group_name_H-M 'F m 3 m (origin shifted)'\n", "the group is unknown", 8),
        ("_symmetry_Int_Tables_number 231\n", "the group is unknown", 8),
        (ROCK_SALT + "_space_group_IT_number 221\n", "symbol and number of the group contradict each other", 8),
        ("_space_group_IT_number 225\n" + P1, "group and symmetry operations contradict each other", 8),
        (P1 + ROCK_SALT, "group and symmetry operations contradict each other", 11),
        (P1 + "'x+1/2, y, w'\n", "symmetry operations cannot be read", 11),
        (P1 + "'x+1/2, y, z'\n'x, y+1/2, z'\n", "symmetry operations cannot be read", 9),
        (P1 + "'x, y, z'\n" * MAX_OPERATIONS, "symmetry operations cannot be read", 10),
        ("_space_group_symop_magn_operation_xyz 'x,y,z,+1'\n", "the structure is magnetic or modulated", 8),
        ("_cell_modulation_dimension 1\n", "the structure is magnetic or modulated", 8),
    ],
)
def test_what_contradicts_itself_is_refused_with_its_line(extra: str, reason: str, line: int) -> None:
    found = fault_of(symmetry, cif_text(extra))
    assert (found.reason, found.line) == (reason, line)


@pytest.mark.parametrize(
    ("group", "lengths", "angles"),
    [
        ("F m -3 m", (5.64, 5.65, 5.64), (90, 90, 90)),
        ("F m -3 m", (5.64, 5.64, 5.64), (90, 90, 90.5)),
        ("P 63/m m c", (3.2, 3.2, 5.2), (90, 90, 90)),
        ("P n m a", (5, 6, 7), (90, 91, 90)),
    ],
)
def test_a_cell_that_lacks_the_symmetry_of_its_group_is_refused(
    group: str, lengths: tuple[float, ...], angles: tuple[float, ...]
) -> None:
    found = fault_of(symmetry, cif_text(f"_symmetry_space_group_name_H-M '{group}'\n", lengths=lengths, angles=angles))
    assert (found.reason, found.line) == ("cell and symmetry contradict each other", 8)
