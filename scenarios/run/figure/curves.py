"""What is drawn of a run: its entropies, bands and range as arrays, thinned out to what a picture can show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scenarios.display.observation_axis import MAX_DRAWN_STEPS
from scenarios.run.banded import ENDS
from scenarios.run.trajectory import Trajectory, positions_of

FloatArray = NDArray[np.float64]


LEAST_BAND: Final = 2
"""Fewest observations with a band of which anything is seen."""


@dataclass(frozen=True, slots=True)
class Curves:
    """What is drawn of a run; NaN where undefined.

    Attributes:
        observations: Where they stand on the axis: their numbers, or what had been spent by them, shape (k,).
        entropies: Of the families [nat], shape (k, f).
        bands: Lower and upper ends of their bands [nat], shape (k, f, 2).
        range: Of the entropies [nat], shape (k,).
        families: Their names, length f.
        sizes: Values of each at the last observation, length f.
    """

    observations: FloatArray
    entropies: FloatArray
    bands: FloatArray
    range: FloatArray
    families: tuple[str, ...]
    sizes: tuple[int, ...]

    @classmethod
    def of(cls, run: Trajectory) -> Curves:
        """Return the curves of a run, at most `MAX_DRAWN_STEPS` observations and the smallest gap."""
        gaps = figures([point.entropy_range for _, point in run.points])
        kept, positions = kept_points(gaps), positions_of(run)
        points = [run.points[index] for index in kept]
        families = tuple(dict.fromkeys(name for _, point in points for name in point.families))
        column = {name: index for index, name in enumerate(families)}
        entropies = np.full((len(points), len(families)), np.nan)
        bands = np.full((*entropies.shape, 2), np.nan)
        for row, (observation, point) in enumerate(points):
            places = [column[name] for name in point.families]
            entropies[row, places] = figures(point.entropies)
            for place, band in zip(places, run.bands.get(observation, ()), strict=False):
                bands[row, place] = band or (np.nan, np.nan)
        at = np.array([positions[index] for index in kept], dtype=np.float64)
        last = points[-1][1] if points else None
        sizes = dict(zip(last.families, last.sizes, strict=True)) if last else {}
        return cls(at, entropies, bands, gaps[kept], families, tuple(sizes.get(name, 0) for name in families))

    def defined(self) -> list[int]:
        """Return the columns of the families that ever have an entropy."""
        return [int(column) for column in np.flatnonzero(~np.isnan(self.entropies).all(axis=0))]

    def last_entropies(self) -> FloatArray:
        """Return the last entropy of every family [nat], NaN where it never has one, shape (f,)."""
        known = ~np.isnan(self.entropies)
        rows = len(self.entropies) - 1 - known[::-1].argmax(axis=0) if len(self.entropies) else []
        last: FloatArray = self.entropies[rows, np.arange(len(self.families))] if len(rows) else np.empty(0)
        return last

    def extremes(self) -> list[int]:
        """Return the columns of the poorest and the richest family at the end, if they have bands.

        Theirs are drawn: the bands of seven families lie over each other, and hide what is below.
        """
        last = self.entropies[-1] if len(self.observations) else np.empty(0)
        known = int((~np.isnan(self.bands)).any(axis=(1, 2)).sum())
        if np.isnan(last).all() or known <= ENDS:  # an interrupted run has bands at its ends alone
            return []
        ends = dict.fromkeys((int(np.nanargmin(last)), int(np.nanargmax(last))))
        return [column for column in ends if (~np.isnan(self.bands[:, column, 0])).sum() >= LEAST_BAND]


def kept_points(gaps: FloatArray) -> list[int]:
    """Return the indices of the points to draw: evenly spaced, with the first, the last and the smallest gap."""
    if len(gaps) <= MAX_DRAWN_STEPS:
        return list(range(len(gaps)))
    kept = set(np.linspace(0, len(gaps) - 1, MAX_DRAWN_STEPS).round().astype(int).tolist())
    if not np.isnan(gaps).all():
        kept.add(int(np.nanargmin(gaps)))
    return sorted(kept)


def figures(values: Sequence[float | None]) -> FloatArray:
    """Return figures as an array, NaN where there is none or where it is not finite."""
    numbers = np.array(values, dtype=np.float64)
    return np.where(np.isfinite(numbers), numbers, np.nan)
