"""What every question is worth for each unit of its cost.

| here | meaning | shape |
|---|---|---|
| S | (1 − λ) E[ΔL] / (L + F τ²) + λ ΔV / V of a dear value: the score of `gap_gain` | (a,) |
| ΔV | Σ_r C_rq² / (s_q² + n_q): by how much a value of column q lowers V, see `process` | (a,) |
| a | cov(dear, cheap) / √(s_cheap² + n): what a deviation of the cheap value moves the mean of the dear one by | (a,) |
| S_k | S with the mean at μ + a t_k, the variance at s² − a², and C less what the cheap value explains of it | (a, k) |

The rate of a dear value is S over its cost, that of a cheap one `rate_of_looking`. What a cheap value brings by itself
is what it teaches, λ ΔV / V; so it is with a value that is asked for again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agent.acquisition.base import AcquisitionContext, FloatArray, IndexArray
from agent.acquisition.family_gaps import FIRST_VALUE_GAIN, TABLE_REACH, expected_fall, squared_gaps
from agent.acquisition.fidelities.history import FidelityHistory
from agent.acquisition.fidelities.moment import Moment
from agent.acquisition.fidelities.questions import Questions
from agent.acquisition.fidelities.rates import outcomes, rate_of_looking
from agent.entropy.change_table import ChangeTableMemory, normal_nodes


@dataclass(frozen=True, slots=True)
class Weights:
    """Options of the score.

    Attributes:
        model_share: λ.
        tolerance: τ [nat].
        credit: Share of a fall of the richest family that counts.
        cheap_lesson: Share of what a cheap value teaches that counts.
    """

    model_share: float
    tolerance: float
    credit: float
    cheap_lesson: float


class Scores:
    """Scores of one moment.

    Args:
        context: Of the decision.
        history: What is known.
        moment: And in flight.
        tables: Kept between moments.
        weights: Options.
    """

    def __init__(
        self,
        context: AcquisitionContext,
        history: FidelityHistory,
        moment: Moment,
        tables: ChangeTableMemory,
        weights: Weights,
    ) -> None:
        self._moment, self._tables, self._weights = moment, tables, weights
        self._codes, self._measure = context.pool.family_codes, context.measure
        self._scale, self._noise = float(history.scale[moment.target]), float(history.noise[moment.target])
        process = moment.process
        self._C = process.C.reshape(len(process.C), -1, process.size)
        self._whole = max(float(np.maximum(process.variance_g, 0.0).sum()), np.finfo(float).tiny)
        self._mean = moment.mean()
        self._gaps = squared_gaps(moment.h) + len(moment.h) * weights.tolerance**2

    def of_teaching(self, questions: Questions, method: int) -> FloatArray:
        """Return what values by one method teach, λ ΔV / V, of a cheap one the share of it that counts; shape (a,)."""
        at = questions.place
        fall = self._squares(method, method, at) / (self._moment.variance(method)[at] + self._moment.noise(method))
        share = self._weights.model_share
        if method != self._moment.target:
            share *= self._weights.cheap_lesson
        return share * fall / self._whole

    def of_dear(self, questions: Questions) -> tuple[FloatArray, FloatArray]:
        """Return the two parts of S, by the gaps and by the model, of first dear values, two arrays (a,)."""
        at, target = questions.place, self._moment.target
        std = np.hypot(self._scale * np.sqrt(self._moment.variance(target)[at]), self._noise)
        nodes, weights = normal_nodes()
        falls = self._falls(questions.candidate, (self._mean[at], std), nodes, weights, "dear")
        return (1.0 - self._weights.model_share) * falls / self._gaps, self.of_teaching(questions, target)

    def of_looking(self, questions: Questions, method: int, cost: int, dear_cost: int) -> FloatArray:
        """Return the rates of cheap values of candidates whose dear value may be asked for, shape (a,)."""
        at, target = questions.place, self._moment.target
        own = self._moment.variance(method)[at] + self._moment.noise(method)
        dear, covariance = self._moment.variance(target)[at], self._moment.process.between(method)[at]
        a = np.minimum(np.abs(covariance) / np.sqrt(own), np.sqrt(dear))
        left = dear - np.square(a)
        t, weights = outcomes()
        mean = self._mean[at][:, None] + (self._scale * a)[:, None] * t
        std = np.repeat(np.hypot(self._scale * np.sqrt(left), self._noise), len(t))
        candidates = np.repeat(questions.candidate, len(t))
        nodes, node_weights = normal_nodes()
        every_other = node_weights[::2] / node_weights[::2].sum()
        falls = self._falls(candidates, (mean.ravel(), std), nodes[::2], every_other, "cheap").reshape(mean.shape)
        k = covariance / own
        squares = self._squares(target, target, at) - 2.0 * k * self._squares(target, method, at)
        squares += np.square(k) * self._squares(method, method, at)
        taught = np.maximum(squares, 0.0) / (left + self._moment.noise(target)) / self._whole
        share = self._weights.model_share
        scores = (1.0 - share) * falls / self._gaps + share * taught[:, None]
        return rate_of_looking(scores, weights, self.of_teaching(questions, method), cost, dear_cost)

    def _squares(self, one: int, other: int, at: IndexArray) -> FloatArray:
        """Σ_r C_rq C_rp of the columns of two methods, shape (a,)."""
        products: FloatArray = np.einsum("ra,ra->a", self._C[:, one, at], self._C[:, other, at])
        return products

    def _falls(
        self,
        candidates: IndexArray,
        predicted: tuple[FloatArray, FloatArray],
        nodes: FloatArray,
        weights: FloatArray,
        key: str,
    ) -> FloatArray:
        """Return E[ΔL] of dear values as mean and deviation, shape (b,) [nat²]."""
        fall, codes, (mean, std) = np.zeros(len(candidates)), self._codes[candidates], predicted
        for code in np.flatnonzero(np.bincount(codes)):
            here = np.flatnonzero(codes == code)
            reach = TABLE_REACH * std[here]
            low, high = float((mean[here] - reach).min()), float((mean[here] + reach).max())
            sample = self._moment.samples[code]
            table = self._tables.of((key, int(code)), self._measure, sample, low, high, undefined=FIRST_VALUE_GAIN)
            added = table.at(mean[here], std[here], nodes)
            fall[here] = expected_fall(self._moment.h, int(code), added, weights, self._weights.credit)
        return fall
