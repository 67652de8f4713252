from __future__ import annotations

import numpy as np
import pytest

from protocols.errors import SettingsError
from scenarios.settings.derived import scenario_of
from scenarios.world.crystal_prototypes import Prototype
from scenarios.world.crystals.prototypes import prototype_named
from scenarios.world.crystals.sizes import (
    Calculators,
    bond_radius,
    closest_contact,
    covalent_radius,
    volume_at_contact,
)
from simulators.calculators.catalogue import choose_calculator


def edge_at_contact(prototype: Prototype, symbols: list[str]) -> float:
    """Edge of the cubic cell at which the closest atoms touch by covalent radii [Å]."""
    cell = prototype.cell()
    volume = volume_at_contact(cell, symbols, prototype.positions(), covalent_radius)
    return float((volume / abs(np.linalg.det(cell))) ** (1.0 / 3.0))


@pytest.mark.parametrize(
    ("name", "symbols", "measured"),
    [
        ("diamond", ["Si", "Si"], 5.431),
        ("rocksalt", ["Na", "Cl"], 5.640),
        ("zincblende", ["Ga", "As"], 5.653),
        ("fcc", ["Cu"], 3.615),
        ("CsCl", ["Cs", "Cl"], 4.123),
    ],
)
def test_by_covalent_radii_a_crystal_starts_within_a_fifth_of_its_measured_edge(
    name: str, symbols: list[str], measured: float
) -> None:
    assert edge_at_contact(prototype_named(name), symbols) == pytest.approx(measured, rel=0.2)


def test_at_contact_the_closest_atoms_touch_whatever_size_the_cell_came_in() -> None:
    prototype = prototype_named("wurtzite")
    symbols = ["Zn", "Zn", "S", "S"]
    for scale in (0.5, 1.0, 20.0):
        cell = scale * prototype.cell()
        volume = volume_at_contact(cell, symbols, prototype.positions(), covalent_radius)
        cell *= (volume / abs(np.linalg.det(cell))) ** (1.0 / 3.0)
        assert closest_contact(cell, symbols, prototype.positions(), covalent_radius) == pytest.approx(1.0)


def test_a_calculator_says_how_long_its_bonds_are() -> None:
    radius = bond_radius(choose_calculator("lennard_jones", {"sigma": 3.4}))
    assert radius("Ar") == pytest.approx(0.5 * 2.0 ** (1.0 / 6.0) * 3.4)
    assert bond_radius(choose_calculator("emt"))("Cu") == pytest.approx(3.61 / 8.0**0.5)


@pytest.mark.parametrize(
    ("symbol", "says"),
    [
        ("Coo", "no element 'Coo'.*Did you mean 'Co'|no element 'Coo'.*did you mean 'Co'"),
        ("Fe", "'emt' does not know the element 'Fe'.*Ag, Al, Au, Cu, Ni, Pd, Pt"),
    ],
)
def test_an_element_that_does_not_exist_or_that_the_calculator_lacks_is_refused(symbol: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        Calculators((choose_calculator("emt"),)).require(["Cu", symbol], "pool.crystals.elements")


def test_without_a_calculator_of_the_list_atoms_have_covalent_radii() -> None:
    values = {
        "name": "own",
        "pool": {"source": "crystals", "crystals": {"elements": ["Fe"]}},
        "campaign": {"property": "energy", "unit": "eV", "budget": 3},
        "simulator": {"evaluator": "lab:Own"},
    }
    calculators = Calculators.of(scenario_of(values))
    assert calculators.choices == ()
    assert calculators.radius("Fe") == covalent_radius("Fe") == 1.32
