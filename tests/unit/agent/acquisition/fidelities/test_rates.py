"""What a question is worth for its cost: the price of a closed box."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq

from agent.acquisition.fidelities.rates import OUTCOMES, outcomes, rate_of_looking


def test_the_nodes_are_of_a_standard_normal() -> None:
    t, weights = outcomes()
    assert len(t) == OUTCOMES
    assert weights.sum() == pytest.approx(1.0)
    assert weights @ t == pytest.approx(0.0, abs=1e-12)
    assert weights @ t**2 == pytest.approx(1.0)


def test_it_solves_weitzman_s_equation() -> None:
    """G + E[max(S − r C, 0)] = r c, by bisection."""
    rng = np.random.default_rng(0)
    _, weights = outcomes()
    scores, gain = rng.normal(0.1, 0.3, size=(50, OUTCOMES)), rng.uniform(0.0, 0.01, 50)
    rates = rate_of_looking(scores, weights, gain, 1.0, 20.0)
    for own, own_gain, rate in zip(scores, gain, rates, strict=True):

        def lacking(r: float, own: np.ndarray = own, own_gain: float = own_gain) -> float:
            return own_gain + float(weights @ np.maximum(own - 20.0 * r, 0.0)) - r

        assert rate == pytest.approx(brentq(lacking, -1e-9, 10.0), abs=1e-9)


def test_a_cheap_value_that_says_nothing_is_worth_less_than_the_dear_one_at_once() -> None:
    _, weights = outcomes()
    scores = np.full((1, OUTCOMES), 0.3)
    assert rate_of_looking(scores, weights, np.zeros(1), 1.0, 20.0)[0] == pytest.approx(0.3 / 21.0)
    assert rate_of_looking(scores, weights, np.zeros(1), 1.0, 20.0)[0] < 0.3 / 20.0


def test_where_no_dear_value_is_worth_it_what_the_cheap_one_teaches_is_left() -> None:
    _, weights = outcomes()
    rates = rate_of_looking(np.full((1, OUTCOMES), -0.2), weights, np.array([0.05]), 2.0, 20.0)
    assert rates[0] == pytest.approx(0.025)


def test_the_more_the_outcomes_differ_the_more_it_is_worth_to_look() -> None:
    t, weights = outcomes()
    rates = rate_of_looking(0.1 + np.outer([0.0, 0.05, 0.1, 0.2], t), weights, np.zeros(4), 1.0, 20.0)
    assert np.all(np.diff(rates) > 0.0)
