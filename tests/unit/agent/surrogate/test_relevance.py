"""One lengthscale a feature: the gradient, and what it finds."""

from __future__ import annotations

import numpy as np
import pytest

from agent.surrogate import gaussian_process
from agent.surrogate.hyperparameters import fit_hyperparameters
from agent.surrogate.relevance import LengthscaleLikelihood, most_likely_lengthscales


def table(seed: int, n: int = 60, d: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Values that depend on the first two features only."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    y = np.sin(2.0 * X[:, 0]) + 0.5 * X[:, 1] + rng.normal(scale=0.05, size=n)
    return X, (y - y.mean()) / y.std()


@pytest.mark.parametrize("theta", [(0.3, 0.1, -0.2, 0.0, 0.5, -0.2, -3.0), (1.5, 1.0, 0.7, 2.0, 1.2, 1.0, -1.0)])
def test_the_gradient_is_that_of_finite_differences(theta: tuple[float, ...]) -> None:
    X, z = table(0, n=30)
    point, step = np.array(theta), 1e-5
    _, gradient = LengthscaleLikelihood(X, z)(point)
    for j in range(len(theta)):
        shift = step * np.eye(len(theta))[j]
        up, down = (LengthscaleLikelihood(X, z)(point + s)[0] for s in (shift, -shift))
        assert gradient[j] == pytest.approx((up - down) / (2 * step), rel=1e-6, abs=1e-6)


def test_one_theta_after_the_other_has_what_each_has_alone() -> None:
    X, z = table(0, n=30)
    likelihood = LengthscaleLikelihood(X, z)
    points = np.random.default_rng(1).normal(size=(4, 7))
    found = [likelihood(point) for point in points]
    for point, (value, gradient) in zip(points, found, strict=True):
        alone, gradient_alone = LengthscaleLikelihood(X, z)(point)
        assert value == alone
        assert gradient.tolist() == gradient_alone.tolist()


def test_equal_lengthscales_have_the_likelihood_of_the_isotropic_kernel() -> None:
    X, z = table(1)
    value, gradient = LengthscaleLikelihood(X, z)(np.array([0.4] * 5 + [-0.1, -2.0]))
    D = gaussian_process.squared_distances(X, X)
    same, isotropic = gaussian_process.likelihood_and_gradient(np.array([0.4, -0.1, -2.0]), D, z)
    assert value == pytest.approx(same, rel=1e-10)
    assert [gradient[:5].sum(), *gradient[5:]] == pytest.approx(isotropic, rel=1e-8, abs=1e-8)


@pytest.mark.parametrize("seed", range(3))
def test_features_that_tell_nothing_get_long_lengthscales(seed: int) -> None:
    X, z = table(seed, n=100)
    lengthscales = fit_hyperparameters(X, z, ard=True, start=None).lengthscales
    assert lengthscales[:2].max() * 3.0 < lengthscales[2:].min()
    assert lengthscales[0] < lengthscales[1]


@pytest.mark.parametrize("seed", range(3))
def test_it_is_at_least_as_likely_as_one_lengthscale_for_all(seed: int) -> None:
    X, z = table(seed)
    D = gaussian_process.squared_distances(X, X)
    unit = gaussian_process.typical_distance(D)
    one = gaussian_process.most_likely(D, z, unit)
    isotropic, _ = gaussian_process.likelihood_and_gradient(
        np.log([one.lengthscale, one.signal_variance, one.noise_variance]), D, z
    )
    start = (np.full(5, one.lengthscale), one.signal_variance, one.noise_variance)
    lengthscales, signal, noise = most_likely_lengthscales(X, z, unit, start)
    each, _ = LengthscaleLikelihood(X, z)(np.log([*lengthscales, signal, noise]))
    assert each >= isotropic - 1e-9


def test_a_fit_from_where_it_was_stays_there() -> None:
    X, z = table(2)
    first = fit_hyperparameters(X, z, ard=True, start=None)
    again = fit_hyperparameters(X, z, ard=True, start=first)
    assert again.lengthscales[:2] == pytest.approx(first.lengthscales[:2], rel=0.02)
    assert again.noise_variance == pytest.approx(first.noise_variance, rel=0.05)


def test_values_that_are_all_equal_leave_the_hyper_parameters_where_they_are() -> None:
    X, z = table(3)
    first = fit_hyperparameters(X, z, ard=True, start=None)
    again = fit_hyperparameters(X, np.full(len(z), 2.5), ard=True, start=first)
    assert again.lengthscales.tolist() == first.lengthscales.tolist()
    assert (again.centre, again.scale) == (2.5, 1.0)
