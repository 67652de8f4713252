"""The gain: the summed variance of the queries before less that after conditioning, candidate by candidate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agent.causal.belief import Belief
from agent.causal.query_gain import query_gain
from tests.support.samples.beliefs import some_belief


def summed_variance(belief: Belief) -> float:
    return float(np.trace(belief.queries @ belief.covariance @ belief.queries.T))


@pytest.mark.parametrize("observes", [False, True])
def test_the_closed_form_is_the_fall_of_the_summed_variance(observes: bool) -> None:
    belief = some_belief(observes=observes)
    before = summed_variance(belief)
    falls = [before - summed_variance(belief.after(i)) for i in range(len(belief.noise))]
    np.testing.assert_allclose(query_gain(belief), falls, atol=1e-10)


@pytest.mark.parametrize("observes", [False, True])
def test_gains_of_a_batch_add_up_to_the_fall_of_all_of_it(observes: bool) -> None:
    belief = some_belief(observes=observes)
    left, told = belief, 0.0
    for _ in range(4):
        gains = query_gain(left)
        best = int(np.argmax(gains))
        told += gains[best]
        left = left.after(best)
    assert told == pytest.approx(summed_variance(belief) - summed_variance(left))


def test_what_is_known_to_the_last_bit_tells_nothing() -> None:
    belief = some_belief(observes=False)
    known = replace(belief, noise=np.zeros(6)).after(3)
    assert query_gain(known)[3] == pytest.approx(0.0, abs=1e-9)
    nothing = replace(belief, noise=np.zeros(6), covariance=np.zeros((6, 6)))
    np.testing.assert_array_equal(query_gain(nothing), np.zeros(6))
