"""Figures of bias against published ones, and the rule that counts misses."""

from __future__ import annotations

import numpy as np
import pytest

from agent.entropy.bands import entropy_band
from agent.entropy.bias import (
    BiasMeter,
    _bias_point,
    coverage,
    evenness,
    joint_entropy,
    measure_bias,
    priority,
)
from agent.entropy.entropy import differential_entropy
from agent.entropy.measure import ESTIMATORS, EntropyMeasure

PUBLISHED_START = (1.164, 0.976, 1.265, 0.329, 0.719, 1.330, 0.928)
"""Entropies of the seven crystal systems at step 0, Appl. Phys. Rev. 10, 021403 (public result file)."""


def test_range_and_deviation_are_those_of_the_published_table() -> None:
    """0.323 is the population deviation; the sample deviation would be 0.349."""
    point = _bias_point(tuple("abcdefg"), [100] * 7, PUBLISHED_START)
    assert point.entropy_range == pytest.approx(1.001, abs=1e-3)
    assert point.entropy_std == pytest.approx(0.323, abs=5e-4)
    assert point.mean_gap == pytest.approx(1.330 - np.mean(PUBLISHED_START), abs=1e-12)
    assert point.starved_family == "d"


def test_the_figures_are_over_the_defined_entropies() -> None:
    rng = np.random.default_rng(1)
    wide, narrow = rng.normal(size=30), 0.1 * rng.normal(size=30)
    values = np.concatenate((wide, narrow, [0.0, 1.0]))
    point = measure_bias(("a", "b", "c"), np.repeat([0, 1, 2], [30, 30, 2]), values)
    h_wide, h_narrow = differential_entropy(wide), differential_entropy(narrow)
    assert h_wide is not None
    assert h_narrow is not None
    assert point.sizes == (30, 30, 2)
    assert point.entropies == (h_wide, h_narrow, None)
    assert point.entropy_range == pytest.approx(h_wide - h_narrow)
    assert point.mean_gap == pytest.approx((h_wide - h_narrow) / 2)
    assert point.starved_family == "c"


def test_fewer_than_two_defined_entropies_make_no_gap() -> None:
    point = measure_bias(("a", "b"), np.zeros(20, dtype=np.int64), np.random.default_rng(0).normal(size=20))
    assert point.entropies[0] is not None
    assert (point.entropy_range, point.entropy_std, point.mean_gap) == (None, None, None)
    assert point.starved_family == "b"


@pytest.mark.parametrize("estimator", ["m_spacing", "kozachenko_leonenko", "gaussian_kernel"])
def test_by_the_other_estimators_every_family_with_a_value_has_an_entropy_and_ties_are_finite(estimator: str) -> None:
    codes, values = np.array([0, 1, 1, 2, 2, 2]), np.array([0.5, 1.0, 1.0, 0.0, 1.0, 3.0])
    point = measure_bias(("a", "b", "c", "d"), codes, values, EntropyMeasure(estimator, 0.01))
    defined = [h for h in point.entropies if h is not None]
    assert point.entropies == (*defined, None)
    assert len(defined) == 3
    assert np.isfinite(defined).all()
    assert point.starved_family == "d"  # it has no value at all
    assert point.entropy_range == max(defined) - min(defined)


def test_evenness_is_pielou_s_of_the_effective_widths() -> None:
    widths = np.array([1.0, 2.0, 5.0])
    shares = widths / widths.sum()
    assert evenness(np.log(widths).tolist()) == pytest.approx(-(shares * np.log(shares)).sum() / np.log(3))


@pytest.mark.parametrize("shift", [-800.0, 0.0, 800.0])
def test_evenness_does_not_depend_on_the_unit_and_ignores_what_is_undefined(shift: float) -> None:
    entropies = [0.3, -1.2, 0.9]
    assert evenness([h + shift for h in entropies]) == pytest.approx(evenness([None, *entropies, None]))


