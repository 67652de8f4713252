from __future__ import annotations

import numpy as np
import pytest

from protocols.errors import SettingsError
from scenarios.settings.crystals import CrystalsSettings
from scenarios.world.crystal_prototypes import ALL_PROTOTYPES, COMMON_NAMES
from scenarios.world.crystals.distortion import CRYSTAL_SYSTEMS
from scenarios.world.crystals.prototypes import prototype_draws, prototype_named
from scenarios.world.crystals.sizes import covalent_radius


def test_common_names_lead_to_prototypes_and_no_name_means_two() -> None:
    assert {prototype_named(name).name for name in COMMON_NAMES} == set(COMMON_NAMES.values())
    assert prototype_named("Rocksalt").name == "B1"
    names = [each.name for each in ALL_PROTOTYPES]
    assert len(set(names)) == len(names)


def test_a_name_that_is_none_is_told_the_nearest() -> None:
    with pytest.raises(SettingsError, match=r"no prototype 'rock salt'.*did you mean 'rocksalt'"):
        prototype_named("rock salt")


def test_a_sublattice_holds_what_it_may_and_no_element_stands_on_two() -> None:
    settings = CrystalsSettings(
        elements=("Sr", "Ba", "Ti"), prototypes=("perovskite",), sublattices={"B": ("Ti",), "C": ("O",)}
    )
    draws = prototype_draws(settings, CRYSTAL_SYSTEMS, covalent_radius)
    rng = np.random.default_rng(1)
    drawn = [draws.draw(rng, "triclinic")[1] for _ in range(20)]
    made = {each.composition.reduced_formula for each in drawn}
    assert made == {"SrTiO3", "BaTiO3"}


def test_prototypes_that_the_elements_cannot_fill_are_left_out_or_refused_by_name() -> None:
    one = CrystalsSettings(elements=("Si",))
    ways = prototype_draws(one, CRYSTAL_SYSTEMS, covalent_radius).ways
    assert {len(set(p.labels)) for routes in ways.values() for _, fitting in routes for p in fitting} == {1}
    with pytest.raises(
        SettingsError, match=r"'B1' has 2 sublattices, and no different elements for them \(A: Si; B: Si"
    ):
        prototype_draws(one.model_copy(update={"prototypes": ("rocksalt",)}), CRYSTAL_SYSTEMS, covalent_radius)


def test_without_a_strain_only_ideal_prototypes_lead_to_a_family() -> None:
    settings = CrystalsSettings(elements=("Si",), prototypes=("diamond",), strain=0.0)
    ways = prototype_draws(settings, CRYSTAL_SYSTEMS, covalent_radius).ways
    assert [family for family, routes in ways.items() if routes] == ["cubic"]
