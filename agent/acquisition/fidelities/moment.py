"""What is known at one moment of a decision: the process, the families' values and what is in flight."""

from __future__ import annotations

import math

import numpy as np

from agent.acquisition.base import AcquisitionContext, FloatArray, IndexArray
from agent.acquisition.fidelities.history import FidelityHistory
from agent.acquisition.fidelities.measured import Measured, dear_values
from agent.entropy.bias import inserted
from agent.surrogate.fidelities.posterior import LEAST_NOISE


class Moment:
    """The state of a decision, which goes on as it chooses.

    A dear value in flight counts in its family by its predicted mean, and what any value in flight will teach counts
    as learned.

    Args:
        context: Of the decision.
        history: Brought up to the context.
        measured: The values of the context.

    Attributes:
        process: The process with what is in flight.
        known: Candidates whose dear value is known, ascending, shape (k,).
        values: Of them, shape (k,) [unit of the property].
        samples: Dear values of each family, ascending.
        h: Entropy of each family [nat], shape (f,).
        asked: How often each candidate was asked for by each method, known or in flight, shape (M, n).
        cost_left: Of the budget.
    """

    def __init__(self, context: AcquisitionContext, history: FidelityHistory, measured: Measured) -> None:
        fidelities = history.fidelities
        self._context, self._fidelities, self._history = context, fidelities, history
        self._codes = context.pool.family_codes
        self.process = history.process.copy()
        self.cost_left = context.cost_left
        self.known, self.values = dear_values(fidelities, measured)
        codes = self._codes[self.known]
        self.samples = [np.sort(self.values[codes == code]) for code in range(len(context.pool.families))]
        self.h = np.array([self._entropy(code) for code in range(len(self.samples))])
        self.asked: IndexArray = np.zeros((len(fidelities.names), len(self._codes)), dtype=np.int64)
        np.add.at(self.asked, (fidelities.method[measured.rows], fidelities.candidate[measured.rows]), 1)
        for row in context.pending:
            self._put_in_flight(int(row))

    @property
    def target(self) -> int:
        """Index of the dear method."""
        return self._fidelities.target

    def request(self, row: int) -> None:
        """Let a row that was chosen be in flight."""
        self.cost_left -= self._fidelities.costs[self._fidelities.method[row]]
        self._put_in_flight(row)

    def mean(self) -> FloatArray:
        """Predicted dear value of every candidate of the process, shape (m,) [unit of the property]."""
        own = self.process.mean.reshape(-1, self.process.size)[self.target]
        mean: FloatArray = self._history.centre[self.target] + self._history.scale[self.target] * own
        return mean

    def variance(self, method: int) -> FloatArray:
        """Variance of every candidate's value by a method, without noise, shape (m,) [of standardised values]."""
        variance: FloatArray = np.maximum(self.process.variance.reshape(-1, self.process.size)[method], 0.0)
        return variance

    def noise(self, method: int) -> float:
        """Variance of the noise of a value to come by a method [of standardised values]."""
        return float(np.square(self._history.noise[method] / self._history.scale[method])) + LEAST_NOISE

    def _put_in_flight(self, row: int) -> None:
        fidelities = self._fidelities
        candidate, method = int(fidelities.candidate[row]), int(fidelities.method[row])
        first_dear = method == self.target and not self.asked[method, candidate]
        self.asked[method, candidate] += 1
        if not self._history.is_active(row):
            return  # asked for while it was looked at; it is not in this sample of a large pool
        if first_dear:
            code = int(self._codes[candidate])
            place = self._history.column(row) % self.process.size
            self.samples[code] = inserted(self.samples[code], float(self.mean()[place]))
            self.h[code] = self._entropy(code)
        self.process.request(self._history.column(row), self._history.variance_of(row, 0.0))

    def _entropy(self, code: int) -> float:
        measure = self._context.measure
        h = measure.entropy(self.samples[code])
        return math.log(measure.resolution) if h is None else h
