"""Every estimator behind the measure: against brute force, and its outcomes at the edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import digamma

from agent.entropy import measure
from agent.entropy.measure import (
    ESTIMATORS,
    GAUSSIAN_KERNEL,
    KOZACHENKO_LEONENKO,
    M_SPACING,
    PUBLISHED,
    EntropyMeasure,
    default_resolution,
)
from agent.entropy.spacing import Insertion
from protocols.errors import InvariantViolation

R = 1e-3
OURS = tuple(name for name in ESTIMATORS if name != PUBLISHED)

values = st.floats(-1e3, 1e3) | st.integers(-3, 3).map(float)
samples = st.lists(values, min_size=1, max_size=25).map(lambda drawn: np.sort(np.array(drawn)))


def by_neighbours(x: np.ndarray, r: float) -> float:
    """Kozachenko and Leonenko's formula with every distance between every two values."""
    n, k = len(x), min(3, len(x) - 1)
    distances = np.sort(np.abs(x[:, None] - x), axis=1)[:, k]
    return float(digamma(n) - digamma(k) + math.log(2.0) + np.log(np.hypot(distances, r)).mean())


def by_kernel(x: np.ndarray, r: float) -> float:
    """Minus the mean log-density of SciPy's kernel estimate at the values themselves."""
    iqr = stats.iqr(x) / 1.34
    spread = min(x.std(), iqr) if iqr > 0 else x.std()
    bandwidth = max(0.9 * spread * len(x) ** -0.2, r)
    density = stats.norm.pdf(x[:, None], x, bandwidth).mean(axis=1)
    return float(-np.log(density).mean())


@pytest.mark.parametrize("estimator", OURS)
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 10, 11, 400])
def test_an_entropy_is_defined_for_every_number_of_values(estimator: str, n: int) -> None:
    h = EntropyMeasure(estimator, R).entropy(np.sort(np.random.default_rng(n).normal(size=n)))
    assert h is not None
    assert math.isfinite(h)


@pytest.mark.parametrize("n", [1, 2, 4, 5, 11, 1001])
def test_the_published_one_is_defined_from_five_values_and_is_scipys(n: int) -> None:
    x = np.sort(np.random.default_rng(n).normal(size=n))
    h = EntropyMeasure(PUBLISHED).entropy(x)
    if n < 5:
        assert h is None
    else:
        assert h == pytest.approx(stats.differential_entropy(x), abs=1e-12)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("bad", [[], [math.nan], [*range(9), math.nan], [*range(9), math.inf], [-math.inf, *range(9)]])
