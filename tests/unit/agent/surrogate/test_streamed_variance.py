"""What is summed without keeping covariances is what is summed with them: known rows, rows to come, rows in flight."""

from __future__ import annotations

import numpy as np
import pytest

from agent.surrogate import queries as of_queries
from agent.surrogate.covariances import StreamedColumns
from agent.surrogate.growing import GrowingGP, GrowthSettings
from agent.surrogate.pending_conditioned import PendingConditioned
from agent.surrogate.queries import Queries
from agent.surrogate.reducible_variance import ReducibleVariance
from agent.surrogate.standardise import measure_columns
from agent.surrogate.streamed_variance import StreamedReducibleVariance

POOL, ROWS = 120, 12
REFERENCE = np.arange(0, POOL, 5)


class Pair:
    """One process that keeps its covariances, and one that does not."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        features = rng.normal(size=(POOL, 3))
        columns = measure_columns(features)
        self.X = columns.apply(features)
        self.y = np.sin(self.X[:, 0]) + self.X[:, 1] + rng.normal(scale=0.05, size=POOL)
        made = []
        for memory in (1 << 30, 0):
            growth = GrowthSettings(refit_share=100.0, memory_bytes=memory)
            asked = Queries(features, np.arange(POOL), columns)
            made.append((GrowingGP(asked, self.X[:ROWS], self.y[:ROWS], growth), asked))
        (self.kept, kept_queries), (self.streamed, streamed_queries) = made
        assert isinstance(self.streamed.columns, StreamedColumns)
        self.one = ReducibleVariance(self.kept, kept_queries, REFERENCE)
        self.other = StreamedReducibleVariance(self.streamed, self.streamed.columns, streamed_queries, REFERENCE)

    def append(self, row: int) -> None:
        v = self.kept.append(self.X[row], float(self.y[row]))
        assert v is not None
        self.one.append(v)
        w = self.streamed.append(self.X[row], float(self.y[row]))
        assert w is not None
        assert w[:POOL] == pytest.approx(v[:POOL], abs=1e-9)
        self.other.append(w)

    def falls(self, *in_flight: list[int]) -> tuple[tuple[np.ndarray, float], tuple[np.ndarray, float]]:
        found = []
        for process, reducible in ((self.kept, self.one), (self.streamed, self.other)):
            conditioned = PendingConditioned(process)
            for rows in in_flight:
                conditioned.extend(self.X[rows])
            found.append(reducible.fall(conditioned.rows, conditioned.variance))
        return found[0], found[1]


@pytest.mark.parametrize("block_rows", [7, 4_096])
@pytest.mark.parametrize("in_flight", [(), ([30],), ([30, 31], [60])])
def test_both_say_by_how_much_a_value_lowers_the_variance(
    monkeypatch: pytest.MonkeyPatch, in_flight: tuple[list[int], ...], block_rows: int
) -> None:
    """At once, and after rows that came; with blocks that do not divide the pool."""
    monkeypatch.setattr(of_queries, "BLOCK_ROWS", block_rows)
    pair = Pair(len(in_flight))
    for further in ((), (40, 41, 77), (30,)):
        for row in further:
            pair.append(row)
        (fall, whole), (streamed, of_streamed) = pair.falls(*in_flight)
        assert streamed == pytest.approx(fall, rel=1e-9, abs=1e-10)
        assert of_streamed == pytest.approx(whole, rel=1e-9)


def test_what_is_in_flight_is_forgotten_again() -> None:
    pair = Pair(5)
    _, (alone, _) = pair.falls()
    pair.falls([30, 31])
    _, (again, _) = pair.falls()
    assert again.tolist() == alone.tolist()
