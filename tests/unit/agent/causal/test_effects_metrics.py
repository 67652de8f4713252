"""Figures of effects: what values alone tell, and how far off the truth they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agent.causal.effects_metrics import effects_error, effects_metrics
from tests.support.samples.beliefs import some_belief


def test_widths_come_from_the_belief_and_hits_from_the_values() -> None:
    belief = some_belief(observes=True)
    figures = effects_metrics(belief, np.array([4.0, 5.0, 5.1, 7.0]), threshold=5.0)
    assert figures == {
        "mean_half_width": pytest.approx(belief.half_widths.mean()),
        "widest_half_width": pytest.approx(belief.half_widths.max()),
        "hits": 2.0,
    }


def test_without_a_threshold_nothing_is_counted() -> None:
    assert "hits" not in effects_metrics(some_belief(observes=False), np.array([1.0]))
    nothing = replace(some_belief(observes=False), queries=np.empty((0, 6)), query_names=())
    assert effects_metrics(nothing, np.empty(0)) == {"mean_half_width": 0.0, "widest_half_width": 0.0}


def test_the_error_is_that_of_the_effects_and_not_of_the_latent_quantities() -> None:
    belief = some_belief(observes=True)
    truth = belief.mean + np.random.default_rng(1).normal(size=6)
    off = belief.queries @ (belief.mean - truth)
    figures = effects_error(belief, truth)
    assert figures["effects_rmse"] == pytest.approx(np.sqrt((off**2).mean()))
    assert figures["effects_covered"] == pytest.approx((np.abs(off) <= belief.half_widths).mean())
    assert effects_error(belief, belief.mean) == {"effects_rmse": 0.0, "effects_covered": 1.0}
