"""One process over all families, kept while a campaign goes on, and what a decision makes of it.

`PooledHistory` is a fold over the observations in canonical order: the start set in pool order, then the acquisitions
in order of admission. It is continued where the rows are still the same ones, and folded again where they are not, so
it depends on the context of the decision alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from agent.acquisition.base import FloatArray, IndexArray, PoolArrays
from agent.entropy.target_properties import TargetProperty
from agent.surrogate.active_rows import ActiveRows, PoolRows
from agent.surrogate.covariances import StreamedColumns
from agent.surrogate.growing import GrowingGP, GrowthSettings
from agent.surrogate.pending_conditioned import PendingConditioned
from agent.surrogate.prior import MOST_FIT_ROWS, PosteriorModeFit
from agent.surrogate.reducible_variance import ReducibleVariance
from agent.surrogate.standardise import Standardisation
from agent.surrogate.streamed_variance import StreamedReducibleVariance

LEAST_ROWS: Final = 4
"""Fewest values that a process is fitted to."""

REFERENCE_ROWS: Final = 300
"""Rows that stand for the pool where the variance of the model is summed: the sum over so many errs by a few parts in
a hundred, and a decision costs in proportion."""

REFIT_SHARE: Final = 0.2
"""New values, as a share of those of the last fit, after which hyper-parameters are fitted again."""


class PooledHistory:
    """What is known of one property, and the process that predicts it.

    Args:
        pool: The pool.
        columns: Statistics of its features.
        most_active: Most rows that are looked at (see `active_rows`).
        memory_bytes: Most memory of what is kept of covariances with them; where they take more, they are computed
            again for each row that comes.
    """

    def __init__(self, pool: PoolArrays, columns: Standardisation, most_active: int, memory_bytes: int) -> None:
        self._pool, self._most_active, self._memory_bytes = pool, most_active, memory_bytes
        self._rows = PoolRows(pool.features, pool.family_codes, len(pool.families), columns)
        n = len(pool.family_codes)
        self._reference = np.unique(np.linspace(0, n - 1, min(REFERENCE_ROWS, n)).astype(np.int64))
        self._observed: IndexArray = np.empty(0, dtype=np.int64)
        self._values: FloatArray = np.empty(0)
        self._stds: FloatArray = np.empty(0)
        self._started = 0

    @property
    def indices(self) -> IndexArray:
        """Pool indices that are looked at, ascending, shape (m,)."""
        return self._active.indices

    def follow(self, observed: IndexArray, values: FloatArray, stds: FloatArray, started: int) -> None:
        """Bring the process up to these observations.

        Args:
            observed: Pool indices in canonical order, shape (k,), k ≥ `LEAST_ROWS`.
            values: Their values [unit of the property], shape (k,).
            stds: Standard uncertainties that came with them, 0 where none did, shape (k,) [unit of the property].
            started: How many of them belong to the start set.
        """
        known = len(self._observed)
        same = known > 0 and started == self._started and np.array_equal(observed[:known], self._observed)
        same = same and np.array_equal(values[:known], self._values) and np.array_equal(stds[:known], self._stds)
        if not same:
            known = max(started, LEAST_ROWS)
            self._begin(observed[:known], values[:known], stds[:known])
        for place in range(known, len(observed)):
            self._append(observed[: place + 1], float(values[place]), float(stds[place]))
        self._observed, self._values, self._stds, self._started = observed, values, stds, started

    def forecast(self, pending: IndexArray) -> PooledForecast:
        """Return what a decision sees, with these requests in flight."""
        forecast = PooledForecast(self.process, self.reducible, self._rows)
        forecast.add_pending(pending)
        return forecast

    def _begin(self, observed: IndexArray, values: FloatArray, stds: FloatArray) -> None:
        self._active = ActiveRows(self._rows, self._pool.family_codes, self._reference, self._most_active)
        self._active.known = observed
        growth = GrowthSettings(
            max_fit_rows=MOST_FIT_ROWS,
            memory_bytes=self._memory_bytes,
            refit_share=REFIT_SHARE,
            fit=PosteriorModeFit(self._rows.groups),
        )
        self.process = GrowingGP(self._active, self._rows.of(observed), values, growth, stds)
        self._renew()

    def _append(self, observed: IndexArray, value: float, std: float) -> None:
        self._active.known = observed
        v = self.process.append(self._rows.of(observed[-1:])[0], value, std)
        if v is None:
            self._renew()
        else:
            self.reducible.append(v)

    def _renew(self) -> None:
        places = np.searchsorted(self._active.indices, self._reference)
        columns = self.process.columns
        self.reducible: ReducibleVariance | StreamedReducibleVariance = (
            StreamedReducibleVariance(self.process, columns, self._active, places)
            if isinstance(columns, StreamedColumns)
            else ReducibleVariance(self.process, self._active, places)
        )


class PooledForecast:
    """What a process predicts with requests in flight: these count by their predicted means.

    Args:
        process: The process.
        reducible: What a value would teach it.
        rows: Describes pool members.
    """

    def __init__(
        self, process: GrowingGP, reducible: ReducibleVariance | StreamedReducibleVariance, rows: PoolRows
    ) -> None:
        self._process, self._reducible, self._rows = process, reducible, rows
        self._conditioned = PendingConditioned(process)

    @property
    def noise_std(self) -> float:
        """Deviation of the noise of a value [unit]."""
        return self._process.noise_std

    def __len__(self) -> int:
        """How many are in flight."""
        return len(self._conditioned)

    def add_pending(self, indices: IndexArray) -> None:
        """Let these pool members be in flight."""
        if len(indices):
            self._conditioned.extend(self._rows.of(indices))

    def values_in_flight(self) -> FloatArray:
        """Predicted means of what is in flight, in the order in which it was added, shape (p,) [unit]."""
        values: FloatArray = self._conditioned.values(np.zeros((1, len(self._conditioned))))[0]
        return values

    def predict(self) -> tuple[FloatArray, FloatArray]:
        """Mean and deviation of the latent property, without noise, at every active row, two arrays (m,) [unit]."""
        process = self._process
        std = process.scale * np.sqrt(np.maximum(self._conditioned.variance, 0.0))
        return process.centre + process.scale * process.mean, std

    def model_share(self) -> FloatArray:
        """By which share of the variance of the model over the pool a value at every active row lowers it, (m,)."""
        fall, whole = self._reducible.fall(self._conditioned.rows, self._conditioned.variance)
        return fall / whole if whole > 0.0 else np.zeros(len(fall))


def histories(
    pool: PoolArrays,
    columns: Standardisation,
    targets: Sequence[TargetProperty],
    most_active: int,
    memory_bytes: int,
) -> list[PooledHistory]:
    """Return a history for each property."""
    return [PooledHistory(pool, columns, most_active, memory_bytes) for _ in targets]
