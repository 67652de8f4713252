"""The Gaussian process against scikit-learn and finite differences, and its outcomes at the edges."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

from agent.surrogate import gaussian_process
from agent.surrogate.errors import SurrogateError
from agent.surrogate.gaussian_process import (
    FittedGP,
    Hyperparameters,
    _posterior,
    centre_and_scale,
    fit,
    known_noise,
    likelihood_and_gradient,
    squared_distances,
)


def table(seed: int, n: int = 60, d: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    return X, 3.0 + 2.0 * np.sin(X[:, 0]) + X[:, 1] * X[:, 2] + rng.normal(scale=0.1, size=n)


def posterior_at(X: np.ndarray, y: np.ndarray, hyper: Hyperparameters) -> FittedGP:
    """The process at given hyper-parameters, without a fit."""
    centre, scale, _ = centre_and_scale(y)
    return _posterior(X, (y - centre) / scale, centre, scale, hyper)


def reference(X: np.ndarray, y: np.ndarray, hyper: Hyperparameters) -> GaussianProcessRegressor:
    kernel = ConstantKernel(hyper.signal_variance) * RBF(hyper.lengthscale) + WhiteKernel(hyper.noise_variance)
    return GaussianProcessRegressor(kernel, alpha=0.0, optimizer=None, normalize_y=True).fit(X, y)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("hyper", [Hyperparameters(1.7, 0.8, 0.02), Hyperparameters(6.0, 20.0, 1e-4)])
def test_predictions_and_likelihood_are_scikit_learns(seed: int, hyper: Hyperparameters) -> None:
    X, y = table(seed)
    new = np.random.default_rng(99).normal(size=(40, 5))
    ours, theirs = posterior_at(X, y, hyper), reference(X, y, hyper)
    mean, std = ours.predict(new)
    their_mean, their_std = theirs.predict(new, return_std=True)
    assert mean == pytest.approx(their_mean, abs=1e-8)
    # scikit-learn's deviation is of f + noise.
    assert np.sqrt(std**2 + ours.noise_std**2) == pytest.approx(their_std, abs=1e-8)
    assert ours.log_marginal_likelihood == pytest.approx(theirs.log_marginal_likelihood_value_, rel=1e-9, abs=1e-8)


@pytest.mark.parametrize("theta", [(0.3, -0.2, -3.0), (1.5, 1.0, -1.0), (-0.5, 0.4, -8.0)])
def test_the_gradient_is_that_of_finite_differences(theta: tuple[float, ...]) -> None:
    X, y = table(1, n=30)
    D, z = squared_distances(X, X), (y - y.mean()) / y.std()
    point, step = np.array(theta), 1e-5
    _, gradient = likelihood_and_gradient(point, D, z)
    for j in range(3):
        shift = step * np.eye(3)[j]
        up, down = (likelihood_and_gradient(point + s, D, z)[0] for s in (shift, -shift))
        assert gradient[j] == pytest.approx((up - down) / (2 * step), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_the_fit_is_as_likely_as_scikit_learns_own_optimum(seed: int) -> None:
    X, y = table(seed)
    kernel = ConstantKernel(1.0, (1e-3, 1e3)) * RBF(3.0, (1e-2, 1e3)) + WhiteKernel(0.1, (1e-6, 10.0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = GaussianProcessRegressor(kernel, alpha=0.0, normalize_y=True).fit(X, y)
    assert fit(X, y).log_marginal_likelihood >= theirs.log_marginal_likelihood_value_ - 1e-3


def test_the_fit_depends_on_its_arguments_alone() -> None:
    X, y = table(0)
    other = fit(*table(5))
    first, second = fit(X, y), fit(X.copy(), y.copy())
    assert first.hyperparameters == second.hyperparameters
    assert np.array_equal(first.predict(other.X)[1], second.predict(other.X)[1])


def test_the_unit_of_the_values_only_scales_the_predictions() -> None:
    X, y = table(2)
    new = X[:5] + 0.3
    mean, std = fit(X, y).predict(new)
    scaled_mean, scaled_std = fit(X, 1e6 * y - 5e6).predict(new)
    assert scaled_mean == pytest.approx(1e6 * mean - 5e6, rel=1e-4)
    assert scaled_std == pytest.approx(1e6 * std, rel=1e-3)


def test_noise_is_found_again() -> None:
    X, y = table(7, n=200, d=3)
    assert fit(X, y).noise_std == pytest.approx(0.1, rel=0.25)


def test_one_row_gives_its_value_and_a_prior_around_it() -> None:
    mean, std = fit(np.zeros((1, 2)), np.array([4.0])).predict(np.array([[0.0, 0.0], [50.0, 0.0]]))
    assert mean == pytest.approx([4.0, 4.0])
    assert std[0] < 0.5 < std[1] == pytest.approx(1.0)


def test_equal_values_give_their_value_and_more_doubt_farther_away() -> None:
    X, _ = table(0, n=10)
    mean, std = fit(X, np.full(10, 0.1)).predict(np.concatenate((X[:1], X[:1] + 20.0)))
    assert mean == pytest.approx([0.1, 0.1])
    assert std[0] < std[1]


def test_rows_that_are_all_the_same_give_the_mean_everywhere_near() -> None:
    y = np.array([1.0, 2.0, 3.0])
    gp = fit(np.ones((3, 4)), y)
    mean, std = gp.predict(np.ones((1, 4)))
    assert mean == pytest.approx([2.0], abs=1e-6)
    assert np.isfinite(std).all()


def test_rows_without_any_feature_are_rows_that_are_all_the_same() -> None:
    mean, std = fit(np.empty((3, 0)), np.array([1.0, 2.0, 3.0])).predict(np.empty((2, 0)))
    assert mean == pytest.approx([2.0, 2.0], abs=1e-6)
    assert np.isfinite(std).all()


def test_repeated_rows_with_different_values_are_noise() -> None:
    X, y = table(0, n=30)
    gp = fit(np.concatenate((X, X)), np.concatenate((y, y + 0.5)))
    assert gp.noise_std == pytest.approx(0.25, rel=0.3)


def test_equal_rows_are_exactly_at_distance_zero() -> None:
    X = 1e3 + np.random.default_rng(0).normal(size=(50, 40))
    D = squared_distances(X, np.concatenate((X, X)))
    assert (np.diag(D) == 0.0).all()
    assert (np.diag(D[:, 50:]) == 0.0).all()
    assert (D >= 0.0).all()


def test_predictions_do_not_depend_on_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    gp = fit(*table(3))
    new = np.random.default_rng(1).normal(size=(100, 5))
    mean, std = gp.predict(new)
    monkeypatch.setattr(gaussian_process, "PREDICTION_CHUNK_NUMBERS", 7 * len(gp.z))
    chunked_mean, chunked_std = gp.predict(new)
    assert chunked_mean == pytest.approx(mean, abs=1e-12)
    assert chunked_std == pytest.approx(std, abs=1e-10)


def test_fantasies_keep_the_mean_and_lower_the_deviation_around_them() -> None:
    gp = fit(*table(4))
    rng = np.random.default_rng(2)
    new, flight = rng.normal(size=(50, 5)), rng.normal(size=(3, 5))
    conditioned = gp.with_fantasies(flight)
    (mean, std), (mean_after, std_after) = gp.predict(new), conditioned.predict(new)
    assert mean_after == pytest.approx(mean, abs=1e-8)
    assert (std_after <= std + 1e-12).all()
    assert (conditioned.predict(flight)[1] < 0.9 * gp.predict(flight)[1]).all()
    assert gp.with_fantasies(flight[:0]) is gp


def test_a_matrix_beyond_the_last_jitter_ends_with_an_error_that_says_so() -> None:
    with pytest.raises(SurrogateError, match=r"no Cholesky factor.*Expected.*What to do"):
        gaussian_process.cholesky(np.array([[1.0, 2.0], [2.0, 1.0]]), 0.0)


def test_a_singular_matrix_is_mended_by_jitter() -> None:
    _, noise = gaussian_process.cholesky(np.ones((5, 5)), 0.0)
    assert 0.0 < noise <= 1e-4


@pytest.mark.parametrize(
    ("X", "y", "found"),
    [
        (np.ones((3, 2)), np.ones(2), "shape"),
        (np.ones((0, 2)), np.ones(0), "shape"),
        (np.ones(3), np.ones(3), "shape"),
        (np.full((2, 2), np.nan), np.ones(2), "not finite"),
        (np.ones((2, 2)), np.array([1.0, np.inf]), "not finite"),
    ],
)
def test_rows_that_are_no_training_set_are_refused(X: np.ndarray, y: np.ndarray, found: str) -> None:
    with pytest.raises(SurrogateError, match=found):
        fit(X, y)


STDS = np.where(np.arange(30) % 3, 0.0, 1.5)
"""Uncertainties of which some are known."""


@pytest.mark.parametrize("theta", [(0.3, -0.2, -3.0), (1.5, 1.0, -1.0), (-0.5, 0.4, -8.0)])
def test_with_known_noise_the_gradient_is_that_of_finite_differences_too(theta: tuple[float, ...]) -> None:
    X, y = table(1, n=30)
    D, z = squared_distances(X, X), (y - y.mean()) / y.std()
    noise, point, step = known_noise(STDS, float(y.std())), np.array(theta), 1e-5
    _, gradient = likelihood_and_gradient(point, D, z, noise)
    for j in range(3):
        shift = step * np.eye(3)[j]
        up, down = (likelihood_and_gradient(point + s, D, z, noise)[0] for s in (shift, -shift))
        assert gradient[j] == pytest.approx((up - down) / (2 * step), rel=1e-6, abs=1e-6)


def test_a_value_is_followed_less_the_less_it_is_known() -> None:
    X, y = table(2, n=30)
    y[0] += 8.0
    off = []
    for std in (0.0, 1.0, 5.0, 1e150):
        stds = np.zeros(30)
        stds[0] = std
        off.append(abs(float(fit(X, y, stds).predict(X[:1])[0][0]) - y[0]))
    assert off[0] < off[1] < off[2] < off[3]


def test_values_without_an_uncertainty_give_the_same_bits_whether_that_is_said_or_not() -> None:
    X, y = table(3)
    assert fit(X, y).predict(X)[0].tolist() == fit(X, y, np.zeros(len(y))).predict(X)[0].tolist()


def test_the_noise_that_is_found_is_what_values_err_beyond_what_is_known_of_them() -> None:
    rng = np.random.default_rng(4)
    X = rng.normal(size=(150, 2))
    y = np.sin(X[:, 0]) + 0.5 * X[:, 1] + rng.normal(scale=0.4, size=150)
    assert fit(X, y).noise_std == pytest.approx(0.4, rel=0.25)
    assert fit(X, y, np.full(150, 0.4)).noise_std < 0.15


def test_rows_in_flight_beside_values_of_known_uncertainty_keep_their_predictions() -> None:
    X, y = table(5, n=30)
    process = fit(X, y, STDS)
    mean, std = process.predict(X)
    after, lower = process.with_fantasies(X[:4] + 0.1).predict(X)
    assert after == pytest.approx(mean, abs=1e-8)
    assert (lower <= std + 1e-9).all()
