"""The process that takes one value after the other: always what solving for all of them at once gives."""

from __future__ import annotations

import numpy as np
import pytest

from agent.surrogate.fidelities.covariance import similarities
from agent.surrogate.fidelities.posterior import LEAST_NOISE, Fitted, Rows, fidelity_prior, fitted_of
from agent.surrogate.fidelities.process import FidelityProcess

M, N = 2, 12
REFERENCE = np.array([0, 3, 7, 11])


def case() -> tuple[np.ndarray, Fitted, Rows]:
    """Twelve candidates by two methods, with ten values: some candidates by both, one twice."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, 3))
    fitted = fitted_of(fidelity_prior(3, M)[0], 3, 0, M)
    candidate = np.array([0, 1, 2, 3, 1, 2, 5, 6, 6, 8])
    method = np.array([1, 1, 1, 1, 0, 0, 0, 1, 1, 0])
    noise = np.where(np.arange(10) % 2, 0.1, 0.0)
    return X, fitted, Rows(X[candidate], candidate, method, rng.normal(size=10), noise)


def solved(X: np.ndarray, fitted: Fitted, rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of all columns, by one solution of the whole system."""
    every, methods = np.tile(np.arange(N), M), np.repeat(np.arange(M), N)
    scaled = X / fitted.lengthscales
    E = similarities(scaled, scaled)

    def k(a: np.ndarray, b: np.ndarray, of_a: np.ndarray, of_b: np.ndarray) -> np.ndarray:
        return fitted.relations.between(E[np.ix_(a, b)], a[:, None] == b, of_a, of_b)

    K = k(rows.candidate, rows.candidate, rows.method, rows.method) + np.diag(rows.noise + LEAST_NOISE)
    K_Q = k(rows.candidate, every, rows.method, methods)
    weights = np.linalg.solve(K, K_Q)
    return weights.T @ rows.z, k(every, every, methods, methods) - K_Q.T @ weights


def grown(first: int) -> FidelityProcess:
    X, fitted, rows = case()
    process = FidelityProcess(X, REFERENCE, fitted, M)
    process.begin(rows.at(np.arange(first)), len(rows.z) - first)
    for place in range(first, len(rows.z)):
        column = int(rows.method[place]) * N + int(rows.candidate[place])
        process.append(column, float(rows.z[place]), float(rows.noise[place]))
    return process


@pytest.mark.parametrize("first", [1, 4, 9, 10])
def test_it_is_the_solution_of_all_values_at_once(first: int) -> None:
    mean, covariance = solved(*case())
    process = grown(first)
    assert process.mean == pytest.approx(mean, abs=1e-8)
    assert process.variance == pytest.approx(covariance.diagonal(), abs=1e-8)
    between = [covariance[place, N + place] for place in range(N)]
    assert process.between(0) == pytest.approx(between, abs=1e-8)
    assert process.between(1) == pytest.approx(covariance.diagonal()[N:], abs=1e-8)
    assert process.is_full


def test_what_is_taught_is_the_same_however_it_grew() -> None:
    whole, one_by_one = grown(10), grown(2)
    assert pytest.approx(whole.C, abs=1e-8) == one_by_one.C
    assert one_by_one.variance_g == pytest.approx(whole.variance_g, abs=1e-8)


def test_a_value_lowers_the_variance_of_the_pool_by_its_squared_covariances() -> None:
    process = grown(10)
    column, noise = N + 9, 0.2
    promised = np.square(process.C[:, column]).sum() / (process.variance[column] + noise + LEAST_NOISE)
    before = process.variance_g.sum()
    later = process.copy()
    later.request(column, noise)
    assert before - later.variance_g.sum() == pytest.approx(promised)


def test_what_is_in_flight_moves_no_mean_and_nothing_of_the_original() -> None:
    process = grown(10)
    mean, variance, C = process.mean.copy(), process.variance.copy(), process.C.copy()
    later = process.copy()
    later.request(N + 9, 0.0)
    assert np.array_equal(later.mean, mean)
    assert later.variance[N + 9] == pytest.approx(LEAST_NOISE, rel=0.1)
    assert np.array_equal(process.variance, variance)
    assert np.array_equal(process.C, C)


def test_a_cheap_value_tells_of_the_dear_one_of_its_candidate() -> None:
    """Of the rough part too, which no other candidate's value tells."""
    process = grown(10)
    before, near = process.variance[N + 9], process.variance[N + 10]
    process = process.copy()
    process.request(9, 0.0)
    assert process.variance[N + 9] < 0.75 * before
    assert 0.75 * near < process.variance[N + 10] <= near
