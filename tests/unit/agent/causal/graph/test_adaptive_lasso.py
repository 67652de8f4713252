"""Weights against scikit-learn's LassoLarsIC, corner by corner, and what is required or in other units."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LassoLarsIC, LinearRegression

from agent.causal.graph.adaptive_lasso import CORNERS_A_CAUSE, PENALTY_FLOOR, adaptive_lasso, lasso_path


def problem(seed: int, n: int = 200, p: int = 6, *, shared: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Causes that share a part of their variance, and an effect of half of them."""
    rng = np.random.default_rng((seed, n, p))
    X = rng.normal(size=(n, p)) + shared * rng.normal(size=(n, 1))
    true = rng.normal(size=p) * (rng.random(p) < 0.5)
    return X, X @ true + rng.normal(size=n)


def ours(X: np.ndarray, y: np.ndarray, *, required: tuple[int, ...] = ()) -> np.ndarray:
    Z = np.column_stack((X, y)) - np.append(X.mean(axis=0), y.mean())
    scale = Z.std(axis=0)
    S = (Z / scale).T @ (Z / scale) / len(y)
    unshrunk = np.isin(np.arange(X.shape[1]), required)
    return adaptive_lasso(S[:-1, :-1], S[:-1, -1], len(y), float(scale[-1]), unshrunk) * scale[-1] / scale[:-1]


def scikit_learns(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    w = np.abs(LinearRegression().fit(X, y).coef_)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LassoLarsIC(criterion="bic").fit(X * w, y).coef_ * w


@pytest.mark.parametrize("shared", [0.0, 1.0, 5.0])
@pytest.mark.parametrize(("n", "p"), [(40, 1), (40, 3), (200, 6), (1000, 9), (25, 19)])
def test_weights_are_those_of_scikit_learn(n: int, p: int, shared: float) -> None:
    for seed in range(20):
        X, y = problem(seed, n, p, shared=shared)
        assert ours(X, y) == pytest.approx(scikit_learns(X, y), abs=1e-10)


def test_what_the_effect_does_not_depend_on_gets_no_weight() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(5000, 4))
    y = 2.0 * X[:, 1] + rng.normal(size=5000)
    found = ours(X, y)
    assert found[[0, 2, 3]].tolist() == [0.0, 0.0, 0.0]
    assert found[1] == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize("unit", [1e-30, 1e-6, 1e6, 1e30])
def test_another_unit_of_the_effect_changes_the_weights_by_this_unit(unit: float) -> None:
    for seed in range(10):
        X, y = problem(seed)
        assert ours(X, unit * y) / unit == pytest.approx(ours(X, y), rel=1e-5, abs=1e-6)


def test_required_causes_have_the_weights_that_least_squares_gives_them_beside_the_others() -> None:
    for seed in range(10):
        X, y = problem(seed, shared=1.0)
        found = ours(X, y, required=(0, 3))
        free = [1, 2, 4, 5]
        rest = y - X[:, free] @ found[free]
        assert found[[0, 3]] == pytest.approx(LinearRegression().fit(X[:, [0, 3]], rest).coef_, abs=1e-10)
        assert (found[[0, 3]] != 0.0).all()


def test_where_all_causes_are_required_the_weights_are_least_squares() -> None:
    X, y = problem(0)
    assert ours(X, y, required=tuple(range(6))) == pytest.approx(LinearRegression().fit(X, y).coef_, abs=1e-10)


def test_an_effect_that_is_a_function_of_its_causes_gets_its_coefficients() -> None:
    X, _ = problem(0)
    true = np.array([1.0, -2.0, 0.0, 0.5, 0.0, 3.0])
    assert ours(X, X @ true) == pytest.approx(true, abs=1e-9)


@pytest.mark.parametrize("shared", [0.0, 3.0])
@pytest.mark.parametrize("seed", range(20))
def test_every_corner_is_the_lassos_optimum_of_its_penalty(seed: int, shared: float) -> None:
    """|c − G b| is the penalty for what is not 0, with its sign, and at most the penalty for the others."""
    X, y = problem(seed, 30, 8, shared=shared)
    G, c = X.T @ X / 30, X.T @ y / 30
    path = lasso_path(G, c, PENALTY_FLOOR)
    penalties = []
    for b in path:
        correlation = c - G @ b
        penalty = np.abs(correlation).max()
        active = b != 0.0
        assert correlation[active] == pytest.approx(penalty * np.sign(b[active]), abs=1e-10)
        penalties.append(penalty)
    assert penalties == sorted(penalties, reverse=True)
    assert path[0].tolist() == [0.0] * 8
    assert path[-1] == pytest.approx(np.linalg.solve(G, c), abs=1e-6)
    assert len(path) <= CORNERS_A_CAUSE * 8


def test_some_of_these_paths_give_a_coefficient_up_again() -> None:
    given_up = 0
    for seed in range(20):
        X, y = problem(seed, 30, 8, shared=3.0)
        path = lasso_path(X.T @ X / 30, X.T @ y / 30, PENALTY_FLOOR)
        given_up += int(((path[:-1] != 0.0) & (path[1:] == 0.0)).any())
    assert given_up > 0


def test_a_copy_of_a_cause_stays_out() -> None:
    X, y = problem(0, p=3)
    X = np.column_stack((X, X[:, 0]))
    path = lasso_path(X.T @ X, X.T @ y, PENALTY_FLOOR)
    assert not ((path[:, 0] != 0.0) & (path[:, 3] != 0.0)).any()
    assert X @ path[-1] == pytest.approx(X[:, :3] @ np.linalg.lstsq(X[:, :3], y)[0], abs=1e-9)


def test_without_any_correlation_the_path_is_nothing() -> None:
    assert lasso_path(np.eye(3), np.zeros(3), PENALTY_FLOOR).tolist() == [[0.0, 0.0, 0.0]]
