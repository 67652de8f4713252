"""Trimming keeps the rows that its definition keeps, closes the gap from below, and spares what is scarce."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.entropy.measure import M_SPACING, EntropyMeasure
from agent.entropy.spacing import spacing_entropy, window
from agent.entropy.subset import counted_entropy, rows_to_keep
from agent.entropy.thinning import GAIN_STEP, Thinning, size_constant
from tests.support.references.plain_trim import plain_rows_to_keep

RESOLUTION = 1e-3
DRAWS: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "normal": lambda rng, n: rng.normal(size=n),
    "uniform": lambda rng, n: rng.random(n),
    "exponential": lambda rng, n: rng.exponential(size=n),
    "rounded": lambda rng, n: np.round(rng.normal(size=n), 1),  # many ties
    "half zero": lambda rng, n: np.where(rng.random(n) < 0.5, 0.0, rng.exponential(size=n)),  # band gaps
    "two peaks": lambda rng, n: rng.normal(size=n) * 0.05 + rng.integers(0, 2, n),
}


def table(seed: int, sizes: tuple[int, ...], draws: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return codes and values of a table in random order."""
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(len(sizes)), sizes)
    values = np.concatenate([DRAWS[draws[i % len(draws)]](rng, n) for i, n in enumerate(sizes)])
    order = rng.permutation(len(codes))
    return codes[order], values[order]


def entropies(codes: np.ndarray, values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    measure = EntropyMeasure(M_SPACING, RESOLUTION)
    return np.array([measure.entropy(np.sort(values[rows[codes[rows] == code]])) for code in range(codes.max() + 1)])


@pytest.mark.parametrize("seed", range(12))
def test_the_same_rows_are_kept_as_by_trying_every_removal_on_the_whole_table(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = tuple(int(n) for n in rng.integers(1, 70, size=rng.integers(1, 5)))
    draws = tuple(rng.permutation(list(DRAWS)))
    codes, values = table(seed, sizes, draws)
    keep = int(rng.integers(len(sizes), len(codes) + 1))
    fast = rows_to_keep(codes, values, keep, resolution=RESOLUTION)
    plain = plain_rows_to_keep(codes, values, keep, resolution=RESOLUTION)
    assert fast.tolist() == plain.tolist()


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from([*range(-6, 7)]).map(float) | st.floats(-3, 3, width=32), min_size=2, max_size=60),
    st.randoms(use_true_random=False),
)
def test_every_gain_is_that_of_the_sample_measured_anew_whatever_was_removed_before(
    values: list[float], random: Random
) -> None:
    family = Thinning(np.array(values), np.arange(len(values)), RESOLUTION)
    left = dict(enumerate(values))
    while family.size > 1:
        x = np.sort(np.array(list(left.values())))
        m = window(len(x))
        assert family.entropy == pytest.approx(spacing_entropy(x, RESOLUTION, m), abs=1e-7)
        again = [spacing_entropy(np.delete(x, q), RESOLUTION, m) for q in range(len(x))]
        known = [family.entropy_without(q) for q in range(len(x))]
        np.testing.assert_allclose(known, again, atol=1e-7)
        place = family.densest() if random.random() < 0.5 else random.randrange(family.size)
        fine = [spacing_entropy(np.delete(x, q), RESOLUTION, window(m)) for q in range(len(x))]
        before_fine = spacing_entropy(x, RESOLUTION, window(m))
        both = [a + b for a, b in zip(again, fine, strict=True)]
        assert both[family.densest()] == pytest.approx(max(both), abs=4 * GAIN_STEP)
        changes = 0.5 * (np.array(again) + fine) - 0.5 * (spacing_entropy(x, RESOLUTION, m) + before_fine)
        np.testing.assert_allclose([family.change_without(q) for q in range(len(x))], changes, atol=1e-7)
        del left[family.remove(place)]
        assert sorted(family.rows.tolist()) == sorted(left)


@pytest.mark.parametrize(("k", "m"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 2), (6, 3), (50, 7), (400, 20)])
def test_the_constant_is_the_one_of_the_estimator(k: int, m: int) -> None:
    x = np.zeros(k)
    assert size_constant(k, m) == pytest.approx(spacing_entropy(x, RESOLUTION, m) - math.log(RESOLUTION), abs=1e-12)


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.lists(st.integers(1, 120), min_size=1, max_size=5), st.floats(0, 1))
def test_the_kept_rows_are_as_many_as_asked_in_order_and_of_every_family(
    seed: int, sizes: list[int], part: float
) -> None:
    codes, values = table(seed, tuple(sizes), tuple(DRAWS))
    keep = len(sizes) + int(part * (len(codes) - len(sizes)))
    rows = rows_to_keep(codes, values, keep, resolution=RESOLUTION)
    assert len(rows) == keep
    assert (np.diff(rows) > 0).all()
    assert set(codes[rows].tolist()) == set(codes.tolist())
    again = rows_to_keep(codes, values, keep, resolution=RESOLUTION)
    assert again.tolist() == rows.tolist()


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_another_unit_of_the_property_keeps_the_same_rows(seed: int) -> None:
    codes, values = table(seed, (40, 30, 20), ("normal", "exponential"))
    rows = rows_to_keep(codes, values, 45, resolution=RESOLUTION)
    # A power of two and no shift: the scaled numbers are exact.
    scaled = rows_to_keep(codes, 1024.0 * values, 45, resolution=1024.0 * RESOLUTION)
    assert scaled.tolist() == rows.tolist()


