"""Alloys as a closure of designs: every combination is there, and what is one crystal is one candidate."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from agent.pool.candidates import Pool
from protocols.errors import SettingsError, TableError
from scenarios.settings.alloy_designs import AlloyDesignsSettings
from scenarios.world.alloy_designs import AlloyDesigns, combine, pool_of, with_question
from scenarios.world.emt_alloys import emt_quantities

SETTINGS = AlloyDesignsSettings(
    prototypes=("B2", "B32", "L1_0", "B19"), elements=("Cu", "Au", "Al"), strains=(-0.1, 0.0), reference="Cu"
)


@pytest.fixture(scope="module")
def made() -> AlloyDesigns:
    return combine(SETTINGS)


@pytest.fixture(scope="module")
def pool(made: AlloyDesigns) -> Pool:
    return pool_of(made, SETTINGS)


def test_every_combination_is_a_design(made: AlloyDesigns) -> None:
    rows = list(zip(*made.columns.values(), strict=True))
    assert tuple(made.columns) == ("a", "b", "prototype", "strain")
    assert len(set(rows)) == len(rows) == 3 * 3 * 4 * 2


def test_an_exchange_of_the_sublattices_makes_the_same_crystal_and_they_are_found_interchangeable(pool: Pool) -> None:
    designs = pool.designs
    assert designs is not None
    assert [designs.factors[each] for each in designs.sites] == ["a", "b"]
    assert not designs.has_origin, "no element is less than another"
    assert designs.groups[designs.reference] == "Cu"


def test_pure_metals_of_two_prototypes_with_one_packing_are_one_crystal_and_fcc_is_not_hcp(made: AlloyDesigns) -> None:
    places = dict(zip(zip(*made.columns.values(), strict=True), made.made, strict=True))
    assert places["Cu", "Cu", "B2", "0"] == places["Cu", "Cu", "B32", "0"], "both are bcc"
    assert places["Cu", "Cu", "B2", "-0.1"] == places["Cu", "Cu", "B32", "-0.1"]
    assert places["Cu", "Cu", "L1_0", "0"] != places["Cu", "Cu", "B19", "0"], "fcc and hcp"
    assert places["Cu", "Au", "B2", "0"] != places["Cu", "Au", "B32", "0"]
    assert places["Cu", "Au", "B2", "0"] != places["Cu", "Au", "B2", "-0.1"]


def test_no_two_candidates_are_one_crystal(pool: Pool) -> None:
    """Those that are told apart by nothing but rounding would show as equal energies of one formula."""
    known = emt_quantities(pool, processes=1)
    alike: dict[tuple[str, float], list[str]] = defaultdict(list)
    for each in pool.candidates:
        energy = round(known[each.candidate_id][0].value, 7)
        alike[each.formula, energy].append(each.candidate_id)
    assert [names for names in alike.values() if len(names) > 1] == []


def test_one_strain_is_no_factor(made: AlloyDesigns) -> None:
    one = combine(SETTINGS.model_copy(update={"strains": (0.0,)}))
    assert tuple(one.columns) == ("a", "b", "prototype")
    assert len(one.made) == len(made.made) / 2


def test_progress_is_told() -> None:
    told: list[tuple[int, int]] = []
    combine(SETTINGS.model_copy(update={"prototypes": ("B2", "L1_2")}), lambda *at: told.append(at))
    assert told[-1] == (36, 36)


def test_sublattices_of_different_sizes_are_not_interchangeable() -> None:
    settings = SETTINGS.model_copy(update={"prototypes": ("B2", "L1_2"), "strains": (0.0,)})
    designs = pool_of(combine(settings), settings).designs
    assert designs is not None
    assert designs.sites == (0,)


@pytest.mark.parametrize(("queried", "reference"), [("prototype", "L1_0"), ("strain", "0"), ("b", "Al")])
def test_another_question_may_be_asked_of_the_same_crystals(pool: Pool, queried: str, reference: str) -> None:
    asked = with_question(pool, SETTINGS.model_copy(update={"queried": queried, "reference": reference}))
    assert asked.candidates == pool.candidates
    assert pool.designs is not None
    assert asked.designs is not None
    assert (asked.designs.queried, asked.designs.groups[asked.designs.reference]) == (queried, reference)
    np.testing.assert_array_equal(asked.designs.candidate, pool.designs.candidate)
    np.testing.assert_array_equal(asked.designs.codes, pool.designs.codes)


def test_no_element_is_the_reference_by_itself(pool: Pool) -> None:
    with pytest.raises(TableError, match="name the reference"):
        with_question(pool, SETTINGS.model_copy(update={"reference": ""}))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"prototypes": ("B2", "L1_O")}, "no prototype 'L1_O'.*L1_0"),
        ({"prototypes": ("B2", "L2_1")}, "'B2' has the sublattices A B, 'L2_1' has A B C"),
        ({"elements": ("Cu", "Fe")}, "does not know the element 'Fe'"),
    ],
)
def test_what_is_not_known_is_named(changes: dict[str, object], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        combine(SETTINGS.model_copy(update=changes))