def test_evenness_is_1_when_all_are_equal_and_falls_to_0_when_one_has_everything() -> None:
    assert evenness([-2.5] * 7) == 1.0
    nearly = evenness([0.1] * 6 + [0.1 + 1e-12])
    assert nearly is not None
    assert nearly <= 1.0
    assert evenness([0.0, -1e4]) == 0.0
    assert 0.0 < evenness([0.0, -3.0, -3.0]) < evenness([0.0, -1.0, -1.0]) < 1.0  # type: ignore[operator]
    assert evenness([1.0, None]) is None


def test_coverage_is_the_share_of_families_with_five_values_or_more() -> None:
    assert coverage([4, 5, 0, 60]) == 0.5
    assert coverage([]) == 0.0
    codes = np.repeat([0, 1], [5, 4])
    assert measure_bias(("a", "b", "c"), codes, np.arange(9.0)).coverage == pytest.approx(1 / 3)


def test_joint_entropy_is_that_of_family_and_value_by_the_chain_rule() -> None:
    """Of values evenly spread over widths w_g, the density of (g, y) is s_g / w_g there: J = −Σ s_g ln (s_g / w_g)."""
    sizes, widths = [30, 10, 60], np.array([1.0, 2.0, 5.0])
    shares = np.array(sizes) / 100
    assert joint_entropy(sizes, np.log(widths).tolist()) == pytest.approx(-(shares * np.log(shares / widths)).sum())


def test_a_family_without_a_defined_entropy_is_left_out_of_joint_entropy_with_its_values() -> None:
    assert joint_entropy([30, 7, 10, 0], [0.5, None, -1.0, None]) == joint_entropy([30, 10], [0.5, -1.0])
    assert joint_entropy([4, 0], [0.25, None]) == 0.25  # one family is all that there is
    assert joint_entropy([4, 0], [None, None]) is None
    assert joint_entropy([], []) is None


def test_evenness_that_is_had_by_flooding_the_richest_family_costs_joint_entropy() -> None:
    rng, measure = np.random.default_rng(4), EntropyMeasure("m_spacing", 0.001)
    codes, values = np.repeat([0, 1], [40, 40]), np.concatenate([rng.uniform(0, 4, 40), rng.uniform(0, 1, 40)])
    meter = BiasMeter(("rich", "poor"), codes, values, measure=measure)
    before = meter.point()
    for value in np.linspace(2.0, 2.01, 60):  # alike, in the middle of the richest
        meter.add(0, float(value))
    after = meter.point()
    assert after.mean_gap < before.mean_gap  # type: ignore[operator]
    assert after.evenness > before.evenness  # type: ignore[operator]
    assert after.joint_entropy < before.joint_entropy  # type: ignore[operator]


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_the_bands_of_the_meter_are_those_of_its_values_now(estimator: str) -> None:
    rng, measure = np.random.default_rng(2), EntropyMeasure(estimator, 0.01)
    values = {0: rng.normal(size=12).tolist(), 1: [0.5, 1.0], 2: rng.normal(size=30).tolist()}
    codes = np.repeat([0, 1, 2], [12, 2, 30])
    meter = BiasMeter(("a", "b", "c"), codes, np.concatenate(list(values.values())), measure=measure)
    for code, value in ((0, 0.25), (1, 3.0), (1, 4.0), (1, 7.0), (2, -9.0)):
        meter.bands()
        meter.add(code, value)
        values[code].append(value)
        assert meter.bands() == tuple(entropy_band(np.array(values[each]), measure) for each in range(3))


def test_without_families_there_is_no_poorest() -> None:
    assert measure_bias((), np.empty(0, dtype=np.int64), np.empty(0)).starved_family is None


def test_undefined_is_poorest_then_fewest_values_then_lowest_entropy_then_name() -> None:
    ranked = sorted(
        [(-3.0, 40, "d"), (None, 2, "e"), (None, 1, "g"), (None, 1, "f"), (-3.0, 9, "c")],
        key=lambda family: priority(*family),
    )
    assert [name for _, _, name in ranked] == ["f", "g", "e", "c", "d"]
