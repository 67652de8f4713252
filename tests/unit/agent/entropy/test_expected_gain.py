"""The expected gain against brute force, its grid against itself one by one, and what must hold of it.

The scale of a gain is the largest expected gain among the candidates of the same decision: what decides is the order
of candidates, and errors far below it move nothing. Where no candidate has anything to gain the scale is that of the
least gain that counts (`gain_table.LEAST_GAIN`).
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import ndtri

from agent.entropy import expected_gain as module
from agent.entropy.expected_gain import expected_gain, mean_expected_gain
from agent.entropy.gain_table import LEAST_GAIN, GainTables
from agent.entropy.measure import ESTIMATORS, M_SPACING, PUBLISHED, EntropyMeasure

ACCURACY = 1e-3
"""Of the scale: what issue and docstring promise."""

DRAWS = 1_000_000
SIZES = (1, 2, 3, 5, 8, 9, 20, 60, 300)


def sample_of(kind: str, n: int, rng: np.random.Generator) -> np.ndarray:
    x = rng.normal(size=n)
    match kind:
        case "skew":
            x = np.exp(1.5 * x)
        case "ties":
            x = np.round(x, 1)
        case "two clusters":
            x = np.concatenate((0.01 * x[: n // 2], 5.0 + x[n // 2 :]))
        case "outlier":
            x[0] = 1e6
    return np.sort(x)


def scale_of(gains: np.ndarray, x: np.ndarray) -> float:
    return max(float(gains.max()), LEAST_GAIN / (len(x) + 1))


KINDS = ("normal", "skew", "ties", "two clusters", "outlier")


@pytest.mark.parametrize("case", range(30))
def test_it_is_the_mean_of_a_million_draws_to_a_thousandth_of_its_scale(case: int) -> None:
    """One draw in each of a million strata; their own error is that of the mean, or less."""
    rng = np.random.default_rng(case)
    kind = KINDS[case % len(KINDS)]
    x = sample_of(kind, SIZES[case % len(SIZES)], rng)
    added = EntropyMeasure(M_SPACING, 1e-3).added(x)
    assert added is not None
    mean, std = 1.5 * rng.normal(size=40), 10.0 ** rng.uniform(-3.0, math.log10(3.0), size=40)
    mean[:5] = rng.choice(x[:-1] if len(x) > 1 else x, size=5)  # on a known value, where g dips
    ours = expected_gain(added, x, mean, std)
    checked = int(rng.integers(40)) if case % 2 else int(rng.integers(5))
    quantiles = (np.arange(DRAWS) + rng.random(DRAWS)) / DRAWS
    gains = np.maximum(added.gain(mean[checked] + std[checked] * ndtri(quantiles)), 0.0)
    strata = gains.reshape(-1, 2)
    error = 4.0 * float(np.abs(np.diff(strata, axis=1)).mean()) / math.sqrt(DRAWS)
    assert abs(ours[checked] - gains.mean()) < ACCURACY * scale_of(ours, x) + error


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [3, 300])
def test_a_grid_gives_what_one_by_one_does(kind: str, n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """10,000 candidates, some of them with σ so small, or 0, that no grid would hold them."""
    rng = np.random.default_rng(n)
    x = sample_of(kind, n, rng)
    added = EntropyMeasure(M_SPACING, 1e-3).added(x)
    assert added is not None
    mean, std = 1.2 * rng.normal(size=10_000), 10.0 ** rng.uniform(-1.5, 0.3, size=10_000)
    std[:20], std[20:30] = 1e-4, 0.0
    by_grid = expected_gain(added, x, mean, std)
    monkeypatch.setattr(module, "GRID_COST", math.inf)
    one_by_one = expected_gain(added, x, mean, std)
    assert np.abs(by_grid - one_by_one).max() < ACCURACY * scale_of(one_by_one, x)
    assert (by_grid >= 0.0).all()


def cases_of(kind: str, n: int, rng: np.random.Generator, cases: int = 16, in_flight: int = 3) -> np.ndarray:
    """A sample with what is in flight drawn in each case."""
    known = np.broadcast_to(sample_of(kind, n, rng), (cases, n))
    return np.sort(np.concatenate((known, rng.normal(size=(cases, in_flight))), axis=1), axis=1)


@pytest.mark.parametrize("grid", ["where it is cheaper", "never"])
@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_mean_over_cases_is_that_of_case_after_case(
    kind: str, estimator: str, grid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the accuracy that either has; without grids to what two tables over different ranges differ in."""
    rng = np.random.default_rng(11)
    X = cases_of(kind, 12, rng, cases=16 if estimator == M_SPACING else 4)
    measure = EntropyMeasure(estimator, 1e-3)
    means, std = 1.2 * rng.normal(size=150) + 0.2 * rng.normal(size=(len(X), 1)), 10.0 ** rng.uniform(-1.0, 0.0, 150)
    if grid == "never":
        monkeypatch.setattr(module, "GRID_COST", math.inf)
    together = mean_expected_gain(measure.added_each(X), X, means, std)
    monkeypatch.setattr(module, "GRID_COST", math.inf)
    added = [measure.added(x) for x in X]
    apart = np.mean([expected_gain(a, x, mean, std) for a, x, mean in zip(added, X, means, strict=True) if a], axis=0)
    accuracy = 1e-4 if (grid, estimator) == ("never", M_SPACING) else ACCURACY
    assert together == pytest.approx(apart, abs=accuracy * scale_of(apart, X[0]))


