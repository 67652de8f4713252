"""The process of several methods, kept while a campaign goes on: a fold over its values in canonical order.

It is continued where the values are still the same ones, and folded again where they are not, so it depends on the
context of the decision alone.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from agent.acquisition.base import FloatArray, IndexArray, PoolArrays
from agent.acquisition.fidelities.measured import Measured, noise_of_methods
from agent.acquisition.pooled_surrogate import LEAST_ROWS, REFERENCE_ROWS, REFIT_SHARE
from agent.pool.fidelities import Fidelities
from agent.surrogate.active_rows import PoolRows, equal_shares
from agent.surrogate.fidelities.posterior import Fitted, Rows, fit
from agent.surrogate.fidelities.process import FidelityProcess
from agent.surrogate.growing import REFIT_LEAST, SURPRISE_DEVIATIONS, SURPRISE_ROWS
from agent.surrogate.prior import FIRST_ITERATIONS, FURTHER_ITERATIONS, MOST_FIT_ROWS
from agent.surrogate.standardise import Standardisation
from protocols.errors import invariant

LEAST_OF_A_METHOD: Final = 4
"""Fewest values by which the mean and deviation of a cheaper method are told; before, those of the target stand."""


class FidelityHistory:
    """What is known of a property by several methods, and the process that predicts it.

    Args:
        pool: The pool, with its fidelities.
        columns: Statistics of its features.
        most_active: Most candidates that are looked at between two fits.

    Attributes:
        fidelities: What the rows of the pool measure.
        process: The process.
        active: Pool indices (of target rows) of its candidates, ascending, shape (m,).
        centre: What is taken from values of each method, shape (M,) [unit of the property].
        scale: What they are divided by, shape (M,) [unit of the property].
        noise: Standard uncertainty of a value to come by each method, 0 where none is known, shape (M,) [unit].
    """

    def __init__(self, pool: PoolArrays, columns: Standardisation, most_active: int) -> None:
        invariant(pool.fidelities is not None, "the pool tells what its rows measure")
        self.fidelities: Fidelities = pool.fidelities  # type: ignore[assignment]
        self._codes, self._most = pool.family_codes, most_active
        self._rows = PoolRows(pool.features, pool.family_codes, len(pool.families), columns)
        self._candidates = np.flatnonzero(self.fidelities.is_candidate)
        n = len(self._candidates)
        self._reference = self._candidates[np.unique(np.linspace(0, n - 1, min(REFERENCE_ROWS, n)).astype(np.int64))]
        self._measured = Measured(np.empty(0, np.int64), np.empty(0), np.empty(0), 0)
        self._theta: FloatArray | None = None

    def follow(self, measured: Measured) -> None:
        """Bring the process up to these values, of which `LEAST_ROWS` at least are dear."""
        known = len(self._measured.rows)
        if not measured.continues(self._measured):
            known, self._theta = max(measured.started, self._first_place(measured)), None
            self._renew(measured.first(known))
        for count in range(known + 1, len(measured.rows) + 1):
            self._append(measured.first(count))
        self._measured = measured

    def _first_place(self, measured: Measured) -> int:
        """Return how many values it takes until `LEAST_ROWS` of them are dear."""
        is_dear = self.fidelities.method[measured.rows] == self.fidelities.target
        return int(np.flatnonzero(is_dear)[LEAST_ROWS - 1]) + 1

    def column(self, row: int) -> int:
        """Return the column of the process that a row of the pool measures; its candidate is active."""
        place = int(np.searchsorted(self.active, self.fidelities.candidate[row]))
        return int(self.fidelities.method[row]) * len(self.active) + place

    def is_active(self, row: int) -> bool:
        """Whether the candidate of a row is one of the process."""
        candidate = self.fidelities.candidate[row]
        place = int(np.searchsorted(self.active, candidate))
        return place < len(self.active) and self.active[place] == candidate

    def variance_of(self, row: int, std: float) -> float:
        """Return the variance of the noise of a value of a row, told or usual [of standardised values]."""
        method = self.fidelities.method[row]
        return float(np.square((std if std > 0.0 else self.noise[method]) / self.scale[method]))

    def _append(self, measured: Measured) -> None:
        row, value, std = int(measured.rows[-1]), float(measured.values[-1]), float(measured.stds[-1])
        is_due = len(self._errors) + 1 >= self._refit_after or self.process.is_full or self._is_surprised()
        if is_due or not self.is_active(row):
            self._renew(measured)
            return
        method = self.fidelities.method[row]
        z = (value - self.centre[method]) / self.scale[method]
        self._errors.append(self.process.append(self.column(row), z, self.variance_of(row, std)))

    def _is_surprised(self) -> bool:
        """Whether values have erred more than the process allows: its hyper-parameters are wrong by now."""
        k = len(self._errors)
        squares = math.fsum(e * e for e in self._errors)
        return k >= SURPRISE_ROWS and squares > k + SURPRISE_DEVIATIONS * math.sqrt(2.0 * k)

    def _renew(self, measured: Measured) -> None:
        """Fit the hyper-parameters from where they are, and make the process again."""
        known = self.fidelities.candidate[measured.rows]
        self.active = self._looked_at(known)
        self._standardise(measured)
        X = self._rows.of(self.active)
        places = np.searchsorted(self.active, known)
        methods = self.fidelities.method[measured.rows]
        noise = np.array([self.variance_of(row, std) for row, std in zip(measured.rows, measured.stds, strict=True)])
        z = (measured.values - self.centre[methods]) / self.scale[methods]
        rows = Rows(X[places], places, methods, z, noise)
        iterations = FIRST_ITERATIONS if self._theta is None else FURTHER_ITERATIONS
        spread = fitted_to(methods == self.fidelities.target, MOST_FIT_ROWS)
        fitted: Fitted = fit(rows.at(spread), self._rows.groups, len(self.centre), self._theta, iterations)
        self._theta, self._errors = fitted.theta, list[float]()
        self._refit_after = max(REFIT_LEAST, math.ceil(REFIT_SHARE * len(z)))
        self.process = FidelityProcess(X, np.searchsorted(self.active, self._reference), fitted, len(self.centre))
        self.process.begin(rows, self._refit_after)

    def _looked_at(self, known: IndexArray) -> IndexArray:
        if len(self._candidates) <= self._most:
            return self._candidates
        places = np.searchsorted(self._candidates, np.unique(known))
        drawn = self._candidates[equal_shares(self._codes[self._candidates], places, self._most)]
        return np.union1d(np.union1d(drawn, known), self._reference)

    def _standardise(self, measured: Measured) -> None:
        methods = self.fidelities.method[measured.rows]
        dear = measured.values[methods == self.fidelities.target]
        deviation = float(dear.std())
        usual = (float(dear.mean()), deviation if deviation > 0.0 else 1.0)
        count = len(self.fidelities.names)
        self.centre, self.scale = np.full(count, usual[0]), np.full(count, usual[1])
        for method in range(count - 1):
            values = measured.values[methods == method]
            if len(values) >= LEAST_OF_A_METHOD and values.std() > 0.0:
                self.centre[method], self.scale[method] = values.mean(), values.std()
        self.noise = noise_of_methods(self.fidelities, measured)


def fitted_to(is_dear: np.typing.NDArray[np.bool_], most: int) -> IndexArray:
    """Positions of at most so many values, ascending: dear ones have half of the places, and what the others leave.

    Without them there would be nothing to tell how the methods go together.

    Args:
        is_dear: Of each value, shape (n,).
        most: At least 2.
    """
    dear, cheap = np.flatnonzero(is_dear), np.flatnonzero(~is_dear)
    places = max(most // 2, most - len(cheap))
    kept = dear[latest_and_spread(len(dear), places)]
    others = cheap[latest_and_spread(len(cheap), most - len(kept))]
    return np.sort(np.concatenate((kept, others)))


def latest_and_spread(n: int, most: int) -> IndexArray:
    """Positions of at most so many of n values: the latest half and an even spread over the others, ascending."""
    if n <= most:
        return np.arange(n)
    others = n - most // 2
    spread = np.arange(most - most // 2) * others // (most - most // 2)
    return np.concatenate((spread, np.arange(others, n)))
