"""The identity of a crystal: what changes it, and what does not."""

from __future__ import annotations

import numpy as np
import pytest

from protocols.structures.identity import STEP, VOLUME_STEP, content_of, formula_of, invariants_of
from protocols.structures.neighbours import neighbours_of
from protocols.structures.sites import Sites

CELL = np.array([[5.1, 0.0, 0.2], [-1.0, 6.3, 0.0], [0.4, 1.1, 7.7]])
PLACES = np.array([[0.11, 0.22, 0.33], [0.61, 0.42, 0.13], [0.31, 0.82, 0.73], [0.87, 0.05, 0.59]])
CRYSTAL = Sites(("Ti", "O", "O", "Fe"), CELL, PLACES)
CUBIC = Sites(("Cu",), np.eye(3) * 3.0, np.zeros((1, 3)))


def content(sites: Sites) -> str:
    """Return the identity of a crystal."""
    volume = abs(float(np.linalg.det(sites.cell)))
    return content_of(sites, volume, neighbours_of(sites, volume))


def numbers(sites: Sites) -> np.ndarray:
    """Return what the identity is made of."""
    volume = abs(float(np.linalg.det(sites.cell)))
    return np.array(invariants_of(sites, volume, neighbours_of(sites, volume)))


def strained(sites: Sites, strain: np.ndarray) -> Sites:
    """Return a crystal under a strain."""
    return Sites(sites.symbols, sites.cell @ (np.eye(3) + strain), sites.positions)


def test_a_cell_an_origin_an_order_and_a_turn_change_nothing() -> None:
    rng = np.random.default_rng(5)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    change = np.array([[1, 1, 0], [0, 2, 1], [1, 0, 1]])  # three cells, or minus that: the determinant is 3
    cell = change @ CELL @ turn
    shifts = [np.array([i, j, k]) for i in range(-3, 4) for j in range(-3, 4) for k in range(-3, 4)]
    images = [
        ((place + shift) @ np.linalg.inv(change), symbol)
        for place, symbol in zip(PLACES, CRYSTAL.symbols, strict=True)
        for shift in shifts
    ]
    inside = [(place, symbol) for place, symbol in images if (place > -1e-9).all() and (place < 1 - 1e-9).all()]
    assert len(inside) == 12
    order = rng.permutation(len(inside))
    places = np.array([inside[i][0] for i in order]) + rng.uniform(size=3)
    larger = Sites(tuple(inside[i][1] for i in order), cell, places)
    assert numbers(larger) == pytest.approx(numbers(CRYSTAL), abs=1e-12)
    assert content(larger) == content(CRYSTAL)


def test_eight_digits_move_the_numbers_by_far_less_than_a_step() -> None:
    rounded = Sites(CRYSTAL.symbols, CELL.round(8), (PLACES + 0.123456789123).round(8))
    moved = np.abs(numbers(rounded) - numbers(Sites(CRYSTAL.symbols, CELL, PLACES + 0.123456789123)))
    assert (moved < np.array([VOLUME_STEP, STEP]) / 1000).all()


@pytest.mark.parametrize("axis", range(3))
def test_a_strain_of_a_thousandth_is_another_crystal(axis: int) -> None:
    strain = np.zeros((3, 3))
    strain[axis, axis] = 1e-3
    assert content(strained(CRYSTAL, strain)) != content(CRYSTAL)
    assert content(strained(CUBIC, strain)) != content(CUBIC)


def test_a_strain_that_keeps_the_volume_of_a_cubic_crystal_is_seen_in_first_order() -> None:
    halves = [
        np.abs(numbers(strained(CUBIC, np.diag([2, -1, -1]) * size)) - numbers(CUBIC))[1] for size in (1e-3, 2e-3)
    ]
    assert halves[0] > STEP
    assert halves[1] / halves[0] == pytest.approx(2.0, rel=0.1)


def test_exchanged_elements_and_other_elements_are_another_crystal() -> None:
    exchanged = Sites(("O", "Ti", "O", "Fe"), CELL, PLACES)
    assert content(exchanged) != content(CRYSTAL)
    assert content(Sites(("Ti", "S", "S", "Fe"), CELL, PLACES)) != content(CRYSTAL)


def test_a_mirror_image_is_the_same_material() -> None:
    assert content(Sites(CRYSTAL.symbols, CELL * [1, 1, -1], PLACES)) == content(CRYSTAL)


def test_formulas_are_reduced_as_pymatgen_writes_them() -> None:
    assert formula_of(["O", "Ti", "O", "Ti", "O", "O"]) == "TiO2"
    assert formula_of(["O"]) == "O2"
