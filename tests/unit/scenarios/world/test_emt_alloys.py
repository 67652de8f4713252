from __future__ import annotations

import hashlib
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from pymatgen.core import Structure

from agent.pool.candidates import Pool
from protocols.errors import InvariantViolation, SettingsError
from protocols.structures.symmetry import crystal_system_of, symmetry_of
from protocols.wire.structure import CrystalStructure
from scenarios.world.crystal_prototypes import ALL_PROTOTYPES, Prototype
from scenarios.world.crystals.distortion import CRYSTAL_SYSTEMS
from scenarios.world.crystals.search import FEATURE_TOLERANCES, MadeCrystal
from scenarios.world.emt_alloys import (
    emt_quantities,
    generate_structures,
    make_emt_alloys,
    make_emt_pool,
)
from simulators.calculators.catalogue import EMT_METALS

MEMBERS = 8
PINNED_MEMBERS = 3
PINNED = "42b03ad8c92dcb15f927d6e0da5534551177deb1b360abb7cae9ae48013036cd"
"""SHA-256 of the ids of a small pool of seed 0: it may change with the generator, never from machine to machine."""


@pytest.fixture(scope="module")
def crystals() -> list[MadeCrystal]:
    return generate_structures(5, members_per_family=MEMBERS)


@pytest.fixture(scope="module")
def pool() -> Pool:
    return make_emt_pool(5, members_per_family=MEMBERS)


@pytest.mark.parametrize("prototype", ALL_PROTOTYPES, ids=lambda prototype: prototype.name)
def test_a_prototype_is_of_its_lattice_primitive_and_small(prototype: Prototype) -> None:
    metals = dict(zip("ABC", ("Cu", "Au", "Al"), strict=True))
    structure = Structure(prototype.cell(), [metals[label] for label in prototype.labels], prototype.positions())
    structure.scale_lattice(14.0 * len(structure))
    found = symmetry_of(CrystalStructure.from_pymatgen(structure), *FEATURE_TOLERANCES)
    assert found is not None
    assert found.crystal_system == prototype.lattice
    assert found.primitive_sites == len(structure) <= 8


def test_every_crystal_system_has_its_members(crystals: list[MadeCrystal]) -> None:
    assert Counter(crystal.family for crystal in crystals) == dict.fromkeys(CRYSTAL_SYSTEMS, MEMBERS)


def test_the_family_is_what_spglib_finds_at_every_usual_tolerance(crystals: list[MadeCrystal]) -> None:
    usual = [(distance, angle) for distance in (0.01, 0.03, 0.1) for angle in (-1.0, 5.0)]
    for crystal in crystals:
        assert {crystal_system_of(crystal.structure, *each) for each in usual} == {crystal.family}


def test_the_same_seed_makes_the_same_crystals(crystals: list[MadeCrystal]) -> None:
    assert generate_structures(5, members_per_family=MEMBERS) == crystals


def test_another_seed_makes_other_crystals(crystals: list[MadeCrystal]) -> None:
    others = {crystal.candidate_id for crystal in generate_structures(6, members_per_family=MEMBERS)}
    assert len(others & {crystal.candidate_id for crystal in crystals}) < len(crystals) / 2


def test_the_crystals_of_a_seed_are_the_same_on_every_machine() -> None:
    ids = sorted(crystal.candidate_id for crystal in generate_structures(0, members_per_family=PINNED_MEMBERS))
    assert hashlib.sha256(" ".join(ids).encode()).hexdigest() == PINNED


def test_crystals_are_small_and_of_the_metals_of_the_method(crystals: list[MadeCrystal]) -> None:
    assert all(len(crystal.structure.symbols) <= 8 for crystal in crystals)
    assert {symbol for crystal in crystals for symbol in crystal.structure.symbols} <= set(EMT_METALS)
    assert {len(set(crystal.structure.symbols)) for crystal in crystals} == {1, 2, 3}


def test_no_crystal_is_there_twice(crystals: list[MadeCrystal]) -> None:
    assert len({crystal.candidate_id for crystal in crystals}) == len(crystals)


def test_progress_counts_to_the_end() -> None:
    told: list[tuple[int, int]] = []
    generate_structures(1, members_per_family=2, progress=lambda done, total: told.append((done, total)))
    assert told == [(done, 14) for done in range(1, 15)]


def test_a_search_without_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scenarios.world.crystals.search.MIN_CONTACT", 2.0)
    with pytest.raises(InvariantViolation, match="crystals were found"):
        generate_structures(0, members_per_family=1)


def test_the_pool_holds_the_crystals_with_features(pool: Pool, crystals: list[MadeCrystal]) -> None:
    assert {c.candidate_id: (c.family, c.structure) for c in pool.candidates} == {
        c.candidate_id: (c.family, c.structure) for c in crystals
    }
    assert pool.features.shape == (len(crystals), 45)
    assert make_emt_pool(5, members_per_family=MEMBERS).digest == pool.digest


def test_energies_are_sane_and_no_two_are_equal(pool: Pool) -> None:
    """A tie would make a spacing estimate of the entropy minus infinity."""
    known = emt_quantities(pool, processes=1)
    assert tuple(known) == pool.candidate_ids
    energies = np.array([quantities[0].value for quantities in known.values()])
    assert energies.min() > -0.5
    assert energies.max() < 2.0
    for code in range(len(pool.families)):
        members = np.sort(energies[pool.family_codes == code])
        assert all(after - before > 1e-7 for before, after in pairwise(members.tolist()))
        assert members[-1] - members[0] > 0.1


def test_a_property_that_nobody_calculates_is_refused_before_any_work() -> None:
    with pytest.raises(SettingsError, match=r"band_gap.*formation_energy_per_atom"):
        make_emt_alloys(0, "band_gap", lambda *_: None)
