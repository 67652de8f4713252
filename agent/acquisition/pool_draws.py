"""Joint draws of what a pool may hold, from what is known of it: a process for each property over all families."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from agent.acquisition.base import FloatArray, IndexArray, PoolArrays
from agent.surrogate.active_rows import PoolRows, equal_shares
from agent.surrogate.posterior_draws import PosteriorDraws
from agent.surrogate.standardise import measure_columns

LEAST_VALUES: Final = 4
"""Fewest values that tell how others are spread."""

MOST_RANKED: Final = 20_000
"""Most candidates whose values are predicted for a sample of them, evenly over the pool: their ends differ little from
those of more, and a pool may be larger than memory."""

BLOCK_ROWS: Final = 4_096
"""Candidates whose features are read at a time."""


def tells_something(values: FloatArray) -> bool:
    """Tell whether values, shape (k, p), say how others are spread: enough of them, and of no property all equal."""
    return len(values) >= LEAST_VALUES and bool(np.ptp(values, axis=0).all())


class PoolDraws:
    """What is known of a pool.

    Args:
        pool: The pool.
        observed: Pool indices with a known value, shape (k,).
        values: Their values, a column for each property, shape (k, p); such as `tells_something`.

    Raises:
        SurrogateError: When the features are not finite.
    """

    def __init__(self, pool: PoolArrays, observed: IndexArray, values: FloatArray) -> None:
        columns = measure_columns(pool.features)
        self._rows = PoolRows(pool.features, pool.family_codes, len(pool.families), columns)
        X = self._rows.of(observed)
        self._processes = [PosteriorDraws(X, column, self._rows.groups) for column in values.T]

    def draw(self, candidates: IndexArray, draws: int, rng: np.random.Generator) -> Iterator[FloatArray]:
        """Yield so many joint draws of the candidates' values of each property, shape (draws, m), noise included."""
        for process in self._processes:
            yield process.draw(self._rows.of(candidates), rng.standard_normal((draws, len(candidates))))

    def draw_sample(
        self, candidates: IndexArray, most: int, draws: int, rng: np.random.Generator
    ) -> Iterator[FloatArray]:
        """Do the same for at most so many of them, evenly over the predicted values, so that the ends stay."""
        for process in self._processes:
            drawn = self._sampled(process, candidates, most)
            yield process.draw(self._rows.of(drawn), rng.standard_normal((draws, len(drawn))))

    def _sampled(self, process: PosteriorDraws, candidates: IndexArray, most: int) -> IndexArray:
        if len(candidates) <= most:
            return candidates
        candidates = candidates[np.unique(np.linspace(0, len(candidates) - 1, MOST_RANKED).astype(np.int64))]
        blocks = np.array_split(candidates, -(-len(candidates) // BLOCK_ROWS))
        means = np.concatenate([process.means(self._rows.of(block)) for block in blocks])
        edges = np.linspace(means.min(), means.max(), most + 1)[1:-1]
        bins = np.unique(np.searchsorted(edges, means), return_inverse=True)[1]
        return candidates[equal_shares(bins, np.empty(0, dtype=np.int64), most)]
