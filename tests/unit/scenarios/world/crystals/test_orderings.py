from __future__ import annotations

import numpy as np
import pytest
from pymatgen.core import Structure

from protocols.errors import SettingsError
from scenarios.settings.crystals import OrderingSettings
from scenarios.world.crystals.orderings import hermite_forms, ordering_draws
from scenarios.world.crystals.sizes import covalent_radius


@pytest.mark.parametrize(("points", "lattices"), [(1, 1), (2, 7), (3, 13), (4, 35), (5, 31), (6, 91)])
def test_the_cells_of_a_lattice_are_counted_as_in_the_literature(points: int, lattices: int) -> None:
    """Hart and Forcade (2008), table III; the sum of d² over the divisors of the points, weighted."""
    forms = hermite_forms(points)
    assert len(set(forms)) == len(forms) == lattices
    assert {round(abs(np.linalg.det(np.array(form)))) for form in forms} == {points}


@pytest.mark.parametrize("lattice", ["fcc", "bcc", "hcp", "sc", "diamond"])
def test_an_ordered_alloy_has_every_site_of_its_lattice_and_two_elements(lattice: str) -> None:
    draws = ordering_draws(
        OrderingSettings.model_validate({"lattices": [lattice], "atoms": 6}), ("Cu", "Au", "Pd"), covalent_radius
    )
    rng = np.random.default_rng(3)
    for _ in range(25):
        name, drawn = draws.draw(rng, "")
        assert name == f"{lattice} ordered"
        assert 2 <= len(drawn) <= 6
        assert 2 <= len(drawn.composition) <= 3
        # As one element it is the lattice again: one atom in its primitive cell, or two.
        pure = Structure(drawn.lattice, ["Cu"] * len(drawn), drawn.frac_coords)
        assert len(pure.get_primitive_structure()) == {"hcp": 2, "diamond": 2}.get(lattice, 1)


def test_one_element_cannot_be_ordered() -> None:
    with pytest.raises(SettingsError, match="one element to order: Cu"):
        ordering_draws(OrderingSettings(), ("Cu",), covalent_radius)
