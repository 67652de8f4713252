"""Joint draws of values to come."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from agent.surrogate.posterior_draws import MOST_ROWS, PosteriorDraws

FloatArray = NDArray[np.float64]


def rows(n: int, seed: int = 0) -> tuple[FloatArray, FloatArray]:
    """Rows of two features, and a smooth function of them."""
    X = np.random.default_rng(seed).uniform(-2.0, 2.0, (n, 2))
    return X, 3.0 + np.sin(X[:, 0]) + 0.3 * X[:, 1]


def test_their_mean_and_spread_are_those_of_the_posterior() -> None:
    X, y = rows(40)
    process = PosteriorDraws(X, y, groups=0)
    Q, _ = rows(6, seed=1)
    draws = process.draw(Q, np.random.default_rng(2).standard_normal((20_000, 6)))
    assert draws.mean(axis=0) == pytest.approx(process.means(Q), abs=0.01)
    alone = process.draw(Q[:1], np.ones((1, 1)))[0, 0] - process.means(Q[:1])[0]
    assert draws[:, 0].std() == pytest.approx(alone, rel=0.03)


def test_rows_that_are_alike_are_drawn_alike() -> None:
    X, y = rows(40)
    far = np.array([[5.0, 5.0], [5.0, 5.05], [-5.0, 5.0]])
    draws = PosteriorDraws(X, y, groups=0).draw(far, np.random.default_rng(2).standard_normal((4_000, 3)))
    z = (draws - draws.mean(axis=0)) / draws.std(axis=0)
    assert (z[:, 0] * z[:, 1]).mean() > 0.8
    assert abs((z[:, 0] * z[:, 2]).mean()) < 0.3


def test_they_predict_a_smooth_function_from_forty_rows() -> None:
    X, y = rows(40)
    Q, truth = rows(100, seed=1)
    assert np.abs(PosteriorDraws(X, y, groups=0).means(Q) - truth).mean() < 0.1


def test_without_features_all_rows_have_one_distribution() -> None:
    y = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    process = PosteriorDraws(np.empty((5, 0)), y, groups=0)
    assert process.means(np.empty((3, 0))) == pytest.approx([3.0] * 3, abs=0.2)


def test_no_rows_have_no_draws() -> None:
    X, y = rows(10)
    assert PosteriorDraws(X, y, groups=0).draw(np.empty((0, 2)), np.empty((4, 0))).shape == (4, 0)


def test_of_too_many_rows_an_even_spread_is_taken() -> None:
    X, y = rows(MOST_ROWS + 500)
    Q, truth = rows(50, seed=1)
    assert np.abs(PosteriorDraws(X, y, groups=0).means(Q) - truth).mean() < 0.05
