"""Campaigns over a table of two methods, each with the mean gap of its dear values after every request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from agent.acquisition.base import AcquisitionContext, FloatArray, IndexArray, Policy, PoolArrays
from agent.acquisition.fidelities.fidelity_gain import FidelityGain
from agent.acquisition.gap_gain import GapGain
from agent.entropy.bias import BiasMeter
from agent.pool.fidelities import Fidelities
from tests.benchmarks.fidelities.tables import TwoMethods

COSTS: Final = (1, 20)
"""Of a cheap and of a dear value."""

WHOLE: Final = 60 * COSTS[1]
"""What gap_gain spends on dear values alone."""

HALF: Final = WHOLE // 2
"""What two methods may spend."""


@dataclass(frozen=True, slots=True)
class Course:
    """A campaign.

    Attributes:
        costs: What was spent after each request, from 0.
        gaps: Mean gap of the dear values then [nat].
        asked: Rows in their order: dear ones first in the pool, then the cheap ones.
        dear: How many of them are dear.
    """

    costs: list[int]
    gaps: list[float]
    asked: list[int]
    dear: int

    def at(self, cost: int) -> float:
        """Mean gap when so much was spent [nat]."""
        return self.gaps[int(np.searchsorted(self.costs, cost, side="right")) - 1]


def dear_alone(table: TwoMethods, seed: int) -> Course:
    """gap_gain on dear values: the baseline."""
    n = len(table.dear)
    pool = PoolArrays(_ids(n), table.features, table.codes, table.families)
    return _Campaign(table, pool, table.dear, seed).play(GapGain(), WHOLE, np.arange(n))


def two_methods(
    table: TwoMethods, seed: int, *, first: Sequence[int] = (), ask_cheap: bool = True, budget: int = HALF
) -> Course:
    """fidelity_gain; or its model alone, on cheap values that are asked for first.

    Args:
        table: What is asked.
        seed: Of the start set.
        first: Rows that are asked for before the policy is.
        ask_cheap: Whether it may ask for more of them.
        budget: Of all.
    """
    n = len(table.dear)
    rows = np.arange(n)
    told = Fidelities(("cheap", "dear"), COSTS, np.tile(rows, 2), np.repeat([1, 0], n), np.zeros(2 * n, dtype=np.int64))
    features, codes = np.vstack((table.features, table.features)), np.tile(table.codes, 2)
    pool = PoolArrays(_ids(2 * n), features, codes, table.families, fidelities=told)
    campaign = _Campaign(table, pool, np.concatenate((table.dear, table.cheap)), seed)
    policy = FidelityGain() if ask_cheap else FidelityGain(pairs=0)
    return campaign.play(policy, budget, np.arange(2 * n if ask_cheap else n), first)


def drawn(table: TwoMethods, seed: int, dear: int) -> Course:
    """As many dear values at random: what the money for cheap ones buys is thrown away."""
    n = len(table.dear)
    pool = PoolArrays(_ids(n), table.features, table.codes, table.families)
    campaign = _Campaign(table, pool, table.dear, seed)
    left = np.setdiff1d(np.arange(n), table.start(seed))
    asked = np.random.default_rng(seed).choice(left, dear, replace=False)
    return campaign.play(GapGain(), 0, left, asked.tolist())


class _Campaign:
    def __init__(self, table: TwoMethods, pool: PoolArrays, values: FloatArray, seed: int) -> None:
        self._table, self._pool, self._values = table, pool, values
        self._start = table.start(seed)
        codes = table.codes[self._start]
        self._meter = BiasMeter(table.families, codes, table.dear[self._start], measure=table.measure)
        self._asked: list[int] = []
        self._spent = 0
        self._course = Course([0], [self._gap()], self._asked, 0)

    def play(self, policy: Policy, budget: int, open_rows: IndexArray, first: Sequence[int] = ()) -> Course:
        for row in first:
            self._ask(int(row))
        while (left := budget - self._spent) > 0:
            choices = policy.propose(self._context(open_rows, left), 1).choices
            if not choices:
                break
            self._ask(choices[0].index)
        course, n = self._course, len(self._table.dear)
        return Course(course.costs, course.gaps, self._asked, sum(row < n for row in self._asked))

    def _context(self, open_rows: IndexArray, left: int) -> AcquisitionContext:
        acquired = np.array(self._asked, dtype=np.int64)
        observed = np.union1d(self._start, acquired)
        return AcquisitionContext(
            pool=self._pool,
            observed=observed,
            values=self._values[observed],
            acquired=acquired,
            pending=np.empty(0, dtype=np.int64),
            available=np.setdiff1d(open_rows, observed),
            decision=len(acquired),
            seed=len(acquired),
            measure=self._table.measure,
            cost_left=left,
        )

    def _ask(self, row: int) -> None:
        n, told = len(self._table.dear), self._pool.fidelities
        self._asked.append(row)
        self._spent += COSTS[1] if told is None else int(told.costs[told.method[row]])
        if row < n:
            self._meter.add(int(self._table.codes[row]), float(self._table.dear[row]))
        self._course.costs.append(self._spent)
        self._course.gaps.append(self._gap())

    def _gap(self) -> float:
        return self._meter.point().mean_gap or 0.0


def _ids(n: int) -> tuple[str, ...]:
    return tuple(f"c{index:05d}" for index in range(n))
