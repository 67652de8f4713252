"""By how much a value lowers the variance over the pool: what conditioning on it gives, row by row."""

from __future__ import annotations

import numpy as np
import pytest

from agent.surrogate.growing import GrowingGP, GrowthSettings
from agent.surrogate.pending_conditioned import PendingConditioned
from agent.surrogate.queries import Queries
from agent.surrogate.reducible_variance import ReducibleVariance
from agent.surrogate.standardise import measure_columns

POOL, ROWS = 90, 12
REFERENCE = np.arange(0, POOL, 4)
NEVER = GrowthSettings(refit_share=100.0)


class Table:
    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.features = rng.normal(size=(POOL, 3))
        self.columns = measure_columns(self.features)
        self.X = self.columns.apply(self.features)
        self.y = np.sin(self.X[:, 0]) + self.X[:, 1] + rng.normal(scale=0.05, size=POOL)
        self.queries = Queries(self.features, np.arange(POOL), self.columns)
        self.process = GrowingGP(self.queries, self.X[:ROWS], self.y[:ROWS], NEVER)
        self.reducible = ReducibleVariance(self.process, self.queries, REFERENCE)

    def posterior(self, rows: np.ndarray) -> np.ndarray:
        """Covariance of the latent f over the pool when these rows are known, by the textbook's formula."""
        process = self.process
        scaled = self.X / process.lengthscales
        k = process.signal * np.exp(-0.5 * np.square(scaled[:, None] - scaled).sum(axis=2))
        K = k[np.ix_(rows, rows)] + process.noise * np.eye(len(rows))
        covariance: np.ndarray = k - k[:, rows] @ np.linalg.solve(K, k[rows])
        return covariance

    def falls(self, rows: np.ndarray) -> np.ndarray:
        """V before less V after each candidate in turn."""
        before = self.posterior(rows)[REFERENCE, REFERENCE].sum()
        after = [self.posterior(np.append(rows, c))[REFERENCE, REFERENCE].sum() for c in range(POOL)]
        return before - np.array(after)


def test_it_falls_by_what_conditioning_on_the_value_takes_away() -> None:
    table = Table(0)
    fall, whole = table.reducible.fall([], table.process.variance)
    assert whole == pytest.approx(table.posterior(np.arange(ROWS))[REFERENCE, REFERENCE].sum(), rel=1e-6)
    assert fall == pytest.approx(table.falls(np.arange(ROWS)), rel=1e-5, abs=1e-8)


def test_it_follows_a_process_that_grows() -> None:
    table = Table(1)
    for row in (40, 41, 77):
        v = table.process.append(table.X[row], float(table.y[row]))
        assert v is not None
        table.reducible.append(v)
    fall, _ = table.reducible.fall([], table.process.variance)
    assert fall == pytest.approx(table.falls(np.array([*range(ROWS), 40, 41, 77])), rel=1e-5, abs=1e-8)


def test_what_is_in_flight_counts_as_known_and_is_forgotten_again() -> None:
    table = Table(2)
    alone, _ = table.reducible.fall([], table.process.variance)
    conditioned = PendingConditioned(table.process)
    conditioned.extend(table.X[[30, 31]])
    conditioned.extend(table.X[[60]])
    fall, _ = table.reducible.fall(conditioned.rows, conditioned.variance)
    assert fall == pytest.approx(table.falls(np.array([*range(ROWS), 30, 31, 60])), rel=1e-5, abs=1e-8)
    again, _ = table.reducible.fall([], table.process.variance)
    assert again.tolist() == alone.tolist()


def test_a_process_that_is_fitted_again_says_so() -> None:
    table = Table(3)
    often = GrowingGP(table.queries, table.X[:ROWS], table.y[:ROWS], GrowthSettings())
    answers = [often.append(table.X[row], float(table.y[row])) for row in range(ROWS, ROWS + 6)]
    assert any(answer is None for answer in answers)
