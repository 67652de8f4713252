"""Waiting times have the mean that they state, and are the same for the same attempt."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from simulators.instrument.latency import LATENCY_BOUND_IN_MEANS, Latency, LatencySettings


def waits(settings: dict[str, object], count: int = 4000) -> np.ndarray:
    latency = Latency(LatencySettings.model_validate(settings))
    return np.array([latency.seconds(f"attempt-{i}") for i in range(count)])


def test_a_constant_latency_is_its_mean() -> None:
    assert set(waits({"mean_s": 2.5}, 10)) == {2.5}


@pytest.mark.parametrize(
    ("settings", "deviation"),
    [({"distribution": "exponential"}, 1.0), ({"distribution": "lognormal", "spread": 0.5}, (np.exp(0.25) - 1) ** 0.5)],
)
def test_a_latency_has_the_mean_it_states_and_scatters_as_its_distribution(
    settings: dict[str, object], deviation: float
) -> None:
    values = waits({"mean_s": 2.0} | settings)
    assert values.mean() == pytest.approx(2.0, abs=4 * 2 * deviation / 4000**0.5)
    assert values.std() == pytest.approx(2 * deviation, rel=0.1)
    np.testing.assert_array_equal(values, waits({"mean_s": 2.0} | settings))
    assert len(set(values)) == 4000


def test_a_latency_never_exceeds_its_bound() -> None:
    values = waits({"mean_s": 1.0, "distribution": "lognormal", "spread": 1.0})
    assert values.max() == LATENCY_BOUND_IN_MEANS
    assert values.min() > 0


@pytest.mark.parametrize("fields", [{"mean_s": -1.0}, {"spread": 2.0}, {"distribution": "gamma"}, {"jitter": 1.0}])
def test_latency_settings_that_make_no_sense_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        LatencySettings.model_validate(fields)
