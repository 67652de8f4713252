"""Bands of a trajectory are those of the values that each family had at each observation."""

from __future__ import annotations

import numpy as np
import pytest

from agent.entropy.bands import entropy_band
from agent.entropy.bias import BiasMeter
from agent.entropy.measure import EntropyMeasure
from scenarios.run.banded import ENDS, with_bands
from scenarios.run.trajectory import Trajectory

MEASURE = EntropyMeasure("m_spacing", 0.01)
NAMES = ("a", "b", "empty")


def grown(observations: int) -> tuple[Trajectory, BiasMeter, dict[str, list[float]]]:
    """A trajectory, the meter that saw it, and the values of each family as they came."""
    rng = np.random.default_rng(observations)
    meter = BiasMeter(NAMES, measure=MEASURE)
    values: dict[str, list[float]] = {}
    points = [(0, meter.point())]
    for observation in range(1, observations + 1):
        code, value = int(rng.integers(2)), float(rng.normal())
        meter.add(code, value)
        values.setdefault(NAMES[code], []).append(value)
        points.append((observation, meter.point()))
    return Trajectory("p", "u", tuple(points)), meter, values


def test_every_step_of_a_short_run_has_the_bands_of_its_values() -> None:
    trajectory, meter, values = grown(60)
    bands = with_bands(trajectory, meter).bands
    assert list(bands) == list(range(61))
    for observation, point in trajectory.points:
        samples = [np.array(values.get(name, [])[:size]) for name, size in zip(NAMES, point.sizes, strict=True)]
        assert bands[observation] == tuple(entropy_band(sample, MEASURE) for sample in samples)


@pytest.mark.parametrize("most", [ENDS, 7])
def test_a_longer_one_has_them_at_some_steps_with_the_first_and_the_last(most: int) -> None:
    trajectory, meter, _ = grown(60)
    observations = list(with_bands(trajectory, meter, most).bands)
    assert len(observations) == most
    assert (observations[0], observations[-1]) == (0, 60)


def test_a_trajectory_without_points_has_no_bands() -> None:
    assert with_bands(Trajectory("p", "u", ()), BiasMeter(())).bands == {}
