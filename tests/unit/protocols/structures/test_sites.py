"""What counts as an element, as an ordered site and as numbers."""

from __future__ import annotations

import numpy as np
import pytest

from protocols.structures.faults import StructureFault
from protocols.structures.sites import array_of, check_count, check_occupancy, element_of, fractional
from protocols.wire.limits import MAX_ATOMS


@pytest.mark.parametrize(
    ("text", "symbol", "has_state"),
    [
        ("Fe", "Fe", False),
        ("Fe3+", "Fe", True),
        ("O2-", "O", True),
        ("Fe+3", "Fe", True),
        ("Fe2.5+", "Fe", True),
        ("C1", "C", True),
    ],
)
def test_an_element_is_read_beside_its_oxidation_state(text: str, symbol: str, *, has_state: bool) -> None:
    assert element_of(text, "a CIF") == (symbol, has_state)


@pytest.mark.parametrize("text", ["X", "Xx", "FE", "fe", "OH", "Wat", "Vac", "vacancy", "", "M1", "Fe_1", "A1"])
def test_what_is_no_element_is_refused(text: str) -> None:
    with pytest.raises(StructureFault) as caught:
        element_of(text, "a CIF", 4)
    assert (caught.value.unread.reason, caught.value.unread.line) == ("an atom is no element", 4)


@pytest.mark.parametrize("text", ["D", "T", "D1+"])
def test_heavy_hydrogen_is_never_read_as_hydrogen(text: str) -> None:
    with pytest.raises(StructureFault, match="isotope"):
        element_of(text, "a CIF")


def test_a_site_is_occupied_to_three_digits_or_refused() -> None:
    check_occupancy(0.9995, "a CIF")
    for value in (0.0, 0.5, 0.99, 1.2):
        with pytest.raises(StructureFault, match="occupancy"):
            check_occupancy(value, "a CIF")


@pytest.mark.parametrize(
    "value",
    [
        None,
        "abc",
        [["0", "0", "0"]],
        [[1, 2]],
        [[1, 2, 3], [4]],
        [[np.nan, 0, 0]],
        [[10**400, 0, 0]],
        [[True, False, True]],
    ],
)
def test_what_is_no_array_of_numbers_is_refused(value: object) -> None:
    with pytest.raises(StructureFault, match="not n by 3 finite numbers"):
        array_of(value, (-1, 3), "a JSON", "coords")


def test_an_array_has_its_shape() -> None:
    assert array_of([[1, 2, 3]], (-1, 3), "a JSON", "coords").tolist() == [[1.0, 2.0, 3.0]]
    assert array_of([], (-1, 3), "a JSON", "coords").shape == (0, 3)


def test_fractions_come_from_lengths_unless_the_cell_is_flat() -> None:
    cell = np.array([[0.0, 2.0, 0.0], [4.0, 0.0, 0.0], [1.0, 0.0, 5.0]])
    assert fractional(np.array([[0.25, 0.5, 0.75]]) @ cell, cell, "a JSON") == pytest.approx(
        np.array([[0.25, 0.5, 0.75]])
    )
    with pytest.raises(StructureFault, match="volume of 0"):
        fractional(np.zeros((1, 3)), np.zeros((3, 3)), "a JSON")


@pytest.mark.parametrize(
    ("atoms", "places", "reason"),
    [
        (1, 2, "atoms and coordinates differ in number"),
        (0, 0, "has no atoms"),
        (MAX_ATOMS + 1, MAX_ATOMS + 1, "has too many atoms"),
    ],
)
def test_atoms_without_a_place_and_too_many_are_refused(atoms: int, places: int, reason: str) -> None:
    with pytest.raises(StructureFault) as caught:
        check_count(["H"] * atoms, np.zeros((places, 3)), "a CIF")
    assert caught.value.unread.reason == reason
