"""Rows in flight: what conditioning on the values that they may bring would give, for all of them at once."""

from __future__ import annotations

import numpy as np
import pytest

from agent.surrogate.growing import GrowingGP, GrowthSettings
from agent.surrogate.pending_conditioned import PendingConditioned
from agent.surrogate.queries import Queries
from agent.surrogate.standardise import measure_columns

ROWS, POOL = 40, 160


class Table:
    """A smooth function with a little noise over a pool; every second row is asked about."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.features = rng.normal(size=(POOL, 4))
        self.columns = measure_columns(self.features)
        self.X = self.columns.apply(self.features)
        self.y = 5.0 + 2.0 * np.sin(self.X[:, 0]) + self.X[:, 1] + rng.normal(scale=0.05, size=POOL)

    def process(self, growth: GrowthSettings | None = None) -> GrowingGP:
        queries = Queries(self.features, np.arange(0, POOL, 2), self.columns)
        return GrowingGP(queries, self.X[:ROWS], self.y[:ROWS], growth or GrowthSettings())


def conditioned(base: GrowingGP, X: np.ndarray, y: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of the latent f, by the textbook's formulas."""

    def k(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        scaled = (a[:, None] - b) / base.lengthscales
        return base.signal * np.exp(-0.5 * np.square(scaled).sum(axis=2))

    K = k(X, X) + base.noise * np.eye(len(X))
    mean = k(at, X) @ np.linalg.solve(K, (y - base.centre) / base.scale)
    variance = base.signal - np.einsum("ij,ij->j", k(X, at), np.linalg.solve(K, k(X, at)))
    return base.centre + base.scale * mean, base.scale * np.sqrt(np.maximum(variance, 0.0))


@pytest.mark.parametrize("memory_bytes", [1 << 30, 0])
def test_rows_in_flight_give_what_conditioning_on_their_values_would(memory_bytes: int) -> None:
    """In every case: the values that it says they may bring, appended one by one, give the same posterior."""
    table = Table(4)
    base = table.process(GrowthSettings(memory_bytes=memory_bytes))
    joint = PendingConditioned(base)
    flight = table.X[100:104]
    for rows in (flight[:1], flight[1:3], flight[3:]):
        joint.extend(rows)
    errors = np.random.default_rng(0).normal(size=(6, 4))
    values, (means, std) = joint.values(errors), joint.predict(errors)
    assert len(joint) == 4
    for case in range(6):
        X, y = np.concatenate((table.X[:ROWS], flight)), np.append(table.y[:ROWS], values[case])
        exact_mean, exact_std = conditioned(base, X, y, table.X[::2])
        assert means[case] == pytest.approx(exact_mean, abs=1e-7)
        assert std == pytest.approx(exact_std, abs=1e-6)


def test_values_in_flight_have_the_joint_distribution_of_the_posterior() -> None:
    """Mean and covariance of twins and strangers: twins come together, but for the noise."""
    table = Table(5)
    base = table.process()
    joint = PendingConditioned(base)
    joint.extend(table.X[[100, 100, 120]])
    drawn = joint.values(np.random.default_rng(0).normal(size=(200_000, 3)))
    mean, std = base.predict()
    assert drawn.mean(axis=0) == pytest.approx(mean[[50, 50, 60]], abs=0.01 * base.scale)
    assert drawn.std(axis=0) == pytest.approx(np.hypot(std[[50, 50, 60]], base.noise_std), rel=0.01)
    assert np.cov(drawn.T)[0, 1] == pytest.approx(std[50] ** 2, rel=0.03, abs=1e-4)


def test_without_rows_in_flight_every_case_is_the_process_itself() -> None:
    base = Table(6).process()
    means, std = PendingConditioned(base).predict(np.empty((3, 0)))
    assert means == pytest.approx(np.tile(base.predict()[0], (3, 1)))
    assert std.tolist() == base.predict()[1].tolist()
