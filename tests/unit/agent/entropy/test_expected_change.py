"""The expected change of entropy, with its sign: against draws of the value itself."""

from __future__ import annotations

import numpy as np
import pytest

from agent.entropy.expected_change import expected_change
from agent.entropy.measure import GAUSSIAN_KERNEL, M_SPACING, PUBLISHED, EntropyMeasure

DRAWS = 200_000
RELATIVE_ERROR = 0.02
"""As the module promises, of the largest change."""


@pytest.mark.parametrize("estimator", [M_SPACING, PUBLISHED])
@pytest.mark.parametrize("size", [8, 60])
def test_it_is_the_mean_change_over_the_values_to_come(estimator: str, size: int) -> None:
    rng = np.random.default_rng(size)
    sample = np.sort(rng.normal(size=size))
    measure = EntropyMeasure(estimator, 1e-3)
    added = measure.added(sample)
    assert added is not None
    mean, std = np.array([0.0, 0.4, 2.5, -4.0, 0.1]), np.array([0.3, 0.05, 0.5, 1.0, 0.01])
    expected = [float(added.gain(m + s * rng.normal(size=DRAWS)).mean()) for m, s in zip(mean, std, strict=True)]
    found = expected_change(added, sample, mean, std)
    assert found == pytest.approx(expected, abs=RELATIVE_ERROR * float(np.abs(expected).max()))


def test_a_value_that_crowds_in_lowers_the_entropy_and_a_far_one_raises_it() -> None:
    sample = np.concatenate((np.full(20, 0.5), np.linspace(0, 1, 10)))
    sample.sort()
    added = EntropyMeasure(M_SPACING, 1e-3).added(sample)
    assert added is not None
    among, far = expected_change(added, sample, np.array([0.5, 3.0]), np.array([0.001, 0.001]))
    assert among < 0.0 < far


def test_a_certain_value_has_the_change_of_itself() -> None:
    sample = np.linspace(0.0, 1.0, 12)
    added = EntropyMeasure(GAUSSIAN_KERNEL, 1e-3).added(sample)
    assert added is not None
    found = expected_change(added, sample, np.array([0.5, 1.7]), np.zeros(2))
    assert found == pytest.approx(added.gain(np.array([0.5, 1.7])), rel=0.02)


def test_where_no_value_has_a_defined_gain_nothing_is_expected() -> None:
    class Undefined:
        before = 0.0

        def gain(self, y: np.ndarray) -> np.ndarray:
            return np.full(len(y), np.nan)

    assert expected_change(Undefined(), np.array([1.0]), np.zeros(3), np.ones(3)).tolist() == [0.0, 0.0, 0.0]
