"""Rows of linear systems with known causes: what causal discovery is to find."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from agent.causal.graph.variables import Variables

Noise = Callable[[np.random.Generator, tuple[int, int]], np.ndarray]

UNIFORM: Noise = lambda rng, shape: rng.uniform(-1.0, 1.0, shape)  # noqa: E731 - a table of distributions
LAPLACE: Noise = lambda rng, shape: rng.laplace(size=shape)  # noqa: E731
EXPONENTIAL: Noise = lambda rng, shape: rng.exponential(size=shape)  # noqa: E731
STUDENT: Noise = lambda rng, shape: rng.standard_t(3, size=shape)  # noqa: E731
CAUCHY: Noise = lambda rng, shape: rng.standard_cauchy(shape)  # noqa: E731
BINARY: Noise = lambda rng, shape: rng.choice([-1.0, 1.0], shape)  # noqa: E731


def random_weights(rng: np.random.Generator, d: int) -> np.ndarray:
    """Return weights B of an acyclic graph in a random order, half of whose edges are there, shape (d, d)."""
    sizes = rng.uniform(0.3, 1.0, (d, d)) * rng.choice([-1.0, 1.0], (d, d)) * (rng.random((d, d)) < 0.5)
    order = rng.permutation(d)
    return np.tril(sizes, -1)[np.ix_(order, order)]


def rows_of(weights: np.ndarray, rng: np.random.Generator, n: int, noise: Noise = UNIFORM) -> np.ndarray:
    """Return rows of x = B x + e, shape (n, d)."""
    d = len(weights)
    return np.ascontiguousarray(np.linalg.solve(np.eye(d) - weights, noise(rng, (d, n))).T)


def random_system(seed: int, n: int, d: int, noise: Noise = UNIFORM) -> tuple[Variables, np.ndarray]:
    """Return rows of a random system, and its weights."""
    rng = np.random.default_rng(seed)
    weights = random_weights(rng, d)
    return named(rows_of(weights, rng, n, noise)), weights


def named(rows: np.ndarray) -> Variables:
    """Return rows whose columns are called x0, x1 and so on."""
    return Variables.of([f"x{k}" for k in range(rows.shape[1])], rows)
