"""The trajectory of a run in memory: figures as columns, and of each family the points at which it changed.

It grows by what is new in the database since the last reading. A family of a thousand that changes once takes the room
of one point; a moment or a window of all is made by looking for the last change before it.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from agent.entropy.best import ROUNDING, worse_by
from agent.entropy.bias import BIAS_METRICS
from agent.metrics import Metric
from agent.store.tables import BIAS_FAMILY, BIAS_POINT
from protocols.errors import StoreError
from scenarios.watch.reading.growing import Growing, plain_rows

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_POINTS: Final = (
    BIAS_POINT.c.observation,
    BIAS_POINT.c.sequence,
    BIAS_POINT.c.spent,
    BIAS_POINT.c.starved_family,
    BIAS_POINT.c.declared,
    *(BIAS_POINT.c[metric.name] for metric in BIAS_METRICS),
)


class FamilyCourse:
    """Of one family: observation, size and entropy [nat] at each change, in order."""

    __slots__ = ("_rows",)

    def __init__(self) -> None:
        self._rows = Growing(3)

    def add(self, rows: FloatArray) -> None:
        """Take in changes that follow those before, shape (n, 3)."""
        self._rows.add(rows)

    def at(self, observations: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return sizes and entropies at some observations, shape (n,); 0 and NaN before the first."""
        rows = self._rows.rows
        place = np.searchsorted(rows[:, 0], observations, side="right") - 1
        known = place >= 0
        sizes = np.where(known, rows[place, 1], 0.0)
        return sizes, np.where(known, rows[place, 2], np.nan)

    def changed_at(self, observation: int) -> float | None:
        """Return what an observation changed of the entropy [nat]; None where it changed nothing that is defined."""
        rows = self._rows.rows
        place = int(np.searchsorted(rows[:, 0], observation))
        if place == 0 or place >= len(rows) or rows[place, 0] != observation:
            return None
        change = float(rows[place, 2] - rows[place - 1, 2])
        return None if np.isnan(change) else change


class Course:
    """The trajectory of a run, as far as it was read.

    Attributes:
        metrics: The figures that are kept, in the order in which they are shown: the policy's lead.
        families: By name.
    """

    def __init__(self, declared: Sequence[Metric] = ()) -> None:
        self._declared = tuple(declared)
        self.metrics = (*self._declared, *BIAS_METRICS)
        self.families: dict[str, FamilyCourse] = {}
        self._points = Growing(2 + len(self.metrics))
        self._starved: list[str | None] = []
        self._best: dict[str, list[tuple[int, float]]] = {metric.name: [] for metric in self.metrics}

    def __len__(self) -> int:
        return len(self._points)

    @property
    def sequences(self) -> IntArray:
        """Rows of the journal that brought the observations, shape (n,)."""
        sequences: IntArray = self._points.rows[:, 0].astype(np.int64)
        return sequences

    def sequence_of(self, observation: int) -> int:
        """Return the journal's row that brought an observation."""
        return int(self._points.rows[observation, 0])

    def observation_at(self, sequence: int) -> int:
        """Return the number of the last observation up to a row of the journal; −1 before the first."""
        return int(np.searchsorted(self._points.rows[:, 0], sequence, side="right")) - 1

    @property
    def spent_all(self) -> FloatArray:
        """Return what had been spent at each observation [unit of the budget], shape (n,)."""
        return self._points.rows[:, 1]

    def spent(self, observation: int) -> int:
        """Return what had been spent when an observation came [unit of the budget]."""
        return int(self._points.rows[observation, 1])

    def starved(self, observation: int) -> str | None:
        """Return the poorest family at an observation."""
        return self._starved[observation]

    def values_at(self, observation: int) -> int:
        """Return how many values all families had at an observation; 0 before the first."""
        if observation < 0:
            return 0
        where = np.array([float(observation)])
        return int(sum(course.at(where)[0][0] for course in self.families.values()))

    def figures(self, first: int, last: int) -> FloatArray:
        """Return the figures of some observations, shape (last − first + 1, metrics); NaN where not defined."""
        return self._points.rows[first : last + 1, 2:]

    def figures_at(self, observation: int) -> Mapping[str, float]:
        """Return the figures at one observation by name; NaN where not defined."""
        values = self.figures(observation, observation)[0].tolist()
        return {metric.name: value for metric, value in zip(self.metrics, values, strict=True)}

    def best_by(self, observation: int) -> dict[str, tuple[int, float]]:
        """Return where each figure was best up to an observation, and what it was there."""
        found = {}
        for name, steps in self._best.items():
            place = bisect_right(steps, observation, key=itemgetter(0))
            if place:
                found[name] = steps[place - 1]
        return found

    def read(self, connection: Connection) -> None:
        """Take in what is new."""
        known = len(self._points)
        points = plain_rows(
            connection, select(*_POINTS).where(BIAS_POINT.c.observation >= known).order_by(BIAS_POINT.c.observation)
        )
        if not points:
            return
        families = plain_rows(
            connection,
            select(BIAS_FAMILY.c.family, BIAS_FAMILY.c.observation, BIAS_FAMILY.c.size, BIAS_FAMILY.c.entropy)
            .where(BIAS_FAMILY.c.observation >= known)
            .order_by(BIAS_FAMILY.c.observation, BIAS_FAMILY.c.family),
        )
        if [row[0] for row in points] != list(range(known, known + len(points))):
            raise StoreError(
                f"The trajectory does not go on with observation {known}",
                expected="observations without a gap, as Entropilot writes them",
                action="`entropilot verify` tells what else is wrong; restore the run folder from a copy",
            )
        self._add(points)
        if families:
            self._add_families(families)

    def _add_families(self, changes: Sequence[tuple[Any, ...]]) -> None:
        """Take in changes of families that follow those before: family, observation, size and entropy."""
        named, *numbers = zip(*changes, strict=True)
        code_of = {family: code for code, family in enumerate(dict.fromkeys(named))}
        codes = np.fromiter(map(code_of.__getitem__, named), dtype=np.int64, count=len(named))
        rows = np.column_stack([_numbers(each) for each in numbers])
        for family, code in code_of.items():
            self.families.setdefault(family, FamilyCourse()).add(rows[codes == code])

    def _add(self, points: Sequence[tuple[Any, ...]]) -> None:
        """Take in points that follow those before."""
        first, own = len(self._points), [metric.name for metric in self._declared]
        _, sequence, spent, starved, declared, *bias = zip(*points, strict=True)
        told = [json.loads(each) if each else {} for each in declared] if own else []
        figures = [*([each.get(name) for each in told] for name in own), *bias]
        rows = np.column_stack([_numbers(each) for each in (sequence, spent, *figures)])
        self._starved += starved
        self._points.add(rows)
        for metric, column in zip(self.metrics, rows[:, 2:].T, strict=True):
            self._note_best(metric, first, column)

    def _note_best(self, metric: Metric, first: int, column: FloatArray) -> None:
        """Note where a figure became better than it ever was; only what is below all before can be."""
        steps = self._best[metric.name]
        badness = column if metric.lower_is_better else -column
        lowest = np.fmin.accumulate(badness)
        before = np.concatenate(([math.inf], lowest[:-1]))
        for place in np.flatnonzero((badness < before) | (np.isnan(before) & ~np.isnan(badness))).tolist():
            value = float(column[place])
            if not steps or worse_by(metric, value, steps[-1][1]) > ROUNDING:
                steps.append((first + place, value))


def _numbers(column: Sequence[float | None]) -> FloatArray:
    """Return a column as numbers; NaN where there is none."""
    return np.array(column, dtype=np.float64)
