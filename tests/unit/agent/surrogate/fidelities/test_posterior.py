"""Hyper-parameters of several methods: the gradient, what is found of a known relation, and where the prior stands."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from agent.surrogate.fidelities.posterior import Posterior, Rows, fidelity_prior, fit
from agent.surrogate.prior import FIRST_ITERATIONS

GROUPS, METHODS = 2, 3


def rows(n: int, seed: int = 0, *, cheap_noise: float = 0.1) -> Rows:
    """Values of a property by three methods: the first tells of the last one, the second is noise."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, 3))
    groups = rng.integers(0, GROUPS, n)
    X = np.concatenate((features, np.eye(GROUPS)[groups] * 2.0**-0.5), axis=1)
    dear = np.sin(1.5 * features[:, 0]) + 0.5 * groups + rng.normal(scale=0.3, size=n)
    dear = (dear - dear.mean()) / dear.std()
    first = 0.8 * dear + 0.3 + rng.normal(scale=cheap_noise, size=n)
    values = np.stack((first, rng.normal(size=n), dear))
    method = np.repeat(np.arange(METHODS), n)
    return Rows(np.tile(X, (METHODS, 1)), np.tile(np.arange(n), METHODS), method, values.ravel(), np.zeros(3 * n))


def test_the_gradient_is_that_of_the_value() -> None:
    told = rows(15)
    noise = np.abs(np.random.default_rng(2).normal(scale=0.1, size=len(told.z)))
    told = Rows(told.X, told.candidate, told.method, told.z, noise)
    mode, _ = fidelity_prior(3, METHODS)
    theta = mode + np.random.default_rng(1).normal(scale=0.3, size=len(mode))
    posterior = Posterior(told, GROUPS, METHODS)
    _, gradient = posterior(theta)
    assert gradient == pytest.approx(approx_fprime(theta, lambda t: posterior(t)[0], 1e-6), rel=1e-3, abs=1e-3)


def test_a_method_that_tells_is_told_from_one_that_does_not() -> None:
    found = fit(rows(60), GROUPS, METHODS, None, FIRST_ITERATIONS)
    relations = found.relations
    variance = relations.smooth.diagonal() + relations.rough.diagonal()
    shared = (relations.smooth + relations.rough)[:, -1]
    correlation = shared / np.sqrt(variance * variance[-1])
    assert correlation[0] > 0.95
    assert abs(correlation[1]) < 0.5


def test_without_a_cheap_value_the_prior_of_the_methods_stands() -> None:
    told = rows(40)
    dear = told.at(np.flatnonzero(told.method == METHODS - 1))
    mode, _ = fidelity_prior(3, METHODS)
    found = fit(dear, GROUPS, METHODS, None, FIRST_ITERATIONS)
    assert found.theta[6:] == pytest.approx(mode[6:], abs=1e-2)


def test_values_that_are_all_equal_leave_everything_as_it_was() -> None:
    told = rows(10)
    flat = Rows(told.X, told.candidate, told.method, np.zeros_like(told.z), told.noise)
    assert fit(flat, GROUPS, METHODS, None, 40).theta == pytest.approx(fidelity_prior(3, METHODS)[0])
