"""Start sets that are biased on purpose."""

from __future__ import annotations

import numpy as np
import pytest

from protocols.errors import SettingsError
from scenarios.world.start_set import FloatArray, Half, IndexArray, biased_start, random_start

FAMILIES = ("cubic", "hexagonal", "triclinic")
CODES: IndexArray = np.repeat(np.arange(3), (600, 300, 6))
VALUES: FloatArray = np.random.default_rng(0).normal(size=906)


def sizes(chosen: IndexArray) -> list[int]:
    return [int((CODES[chosen] == code).sum()) for code in range(3)]


def values_of(chosen: IndexArray, family: int) -> FloatArray:
    return np.asarray(VALUES[chosen[CODES[chosen] == family]])


def test_a_random_start_takes_families_in_proportion_and_each_at_least_five() -> None:
    chosen = random_start(CODES, FAMILIES, size=95, seed=1)
    assert sizes(chosen) == [60, 30, 5]
    assert len(set(chosen.tolist())) == 95
    assert (np.diff(chosen) > 0).all()


def test_the_same_seed_draws_the_same_set_and_another_seed_another() -> None:
    first = random_start(CODES, FAMILIES, size=95, seed=1)
    np.testing.assert_array_equal(first, random_start(CODES, FAMILIES, size=95, seed=1))
    assert set(first.tolist()) != set(random_start(CODES, FAMILIES, size=95, seed=2).tolist())


def test_a_random_start_favours_no_place_in_the_pool() -> None:
    counts = np.zeros(len(CODES))
    for seed in range(400):
        counts[random_start(CODES, FAMILIES, size=95, seed=seed)] += 1
    # Each cubic candidate is expected 40 times; six standard deviations of a binomial of 400 draws at 0.1.
    assert abs(counts[:600] - 40).max() < 6 * (400 * 0.1 * 0.9) ** 0.5
    # First and second half of the family get the same, within four standard deviations.
    assert abs(counts[:300].sum() - counts[300:600].sum()) < 4 * (600 * 36) ** 0.5


def test_named_families_lose_their_half_entirely_and_the_others_lose_nothing() -> None:
    chosen = biased_start(
        CODES, FAMILIES, VALUES, size=300, seed=1, halves={"cubic": "stable", "hexagonal": "unstable"}, threshold=0.0
    )
    assert len(chosen) == 300
    assert values_of(chosen, 0).min() > 0
    assert values_of(chosen, 1).max() < 0
    free = biased_start(CODES, FAMILIES, VALUES, size=300, seed=1, halves={"cubic": "stable"}, threshold=0.0)
    assert values_of(free, 1).min() < 0 < values_of(free, 1).max()


def test_what_is_left_is_shared_in_proportion_to_what_each_family_has_left() -> None:
    chosen = biased_start(CODES, FAMILIES, VALUES, size=306, seed=1, halves={"cubic": "unstable"})
    # 300 cubic are left of 600; 300 hexagonal; of triclinic the minimum.
    assert sizes(chosen) == [151, 150, 5]
    assert values_of(chosen, 0).max() <= np.median(VALUES[CODES == 0])


def test_the_median_is_that_of_the_family_and_stays_with_either_half() -> None:
    codes = np.repeat(np.arange(2), 5)
    values = np.array([1.0, 2, 3, 4, 5, 101, 102, 103, 104, 105])
    halves: dict[Half, list[int]] = {"stable": [2, 3, 4], "unstable": [0, 1, 2]}
    for half, kept in halves.items():
        # Eight are left in all, so all that are left of the first family are in.
        chosen = biased_start(codes, ("a", "b"), values, size=8, seed=0, halves={"a": half})
        assert chosen.tolist() == [*kept, 5, 6, 7, 8, 9]


def test_a_family_with_fewer_than_the_minimum_gives_all_it_has_left() -> None:
    chosen = biased_start(CODES, FAMILIES, VALUES, size=50, seed=1, halves={"triclinic": "stable"})
    assert sizes(chosen)[2] == 3


def test_everything_can_be_chosen_and_no_more() -> None:
    np.testing.assert_array_equal(random_start(CODES, FAMILIES, size=906, seed=1), np.arange(906))
    with pytest.raises(SettingsError, match=r"between 15 .* and 906"):
        random_start(CODES, FAMILIES, size=907, seed=1)


@pytest.mark.parametrize("size", [14, 0, -3])
def test_a_start_set_too_small_for_its_families_is_refused(size: int) -> None:
    with pytest.raises(SettingsError, match="between 15"):
        random_start(CODES, FAMILIES, size=size, seed=1)
    assert sizes(random_start(CODES, FAMILIES, size=15, seed=1)) == [5, 5, 5]


@pytest.mark.parametrize("seed", range(20))
def test_shares_always_add_up_and_stay_between_floor_and_count(seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 40, size=rng.integers(1, 12)) + np.eye(1, dtype=int)[0, 0]
    codes = np.repeat(np.arange(len(counts)), counts)
    families = tuple(f"f{i}" for i in range(len(counts)))
    floors = np.minimum(counts, 5)
    for size in range(floors.sum(), counts.sum() + 1):
        chosen = random_start(codes, families, size=size, seed=0)
        taken = np.bincount(codes[chosen], minlength=len(counts))
        assert len(np.unique(chosen)) == size
        assert (taken >= floors).all()
        # Never further than one from the fair share, but for families held at their floor, which take from the others.
        assert (taken <= np.maximum(floors, np.ceil(counts * size / counts.sum()))).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"halves": {"cubik": "stable"}}, "'cubik'"),
        ({"threshold": 99.0}, "nothing left"),
        ({"threshold": float("nan")}, "threshold"),
        ({"values": np.where(np.arange(906) == 3, np.nan, VALUES)}, "pool index 3"),
        ({"values": VALUES[:-1]}, "905 values"),
        ({"families": ("cubic", "hexagonal")}, "beyond the 2 families"),
    ],
)
def test_a_start_set_that_cannot_be_told_is_refused(change: dict[str, object], message: str) -> None:
    arguments = {"families": FAMILIES, "values": VALUES, "size": 95, "seed": 1, "halves": {"cubic": "stable"}} | change
    with pytest.raises(SettingsError, match=message):
        biased_start(CODES, **arguments)  # type: ignore[arg-type]
