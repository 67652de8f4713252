"""Hyper-parameters by their posterior mode: the gradient, the tie of the groups, and where the prior decides."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from agent.surrogate.errors import SurrogateError
from agent.surrogate.hyperparameters import FittedHyperparameters
from agent.surrogate.prior import Posterior, PosteriorModeFit, prior_of

GROUPS = 3


def rows(n: int, d: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows of three groups with a level each, and a property of the first feature."""
    rng = np.random.default_rng(seed)
    features, groups = rng.normal(size=(n, d)), rng.integers(0, GROUPS, n)
    own = np.zeros((n, GROUPS))
    own[np.arange(n), groups] = 2.0**-0.5
    y = 3.0 * np.sin(features[:, 0]) + groups + rng.normal(scale=0.1, size=n)
    return np.concatenate((features, own), axis=1), y


def fitted(
    X: np.ndarray,
    y: np.ndarray,
    *,
    stds: np.ndarray | None = None,
    start: FittedHyperparameters | None = None,
    groups: int = GROUPS,
) -> FittedHyperparameters:
    return PosteriorModeFit(groups)(X, y, np.zeros(len(y)) if stds is None else stds, start)


def test_the_gradient_is_that_of_the_value() -> None:
    X, y = rows(30, 4)
    z = (y - y.mean()) / y.std()
    theta = np.random.default_rng(1).normal(scale=0.5, size=7)
    posterior = Posterior(X, z, GROUPS, np.zeros(30))
    _, gradient = posterior(theta)
    numeric = approx_fprime(theta, lambda t: posterior(t)[0], 1e-6)
    assert gradient == pytest.approx(numeric, rel=1e-4, abs=1e-4)


def test_the_groups_share_a_lengthscale_and_the_feature_that_matters_has_the_shortest() -> None:
    X, y = rows(120, 4)
    found = fitted(X, y)
    assert len(set(found.lengthscales[4:])) == 1
    assert np.argmin(found.lengthscales[:4]) == 0
    assert found.noise_variance * found.scale**2 == pytest.approx(0.01, rel=0.7)


def test_what_the_rows_say_nothing_of_stays_at_the_prior() -> None:
    """Two rows: sixty lengthscales neither vanish nor run into a bound."""
    X, y = rows(2, 60)
    found = fitted(X, y)
    mode, deviation = prior_of(60)
    assert np.abs(np.log(found.lengthscales[:60]) - mode[:60]).max() < deviation[0]


def test_equal_values_leave_the_modes() -> None:
    X, _ = rows(10, 2)
    found = fitted(X, np.full(10, 5.0))
    assert np.log(found.lengthscales[:2]) == pytest.approx(prior_of(2)[0][:2])
    assert (found.centre, found.scale) == (5.0, 1.0)


def test_a_fit_that_begins_at_the_mode_stays_there() -> None:
    X, y = rows(80, 3)
    first = fitted(X, y)
    for _ in range(6):
        first = fitted(X, y, start=first)
    again = fitted(X, y, start=first)
    assert np.log(again.lengthscales) == pytest.approx(np.log(first.lengthscales), abs=0.05)


def test_rows_without_groups_and_without_features_are_fitted_too() -> None:
    X, y = rows(20, 3)
    assert len(fitted(X[:, :3], y, groups=0).lengthscales) == 3
    assert len(fitted(X[:, :0], y, groups=0).lengthscales) == 0


def test_the_noise_that_is_known_is_not_fitted_again() -> None:
    """Noise of known deviation on half of the rows: σ_n² stays that of the others, and the gradient is right."""
    X, y = rows(160, 3)
    stds = np.where(np.arange(160) % 2, 1.5, 0.0)
    noisy = y + np.random.default_rng(5).normal(size=160) * stds
    knowing, unaware = fitted(X, noisy, stds=stds), fitted(X, noisy)
    assert knowing.noise_variance * knowing.scale**2 < 0.1
    assert unaware.noise_variance * unaware.scale**2 > 0.5
    z = (noisy - noisy.mean()) / noisy.std()
    theta = np.random.default_rng(1).normal(scale=0.5, size=6)
    posterior = Posterior(X, z, GROUPS, np.square(stds / noisy.std()))
    numeric = approx_fprime(theta, lambda t: posterior(t)[0], 1e-6)
    assert posterior(theta)[1] == pytest.approx(numeric, rel=1e-4, abs=1e-4)


def test_a_value_that_is_not_finite_is_refused() -> None:
    X, y = rows(10, 2)
    y[3] = np.nan
    with pytest.raises(SurrogateError, match="not finite"):
        fitted(X, y)
