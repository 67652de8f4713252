"""Covariances of values by several methods: those of the model that the module names, and always positive definite."""

from __future__ import annotations

import numpy as np
import pytest

from agent.surrogate.fidelities.covariance import OFFSET_VARIANCE, Relations, similarities


def relations() -> Relations:
    return Relations.of(1.3, 0.2, np.array([0.7, -0.4]), np.array([0.1, 0.3]), np.array([0.05, 0.02]))


def test_they_are_what_drawing_from_the_model_gives() -> None:
    """y_T = f + e, y_m = ρ y_T + offset + δ(x) + ε, drawn at three places of which two are one candidate's."""
    rng = np.random.default_rng(0)
    X = np.array([[0.0], [0.8]])
    E = similarities(X, X)
    draws = 200_000
    f = rng.multivariate_normal(np.zeros(2), 1.3 * E, draws)
    dear = f + rng.normal(scale=0.2**0.5, size=(draws, 2))
    smooth = rng.multivariate_normal(np.zeros(2), 0.1 * E, draws)
    offset = rng.normal(scale=OFFSET_VARIANCE**0.5, size=(draws, 1))
    cheap = 0.7 * dear + offset + smooth + rng.normal(scale=0.05**0.5, size=(draws, 2))
    values = np.concatenate((dear, cheap), axis=1)
    methods, candidates = np.array([2, 2, 0, 0]), np.array([0, 1, 0, 1])
    K = relations().between(E[np.ix_(candidates, candidates)], candidates[:, None] == candidates, methods, methods)
    assert np.abs(np.cov(values.T) - K).max() < 0.03


def test_two_cheap_methods_vary_together_by_the_dear_one_alone() -> None:
    each = np.eye(1, dtype=bool)
    K = relations().between(np.ones((1, 1)), each, np.array([0]), np.array([1]))
    assert K[0, 0] == pytest.approx(0.7 * -0.4 * (1.3 + 0.2))


def test_they_are_positive_definite_whatever_the_slopes() -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(40, 3))
    candidates, methods = rng.integers(0, 25, 40), rng.integers(0, 3, 40)
    E = similarities(X[candidates], X[candidates])
    K = relations().between(E, candidates[:, None] == candidates, methods, methods)
    assert np.linalg.eigvalsh(K).min() > -1e-9


def test_equal_rows_are_alike() -> None:
    X = np.full((2, 3), 1e3) + np.array([[0.1], [0.1]])
    assert similarities(X, X) == pytest.approx(1.0)
