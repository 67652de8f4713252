"""Coverage of the pool by features alone: the candidate farthest from all that is known or asked for.

One choice is the available candidate i of the largest

    D(i) = min over s in S of ‖x_i − x_s‖,

and it joins S before the next one. Values do not enter: it is what a careful person would do who spreads over a pool
without a model, and so the baseline for every policy that looks at values.

| here | meaning | shape |
|---|---|---|
| x | standardised features; constant columns are left out (`surrogate.standardise`) | (n, d) |
| S | what has a value, is in flight, or was chosen before in the same proposal | |
| D | distance to the nearest of S [standardised feature] | (n,) |

Choosing so is within a factor two of the best possible largest D (Gonzalez). D is a minimum over a set, and each
distance is computed by itself, so it is the same to the bit in whatever order rows came: what is kept between decisions
only saves time.

| input | outcome |
|---|---|
| nothing known | the candidate nearest to the centre of the pool first |
| no features, or all constant; nothing left but copies of S | nothing tells them apart: the seed draws, and says so |
| candidates at equal distance | the lowest index |
| a candidate in flight that is given up | leaves S, as it does for a policy made today |

Reference: T. F. Gonzalez, Theor. Comput. Sci. 38, 293 (1985).
"""

from __future__ import annotations

from typing import ClassVar, Final

import numpy as np
from scipy.spatial.distance import cdist

from agent.acquisition.base import AcquisitionContext, Choice, FloatArray, IndexArray, Proposal
from agent.acquisition.selection import best_two, short_reason
from agent.surrogate.queries import Queries
from agent.surrogate.standardise import measure_columns

CHUNK_ROWS: Final = 1_024
"""Known rows whose distances to a block of the pool are held at once (32 MiB)."""


class Coverage:
    """The policy "coverage"."""

    runs_inline: ClassVar[bool] = False

    def __init__(self) -> None:
        self._kept: _Distances | None = None

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        """Choose up to `count` candidates, each the farthest from all before."""
        if len(context.available) == 0:
            return Proposal((), reason="no candidate is available")
        distances = self._distances(context)
        covered = np.union1d(context.observed, context.pending).astype(np.int64)
        squares = distances.to(covered).copy()
        left, choices = context.available, list[Choice]()
        runner_up: Choice | None = None
        while len(choices) < min(count, len(context.available)):
            if not distances.tell or squares[left].max() <= 0.0:  # larger distances came first: only copies are left
                return _drawn(context, left, choices, count)
            scores = np.sqrt(squares[left]) if len(covered) or choices else -distances.to_centre(left)
            choice, runner_up = best_two(left, scores)
            choices.append(choice)
            left = left[left != choice.index]
            np.minimum(squares, distances.squares_to(np.array([choice.index])), out=squares)
        first = "nearest to the centre of the pool" if not len(covered) else _far(choices[0], len(covered))
        reason = first + (f" (first of {len(choices)})" if len(choices) > 1 else "")
        return Proposal(tuple(choices), short_reason(reason), runner_up, details={"n_covered": float(len(covered))})

    def _distances(self, context: AcquisitionContext) -> _Distances:
        features = context.pool.features
        if self._kept is None or self._kept.features is not features:
            self._kept = _Distances(features)
        return self._kept


class _Distances:
    """Squared distances of a whole pool to the nearest of a set of its rows, kept while the set grows.

    Args:
        features: Of the whole pool, shape (n, d); may be a memory map, which is then read block by block.

    Attributes:
        tell: Whether any feature varies, so that distances tell candidates apart.
    """

    def __init__(self, features: FloatArray) -> None:
        self.features = features
        columns = measure_columns(features)
        self.tell = bool(columns.varying.any())
        self._columns = columns
        self._rows = Queries(features, np.arange(len(features)), columns)
        self._rows.scale(np.ones(int(columns.varying.sum())), 1)
        self._set: IndexArray = np.empty(0, dtype=np.int64)
        self._squares: FloatArray = np.full(len(features), np.inf)

    def to(self, rows: IndexArray) -> FloatArray:
        """Return the squared distances to the nearest of some rows, ascending; infinite where there are none, (n,)."""
        if len(np.setdiff1d(self._set, rows, assume_unique=True)):
            self._squares = np.full(len(self.features), np.inf)
            self._set = self._set[:0]
        if len(new := np.setdiff1d(rows, self._set, assume_unique=True)):
            np.minimum(self._squares, self.squares_to(new), out=self._squares)
            self._set = rows
        return self._squares

    def squares_to(self, rows: IndexArray) -> FloatArray:
        """Return the squared distances to the nearest of at least one row, shape (n,)."""
        squares = np.full(len(self.features), np.inf)
        for start in range(0, len(rows), CHUNK_ROWS):
            known = self._columns.apply(self.features[rows[start : start + CHUNK_ROWS]])
            for at, block, _ in self._rows.blocks():
                np.minimum(squares[at], cdist(block, known, "sqeuclidean").min(axis=1), out=squares[at])
        return squares

    def to_centre(self, rows: IndexArray) -> FloatArray:
        """Return the distances of some rows to the centre of the pool, shape (r,)."""
        distances: FloatArray = np.linalg.norm(self._columns.apply(self.features[rows]), axis=1)
        return distances


def _far(choice: Choice, covered: int) -> str:
    return f"farthest from all {covered} that are known or in flight: {choice.score:.3g} in standardised features"


def _drawn(context: AcquisitionContext, left: IndexArray, chosen: list[Choice], count: int) -> Proposal:
    """Fill a proposal by the seed, where no feature tells what is left from what is known."""
    rng = np.random.default_rng(context.seed)
    drawn = rng.choice(left, size=min(count, len(context.available)) - len(chosen), replace=False)
    choices = (*chosen, *(Choice(int(index)) for index in drawn))
    reason = f"no feature tells {len(left)} candidates from what is known; drawn at random among them"
    return Proposal(choices, reason)
