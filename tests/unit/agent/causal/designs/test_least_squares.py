"""Nonlinear least squares: a known minimum, a flat direction, and a start that is one."""

from __future__ import annotations

import numpy as np

from agent.causal.designs.least_squares import least_squares

T = np.linspace(0.0, 3.0, 20)


def decay(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Residuals of a exp(−b t) from 2 exp(−0.7 t)."""
    wave = np.exp(-theta[1] * T)
    residual = theta[0] * wave - 2.0 * np.exp(-0.7 * T)
    return residual, np.column_stack((wave, -theta[0] * T * wave))


def test_it_finds_the_minimum_of_a_curve() -> None:
    found = least_squares(decay, np.array([0.5, 2.0]), max_steps=100)
    np.testing.assert_allclose(found.theta, [2.0, 0.7], atol=1e-6)
    assert found.cost < 1e-10


def test_a_parameter_that_nothing_depends_on_stays_where_it_is() -> None:
    def with_idle(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        r, J = decay(theta[:2])
        return r, np.column_stack((J, np.zeros(len(r))))

    found = least_squares(with_idle, np.array([0.5, 2.0, 9.0]), max_steps=100)
    np.testing.assert_allclose(found.theta, [2.0, 0.7, 9.0], atol=1e-6)


def test_where_nothing_depends_on_anything_the_start_is_the_end() -> None:
    found = least_squares(lambda theta: (np.ones(3), np.zeros((3, 2))), np.array([1.0, -1.0]), max_steps=10)
    np.testing.assert_array_equal(found.theta, [1.0, -1.0])
    assert found.cost == 3.0


def test_no_step_is_taken_that_makes_it_worse() -> None:
    costs = []

    def watched(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        r = np.array([10.0 * (theta[1] - theta[0] ** 2), 1.0 - theta[0]])  # Rosenbrock's valley
        costs.append(float(r @ r))
        return r, np.array([[-20.0 * theta[0], 10.0], [-1.0, 0.0]])

    found = least_squares(watched, np.array([-1.2, 1.0]), max_steps=200)
    assert found.cost == min(costs)
    np.testing.assert_allclose(found.theta, [1.0, 1.0], atol=1e-4)
