"""Projected L-BFGS: it comes where SciPy's L-BFGS-B comes, stays inside its bounds, and ends."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import minimize

from agent.surrogate import relevance
from agent.surrogate.minimise import Minimum, Search, minimise


def convex(seed: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(k, k))
    return A @ A.T + 0.1 * np.eye(k), rng.normal(size=k)


def tight(objective, start: np.ndarray, bounds: np.ndarray, iterations: int = 2_000) -> Minimum:  # type: ignore[no-untyped-def]
    return minimise(objective, start, bounds, max_iterations=iterations, tolerance=0.0)


def scipys(objective, start: np.ndarray, bounds: np.ndarray) -> np.ndarray:  # type: ignore[no-untyped-def]
    options = {"maxiter": 5_000, "maxfun": 100_000, "ftol": 0.0, "gtol": 1e-8}
    found: np.ndarray = minimize(
        objective, np.clip(start, *bounds.T), jac=True, method="L-BFGS-B", bounds=bounds, options=options
    ).x
    return found


@pytest.mark.parametrize("k", [1, 2, 10, 47])
@pytest.mark.parametrize("width", [0.05, 1.0, 100.0])
def test_a_convex_function_has_scipys_minimum(k: int, width: float) -> None:
    """With most, some and none of the bounds in the way."""
    A, b = convex(k, k)
    bounds = np.tile([-width, width], (k, 1))

    def objective(x: np.ndarray) -> tuple[float, np.ndarray]:
        return float(0.5 * x @ A @ x - b @ x), A @ x - b

    found, theirs = tight(objective, np.full(k, 0.3), bounds), scipys(objective, np.full(k, 0.3), bounds)
    assert found.x == pytest.approx(theirs, abs=2e-4 * min(width, 1.0))
    assert found.value == pytest.approx(objective(theirs)[0], abs=1e-8)


@pytest.mark.parametrize("start", [(-1.2, 1.0), (0.0, 0.0), (1.4, -0.5)])
@pytest.mark.parametrize("highest", [0.5, 2.0])
def test_a_curved_valley_is_followed_to_its_end_or_to_the_bound(start: tuple[float, ...], highest: float) -> None:
    bounds = np.array([[-2.0, highest], [-2.0, 2.0]])

    def rosenbrock(x: np.ndarray) -> tuple[float, np.ndarray]:
        bend = x[1] - x[0] ** 2
        gradient = np.array([-400.0 * x[0] * bend - 2.0 * (1.0 - x[0]), 200.0 * bend])
        return float(100.0 * bend**2 + (1.0 - x[0]) ** 2), gradient

    end = min(highest, 1.0)
    assert tight(rosenbrock, np.array(start), bounds).x == pytest.approx([end, end**2], abs=1e-4)


@pytest.mark.parametrize("seed", range(5))
def test_the_likelihood_of_lengthscales_has_scipys_optimum(seed: int) -> None:
    """Of a table that has one: with 80 rows, and features of which two count, to 1e-4 nat."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(80, 6))
    z = np.sin(X[:, 0]) + 0.5 * X[:, 1] + 0.1 * rng.normal(size=80)
    z = (z - z.mean()) / z.std()
    bounds = np.log([[0.03, 300.0]] * 6 + [[1e-3, 1e3], [1e-6, 10.0]])

    likelihood = relevance.LengthscaleLikelihood(X, z)

    def negative(theta: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = likelihood(theta)
        return -value, -gradient

    start = np.log([3.0] * 6 + [1.0, 0.1])
    found = tight(negative, start, bounds)
    assert found.value == pytest.approx(negative(scipys(negative, start, bounds))[0], abs=1e-4)
    assert (found.x >= bounds[:, 0]).all()
    assert (found.x <= bounds[:, 1]).all()


def test_it_never_asks_beyond_the_bounds_and_begins_inside() -> None:
    bounds, asked = np.array([[0.5, 2.0], [-1.0, 3.0]]), []

    def objective(x: np.ndarray) -> tuple[float, np.ndarray]:
        asked.append(x.copy())
        return float(np.sum(np.square(x + 1.0))), 2.0 * (x + 1.0)

    found = tight(objective, np.array([9.0, -9.0]), bounds)
    assert found.x.tolist() == [0.5, -1.0]
    assert found.evaluations == len(asked)
    assert all((bounds[:, 0] <= x).all() and (x <= bounds[:, 1]).all() for x in asked)


def test_a_start_at_the_minimum_takes_one_evaluation() -> None:
    found = tight(lambda x: (float(x @ x), 2.0 * x), np.zeros(3), np.tile([-1.0, 1.0], (3, 1)))
    assert (found.value, found.evaluations) == (0.0, 1)


def test_where_the_value_is_not_finite_it_turns_back() -> None:
    def objective(x: np.ndarray) -> tuple[float, np.ndarray]:
        if x[0] > 1.0:
            return math.nan, np.array([math.nan])
        return float((x[0] - 0.9) ** 2 - 5.0 * x[0]), 2.0 * (x - 0.9) - 5.0

    found = tight(objective, np.array([0.0]), np.array([[-10.0, 10.0]]), iterations=200)
    assert math.isfinite(found.value)
    assert 0.9 < found.x[0] <= 1.0


def test_a_gradient_that_lies_ends_the_search_where_it_is() -> None:
    found = tight(lambda x: (float(x @ x), -2.0 * x), np.array([0.5]), np.array([[-1.0, 1.0]]))
    assert found.x.tolist() == [0.5]


def test_it_ends_after_so_many_iterations_or_when_they_bring_too_little() -> None:
    A, b = convex(3, 30)

    def objective(x: np.ndarray) -> tuple[float, np.ndarray]:
        return float(0.5 * x @ A @ x - b @ x), A @ x - b

    bounds = np.tile([-50.0, 50.0], (30, 1))
    few = minimise(objective, np.zeros(30), bounds, max_iterations=3, tolerance=0.0)
    rough = minimise(objective, np.zeros(30), bounds, max_iterations=2_000, tolerance=1e-2)
    best = tight(objective, np.zeros(30), bounds)
    assert few.evaluations < rough.evaluations < best.evaluations
    assert best.value <= rough.value <= few.value
    assert rough.value - best.value < 0.5


def test_a_search_in_parts_goes_the_way_of_one_at_once() -> None:
    A, b = convex(3, 30)

    def objective(x: np.ndarray) -> tuple[float, np.ndarray]:
        return float(0.5 * x @ A @ x - b @ x), A @ x - b

    bounds = np.tile([-0.3, 50.0], (30, 1))
    whole = minimise(objective, np.zeros(30), bounds, max_iterations=25, tolerance=1e-6)
    parts = Search(objective, np.zeros(30), bounds, max_iterations=25, tolerance=1e-6)
    taken = 0
    while not parts.has_ended:
        parts.advance(taken % 4)
        taken += 1
    assert parts.x.tobytes() == whole.x.tobytes()
    assert (parts.value, parts.evaluations) == (whole.value, whole.evaluations)
    parts.advance(5)
    assert parts.evaluations == whole.evaluations


def test_the_same_search_has_the_same_bits() -> None:
    A, b = convex(1, 12)
    bounds = np.tile([-0.3, 0.3], (12, 1))
    ends = [tight(lambda x: (float(0.5 * x @ A @ x - b @ x), A @ x - b), np.zeros(12), bounds) for _ in range(2)]
    assert ends[0].x.tobytes() == ends[1].x.tobytes()
