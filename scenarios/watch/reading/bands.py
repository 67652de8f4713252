"""Bands around the entropies of families, at any observation: measured when they are asked for, and kept.

The sample of a family at an observation is what the dataset held of it then. A band depends on nothing else, so one
that was measured holds for ever. Where several properties are balanced, or methods chosen among, the views do not hold
all that a band is made of, and there are none.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from agent.entropy.bands import Band, entropy_band
from agent.entropy.measure import EntropyMeasure
from agent.store.tables import OBSERVATION
from scenarios.watch.reading.growing import Growing, plain_rows
from scenarios.watch.reading.history import History
from scenarios.watch.reading.values import HeldValue, changed_values

MAX_BANDED: Final = 200
"""Most observations of a trajectory with bands: more cannot be told apart in a picture."""

BUDGET_S: Final = 0.02
"""How long one answer may measure bands [s]: those that are left come with the next."""


class BandCache:
    """Bands of one run.

    Attributes:
        is_complete: Whether the last series that asked got all the bands that it may have.
    """

    def __init__(self) -> None:
        self._values: dict[str, Growing] = {}
        self._changed: list[HeldValue] = []
        self._read_to = 0
        self._known: dict[int, Mapping[str, Band | None]] = {}
        self._latest: dict[str, tuple[tuple[int, tuple[float, ...]], Band | None]] = {}
        """Family -> the sample measured last (how many values, and those apart), and its band."""
        self.is_complete = False

    def at(self, connection: Connection, history: History, observation: int) -> Mapping[str, Band | None]:
        """Return the bands at an observation by family; nothing of a family that has none."""
        if observation not in self._known:
            self._read(connection, history)
            if len(self._known) > 2 * MAX_BANDED:
                self._known = {each: self._known[each] for each in grid(len(history.course)) if each in self._known}
            self._known[observation] = self._measured(history, observation)
        return self._known[observation]

    def on_grid(
        self, connection: Connection, history: History, observations: Iterable[int], budget_s: float | None = None
    ) -> dict[int, Mapping[str, Band | None]]:
        """Return the bands at some observations, as many as there is time for: evenly spread ones come first."""
        deadline = time.monotonic() + (BUDGET_S if budget_s is None else budget_s)
        wanted = list(observations)
        found, self.is_complete = {}, True
        for observation in spread(wanted):
            if observation in self._known:
                found[observation] = self._known[observation]
            elif time.monotonic() < deadline:
                found[observation] = self.at(connection, history, observation)
            else:
                self.is_complete = False
        return found

    def _read(self, connection: Connection, history: History) -> None:
        """Take in the values that are new, in the order in which they came."""
        plan = history.chronicle.plan
        if plan.additional_properties or plan.fidelities or self._read_to >= history.last:
            return
        changed = changed_values(connection, history)
        if changed != self._changed:  # what was read of these candidates is not as it was then
            self._changed, self._values, self._latest, self._read_to = changed, {}, {}, 0
        apart = {each.candidate_id for each in changed}
        columns = (OBSERVATION.c.family, OBSERVATION.c.sequence, OBSERVATION.c.value)
        held = select(*columns, *([OBSERVATION.c.candidate_id] if apart else []))
        held = held.where(OBSERVATION.c.sequence > self._read_to).order_by(OBSERVATION.c.sequence)
        fresh: dict[str, list[tuple[float, float]]] = {}
        for family, sequence, value, *which in plain_rows(connection, held):
            if not which or which[0] not in apart:
                fresh.setdefault(family, []).append((sequence, value))
        for family, values in fresh.items():
            self._values.setdefault(family, Growing(2)).add(values)
        self._read_to = history.last

    def _measured(self, history: History, observation: int) -> Mapping[str, Band | None]:
        sequence, measure = history.course.sequence_of(observation), history.chronicle.plan.measure
        return {family: self._band(family, sequence, measure) for family in self._values}

    def _band(self, family: str, sequence: int, measure: EntropyMeasure) -> Band | None:
        """Return the band of a family; one observation changes one sample, and so the others' are known."""
        rows = self._values[family].rows
        count = int(np.searchsorted(rows[:, 0], sequence, side="right"))
        others = tuple(each.value for each in self._changed if each.family == family and each.holds_at(sequence))
        known, band = self._latest.get(family, (None, None))
        if known != (count, others):
            sample: NDArray[np.float64] = np.concatenate((rows[:count, 1], others)) if others else rows[:count, 1]
            band = entropy_band(sample, measure)
            self._latest[family] = ((count, others), band)
        return band


def grid(total: int, first: int = 0, last: int | None = None) -> list[int]:
    """Return the observations of a window that may have bands: evenly spaced, with the first and the last.

    Args:
        total: How many observations there are.
        first: Of the window.
        last: Of it; None: the latest.
    """
    end = total - 1 if last is None else min(last, total - 1)
    if end < first:
        return []
    places = np.linspace(first, end, min(MAX_BANDED, end - first + 1)).round().astype(int)
    return [int(each) for each in np.unique(places)]


def spread(observations: list[int]) -> Iterable[int]:
    """Yield observations so that any beginning of them is evenly spread: the ends, the middle, the quarters."""
    told: set[int] = set()
    step = max(len(observations) - 1, 1)
    while len(told) < len(observations):
        for place in [*range(0, len(observations), step), len(observations) - 1]:
            if place not in told:
                told.add(place)
                yield observations[place]
        step = max(step // 2, 1)
