"""Symmetry operations as they are written, and whether they make a group."""

from __future__ import annotations

import numpy as np
import pytest

from protocols.structures.cif.operations import group_of, operation_of


@pytest.mark.parametrize(
    ("text", "rotation", "translation"),
    [
        ("x, y, z", ((1, 0, 0), (0, 1, 0), (0, 0, 1)), (0, 0, 0)),
        ("-x+1/2, y, z", ((-1, 0, 0), (0, 1, 0), (0, 0, 1)), (0.5, 0, 0)),
        ("1/2+X,x-Y,-z+0.333", ((1, 0, 0), (1, -1, 0), (0, 0, -1)), (0.5, 0, 1 / 3)),
        (" y , z, 1*x - 0.21", ((0, 1, 0), (0, 0, 1), (1, 0, 0)), (0, 0, -0.21)),
    ],
)
def test_an_operation_is_a_rotation_and_a_translation(text: str, rotation: object, translation: object) -> None:
    assert operation_of(text) == (rotation, translation)


@pytest.mark.parametrize(
    "text", ["x,y", "x,y,w", "x y,y,z", "x,x,z", "x,,z", "2x,y,z", "1.5x,y,z", "x+1/0,y,z", "", "x,y,z,"]
)
def test_what_is_no_operation_is_none(text: str) -> None:
    assert operation_of(text) is None


def test_operations_begin_with_the_identity_and_have_the_number_of_their_group() -> None:
    operations, number = group_of(("-x,-y,-z", "x,y,z", "x+1,y,z"))
    assert operations is not None
    assert np.array_equal(operations[0][0], np.eye(3))
    assert number == 2


@pytest.mark.parametrize(
    "texts",
    [
        ("x,y,z", "x+1/2,y+1/2,z", "x+1/2,y,z+1/2"),
        ("-x,-y,z",),
        ("x,y,z", "x+2y,y,z"),
        ("x,y,z", "x+3y,y,z"),
        ("x,y,z", "x,y,z+0.3"),
    ],
)
def test_operations_of_which_some_lack_are_no_group(texts: tuple[str, ...]) -> None:
    assert group_of(texts) == (None, 0)


def test_translations_of_unusual_cells_close_too() -> None:
    operations, number = group_of(tuple(f"x+{part}/5,y,z" for part in range(5)))
    assert operations is not None
    assert number == 1
