"""Entropy and bias against SciPy and against each other, on samples that Hypothesis makes up."""

from __future__ import annotations

import math
from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from agent.entropy.bias import BiasMeter, measure_bias
from agent.entropy.entropy import (
    differential_entropy,
    entropy_of_sorted,
    entropy_with_added,
    expected_entropy_with_added,
)
from agent.entropy.measure import ESTIMATORS, EntropyMeasure

coarse = st.integers(-20, 20).map(lambda k: k / 4)
fine = st.floats(-1e6, 1e6).map(lambda x: round(x, 6))
samples = st.one_of(st.lists(fine, max_size=60), st.lists(coarse, max_size=60))


def scipy_entropy(values: np.ndarray) -> float | None:
    """SciPy's answer, with None for its NaN (by its own rule 2m < n) and its −inf."""
    n = len(values)
    if not 2 <= 2 * math.floor(math.sqrt(n) + 0.5) < n:
        return None
    with np.errstate(divide="ignore"):
        h = float(stats.differential_entropy(values))
    return h if math.isfinite(h) else None


def same(ours: float | None, theirs: float | None) -> bool:
    if ours is None or theirs is None:
        return ours is theirs
    return abs(ours - theirs) <= 1e-12 * max(1.0, abs(theirs))


@given(samples)
def test_entropy_is_scipys(values: list[float]) -> None:
    sample = np.array(values)
    assert same(differential_entropy(sample), scipy_entropy(sample))


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.sampled_from([5, 9, 10, 11, 12, 200, 999, 1000, 1001, 1500]))
def test_entropy_is_scipys_around_every_change_of_the_estimator(seed: int, n: int) -> None:
    sample = np.random.default_rng(seed).standard_t(3, size=n)
    assert same(differential_entropy(sample), scipy_entropy(sample))


@given(samples, st.lists(st.one_of(coarse, fine), min_size=1, max_size=8))
def test_adding_a_value_gives_the_entropy_of_the_longer_sample(values: list[float], grid: list[float]) -> None:
    """Also where the added value ties with the sample: −inf stands for a window without width, NaN for n < 5."""
    sample = np.sort(np.array(values))
    # The grid always ties with the sample somewhere.
    grid = grid + values[:2]
    for y, h in zip(grid, entropy_with_added(sample, grid), strict=True):
        expected = scipy_entropy(np.append(sample, y))
        if len(sample) + 1 < 5:
            assert math.isnan(h)
        elif expected is None:
            assert h == -math.inf
        else:
            assert same(float(h), expected)


@given(st.integers(0, 2**32 - 1), st.integers(5, 60), st.floats(-50, 50), st.floats(0.01, 100))
def test_a_shift_leaves_the_entropy_and_a_scale_adds_its_logarithm(
    seed: int, n: int, shift: float, scale: float
) -> None:
    sample = np.random.default_rng(seed).normal(size=n)
    h, moved = differential_entropy(sample), differential_entropy(shift + scale * sample)
    assert h is not None
    assert moved is not None
    assert abs(moved - (h + math.log(scale))) < 1e-8


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(5, 40), st.floats(-3, 3), st.floats(0.01, 2))
def test_the_quadrature_agrees_with_a_dense_integral(seed: int, n: int, mean: float, std: float) -> None:
    sample = np.sort(np.random.default_rng(seed).normal(size=n))
    mean_h, std_h = expected_entropy_with_added(sample, np.array([mean]), np.array([std]))
    levels = (np.arange(20_000) + 0.5) / 20_000
    h = entropy_with_added(sample, mean + std * stats.norm.ppf(levels))
    # Kinks of h(y) leave an error below that of the 1,000 draws of the publication (h.std() / √1000).
    tolerance = max(h.std() / math.sqrt(1000), 1e-3)
    assert abs(mean_h[0] - h.mean()) < tolerance
    assert abs(std_h[0] - h.std()) < 1.5 * tolerance


@given(
    st.lists(st.tuples(st.integers(0, 3), st.one_of(coarse, fine)), max_size=80),
    st.integers(0, 80),
    st.sampled_from(ESTIMATORS),
)
def test_the_meter_equals_the_measure_at_every_step(rows: list[tuple[int, float]], split: int, estimator: str) -> None:
    measure = EntropyMeasure(estimator, 0.01)
    families = ("cubic", "hexagonal", "tetragonal", "trigonal")
    codes = np.array([code for code, _ in rows], dtype=np.int64)
    values = np.array([value for _, value in rows])
    meter = BiasMeter(families, codes[:split], values[:split], measure=measure)
    for k in range(min(split, len(rows)), len(rows) + 1):
        assert meter.point() == measure_bias(families, codes[:k], values[:k], measure)
        if k < len(rows):
            meter.add(*rows[k])


@given(samples, st.randoms(use_true_random=False))
def test_the_order_of_the_values_does_not_matter(values: list[float], random: Random) -> None:
    shuffled = list(values)
    random.shuffle(shuffled)
    assert differential_entropy(shuffled) == entropy_of_sorted(np.sort(np.array(values)))
