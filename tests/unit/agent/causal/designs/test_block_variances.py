"""Variances at their posterior mode: the gradient, and that the mode is one."""

from __future__ import annotations

import numpy as np
import pytest

from agent.causal.designs.block_variances import LOG_DEVIATION, log_posterior, most_probable

K = 25
RNG = np.random.default_rng(3)
ROOTS = RNG.normal(size=(3, K, 4))
STACK = np.array([*(root @ root.T for root in ROOTS[:2]), np.eye(K)])
KNOWN = 1e-3 * np.eye(K)
START = np.array([0.5, 0.1, 0.05])
OFF = np.array([0.3, -0.4, 0.2])
TRUE = np.array([1.5, 0.02, 0.2])
RESIDUAL = np.linalg.cholesky(np.tensordot(TRUE, STACK, 1) + KNOWN) @ RNG.normal(size=K)


def posterior(x: np.ndarray) -> tuple[float, np.ndarray]:
    return log_posterior(x, np.log(START), STACK, KNOWN, RESIDUAL)


def test_the_gradient_is_that_of_the_value() -> None:
    x = np.log(START) + OFF
    _, gradient = posterior(x)
    for b in range(3):
        step = np.eye(3)[b] * 1e-6
        slope = (posterior(x + step)[0] - posterior(x - step)[0]) / 2e-6
        assert gradient[b] == pytest.approx(slope, abs=1e-5)


def test_the_value_is_the_log_likelihood_and_the_prior() -> None:
    x = np.log(START) + OFF
    covariance = np.tensordot(np.exp(x), STACK, 1) + KNOWN
    expected = -0.5 * RESIDUAL @ np.linalg.solve(covariance, RESIDUAL) - 0.5 * np.linalg.slogdet(covariance)[1]
    expected -= 0.5 * np.sum((OFF / LOG_DEVIATION) ** 2)
    assert posterior(x)[0] == pytest.approx(expected)


def test_the_mode_is_better_than_its_start_and_flat() -> None:
    found = most_probable(STACK, KNOWN, RESIDUAL, START)
    assert posterior(np.log(found))[0] > posterior(np.log(START))[0]
    assert np.abs(posterior(np.log(found))[1]).max() < 0.05


def test_where_values_say_nothing_the_prior_stands() -> None:
    nothing = np.zeros((3, 1, 1))
    np.testing.assert_allclose(most_probable(nothing, np.eye(1), np.zeros(1), START), START)


def test_what_has_no_cholesky_factor_is_a_step_too_far() -> None:
    value, gradient = log_posterior(np.log(START), np.log(START), -STACK, KNOWN, RESIDUAL)
    assert value == -np.inf
    np.testing.assert_array_equal(gradient, np.zeros(3))
