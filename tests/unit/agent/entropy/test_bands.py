"""The band of an entropy: what brute force finds, from the values alone, and it holds the truth as often as it says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from agent.entropy.bands import GROUPS, _without_each, _without_groups, entropy_band
from agent.entropy.entropy import MIN_VALUES
from agent.entropy.measure import ESTIMATORS, M_SPACING, EntropyMeasure
from agent.entropy.spacing import spacing_entropy, window
from agent.entropy.target_properties import TargetProperty

SPACING = EntropyMeasure(M_SPACING, 1e-3)
FIRST_TWO = [7.22350632486113, 7.237451726313268]
"""Entropies of the sample below without its first two groups [nat]."""

values = st.lists(st.integers(-40, 40).map(lambda tenths: tenths / 10), min_size=3, max_size=40)


@given(values)
def test_leaving_out_each_value_is_what_it_says_ties_included(sample: list[float]) -> None:
    x = np.sort(np.array(sample))
    m = window(len(x) - 1)
    slow = np.array([spacing_entropy(np.delete(x, i), 1e-3, m) for i in range(len(x))])
    fast = _without_each(x, 1e-3)
    np.testing.assert_allclose(fast - fast.mean(), slow - slow.mean(), atol=1e-9)


def test_the_band_is_student_s_around_the_entropy() -> None:
    x = np.sort(np.random.default_rng(0).normal(size=17))
    m = window(16)
    without = [spacing_entropy(np.delete(x, i), 1e-3, m) for i in range(17)]
    reach = stats.t.ppf(0.95, 16) * math.sqrt(16 * np.var(without))
    h = spacing_entropy(x, 1e-3)
    assert entropy_band(x, SPACING) == pytest.approx((h - reach, h + reach))


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_fewer_than_five_values_have_no_band_and_five_have_one_around_their_entropy(estimator: str) -> None:
    measure, x = EntropyMeasure(estimator, 1e-3), np.sort(np.random.default_rng(1).normal(size=MIN_VALUES))
    for n in range(MIN_VALUES):
        assert entropy_band(x[:n], measure) is None
    band, h = entropy_band(x, measure), measure.entropy(x)
    assert band is not None
    assert h is not None
    assert band[0] < h < band[1]


def test_equal_values_have_a_band_without_width_and_no_published_one() -> None:
    low, high = entropy_band(np.zeros(12), SPACING) or (math.nan, math.nan)
    assert high - low == pytest.approx(0.0, abs=1e-12)
    assert entropy_band(np.zeros(12), EntropyMeasure()) is None


def test_a_published_band_has_the_same_width_in_every_unit() -> None:
    x = np.sort(np.random.default_rng(3).normal(size=30))
    wide, small = (entropy_band(scale * x, EntropyMeasure()) for scale in (1.0, 1e-9))
    assert wide is not None
    assert small is not None
    assert small[1] - small[0] == pytest.approx(wide[1] - wide[0])


@pytest.mark.parametrize("estimator", [M_SPACING, "kozachenko_leonenko"])
def test_the_order_of_the_values_does_not_matter(estimator: str) -> None:
    measure, x = EntropyMeasure(estimator, 1e-3), np.random.default_rng(5).normal(size=40)
    assert entropy_band(x, measure) == entropy_band(x[::-1], measure) == entropy_band(np.sort(x), measure)


def test_of_several_properties_a_candidate_is_left_out_with_all_its_values() -> None:
    rng = np.random.default_rng(6)
    rows = rng.normal(size=(23, 2)) * (1.0, 50.0) + (0.0, 7.0)
    targets = (
        TargetProperty("a", SPACING, 1.0, 0.75),
        TargetProperty("b", EntropyMeasure(M_SPACING, 0.05), 50.0, 0.25),
    )
    m = window(22)

    def combined(sample: np.ndarray, m: int | None = None) -> float:
        return sum(
            a.weight * (spacing_entropy(np.sort(column), a.measure.resolution, m) - math.log(a.scale))
            for a, column in zip(targets, sample.T, strict=True)
        )

    without = [combined(np.delete(rows, i, axis=0), m) for i in range(23)]
    reach = stats.t.ppf(0.95, 22) * math.sqrt(22 * np.var(without))
    h = combined(rows)
    assert entropy_band(rows, targets) == pytest.approx((h - reach, h + reach))
    assert entropy_band(rows[rng.permutation(23)], targets) == pytest.approx((h - reach, h + reach))


def test_values_are_left_out_in_groups_of_equal_size_the_same_for_ever() -> None:
    """These bits are promised by NumPy for all versions; a band that moved would look like damage to `verify`."""
    measure = EntropyMeasure("kozachenko_leonenko", 1e-3)
    x = np.arange(100, dtype=np.float64) ** 1.5
    assert len(_without_groups(x[:20], measure)) == 20
    assert len(_without_groups(x, measure)) == GROUPS
    assert _without_groups(x, measure)[:2].tolist() == pytest.approx(FIRST_TWO, rel=1e-12)


@pytest.mark.parametrize(
    ("distribution", "n", "least"),
    [("uniform", 10, 0.87), ("uniform", 50, 0.87), ("uniform", 200, 0.87), ("normal", 20, 0.80), ("normal", 100, 0.83)],
)
def test_nine_bands_of_ten_hold_the_truth(distribution: str, n: int, least: float) -> None:
    """The table in `agent.entropy.bands`, with room for 400 samples; normal values keep the bias of h itself."""
    rng = np.random.default_rng(n)
    truth = 0.0 if distribution == "uniform" else 0.5 * math.log(2 * math.pi * math.e)
    drawn = (np.sort(getattr(rng, distribution)(size=n)) for _ in range(400))
    bands = np.array([entropy_band(x, SPACING) for x in drawn])
    held = float(np.mean((bands[:, 0] <= truth) & (truth <= bands[:, 1])))
    assert least <= held <= 0.985
