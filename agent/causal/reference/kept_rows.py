"""Which batches of a schedule are kept, as far as values are known.

    b* = argmin_b ‖sort(B(rows, b) 1) − sort(B_ρ 1)‖₂,    rows ← rows and those of b*

B is the graph of rows (`agent.causal.graph.lingam`), B_ρ the global graph that is told, the distance that of the
Laplacians (`graph.losses`), on values in their own units. Rounds come one after the other; a round is over when all of
its values are known, or most of those that the next one asks for: then what is lacking was given up, and its batch
goes on without it. Of batches that are equally near the first is kept.

What is kept is a pure function of the values that are known, whatever the order in which they came. Rows that a batch
draws again count again, as the published code has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.causal.graph.losses import laplacian_distance
from agent.causal.reference.global_graph import GlobalGraph
from agent.causal.reference.schedule import Arm, Schedule

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

MOST: Final = 0.75
"""Part of the values that a round asks for, above which the one before is over: a lab that works gives up less than the
rest, and a campaign that follows no schedule seldom knows as much of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """What an arm chose.

    Attributes:
        arm: Its name.
        rows: Places of the rows that were kept, in their order; one may come more than once.
        looked_at: Places of all rows whose values were needed, in their order, those that were kept among them.
        losses: Distance from the global graph after each round; inf where there were too few rows for a graph.
        kept: Which of its batches was kept in each round; of `control`, the subset.
    """

    arm: Arm
    rows: IndexArray
    looked_at: IndexArray
    losses: tuple[float, ...]
    kept: tuple[int, ...]

    @property
    def is_told_the_answer(self) -> bool:
        """Whether the arm chooses by the global graph, which is what it is to find."""
        return self.arm != "control"


@dataclass(frozen=True, slots=True, eq=False)
class _Judged:
    """A round that is over: what is kept after it, and how far its graph is off."""

    rows: IndexArray
    loss: float
    kept: int


class KeptRows:
    """Follows a schedule, value by value.

    Args:
        schedule: What is drawn.
        told: The global graph.
        rows: Features and target of all rows, in the order of the graph's variables; NaN is a value that is not known
            yet, shape (n, d).
    """

    def __init__(self, schedule: Schedule, told: GlobalGraph, rows: FloatArray) -> None:
        self._schedule = schedule
        self._told = told
        self._rows = np.array(rows, dtype=np.float64)
        self._first_drawn = _first_drawn(schedule, len(rows))
        self._judged: list[_Judged] = []

    def learn(self, index: int, value: float) -> None:
        """Take in the value of a row."""
        self._rows[index, -1] = value
        # What was judged without it is judged again.
        del self._judged[self._first_drawn[index] :]

    def follow(self, values: FloatArray) -> None:
        """Take in the values of all rows, of which some may be known already.

        Args:
            values: NaN where not known, shape (n,).
        """
        held = self._rows[:, -1]
        is_same = (values == held) | (np.isnan(values) & np.isnan(held))
        for index in np.flatnonzero(~is_same).tolist():
            self.learn(index, float(values[index]))

    @property
    def known(self) -> IndexArray:
        """Places of all rows whose values are known, ascending, whether a round drew them or not."""
        return np.flatnonzero(np.isfinite(self._rows[:, -1]))

    def selection(self) -> Selection:
        """Return what is kept after the rounds that are over."""
        while len(self._judged) < len(self._schedule.rounds) and self._is_over(len(self._judged)):
            self._judged.append(self._judge(len(self._judged)))
        rounds = self._schedule.rounds[: len(self._judged)]
        looked_at = np.concatenate((self._schedule.start, *(each.rows for each in rounds)))
        return Selection(
            self._schedule.arm,
            self._rows_after(len(self._judged)),
            self._with_values(looked_at),
            tuple(each.loss for each in self._judged),
            tuple(each.kept for each in self._judged),
        )

    def loss_of(self, rows: IndexArray) -> float:
        """Return how far the graph of some rows is from the global one; inf where they are too few for a graph."""
        if len(rows) <= len(self._told.names):
            return np.inf
        return laplacian_distance(self._told.graph_of(self._rows[rows]).weights, self._told.weights)

    def _is_over(self, number: int) -> bool:
        if self._is_known(self._schedule.rounds[number].rows).all():
            return True
        later = self._first_drawn[(self._first_drawn > number) & (self._first_drawn < len(self._schedule.rounds))]
        if len(later) == 0:
            return False
        return bool(self._is_known(np.flatnonzero(self._first_drawn == later.min())).mean() > MOST)

    def _judge(self, number: int) -> _Judged:
        before, drawn = self._rows_after(number), self._schedule.rounds[number]
        choices = [np.concatenate((before, self._with_values(batch))) for batch in drawn.batches]
        losses = [self.loss_of(rows) for rows in choices]
        best = int(np.argmin(losses))
        return _Judged(choices[best], losses[best], drawn.first + best)

    def _rows_after(self, rounds: int) -> IndexArray:
        return self._judged[rounds - 1].rows if rounds else self._with_values(self._schedule.start)

    def _with_values(self, rows: IndexArray) -> IndexArray:
        return rows[self._is_known(rows)]

    def _is_known(self, rows: IndexArray) -> NDArray[np.bool_]:
        known: NDArray[np.bool_] = np.isfinite(self._rows[rows, -1])
        return known


def _first_drawn(schedule: Schedule, n: int) -> IndexArray:
    """Return the number of the round that draws each row first, from 0; the start's is 0, and of none the last + 1."""
    first = np.full(n, len(schedule.rounds), dtype=np.int64)
    for number in reversed(range(len(schedule.rounds))):
        first[schedule.rounds[number].rows] = number
    first[schedule.start] = 0
    return first
