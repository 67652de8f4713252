"""A small biased pool, and a forecast on it that is made once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from agent.pool.candidates import Candidate, Pool, make_pool
from agent.settings import CampaignSettings
from scenarios.forecast.forecast import Forecast, forecast_from
from scenarios.forecast.ground import Ground, ground_of

FloatArray = NDArray[np.float64]
PoolOf = Callable[..., tuple[Pool, NDArray[np.int64], FloatArray]]
SETTINGS = CampaignSettings(property="energy", unit="eV", budget=12, parallel=2)
FAMILIES = ("alike", "half", "whole")


def make(each: int = 40, start: int = 10) -> tuple[Pool, NDArray[np.int64], FloatArray]:
    """Pool, start set and values of all: one family that is all alike, one that begins with its low end, one whole."""
    rng = np.random.default_rng(0)
    features = rng.uniform(-2.0, 2.0, (3 * each, 2))
    features[:each] *= 0.02
    values = features[:, 0] + 0.1 * np.sin(3.0 * features[:, 1])
    candidates = [Candidate(f"c{n:05d}", FAMILIES[n // each]) for n in range(3 * each)]
    low = each + np.argsort(values[each : 2 * each])[:start]
    chosen = np.sort(np.concatenate((np.arange(start), low, np.arange(2 * each, 2 * each + start))))
    return make_pool(candidates, features, ("a", "b")), chosen, values


@pytest.fixture(scope="session")
def pool_of() -> PoolOf:
    return make


@pytest.fixture(scope="session")
def ground() -> Ground:
    pool, start, values = make()
    return ground_of(pool, start, values[start][:, None], SETTINGS)


@pytest.fixture(scope="session")
def told(ground: Ground) -> Forecast:
    return forecast_from(ground, "small", draws=3, seed=0, processes=1)
