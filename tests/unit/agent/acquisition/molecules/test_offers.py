"""What edits offer: real molecules that are not in the pool, the same ones in the same order."""

from __future__ import annotations

import numpy as np
import pytest

from agent.acquisition.base import PoolArrays
from agent.acquisition.molecules.offers import Offer, feature_places, offers_of, with_offers
from agent.campaign.context import pool_arrays
from agent.pool.growth import grown, growth_breach
from protocols.errors import SettingsError
from protocols.molecules.edits import edits_of
from protocols.molecules.features import FEATURE_NAMES, molecule_features
from protocols.molecules.groups import GROUPS
from protocols.molecules.identity import parsed
from tests.support.campaigns import small_pool
from tests.support.samples.molecule_pools import molecule_pool
from tests.support.samples.molecules import needs_rdkit

pytestmark = needs_rdkit

FEW = {"F": "F", "OH": "O", "CH3": "C"}


def offered(pool: PoolArrays, *order: int, parents: int = 1, heavy_atoms: int = 9) -> tuple[Offer, ...]:
    return offers_of(
        pool, order, parents=parents, heavy_atoms=heavy_atoms, groups=FEW, places=feature_places(pool, "mine")
    )


def smiles_of(offers: tuple[Offer, ...]) -> list[str]:
    return [each.edit.product.smiles for each in offers]


def test_all_admissible_edits_are_offered_but_those_of_the_pool() -> None:
    pool = pool_arrays(molecule_pool())
    methane = pool.smiles.index("C")
    assert smiles_of(offered(pool, methane)) == ["CF", "CC"], "methanol is in the pool"
    every = {each.product.smiles for each in edits_of("C", GROUPS)}
    assert {"CF", "CC", "CO"} <= every


def test_molecules_are_edited_in_their_order_and_nothing_is_offered_twice() -> None:
    pool = pool_arrays(molecule_pool())
    methane, methanol = pool.smiles.index("C"), pool.smiles.index("CO")
    both = offered(pool, methanol, methane, parents=2)
    assert [each.parent for each in both] == sorted([each.parent for each in both], key=[methanol, methane].index)
    assert len(set(smiles_of(both))) == len(both)
    assert smiles_of(offered(pool, methane, methanol, parents=1)) == ["CF", "CC"]


def test_a_molecule_that_has_nothing_to_offer_is_passed_over() -> None:
    pool = pool_arrays(molecule_pool(("C", "CO", "CF", "CC")))
    methane, fluoride = pool.smiles.index("C"), pool.smiles.index("CF")
    assert {each.parent for each in offered(pool, methane, fluoride, parents=1)} == {fluoride}


def test_nothing_larger_than_asked_for_is_offered() -> None:
    pool = pool_arrays(molecule_pool())
    for most in (2, 3):
        offers = offered(pool, *range(3), parents=3, heavy_atoms=most)
        assert max(parsed(each).GetNumHeavyAtoms() for each in smiles_of(offers)) == most
    assert offered(pool, *range(3), parents=3, heavy_atoms=1) == ()


def test_an_offer_has_the_features_of_the_pool_s_columns_and_can_join_it() -> None:
    pool = molecule_pool(columns=("mu_gast", "e_mmff"))
    arrays = pool_arrays(pool)
    offers = offered(arrays, *range(3), parents=3)
    expected = molecule_features(smiles_of(offers))[:, [FEATURE_NAMES.index(each) for each in ("mu_gast", "e_mmff")]]
    assert np.array_equal([each.features for each in offers], expected)
    new = [each.as_candidate(arrays) for each in offers]
    assert growth_breach(pool, new) == ""
    widened, joined = with_offers(arrays, offers), pool_arrays(grown(pool, new))
    assert widened.candidate_ids == joined.candidate_ids
    assert widened.smiles == joined.smiles
    assert np.array_equal(widened.features, joined.features)
    assert np.array_equal(widened.family_codes, joined.family_codes)


def test_an_offer_says_what_was_changed_and_belongs_to_the_family_of_its_parent() -> None:
    pool = pool_arrays(molecule_pool())
    methane = pool.smiles.index("C")
    new = offered(pool, methane)[0].as_candidate(pool)
    assert (new.smiles, new.formula, new.family) == ("CF", "CH3F", "plain")
    assert new.parent == pool.candidate_ids[methane]
    assert new.origin == "F in place of a hydrogen on atom 1 (C) of C"


def test_a_pool_with_nothing_offered_is_the_pool() -> None:
    pool = pool_arrays(molecule_pool())
    assert with_offers(pool, ()).candidate_ids == pool.candidate_ids


def test_a_pool_without_molecules_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"'mine' edits molecules, and this pool has none.*pool\.columns\.smiles"):
        feature_places(pool_arrays(small_pool()), "mine")


def test_a_pool_with_a_feature_that_no_edit_has_is_refused_by_its_name() -> None:
    pool = molecule_pool(columns=("e_mmff", "mu_mmff"))
    arrays = pool_arrays(pool)
    other = PoolArrays(
        arrays.candidate_ids, arrays.features, arrays.family_codes, arrays.families, ("e_mmff", "price"),
        smiles=arrays.smiles,
    )  # fmt: skip
    with pytest.raises(SettingsError, match=r"the feature 'price'.*e_mmff, mu_mmff, mu_gast"):
        feature_places(other, "mine")
