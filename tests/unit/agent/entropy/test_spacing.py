"""The m-spacing estimator: unbiased where it says so, of one formula, and exact about one more value."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from agent.entropy.spacing import Insertion, Insertions, log_width, spacing_entropies, spacing_entropy, window

R = 1e-3

values = st.floats(-1e3, 1e3) | st.integers(-3, 3).map(float)  # integers make ties
samples = st.lists(values, min_size=1, max_size=40).map(lambda drawn: np.sort(np.array(drawn)))


def enlarged(x: np.ndarray, y: float) -> np.ndarray:
    return np.sort(np.append(x, y))


def mean_and_error(draw: str, n: int, repeats: int = 2000) -> tuple[float, float]:
    """Mean of h over samples, and the standard error of it."""
    rng = np.random.default_rng(n)
    drawn = np.sort(getattr(rng, draw)(size=(repeats, n)), axis=1)
    h = np.array([spacing_entropy(x, 1e-9) for x in drawn])
    return float(h.mean()), float(h.std() / math.sqrt(repeats))


@given(samples, st.lists(values, max_size=6), st.sampled_from([1e-6, 1e-3, 0.5]))
@settings(max_examples=300, derandomize=True)
def test_a_value_added_gives_the_entropy_of_the_enlarged_sample(
    x: np.ndarray, additional: list[float], r: float
) -> None:
    """Between values, on them, and beyond both ends; with ties, and with one value alone."""
    y = np.array([*additional, *x, x[0] - 1.0, x[0] - 1e6, x[-1] + 1.0, x[-1] + 1e6])
    insertion = Insertion(x, r)
    again = [spacing_entropy(enlarged(x, v), insertion.resolution) for v in y]
    assert insertion.after(y) == pytest.approx(again, rel=1e-12, abs=1e-11)


@pytest.mark.parametrize("n", [1, 2, 3, 6, 7, 12, 13, 100, 999, 1000, 5000])
def test_a_value_added_to_a_sample_of_any_size_gives_the_entropy_of_the_enlarged_sample(n: int) -> None:
    rng = np.random.default_rng(n)
    x = np.sort(rng.normal(size=n))
    y = np.concatenate((rng.normal(scale=2.0, size=20), x[[0, n // 2, -1]]))
    insertion = Insertion(x, R)
    again = [spacing_entropy(enlarged(x, v), insertion.resolution) for v in y]
    assert insertion.after(y) == pytest.approx(again, abs=1e-11)


@pytest.mark.parametrize("n", [1, 2, 3, 7, 40, 300])
def test_several_samples_at_once_have_the_entropies_of_each_and_of_each_with_a_value_added(n: int) -> None:
    rng = np.random.default_rng(n)
    X = np.sort(np.round(rng.normal(size=(5, n)), 2), axis=1)
    y = np.concatenate((rng.normal(scale=2.0, size=20), X[:, 0], X[:, n // 2]))
    at_once = Insertions(X, R)
    assert spacing_entropies(X, R).tolist() == [spacing_entropy(x, R) for x in X]
    for case, x in enumerate(X):
        after = at_once.after(np.full(len(y), case), np.searchsorted(x, y), y)
        assert after.tolist() == Insertion(x, R).after(y).tolist()
        assert after == pytest.approx([spacing_entropy(enlarged(x, v), at_once.resolution) for v in y], abs=1e-11)


def test_many_values_beyond_the_ends_are_those_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The blocks in which they are added have no seam."""
    x = np.sort(np.random.default_rng(0).normal(size=90))
    y = np.concatenate((x[0] - np.linspace(0.0, 3.0, 50), x[-1] + np.linspace(0.0, 3.0, 50)))
    at_once = Insertion(x, R).after(y)
    monkeypatch.setattr("agent.entropy.spacing.TAIL_NUMBERS", 40)
    assert Insertion(x, R).after(y).tolist() == at_once.tolist()


@given(samples, values)
@settings(max_examples=100, derandomize=True)
def test_a_gain_compares_entropies_of_the_same_window(x: np.ndarray, y: float) -> None:
    m, insertion = window(len(x) + 1), Insertion(x, R)
    after = spacing_entropy(enlarged(x, y), insertion.resolution, m)
    assert insertion.before == spacing_entropy(x, R, m)
    assert insertion.gain(np.array([y])) == pytest.approx([after - insertion.before], abs=1e-10)


@pytest.mark.parametrize("n", [1, 2, 3, 6, 12, 100, 1000])
def test_one_more_of_many_equal_values_gains_nothing_and_any_other_something(n: int) -> None:
    """Although h of n equal values grows with n: a family that is all alike must not look as if it gained."""
    insertion = Insertion(np.full(n, 0.7), R)
    assert insertion.gain(np.array([0.7])) == pytest.approx([0.0], abs=1e-12)
    assert (insertion.gain(np.array([0.7 - R, 0.7 + R, 5.0])) > 1e-5).all()


