"""The greatest entropy that a family could have with further values."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from numpy.typing import NDArray

from agent.entropy.attainable import attainable_entropies
from agent.entropy.measure import EntropyMeasure, EstimatorName
from agent.entropy.spacing import log_width, spacing_entropy, window
from agent.entropy.subset import LEVEL_ROWS
from agent.entropy.thinning import GAIN_STEP

FloatArray = NDArray[np.float64]
MEASURE = EntropyMeasure("m_spacing", 1e-3)


def plain_attainable(known: FloatArray, further: FloatArray, most: int) -> float:
    """What the docstring of `attainable` says, value by value."""
    pairs = sorted([(v, 0) for v in known] + [(v, 1) for v in further])
    largest = len(known) + min(most, len(further))
    least = min(max(len(known), LEVEL_ROWS), largest)
    best = spacing_entropy(np.sort(known), MEASURE.resolution) if len(known) else -math.inf
    while True:
        x = np.array([v for v, _ in pairs])
        if len(x) <= largest:
            best = max(best, spacing_entropy(x, MEASURE.resolution))
        if len(x) == least:
            return best
        gains = [(_gain(x, place), -place) for place, (_, free) in enumerate(pairs) if free]
        del pairs[-max(gains)[1]]


def _gain(x: FloatArray, place: int) -> float:
    m = window(len(x))
    return sum(_step(_total(np.delete(x, place), each) - _total(x, each)) for each in (m, window(m)))


def _total(x: FloatArray, m: int) -> float:
    last = len(x) - 1
    widths = np.array([x[min(i + m, last)] - x[max(i - m, 0)] for i in range(len(x))])
    return float(log_width(widths, MEASURE.resolution).sum())


def _step(gain: float) -> float:
    return float(np.rint(gain / GAIN_STEP) * GAIN_STEP)


@pytest.mark.parametrize(("k", "m", "most"), [(0, 40, 35), (5, 45, 30), (20, 30, 12), (33, 12, 50), (6, 9, 4)])
def test_it_is_what_removing_the_most_redundant_value_one_at_a_time_gives(k: int, m: int, most: int) -> None:
    rng = np.random.default_rng(k + m)
    known, further = 0.2 * rng.standard_normal(k), rng.standard_normal((2, m))
    found = attainable_entropies(known, further, most, MEASURE)
    assert found == pytest.approx([plain_attainable(known, draw, most) for draw in further], abs=1e-9)


def test_draws_that_are_thinned_together_are_thinned_as_each_alone() -> None:
    rng = np.random.default_rng(1)
    known, further = rng.standard_normal(9), rng.standard_normal((5, 70))
    alone = [attainable_entropies(known, draw[None], 40, MEASURE)[0] for draw in further]
    assert attainable_entropies(known, further, 40, MEASURE).tolist() == alone


def test_more_of_the_same_values_never_lower_it_and_it_is_never_below_what_is_known() -> None:
    rng = np.random.default_rng(2)
    known, further = rng.random(40), 0.5 + 0.01 * rng.random((3, 60))
    now = MEASURE.entropy(np.sort(known))
    found = [attainable_entropies(known, further, most, MEASURE) for most in (0, 1, 10, 60)]
    assert now is not None
    assert (found[0] == now).all()
    assert all((more >= fewer).all() for fewer, more in itertools.pairwise(found))


def test_values_that_can_be_had_everywhere_fill_the_whole_range() -> None:
    known, further = 0.1 * np.random.default_rng(3).random(20), 4.0 * np.random.default_rng(4).random((1, 300))
    assert attainable_entropies(known, further, 200, MEASURE)[0] == pytest.approx(math.log(4.0), abs=0.1)


def test_without_any_value_there_is_none() -> None:
    assert np.isnan(attainable_entropies(np.empty(0), np.empty((2, 0)), 5, MEASURE)).all()


@pytest.mark.parametrize("estimator", ["published", "kozachenko_leonenko", "gaussian_kernel"])
def test_the_kept_values_are_measured_as_the_campaign_measures(estimator: EstimatorName) -> None:
    rng = np.random.default_rng(5)
    known, further = rng.random(30), 3.0 * rng.random((1, 30))
    measure = EntropyMeasure(estimator, 1e-3)
    everything = measure.entropy(np.sort(np.concatenate((known, further[0]))))
    now = measure.entropy(np.sort(known))
    found = float(attainable_entropies(known, further, 30, measure)[0])
    assert now is not None
    assert everything is not None
    assert now < found
    assert found == pytest.approx(everything, abs=0.35)
