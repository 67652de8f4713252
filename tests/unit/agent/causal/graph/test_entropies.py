"""Entropies in blocks against their definition."""

from __future__ import annotations

import numpy as np
import pytest

from agent.causal.graph.entropies import BLOCK_SAMPLES, GAUSSIAN_ENTROPY, entropies


def by_definition(u: np.ndarray) -> np.ndarray:
    """H of each row, as the papers write it."""
    log_cosh = np.log(np.cosh(u)).mean(axis=1)
    odd = (u * np.exp(-0.5 * u * u)).mean(axis=1)
    return (1 + np.log(2 * np.pi)) / 2 - 79.047 * (log_cosh - 0.37457) ** 2 - 7.4129 * odd**2


def variables(seed: int, n: int, d: int = 5) -> np.ndarray:
    Z = np.random.default_rng(seed).exponential(size=(d, n))
    Z -= Z.mean(axis=1, keepdims=True)
    return Z / Z.std(axis=1, keepdims=True)


def combinations(Z: np.ndarray, count: int) -> np.ndarray:
    W = np.random.default_rng(len(Z)).normal(size=(count, len(Z)))
    return W / (W @ Z).std(axis=1, keepdims=True)


@pytest.mark.parametrize("n", [*range(2, 40), 800, BLOCK_SAMPLES, BLOCK_SAMPLES + 1, 3 * BLOCK_SAMPLES + 17])
def test_entropies_are_those_of_the_definition_for_any_number_of_rows(n: int) -> None:
    Z = variables(n, n)
    W = combinations(Z, 4)
    assert entropies(Z, W) == pytest.approx(by_definition(W @ Z), abs=1e-12)


@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 64])
def test_entropies_are_those_of_the_definition_for_any_number_of_combinations(count: int) -> None:
    Z = variables(0, BLOCK_SAMPLES + 5)
    W = combinations(Z, count)
    assert entropies(Z, W) == pytest.approx(by_definition(W @ Z), abs=1e-12)


def test_single_precision_errs_by_its_rounding_only() -> None:
    Z = variables(1, 20_000)
    W = combinations(Z, 30)
    error = np.abs(entropies(Z.astype(np.float32), W) - by_definition(W @ Z))
    assert 0.0 < error.max() < 2e-6


def test_one_value_far_from_all_others_overflows_nothing() -> None:
    Z = np.zeros((1, 1_000_000))
    Z[0, 0] = 1_000.0  # of variance 1
    for precision in (np.float32, np.float64):
        found = float(entropies(Z.astype(precision), np.ones((1, 1)))[0])
        assert found == pytest.approx(GAUSSIAN_ENTROPY - 79.047 * (1e-3 - 0.37457) ** 2, abs=1e-4)


def test_a_normal_has_the_greatest_entropy() -> None:
    Z = np.random.default_rng(0).normal(size=(1, 200_000))
    Z = (Z - Z.mean()) / Z.std()
    assert float(entropies(Z, np.ones((1, 1)))[0]) == pytest.approx(GAUSSIAN_ENTROPY, abs=1e-4)