@pytest.mark.parametrize("kind", KINDS)
def test_tables_made_together_are_those_made_one_by_one(kind: str) -> None:
    rng = np.random.default_rng(5)
    X = cases_of(kind, 40, rng)
    measure = EntropyMeasure(M_SPACING, 1e-3)
    together = GainTables(measure.added_each(X), X, -9.0, 9.0, 0.05)
    places = rng.uniform(-9.0, 9.0, size=(len(X), 500))
    apart = [GainTables(measure.added_each(x[None]), x[None], -9.0, 9.0, 0.05) for x in X]
    assert len(together) == sum(map(len, apart))
    for function in ("value", "integral"):
        separate = np.concatenate([getattr(one, function)(y[None]) for one, y in zip(apart, places, strict=True)])
        assert getattr(together, function)(places) == pytest.approx(separate, rel=1e-12)


@pytest.mark.parametrize("spread", [0.0, 1e-12, 1.0])
def test_a_grid_of_one_deviation_or_of_one_mean_gives_what_one_by_one_does(spread: float) -> None:
    rng = np.random.default_rng(0)
    x = np.sort(rng.normal(size=30))
    added = EntropyMeasure(M_SPACING, 1e-3).added(x)
    assert added is not None
    mean = 0.7 + spread * rng.normal(size=500)
    std = np.full(len(mean), 0.4)
    by_grid = expected_gain(added, x, mean, std)
    one_by_one = np.concatenate([expected_gain(added, x, mean[c : c + 20], std[:20]) for c in range(0, 200, 20)])
    assert by_grid[:200] == pytest.approx(one_by_one, abs=5e-4 * by_grid.max())


def test_a_certain_value_gains_what_it_adds_or_nothing() -> None:
    x = np.sort(np.random.default_rng(0).normal(size=30))
    added = EntropyMeasure(M_SPACING, 1e-3).added(x)
    assert added is not None
    mean = np.concatenate((np.linspace(-5.0, 5.0, 60), x))
    exact = np.maximum(added.gain(mean), 0.0)
    gains = expected_gain(added, x, mean, np.zeros(len(mean)))
    assert gains == pytest.approx(exact, abs=2e-4 * exact.max())
    assert (exact == 0.0).any()


def test_one_candidate_has_the_same_gain_as_among_others() -> None:
    x = np.sort(np.random.default_rng(0).normal(size=30))
    added = EntropyMeasure(M_SPACING, 1e-3).added(x)
    assert added is not None
    mean, std = np.array([0.3, 1.0, 2.5, 0.3]), np.array([0.2, 0.0, 1.0, 0.2])
    together = expected_gain(added, x, mean, std)
    alone = [float(expected_gain(added, x, mean[[c]], std[[c]])[0]) for c in range(4)]
    assert together == pytest.approx(alone, abs=2e-4 * together.max())
    assert together[0] == pytest.approx(together[3], rel=1e-12)


def test_farther_beyond_the_end_gains_more() -> None:
    x = np.sort(np.random.default_rng(1).normal(size=40))
    added = EntropyMeasure(M_SPACING, 1e-3).added(x)
    assert added is not None
    mean = x[-1] + np.linspace(0.0, 30.0, 200)
    for std in (0.0, 0.05, 1.0):
        gains = expected_gain(added, x, mean, np.full(200, std))
        assert (np.diff(gains) > -1e-4 * gains.max()).all()


def test_more_doubt_about_a_value_in_the_middle_gains_more() -> None:
    """Where the value itself would add nothing, only its deviation can bring it to where it does."""
    x = np.sort(np.random.default_rng(2).normal(size=60))
    added = EntropyMeasure(M_SPACING, 1e-3).added(x)
    assert added is not None
    gains = expected_gain(added, x, np.full(100, float(np.median(x))), np.linspace(0.0, 3.0, 100))
    assert (np.diff(gains) > -1e-4 * gains.max()).all()
    assert gains[-1] > 0.01 > gains[0]


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_every_estimator_has_gains_that_are_finite_and_not_negative(estimator: str) -> None:
    rng = np.random.default_rng(3)
    x = np.sort(np.concatenate((rng.normal(size=12), [0.5] * 3)))
    added = EntropyMeasure(estimator, 1e-3).added(x)
    assert added is not None
    gains = expected_gain(added, x, np.append(rng.normal(size=50), 0.5), np.append(rng.uniform(0, 2, size=50), 0.0))
    assert np.isfinite(gains).all()
    assert (gains >= 0.0).all()
    assert gains.max() > 0.0


def test_where_nothing_is_defined_nothing_is_gained() -> None:
    class Undefined:
        before = 0.0

        def gain(self, y: np.ndarray) -> np.ndarray:
            return np.full(len(y), np.nan)

    assert expected_gain(Undefined(), np.arange(3.0), np.zeros(4), np.ones(4)).tolist() == [0.0] * 4


def test_a_tie_without_entropy_is_passed_over() -> None:
    """Three equal values at the edge of the published estimator's sample and one more: −∞ there, finite around."""
    x = np.array([0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])
    added = EntropyMeasure(PUBLISHED).added(x)
    assert added is not None
    gains = expected_gain(added, x, np.array([0.0, 0.0, 9.0]), np.array([0.0, 3.0, 0.1]))
    draws = added.gain(np.random.default_rng(0).normal(0.0, 3.0, size=200_000))
    assert gains[0] == 0.0
    assert gains[1] == pytest.approx(np.maximum(draws, 0.0).mean(), abs=5e-3 * gains.max())
