"""Bias trajectories of random values, for pictures."""

from __future__ import annotations

import numpy as np

from agent.entropy.bias import BiasMeter
from scenarios.run.banded import with_bands
from scenarios.run.trajectory import Trajectory


def grown(families: int, observations: int, seed: int = 0, *, bands: bool = False) -> Trajectory:
    """A trajectory of random values, some families without an entropy at first."""
    random = np.random.default_rng(seed)
    names = tuple(f"family_{index}$" for index in range(families))
    codes = np.repeat(np.arange(families), random.integers(1, 9, families))
    meter = BiasMeter(names, codes, random.normal(size=len(codes)))
    points = [(0, meter.point())]
    for observation in range(1, observations + 1):
        meter.add(int(random.integers(families)), float(random.normal()))
        points.append((observation, meter.point()))
    drawn = Trajectory("formation_energy", "eV/atom", tuple(points))
    return with_bands(drawn, meter) if bands else drawn