def test_without_values_or_with_one_that_is_not_finite_there_is_none(estimator: str, bad: list[float]) -> None:
    of = EntropyMeasure(estimator, R)
    assert of.entropy(np.array(bad, dtype=float)) is None
    assert of.added(np.array(bad, dtype=float)) is None


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("n", [0, 1, 4, 5, 30])
def test_several_samples_at_once_are_estimated_as_each_alone(estimator: str, n: int) -> None:
    rng = np.random.default_rng(n)
    X, y = np.sort(rng.normal(size=(3, n)), axis=1), rng.normal(size=9)
    of, case = EntropyMeasure(estimator, R), np.arange(9) % 3
    alone = [math.nan if (h := of.entropy(x)) is None else h for x in X]
    assert of.entropies(X) == pytest.approx(alone, rel=1e-15, nan_ok=True)
    gap = np.array([np.searchsorted(X[c], v) for c, v in zip(case, y, strict=True)])
    added = [of.added(X[c]) for c in case]
    gains = [math.nan if a is None else float(a.gain(np.array([v]))[0]) for a, v in zip(added, y, strict=True)]
    assert of.added_each(X).gain(case, gap, y) == pytest.approx(gains, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("n", [2, 3, 4, 5, 30, 301])
def test_the_nearest_neighbours_are_those_of_a_search_among_all(n: int) -> None:
    x = np.sort(np.random.default_rng(n).exponential(size=n))
    assert EntropyMeasure(KOZACHENKO_LEONENKO, R).entropy(x) == pytest.approx(by_neighbours(x, R), abs=1e-12)


@given(samples.filter(lambda x: len(x) > 1))
@settings(max_examples=100, derandomize=True)
def test_the_nearest_neighbours_are_those_of_a_search_among_all_with_ties(x: np.ndarray) -> None:
    assert EntropyMeasure(KOZACHENKO_LEONENKO, R).entropy(x) == pytest.approx(by_neighbours(x, R), abs=1e-10)


@pytest.mark.parametrize("n", [2, 5, 50, 600])
def test_the_kernel_density_is_scipys_at_silvermans_bandwidth(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.sort(np.random.default_rng(n).exponential(size=n))
    h = EntropyMeasure(GAUSSIAN_KERNEL, R).entropy(x)
    assert h == pytest.approx(by_kernel(x, R), abs=1e-10)
    monkeypatch.setattr(measure, "BLOCK_NUMBERS", 7)
    assert EntropyMeasure(GAUSSIAN_KERNEL, R).entropy(x) == pytest.approx(h, abs=1e-12)


@given(samples, values, st.sampled_from(OURS))
@settings(max_examples=200, derandomize=True)
def test_what_a_value_adds_is_the_difference_of_two_estimates(x: np.ndarray, y: float, estimator: str) -> None:
    """With the resolution that n + 1 values have; and of the m-spacing one with one window (`test_spacing`)."""
    of = EntropyMeasure(estimator, R)
    added = of.added(x)
    assert added is not None
    r = R
    if isinstance(added, Insertion):
        r = added.resolution
    else:
        assert added.before == of.entropy(x)
        if estimator == KOZACHENKO_LEONENKO:
            r = R * math.exp(equal_values(of, len(x)) - equal_values(of, len(x) + 1))
    after = EntropyMeasure(estimator, r).entropy(np.sort(np.append(x, y)))
    assert after is not None
    assert added.before + float(added.gain(np.array([y]))[0]) == pytest.approx(after, abs=1e-9)


def equal_values(of: EntropyMeasure, n: int) -> float:
    h = of.entropy(np.zeros(n))
    assert h is not None
    return h


@pytest.mark.parametrize("estimator", OURS)
@pytest.mark.parametrize("n", [1, 2, 3, 4, 12, 200])
def test_one_more_of_many_equal_values_gains_nothing_and_another_value_gains(estimator: str, n: int) -> None:
    added = EntropyMeasure(estimator, R).added(np.full(n, 0.7))
    assert added is not None
    assert added.gain(np.array([0.7])) == pytest.approx([0.0], abs=1e-12)
    assert added.gain(np.array([5.0]))[0] > 0.0


def test_what_a_value_adds_to_the_published_one_is_the_difference_of_scipys() -> None:
    x = np.sort(np.random.default_rng(0).normal(size=30))
    y = np.array([-4.0, 0.3, x[7], 9.0])
    added = EntropyMeasure(PUBLISHED).added(x)
    assert added is not None
    after = [stats.differential_entropy(np.append(x, v)) for v in y]
    assert added.gain(y) == pytest.approx(np.array(after) - stats.differential_entropy(x), abs=1e-12)


@pytest.mark.parametrize("estimator", OURS)
def test_ties_and_outliers_of_a_million_deviations_keep_the_entropy_finite(estimator: str) -> None:
    x = np.random.default_rng(0).normal(size=50)
    for sample in (np.zeros(50), np.repeat([0.0, 1.0], 25), np.append(x, 1e6), np.append(x, [-1e6, 1e6])):
        h = EntropyMeasure(estimator, R).entropy(np.sort(sample))
        assert h is not None
        assert math.isfinite(h)


def test_one_outlier_moves_the_entropy_by_its_own_windows_only() -> None:
    """Eight windows of 51 end in the outlier; a mean of logarithms bounds what each adds, unlike a variance."""
    x = np.sort(np.random.default_rng(0).normal(size=50))
    of = EntropyMeasure(M_SPACING, R)
    low, high = of.entropy(x), of.entropy(np.append(x, 1e6))
    assert low is not None
    assert high is not None
    assert 0.0 < high - low < 8 * math.log(1e7) / 51


def test_the_default_resolution_is_a_thousandth_of_the_spread() -> None:
    """Of the deviation of uniform values, and of that which the quartiles of long tails stand for."""
    uniform, tailed = np.linspace(0.0, 1.0, 101), np.random.default_rng(0).standard_cauchy(size=4001)
    assert default_resolution(uniform) == pytest.approx(1e-3 * uniform.std())
    assert default_resolution(tailed) == pytest.approx(1e-3 * 2.0 / 1.34, rel=0.1)
    assert default_resolution(1e-9 * uniform) == pytest.approx(1e-9 * default_resolution(uniform))
    assert default_resolution(np.repeat([0.0, 1.0], [90, 10])) == pytest.approx(1e-3 * 0.3)


@pytest.mark.parametrize("x", [[], [4.0], [4.0, 4.0, 4.0], [1.0, math.inf], [1.0, math.nan]])
def test_where_no_two_different_values_are_known_the_resolution_is_the_fixed_one(x: list[float]) -> None:
    assert default_resolution(np.array(x)) == measure.RESOLUTION_WITHOUT_VALUES


def test_an_estimator_that_there_is_not_is_our_own_fault() -> None:
    with pytest.raises(InvariantViolation, match="median"):
        EntropyMeasure("median", R).entropy(np.arange(5.0))
