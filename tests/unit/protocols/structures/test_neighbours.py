"""Pairs of atoms within a reach that follows the volume."""

from __future__ import annotations

import numpy as np
import pytest

from protocols.structures.neighbours import LEAST_REACH, REACH, neighbours_of, pairs_within
from protocols.structures.sites import Sites


@pytest.mark.parametrize("edge", [1.2, 4.0])
def test_all_pairs_within_reach_are_found_from_both_ends(edge: float) -> None:
    """By counting points of a cubic lattice."""
    found = neighbours_of(Sites(("Cu",), np.eye(3) * edge, np.array([[2.25, -0.5, 0.0]])), edge**3)
    assert found.reach == pytest.approx(REACH * edge)
    steps = np.arange(-4, 5)
    points = edge * np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3)
    lengths = np.linalg.norm(points, axis=1)
    expected = np.sort(lengths[(lengths > 0) & (lengths <= max(found.reach, LEAST_REACH) + 1e-9)])
    assert np.sort(found.distances) == pytest.approx(expected)
    assert np.linalg.norm(found.vectors, axis=1) == pytest.approx(found.distances)
    assert found.vectors.sum(axis=0) == pytest.approx(np.zeros(3), abs=1e-9)


def test_two_atoms_of_a_cell_are_neighbours_of_each_other() -> None:
    found = neighbours_of(Sites(("Na", "Cl"), np.eye(3) * 3.0, np.array([[0, 0, 0], [0.5, 0.5, 0.5]])), 27.0)
    mixed = found.first != found.second
    assert found.distances[mixed].min() == pytest.approx(3.0 * np.sqrt(0.75))
    assert np.bincount(found.first).tolist() == np.bincount(found.second).tolist()


def test_a_point_is_no_neighbour_of_itself_but_its_images_and_others_on_its_place_are() -> None:
    first, second, images, distances = pairs_within(np.full((2, 3), 0.7), np.eye(3) * 3.0, 3.1)
    on_place = distances < 1.0
    assert (first[on_place].tolist(), second[on_place].tolist()) == ([0, 1], [1, 0])
    assert (images[on_place] == 0).all()
    assert np.bincount(first[~on_place]).tolist() == [12, 12], "six images of itself and of the other"
    assert distances[~on_place] == pytest.approx(3.0)