def test_the_gap_closes_from_below_and_no_family_falls() -> None:
    codes, values = table(3, (1500, 1500, 1500), ("normal",))
    values = values * np.array([1.0, 0.5, 1.0])[codes]
    values[codes == 2] = np.sign(values[codes == 2]) * np.abs(values[codes == 2]) ** 2.5 * 0.5  # crowded at zero
    before = entropies(codes, values, np.arange(len(codes)))
    rows = rows_to_keep(codes, values, 900, resolution=RESOLUTION)
    after = entropies(codes, values, rows)
    assert np.ptp(before) > 0.6
    assert np.ptp(after) < 0.65 * np.ptp(before)  # the narrow family is as even as its range allows
    assert before[2] < 0.9
    assert after[2] > before.max()
    assert (after >= np.minimum(before, before.max()) - 0.02).all()
    assert after.max() <= before.max() + 0.1


def test_scarce_families_are_spared_and_rich_ones_give() -> None:
    codes, values = table(4, (3000, 1000, 60), ("normal",))
    rows = rows_to_keep(codes, values, 600, resolution=RESOLUTION)
    kept = np.bincount(codes[rows])
    assert kept[2] >= 55
    assert abs(int(kept[0]) - int(kept[1])) <= 60


def test_the_richest_family_keeps_its_distribution() -> None:
    codes, values = table(5, (4000, 4000), ("normal",))
    values[codes == 1] *= 0.5
    rows = rows_to_keep(codes, values, 2000, resolution=RESOLUTION)
    kept = np.sort(values[rows[codes[rows] == 0]])
    whole = np.sort(values[codes == 0])
    quantiles = np.linspace(0.02, 0.98, 25)
    assert np.abs(np.quantile(kept, quantiles) - np.quantile(whole, quantiles)).max() < 0.1
    assert (kept[0], kept[-1]) == (whole[0], whole[-1])


def test_more_is_left_than_by_random_trimming_on_every_table() -> None:
    for seed, draws in enumerate([("normal",), ("exponential", "rounded"), ("half zero", "two peaks", "uniform")]):
        codes, values = table(seed, (300, 200, 60), draws)
        level = max(entropies(codes, values, np.arange(len(codes)))[:2])
        rng = np.random.default_rng(seed)

        def worth(
            rows: np.ndarray, codes: np.ndarray = codes, values: np.ndarray = values, level: float = level
        ) -> float:
            sizes = np.bincount(codes[rows], minlength=3).tolist()
            worth = counted_entropy(sizes, entropies(codes, values, rows).tolist(), level)
            assert worth is not None
            return worth

        ours = worth(rows_to_keep(codes, values, 150, resolution=RESOLUTION))
        random = [worth(np.sort(rng.permutation(len(codes))[:150])) for _ in range(20)]
        assert ours > max(random) + 0.05


def test_of_equal_values_the_first_stays_and_equal_tables_even_out_by_number() -> None:
    codes = np.repeat([0, 1], [30, 10])
    rows = rows_to_keep(codes, np.full(40, 2.5), 20, resolution=RESOLUTION)
    assert rows.tolist() == [*range(10), *range(30, 40)]


def test_gains_can_rise_when_a_neighbour_goes_so_a_queue_of_stale_gains_would_not_be_exact() -> None:
    x = np.random.default_rng(0).random(40)
    family = Thinning(x, np.arange(40), RESOLUTION)
    known = {row: family.entropy_without(q) * 39 for q, row in enumerate(family.rows.tolist())}
    before = {row: known[row] - family.entropy * 40 for row in known}
    family.remove(20)
    after = {row: family.entropy_without(q) * 38 - family.entropy * 39 for q, row in enumerate(family.rows.tolist())}
    shift = np.median([after[row] - before[row] for row in after])
    assert max(after[row] - before[row] - shift for row in after) > 1e-3


def test_a_million_deviations_away_an_outlier_stays_and_nothing_else_changes_much() -> None:
    codes, values = table(6, (200, 200), ("normal",))
    values[7] = 1e6
    rows = rows_to_keep(codes, values, 100, resolution=RESOLUTION)
    assert 7 in rows
    assert 25 <= np.bincount(codes[rows])[0] <= 75


def test_progress_is_told_from_nothing_to_all() -> None:
    codes, values = table(7, (2000, 600), ("normal",))
    told: list[int] = []
    rows_to_keep(codes, values, 300, resolution=RESOLUTION, on_progress=told.append)
    assert told == [0, 1000, 2000, 2300]