def test_where_no_window_is_closed_a_gain_is_that_of_the_resolution_itself() -> None:
    x = np.sort(np.random.default_rng(0).normal(size=100))
    y, m = np.linspace(-4.0, 4.0, 30), window(101)
    plain = np.array([spacing_entropy(enlarged(x, v), 1e-5, m) for v in y]) - spacing_entropy(x, 1e-5, m)
    assert Insertion(x, 1e-5).gain(y) == pytest.approx(plain, abs=1e-7)


@pytest.mark.parametrize("n", [2, 3, 5, 10, 11, 20, 50, 100, 200])
def test_uniform_samples_are_estimated_without_bias(n: int) -> None:
    mean, error = mean_and_error("random", n)
    assert abs(mean) < 4.0 * error


@pytest.mark.parametrize(("few", "jump", "published_jump"), [(10, 0.02, 0.04), (1000, 0.001, 0.015)])
def test_the_estimate_does_not_jump_from_one_size_to_the_next(few: int, jump: float, published_jump: float) -> None:
    """Mean over samples of a normal, the larger one being the smaller with a value more; the published one jumps."""
    drawn = np.random.default_rng(few).normal(size=(2000 if few < 100 else 400, few + 1))

    def change(estimate: object) -> float:
        return float(np.mean([estimate(np.sort(x)) - estimate(np.sort(x[:-1])) for x in drawn]))  # type: ignore[operator]

    assert abs(change(lambda x: spacing_entropy(x, 1e-9))) < jump
    assert abs(change(stats.differential_entropy)) > published_jump


@given(samples, st.floats(1e-6, 1e-2))
@settings(max_examples=100, derandomize=True)
def test_the_estimate_is_continuous_in_every_value(x: np.ndarray, shift: float) -> None:
    """ℓ has a slope of at most 1 / 2r, so values moved by ε change each window by at most 2 ε / 2r."""
    moved = np.sort(x + shift * np.random.default_rng(0).uniform(-1.0, 1.0, size=len(x)))
    r = 0.1
    assert abs(spacing_entropy(moved, r) - spacing_entropy(x, r)) <= shift / r + 1e-9


@pytest.mark.parametrize("n", [1, 2, 7, 50])
def test_values_that_are_all_equal_have_the_entropy_of_the_resolution(n: int) -> None:
    """It is ln r, but for the constant of so many values."""
    h = [spacing_entropy(np.full(n, 3.0), r) for r in (1e-3, 1e-6)]
    assert h[0] - h[1] == pytest.approx(math.log(1e3))
    assert h[0] == pytest.approx(math.log(1e-3) + spacing_entropy(np.zeros(n), 1.0))


def test_one_value_has_the_entropy_that_the_docstring_says() -> None:
    assert spacing_entropy(np.array([5.0]), R) == pytest.approx(math.log(R) + 1.0)


def test_equal_values_cost_the_logarithm_of_the_resolution_for_each_window_that_they_close_and_nothing_else() -> None:
    """Windows of a hundred values span twenty spacings, ten at the ends."""
    x = np.sort(np.random.default_rng(1).normal(size=100))
    few, closed = x.copy(), x.copy()
    few[40:60] = x[50]  # one value fewer than a window holds
    closed[:12] = x[0]  # x_0 to x_10 and x_0 to x_11 have no width

    def cost(sample: np.ndarray) -> float:
        return spacing_entropy(sample, 1e-4) - spacing_entropy(sample, 1e-7)

    assert cost(x) == pytest.approx(0.0, abs=1e-5)
    assert cost(few) == pytest.approx(0.0, abs=1e-5)
    assert cost(closed) == pytest.approx(2 * math.log(1e3) / 100, abs=1e-5)


@given(samples, st.floats(0.01, 100.0), st.floats(-100.0, 100.0))
@settings(max_examples=100, derandomize=True)
def test_another_unit_adds_its_logarithm_and_another_origin_nothing(x: np.ndarray, unit: float, origin: float) -> None:
    h = spacing_entropy(x, 0.01)
    assert spacing_entropy(x * unit + origin, 0.01 * unit) == pytest.approx(h + math.log(unit), abs=1e-6)
    mirrored = np.sort(-x)
    assert spacing_entropy(mirrored, 0.01) == pytest.approx(h, abs=1e-10)


def test_widths_far_above_the_resolution_are_their_logarithm_and_zero_is_that_of_the_resolution() -> None:
    assert log_width(np.array([10 * R, -10 * R]), R) == pytest.approx([math.log(10 * R)] * 2, abs=0.005)
    assert log_width(np.zeros(1), R) == pytest.approx([math.log(R)])


def test_a_window_is_never_wider_than_the_sample_needs() -> None:
    assert [window(n) for n in (1, 2, 3, 6, 7, 12, 13)] == [1, 1, 2, 2, 3, 3, 4]
