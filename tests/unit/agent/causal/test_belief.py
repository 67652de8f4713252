"""A belief: intervals, predictions, and what a measurement changes, against direct conditioning."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agent.causal.belief import NORMAL_90, Belief
from protocols.errors import InvariantViolation
from tests.support.samples.beliefs import LATENT as T
from tests.support.samples.beliefs import some_belief


def directly(belief: Belief, rows: list[int], values: np.ndarray, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Condition by the textbook, on all rows at once."""
    H = (np.eye(T) if belief.observes is None else belief.observes)[rows]
    S = H @ belief.covariance @ H.T + np.diag(noise)
    gain = belief.covariance @ H.T @ np.linalg.inv(S)
    return belief.mean + gain @ (values - H @ belief.mean), belief.covariance - gain @ H @ belief.covariance


@pytest.mark.parametrize("observes", [False, True])
def test_learning_one_after_the_other_is_conditioning_on_all(observes: bool) -> None:
    belief, rows = some_belief(observes=observes), [4, 0, 3]
    values, noise = np.array([1.0, -2.0, 0.3]), np.array([0.1, 0.4, 0.02])
    learned = belief
    for row, value, variance in zip(rows, values, noise, strict=True):
        learned = learned.learned(row, float(value), float(variance))
    mean, covariance = directly(belief, rows, values, noise)
    np.testing.assert_allclose(learned.mean, mean, atol=1e-10)
    np.testing.assert_allclose(learned.covariance, covariance, atol=1e-10)


@pytest.mark.parametrize("observes", [False, True])
def test_what_is_in_flight_lowers_the_covariance_whatever_it_will_bring(observes: bool) -> None:
    belief = some_belief(observes=observes)
    after = belief.after(2).after(5)
    _, covariance = directly(belief, [2, 5], np.zeros(2), belief.noise[[2, 5]])
    np.testing.assert_allclose(after.covariance, covariance, atol=1e-10)
    np.testing.assert_array_equal(after.mean, belief.mean)
    np.testing.assert_array_equal(after.covariance, after.covariance.T)


@pytest.mark.parametrize("observes", [False, True])
def test_half_widths_are_those_of_a_normal_times_the_stated_factor(observes: bool) -> None:
    belief = some_belief(observes=observes)
    stds = np.array([np.sqrt(w @ belief.covariance @ w) for w in belief.queries])
    np.testing.assert_allclose(belief.half_widths, NORMAL_90 * 1.3 * stds)
    assert belief.mean_half_width == pytest.approx((NORMAL_90 * 1.3 * stds).mean())
    np.testing.assert_allclose(belief.query_means, [w @ belief.mean for w in belief.queries])


def test_predictions_are_of_what_each_candidate_has() -> None:
    belief = some_belief(observes=True)
    assert belief.observes is not None
    mean, std = belief.predict()
    np.testing.assert_allclose(mean, [h @ belief.mean for h in belief.observes])
    np.testing.assert_allclose(std**2, [h @ belief.covariance @ h for h in belief.observes])


def test_what_is_known_without_noise_changes_nothing_more() -> None:
    belief = some_belief(observes=False)
    certain = replace(belief, noise=np.zeros(T), covariance=np.zeros((T, T)))
    assert certain.after(1).covariance is certain.covariance
    np.testing.assert_array_equal(certain.learned(1, 5.0, 0.0).mean, certain.mean)


def test_no_query_has_no_width() -> None:
    belief = some_belief(observes=False)
    assert replace(belief, queries=np.empty((0, T)), query_names=()).mean_half_width == 0.0


def test_shapes_that_do_not_fit_stop_the_process() -> None:
    belief = some_belief(observes=False)
    with pytest.raises(InvariantViolation, match="one covariance and one row"):
        replace(belief, noise=np.ones(T + 1))
    with pytest.raises(InvariantViolation, match="a name and a weight"):
        replace(belief, query_names=("a",))


@pytest.mark.parametrize("observes", [False, True])
def test_the_expected_spread_is_that_of_draws_of_all_candidates(observes: bool) -> None:
    belief = some_belief(observes=observes)
    drawn = np.random.default_rng(3).multivariate_normal(belief.mean, belief.covariance, size=200_000)
    of_candidates = drawn if belief.observes is None else drawn @ belief.observes.T
    assert belief.expected_spread == pytest.approx(np.sqrt(of_candidates.var(axis=1).mean()), rel=0.01)
