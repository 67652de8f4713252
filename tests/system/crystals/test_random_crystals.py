"""Random crystals by pyxtal: in processes of their own, and yet the same on every machine."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from protocols.structures.symmetry import crystal_system_of
from scenarios.settings.crystals import CrystalsSettings, RandomSettings
from scenarios.world.crystals import random_crystals
from scenarios.world.crystals.distortion import CRYSTAL_SYSTEMS
from scenarios.world.crystals.make import MadeCrystals, make_crystals
from scenarios.world.crystals.random_crystals import random_draws
from scenarios.world.crystals.sizes import Calculators, covalent_radius

pytest.importorskip("pyxtal", reason="needs the extra pyxtal", exc_type=ImportError)
pytestmark = pytest.mark.system

ASKED = RandomSettings(number=8, compositions=("SiO2", "TiO2"), atoms=12)


def made(asked: RandomSettings, seed: int = 0) -> MadeCrystals:
    settings = CrystalsSettings(elements=("Si", "Ti", "O"), number=0, random=asked)
    return make_crystals(settings, seed, Calculators(()), (), lambda *_: None)


def test_neither_the_number_of_processes_nor_who_else_draws_changes_a_crystal(monkeypatch: pytest.MonkeyPatch) -> None:
    first = made(ASKED)
    np.random.seed(7)  # noqa: NPY002 - the global generator is what must not matter
    monkeypatch.setattr(random_crystals, "MAX_CHILDREN", 1)
    assert made(ASKED).crystals == first.crystals
    assert {each.formula for each in first.crystals} <= {"SiO2", "TiO2"}
    assert not {each.candidate_id for each in made(ASKED, 1).crystals} & {each.candidate_id for each in first.crystals}


def test_a_composition_that_fits_no_group_is_counted_and_told() -> None:
    """Three atoms have no places in Fm-3m, and six none either; four do."""
    found = made(RandomSettings(number=3, compositions=("Si4", "Si3"), groups=(225,), atoms=4, tries=4))
    assert any("pyxtal failed" in note and "Comp_CompatibilityError" in note for note in found.notes)
    assert {each.family for each in found.crystals} == {"cubic"}


def test_the_groups_of_a_crystal_system_give_its_crystals_mostly() -> None:
    asked = RandomSettings(number=6, compositions=("SiO2",), families=("monoclinic",))
    draws = random_draws(asked, ("Si", "O"), CRYSTAL_SYSTEMS, covalent_radius)
    assert draws.groups == tuple(range(3, 16))
    crystals = made(asked).crystals
    assert Counter(each.family for each in crystals)["monoclinic"] >= 4
    for each in crystals:
        assert crystal_system_of(each.structure, 0.01, -1.0) == each.family


def test_a_draw_that_takes_too_long_is_given_up() -> None:
    draws = random_draws(ASKED.model_copy(update={"limit_s": 1e-3}), ("Si",), ("cubic",), covalent_radius)
    assert list(draws.draws(np.random.default_rng(0), 2)) == []
    assert draws.failures == {random_crystals.TIMED_OUT: 2}
