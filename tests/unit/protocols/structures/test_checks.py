"""What every structure must be: not flat, not squeezed, no two atoms on one place."""

from __future__ import annotations

import numpy as np
import pytest

from protocols.structures.checks import check_cell, check_distances
from protocols.structures.faults import StructureFault
from protocols.structures.neighbours import neighbours_of
from protocols.structures.sites import Sites


def pair(first: str, second: str, distance: float, edge: float = 10.0) -> Sites:
    """Two atoms at a distance [Å] in a cubic cell."""
    cell = np.eye(3) * edge
    return Sites((first, second), cell, np.array([[0.95, 0, 0], [0.95 + distance / edge, 0, 0]]), lines=(7, 8))


def check(sites: Sites) -> None:
    """Check the distances of a structure."""
    check_distances(sites, neighbours_of(sites, check_cell(sites, "a CIF")), "a CIF")


@pytest.mark.parametrize(
    ("first", "second", "distance"),
    [("H", "H", 0.74), ("H", "O", 0.95), ("N", "N", 1.1), ("C", "O", 1.13), ("Cu", "Cu", 1.4), ("Cs", "O", 1.6)],
)
def test_bonds_are_no_overlap(first: str, second: str, distance: float) -> None:
    check(pair(first, second, distance))


@pytest.mark.parametrize(
    ("first", "second", "distance"),
    [("Cu", "Cu", 0.004), ("H", "H", 0.4), ("Cu", "Cu", 1.2), ("Cs", "O", 1.5), ("Na", "Na", 0.0)],
)
def test_atoms_that_are_too_close_are_refused_with_their_line(first: str, second: str, distance: float) -> None:
    with pytest.raises(StructureFault) as caught:
        check(pair(first, second, distance))
    assert caught.value.unread.reason == "atoms are too close"
    assert caught.value.unread.line in {7, 8}


def test_an_atom_that_is_too_close_to_its_own_image_is_refused() -> None:
    with pytest.raises(StructureFault, match=r"Cu and Cu 1\.1 Å apart"):
        check(Sites(("Cu",), np.diag([1.1, 9.0, 9.0]), np.zeros((1, 3))))


@pytest.mark.parametrize(
    ("cell", "atoms", "reason"),
    [
        (np.diag([3.0, 3.0, 0.0]), 1, "the cell is flat"),
        (np.diag([3.0, 3.0, 1001.0]), 1, "the cell is too long"),
        (np.eye(3) * 0.9, 1, "the cell is too small for its atoms"),
        (np.eye(3) * 2.0, 9, "the cell is too small for its atoms"),
    ],
)
def test_a_cell_without_room_is_refused(cell: np.ndarray, atoms: int, reason: str) -> None:
    with pytest.raises(StructureFault) as caught:
        check_cell(Sites(("H",) * atoms, cell, np.zeros((atoms, 3))), "a CIF")
    assert caught.value.unread.reason == reason


def test_a_left_handed_cell_has_its_volume() -> None:
    assert check_cell(Sites(("H",), np.diag([2.0, 3.0, -4.0]), np.zeros((1, 3))), "a CIF") == pytest.approx(24.0)
