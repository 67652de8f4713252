"""Where a fit begins: at the last one's end, and at the fixed start when there is reason to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agent.surrogate.gaussian_process import SIGNAL_VARIANCE_BOUNDS
from agent.surrogate.hyperparameters import SEARCH_AGAIN, FittedHyperparameters, fit_hyperparameters
from agent.surrogate.relevance import LengthscaleLikelihood


def table(seed: int, n: int, noise: float = 0.05) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4))
    return X, np.sin(2.0 * X[:, 0]) + 0.5 * X[:, 1] + rng.normal(scale=noise, size=n)


def log_likelihood(found: FittedHyperparameters, X: np.ndarray, y: np.ndarray) -> float:
    theta = np.log([*found.lengthscales, found.signal_variance, found.noise_variance])
    return LengthscaleLikelihood(X, (y - found.centre) / found.scale)(theta)[0]


@pytest.mark.parametrize("ard", [False, True])
def test_a_few_more_rows_are_fitted_from_the_last_end_alone_and_as_well(ard: bool) -> None:
    X, y = table(0, 60)
    first = fit_hyperparameters(X[:52], y[:52], ard=ard, start=None)
    again = fit_hyperparameters(X, y, ard=ard, start=first, search=False)
    searched = fit_hyperparameters(X, y, ard=ard, start=first)
    assert (first.searched_rows, again.searched_rows, searched.searched_rows) == (52, 52, 60)
    assert log_likelihood(again, X, y) == pytest.approx(log_likelihood(searched, X, y), abs=0.1)


def test_half_as_many_rows_again_are_a_reason_to_search() -> None:
    X, y = table(1, 60)
    first = fit_hyperparameters(X[:40], y[:40], ard=True, start=None)
    assert SEARCH_AGAIN * 40 == 60
    assert fit_hyperparameters(X[:59], y[:59], ard=True, start=first, search=False).searched_rows == 40
    assert fit_hyperparameters(X, y, ard=True, start=first, search=False).searched_rows == 60


@pytest.mark.parametrize("ard", [False, True])
def test_an_end_of_noise_is_left_as_soon_as_the_rows_tell_more(ard: bool) -> None:
    """A fit that begins where all is noise stays there; the fixed start finds what the values depend on."""
    X, y = table(2, 60)
    noise = FittedHyperparameters(np.full(4, 1e-2), SIGNAL_VARIANCE_BOUNDS[0], 1.0, 0.0, 1.0, searched_rows=55)
    found = fit_hyperparameters(X, y, ard=ard, start=noise, search=False)
    assert noise.is_mostly_noise
    assert not found.is_mostly_noise
    assert found.searched_rows == 60


def test_values_without_any_structure_are_searched_every_time_and_stay_noise() -> None:
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(60, 4)), rng.normal(size=60)
    first = fit_hyperparameters(X[:55], y[:55], ard=False, start=None)
    again = fit_hyperparameters(X, y, ard=False, start=first, search=False)
    assert again.searched_rows == (60 if again.is_mostly_noise else 55)


def test_equal_values_keep_what_was_searched() -> None:
    X, y = table(4, 30)
    first = fit_hyperparameters(X, y, ard=True, start=None)
    stay = fit_hyperparameters(X, np.full(30, 2.5), ard=True, start=first, search=False)
    same = replace(first, centre=2.5, scale=1.0)
    assert stay.lengthscales is same.lengthscales
    assert (stay.centre, stay.scale, stay.searched_rows) == (2.5, 1.0, 30)
