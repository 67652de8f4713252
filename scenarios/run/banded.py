"""Bands around the entropies of a trajectory, from the values of the dataset, when a run is reported.

The sample of a family at a observation is the first n of its values in the order of their admission, n being its size
then. A band is measured once for every size that is shown; of a long run only some observations have bands, evenly
spaced, with the first and the last, so that the time for it stays within seconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import numpy as np

from agent.entropy.bands import Band
from agent.entropy.bias import BiasMeter, BiasPoint
from scenarios.run.trajectory import Bands, Trajectory

MAX_BANDED_STEPS: Final = 900
"""Most observations of a trajectory with bands: a figure shows no more."""

ENDS: Final = 2
"""So many observations are the first and the last."""


def with_bands(trajectory: Trajectory, meter: BiasMeter, most: int = MAX_BANDED_STEPS) -> Trajectory:
    """Return a trajectory with the bands of up to `most` observations.

    Args:
        trajectory: Without bands.
        meter: That has seen every value, in the order of their admission.
        most: How many observations, at least `ENDS`.
    """
    points = trajectory.points
    shown = np.linspace(0, len(points) - 1, min(most, len(points))).round().astype(int).tolist() if points else []
    return replace(trajectory, bands=bands_at((points[index] for index in shown), meter))


def bands_at(points: Iterable[tuple[int, BiasPoint]], meter: BiasMeter) -> dict[int, Bands]:
    """Return the bands of the families at some points of a trajectory, by observation."""
    known: dict[tuple[int, int], Band | None] = {}

    def band(code: int, size: int) -> Band | None:
        if (code, size) not in known:
            known[code, size] = meter.band_of(code, size)
        return known[code, size]

    return {
        observation: tuple(band(code, size) for code, size in enumerate(point.sizes)) for observation, point in points
    }
