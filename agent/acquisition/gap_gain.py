"""Gap gain: the candidate that is expected to close the gaps between all families, and to teach the model, most.

Every available candidate of every family is scored:

    S(c) = (1 − λ) E[ΔL(c)] / (L + F τ²) + λ ΔV(c) / V

| here | meaning | default |
|---|---|---|
| h_g, T, F | entropy of family g with what is in flight [nat], the largest of them, how many families there are | |
| L | Σ_g (T − h_g)² [nat²] | |
| E[ΔL(c)] | by how much the value of c is expected to lower L [nat²], see `family_gaps` | |
| κ `credit` | share of a fall of the richest family that counts as a gain; its rise always counts | 0 |
| V, ΔV(c) | variance of the model over the pool, and by how much the value of c lowers it, see `reducible_variance` | |
| λ `model_share` | weight of the model | 0.5 |
| τ `tolerance` | gap that does not count [nat]: entropies of 30 to 60 values err by 0.05 to 0.15 | 0.05 |

S is the relative fall of L^(1−λ) V^λ: it has no unit, no phases and no thresholds. While gaps can be closed that term
leads; where nothing more is to be gained it is zero or negative, and the rest of the budget goes to what the model
knows least, every harm to the balance still counted. A family that cannot be helped has an expected gain near zero,
and is hardly asked for; no patience is needed.

The model is one Gaussian process over all families (`pooled_surrogate`). Requests in flight, and the choices before in
a batch, lower its variance and count in their families by their predicted means. A family without values has the
entropy of one that cannot be told apart, ln r, and its first value gains 1 nat.

A value that came with a standard uncertainty counts in the process with it, beside the noise of all values.

Of several properties each has a process; h is their weighted sum (`target_properties`), E[ΔL] is over all their values
together, and the share of the model is the weighted mean of theirs.

| input | outcome |
|---|---|
| fewer than four values | drawn at random, by the seed |
| one family | there are no gaps: the model alone decides |
| no features, or constant ones | all candidates of a family are equal, and the lowest index is chosen |
| values that are all equal | the prior of the process stands; nothing is gained, the model decides |
| a family without candidates | its gap stays, and no one is asked to close it |
| a pool above `active_rows.MOST_ACTIVE` | a sample of it is scored, drawn anew at every fit |

What was tried and does worse is in docs/explanation/gap-gain.md.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from agent.acquisition.base import AcquisitionContext, Choice, FloatArray, IndexArray, PoolArrays, Proposal
from agent.acquisition.baselines import UniformRandom
from agent.acquisition.family_gaps import FIRST_VALUE_GAIN, TABLE_REACH, expected_fall, nodes, squared_gaps
from agent.acquisition.grown_surrogate import canonical_order
from agent.acquisition.pooled_surrogate import LEAST_ROWS, PooledHistory, histories
from agent.acquisition.selection import Pick, best_two, check_number, check_whole_number, proposal_of
from agent.entropy.bias import GAP_TOLERANCE_NAT, inserted
from agent.entropy.change_table import ChangeTable, ChangeTableMemory
from agent.entropy.target_properties import TargetProperty, combined_entropy
from agent.surrogate.active_rows import MOST_ACTIVE
from agent.surrogate.standardise import ColumnMemory

ALL_ROWS: Final = "all"
"""Stands for all rows of a pool."""

DEFAULT_MEMORY_MB: Final = 256
"""Memory of the whitened covariances [MiB], and as much again for those of the reference rows: 100,000 rows with 300
values in single precision. What is computed again for ten million costs half a minute a value, on one core."""

SCORED_AT_ONCE: Final = 16_384
"""Candidates whose values to come are laid out at their nodes at a time: 4 MiB with one property."""

DEFAULT_MODEL_SHARE: Final = 0.5
"""λ: the model alone (1) balances no better than chance, the gaps alone (0) teach it less: see the page below."""


class GapGain:
    """The policy "gap_gain".

    Args:
        model_share: λ, from 0 to 1.
        tolerance: τ, positive [nat].
        credit: κ, from 0 to 1.
        active_rows: Most rows of the pool that are scored, at least 1; "all" for every one, however large it is.
        memory_mb: Most memory of what is kept of covariances with them, at least 0 [MiB]. Where they take more, they
            are computed again for each value that comes, block by block: the same choice, but for rounding.

    Raises:
        SettingsError: On an option out of its range.
    """

    runs_inline: ClassVar[bool] = False

    def __init__(
        self,
        *,
        model_share: float = DEFAULT_MODEL_SHARE,
        tolerance: float = GAP_TOLERANCE_NAT,
        credit: float = 0.0,
        active_rows: int | str = MOST_ACTIVE,
        memory_mb: int = DEFAULT_MEMORY_MB,
    ) -> None:
        check_number("model_share", model_share, 0.0, 1.0)
        check_number("tolerance", tolerance, 1e-6, 10.0)
        check_number("credit", credit, 0.0, 1.0)
        if active_rows != ALL_ROWS:
            check_whole_number("active_rows", active_rows, 1)
        check_whole_number("memory_mb", memory_mb, 0)
        self._options = _Options(model_share, tolerance, credit)
        self._most_active = sys.maxsize if isinstance(active_rows, str) else active_rows
        self._memory_bytes = memory_mb * 1024**2
        self._columns = ColumnMemory()
        self._tables = ChangeTableMemory()
        self._kept: tuple[PoolArrays, tuple[TargetProperty, ...], list[PooledHistory]] | None = None

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        """Choose up to `count` candidates, each with those before it in flight."""
        if len(context.available) == 0:
            return Proposal((), reason="no candidate is available")
        if len(context.observed) < LEAST_ROWS:
            drawn = UniformRandom().propose(context, count)
            return Proposal(
                drawn.choices, f"{len(context.observed)} values are too few to predict from; {drawn.reason}"
            )
        decision = _Decision(context, self._followed(context), self._tables, self._options)
        picks = [decision.pick()]
        while len(picks) < min(count, len(context.available)):
            decision.request(picks[-1].choice.index)
            picks.append(decision.pick())
        return proposal_of(picks)

    def _followed(self, context: AcquisitionContext) -> list[PooledHistory]:
        """Bring what is kept of every property up to the context."""
        pool = context.pool
        targets = tuple(each for each, _ in context.target_values)
        if self._kept is None or self._kept[0] is not pool or self._kept[1] != targets:
            columns = self._columns.of(pool.features)
            self._kept = (
                pool, targets, histories(pool, columns, targets, self._most_active, self._memory_bytes)
            )  # fmt: skip
        order, started = canonical_order(context)
        for history, (_, values), stds in zip(
            self._kept[2], context.target_values, context.target_uncertainties, strict=True
        ):
            history.follow(context.observed[order], values[order], stds[order], started)
        return self._kept[2]


@dataclass(frozen=True, slots=True)
class _Options:
    model_share: float
    tolerance: float
    credit: float


class _Decision:
    """The working state of one call of `propose`."""

    def __init__(
        self,
        context: AcquisitionContext,
        followed: list[PooledHistory],
        tables: ChangeTableMemory,
        options: _Options,
    ) -> None:
        self._context, self._tables, self._options = context, tables, options
        self._codes = context.pool.family_codes
        self._targets = [each for each, _ in context.target_values]
        self._forecasts = [history.forecast(context.pending) for history in followed]
        self._active = followed[0].indices
        self._is_available = np.zeros(len(self._codes), dtype=bool)
        self._is_available[context.available] = True
        self._rng = np.random.default_rng(context.seed)
        self._samples = [self._samples_of(values) for _, values in context.target_values]
        self._h = np.array([self._entropy(code) for code in range(len(context.pool.families))])
        self._nodes, self._weights = nodes(len(self._targets))
        self._add_values(context.pending, first=0)

    def pick(self) -> Pick:
        """Choose one candidate."""
        places = np.flatnonzero(self._is_available[self._active])
        left = self._active[places]
        if len(left) == 0:
            return self._drawn()
        predictions = [tuple(each[places] for each in forecast.predict()) for forecast in self._forecasts]
        gaps, gains = self._gap_share(left, predictions)
        weights = np.array([each.weight for each in self._targets])
        model = weights @ np.array([forecast.model_share()[places] for forecast in self._forecasts])
        share = self._options.model_share
        choice, runner_up = best_two(left, (1.0 - share) * gaps + share * model)
        at = int(np.searchsorted(left, choice.index))
        code = int(self._codes[choice.index])
        details = {
            "gap_share": float(gaps[at]),
            "model_share": float(model[at]),
            "expected_gain": float(gains[at]),
            "mean_gap": float((self._h.max() - self._h).mean()),
            "entropy_before": float(self._h[code]),
        }
        for target, forecast, (mean, std) in zip(self._targets, self._forecasts, predictions, strict=True):
            suffix = f" of {target.name}" if len(self._targets) > 1 else ""
            details |= {
                f"predicted_mean{suffix}": float(mean[at]),
                f"predicted_std{suffix}": float(std[at]),
                f"noise_std{suffix}": forecast.noise_std,
            }
        family = self._context.pool.families[code]
        return Pick(choice, runner_up, family, _in_words(family, details), details)

    def request(self, index: int) -> None:
        """Let a pick count as requested before the next one."""
        in_flight = np.array([index])
        known = len(self._forecasts[0])
        for forecast in self._forecasts:
            forecast.add_pending(in_flight)
        self._is_available[index] = False
        self._add_values(in_flight, first=known)

    def _drawn(self) -> Pick:
        """Draw one where none of those that are available is looked at until the next fit."""
        index = int(self._rng.choice(np.flatnonzero(self._is_available)))
        reason = f"all {len(self._active)} rows that are looked at are taken; drawn at random from the others"
        return Pick(Choice(index), None, self._context.pool.families[self._codes[index]], reason, {})

    def _samples_of(self, values: FloatArray) -> list[FloatArray]:
        codes = self._codes[self._context.observed]
        return [np.sort(values[codes == code]) for code in range(len(self._context.pool.families))]

    def _add_values(self, indices: IndexArray, first: int) -> None:
        """Let the predicted means of requests in flight count in their families; `first` is the place of the first."""
        if len(indices) == 0:
            return
        for samples, forecast in zip(self._samples, self._forecasts, strict=True):
            for index, value in zip(indices, forecast.values_in_flight()[first:], strict=True):
                samples[self._codes[index]] = inserted(samples[self._codes[index]], float(value))
        for code in set(self._codes[indices].tolist()):
            self._h[code] = self._entropy(code)

    def _entropy(self, code: int) -> float:
        parts = [target.entropy(samples[code]) for target, samples in zip(self._targets, self._samples, strict=True)]
        h = combined_entropy(self._targets, parts)
        if h is not None:
            return h
        return math.fsum(each.weight * math.log(each.measure.resolution / each.scale) for each in self._targets)

    def _gap_share(self, left: IndexArray, predictions: list[tuple[FloatArray, ...]]) -> tuple[FloatArray, FloatArray]:
        """Return E[ΔL] / (L + F τ²), and the expected gain of the candidate's own family [nat], two arrays (a,)."""
        fall, gain = np.zeros(len(left)), np.zeros(len(left))
        codes = self._codes[left]
        for code in np.flatnonzero(np.bincount(codes)):
            here = np.flatnonzero(codes == code)
            values = [
                (mean[here], np.hypot(std[here], forecast.noise_std))
                for forecast, (mean, std) in zip(self._forecasts, predictions, strict=True)
            ]
            tables = self._tables_of(int(code), values)
            for start in range(0, len(here), SCORED_AT_ONCE):
                some = slice(start, start + SCORED_AT_ONCE)
                added = self._added(tables, [(mean[some], std[some]) for mean, std in values])
                fall[here[some]] = expected_fall(self._h, int(code), added, self._weights, self._options.credit)
                gain[here[some]] = added @ self._weights
        return fall / (squared_gaps(self._h) + len(self._h) * self._options.tolerance**2), gain

    def _tables_of(self, code: int, values: list[tuple[FloatArray, FloatArray]]) -> list[ChangeTable]:
        """Return what a value of each property does to a family; of values of all its candidates."""
        tables: list[ChangeTable] = []
        for place, (target, samples) in enumerate(zip(self._targets, self._samples, strict=True)):
            mean, std = values[place]
            reach = TABLE_REACH * std
            ends = float((mean - reach).min()), float((mean + reach).max())
            table = self._tables.of((place, code), target.measure, samples[code], *ends, undefined=FIRST_VALUE_GAIN)
            tables.append(table)
        return tables

    def _added(self, tables: list[ChangeTable], values: list[tuple[FloatArray, FloatArray]]) -> FloatArray:
        """Return δ at every node of some candidates of a family, shape (c, k); of values as mean and deviation."""
        total = np.zeros((len(values[0][0]), len(self._weights)))
        for target, table, (mean, std), at in zip(self._targets, tables, values, self._nodes, strict=True):
            total += target.weight * table.at(mean, std, at)
        return total


def _in_words(family: str, details: dict[str, float]) -> str:
    gaps, model, gain = 100.0 * details["gap_share"], 100.0 * details["model_share"], details["expected_gain"]
    closes = f"closes {gaps:.2g} % of the gaps" if gaps >= 0.0 else f"opens the gaps by {-gaps:.2g} %"
    return f"{family} gains {gain:+.2g} nat, which {closes}; the model's variance falls by {model:.2g} % (expected)"
