"""The outcomes of the entropy where it is not a plain number."""

from __future__ import annotations

import math

import numpy as np
import pytest

from agent.entropy.entropy import (
    Estimator,
    differential_entropy,
    entropy_with_added,
    estimator_for,
    expected_entropy_with_added,
)

ramp = np.linspace(0.0, 1.0, 30) ** 1.3


@pytest.mark.parametrize("n", range(5))
def test_fewer_than_five_values_have_no_entropy(n: int) -> None:
    assert differential_entropy(ramp[:n]) is None
    assert estimator_for(n) is None


def test_five_values_have_an_entropy() -> None:
    assert differential_entropy(ramp[:5]) is not None


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_leaves_the_entropy_undefined(bad: float) -> None:
    assert differential_entropy(np.append(ramp, bad)) is None


def test_ten_equal_values_at_the_edge_among_forty_leave_the_entropy_undefined() -> None:
    assert differential_entropy(np.concatenate((np.zeros(10), np.linspace(1, 2, 30)))) is None


def test_equal_values_fewer_than_a_window_leave_the_entropy_defined() -> None:
    assert differential_entropy(np.concatenate((np.zeros(4), np.linspace(1, 2, 36)))) is not None


def test_the_estimator_changes_where_scipy_changes_it() -> None:
    changes = {n: estimator_for(n) for n in (5, 10, 11, 1000, 1001)}
    assert changes == {
        5: Estimator.VAN_ES,
        10: Estimator.VAN_ES,
        11: Estimator.EBRAHIMI,
        1000: Estimator.EBRAHIMI,
        1001: Estimator.VASICEK,
    }


def test_adding_to_a_long_sample_crosses_the_chunks_without_a_seam() -> None:
    sample = np.sort(np.random.default_rng(0).normal(size=3000))
    grid = np.linspace(-4, 4, 200)
    alone = [float(entropy_with_added(sample, [y])[0]) for y in grid]
    assert entropy_with_added(sample, grid) == pytest.approx(alone, abs=1e-12)


def test_adding_a_value_that_is_not_finite_is_undefined_for_that_value_only() -> None:
    h = entropy_with_added(ramp, [0.5, math.nan, math.inf])
    assert math.isfinite(h[0])
    assert np.isnan(h[1:]).all()


def test_adding_to_a_sample_that_is_not_finite_is_undefined() -> None:
    assert np.isnan(entropy_with_added(np.append(ramp, math.inf), [0.5])).all()


def test_a_tie_that_closes_a_window_is_minus_infinity_and_its_surroundings_are_finite() -> None:
    # m stays 3 from 10 to 11 values: three equal values at the edge and one more close the first window.
    sample = np.array([0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])
    h = entropy_with_added(sample, [0.0, 1e-9, -1e-9])
    assert h[0] == -math.inf
    assert np.isfinite(h[1:]).all()


def test_the_expected_entropy_stays_finite_over_a_table_node_on_such_a_tie() -> None:
    sample = np.array([0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])
    mean, std = expected_entropy_with_added(sample, np.array([0.0, 3.0]), np.array([0.0, 0.5]))
    assert np.isfinite(mean).all()
    assert np.isfinite(std).all()


def test_a_certain_prediction_has_the_entropy_of_its_value_and_no_spread() -> None:
    mean, std = expected_entropy_with_added(ramp, np.array([2.0, 0.4]), np.zeros(2))
    assert mean == pytest.approx(entropy_with_added(ramp, [2.0, 0.4]), abs=2e-3)
    assert std == pytest.approx([0.0, 0.0], abs=1e-9)
