from __future__ import annotations

from collections import Counter

import pytest

from protocols.errors import SettingsError
from protocols.extras import ExtraMissingError
from scenarios.settings.crystals import CrystalsSettings, OrderingSettings, RandomSettings
from scenarios.world.crystals.distortion import CRYSTAL_SYSTEMS
from scenarios.world.crystals.make import MadeCrystals, make_crystals
from scenarios.world.crystals.sizes import Calculators
from simulators.calculators.catalogue import choose_calculator

LJ = Calculators((choose_calculator("lennard_jones", {"sigma": 3.4}),))
EMT = Calculators((choose_calculator("emt"),))


def made(settings: CrystalsSettings, seed: int = 0, calculators: Calculators = LJ) -> MadeCrystals:
    return make_crystals(settings, seed, calculators, (), lambda *_: None)


def test_all_seven_systems_have_equally_many_of_any_element() -> None:
    found = made(CrystalsSettings(elements=("Ar",), number=21))
    assert Counter(each.family for each in found.crystals) == dict.fromkeys(CRYSTAL_SYSTEMS, 3)
    assert found.notes == ()


def test_the_same_seed_makes_the_same_crystals_and_another_makes_others() -> None:
    settings = CrystalsSettings(elements=("Cu", "Au"), number=14, orderings=OrderingSettings(number=7))
    first, again, other = (made(settings, seed, EMT) for seed in (3, 3, 4))
    assert first.crystals == again.crystals
    assert not {each.candidate_id for each in first.crystals} & {each.candidate_id for each in other.crystals}


def test_a_generator_that_is_added_changes_no_crystal_of_the_others() -> None:
    settings = CrystalsSettings(elements=("Cu", "Au"), number=14)
    more = settings.model_copy(update={"orderings": OrderingSettings(number=5)})
    before, after = made(settings, 1, EMT).crystals, made(more, 1, EMT).crystals
    assert after[: len(before)] == before
    assert [each.prototype.split()[1] for each in after[len(before) :]] == ["ordered"] * 5


def test_without_a_strain_there_are_as_many_as_there_are_and_the_rest_is_told() -> None:
    settings = CrystalsSettings(elements=("Si", "Ge"), prototypes=("diamond", "zincblende"), number=30, strain=0.0)
    found = made(settings)
    assert sorted(each.formula for each in found.crystals) == ["Ge", "Si", "SiGe"]
    assert "No prototype leads to hexagonal" in found.notes[0]
    assert "Prototypes: 3 crystals of 30 were found" in found.notes[1]
    assert "the same crystal as another" in found.notes[1]


def test_families_that_are_not_wanted_are_not_made() -> None:
    found = made(CrystalsSettings(elements=("Ar",), number=6, families=("cubic", "trigonal")))
    assert Counter(each.family for each in found.crystals) == {"cubic": 3, "trigonal": 3}


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"elements": ["Uo"]}, "no element 'Uo'"),
        ({"elements": ["Cu", "Si"]}, "'emt' does not know the element 'Si'"),
        ({"elements": ["Cu"], "sublattices": {"B": ["O"]}}, r"'O' \(pool.crystals.sublattices.B\)"),
        ({"elements": ["Cu"], "prototypes": ["fc"]}, "did you mean 'fcc'"),
        ({"elements": ["Cu"], "prototypes": ["fcc"], "families": ["hexagonal"], "strain": 0.0}, "No crystal was found"),
        ({"elements": ["Cu"], "number": 0, "orderings": {}}, "one element to order"),
    ],
)
def test_what_cannot_be_made_is_refused(settings: dict[str, object], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        made(CrystalsSettings.model_validate(settings), calculators=EMT)


@pytest.mark.parametrize(("formula", "says"), [("CuAu9", "does not fit a cell of 6 atoms"), ("Cu(", "cannot be read")])
def test_a_formula_that_cannot_be_drawn_is_refused(formula: str, says: str) -> None:
    asked = RandomSettings(compositions=(formula,), atoms=6)
    with pytest.raises(SettingsError, match=says):
        made(CrystalsSettings(elements=("Cu",), number=0, random=asked), calculators=EMT)


def test_random_crystals_without_their_extra_name_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("protocols.extras.is_installed", lambda _package: False)
    with pytest.raises(ExtraMissingError, match=r"entropilot\[pyxtal\]"):
        made(CrystalsSettings(elements=("Cu",), number=0, random=RandomSettings()), calculators=EMT)
