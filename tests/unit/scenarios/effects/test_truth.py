"""How far off effects are: root mean square error, and the share of intervals that hold the truth."""

from __future__ import annotations

import math

import pytest

from agent.metrics import Effect
from scenarios.effects.truth import against_truth, holds

EFFECTS = (Effect("a", 1.0, 0.5), Effect("b", 2.0, 0.25), Effect("c", 0.0, 1.0))


def test_the_error_is_over_the_effects_whose_truth_is_known() -> None:
    found = against_truth(EFFECTS, {"a": 1.25, "b": 3.0})
    assert found is not None
    assert found.error == pytest.approx(math.sqrt((0.25**2 + 1.0) / 2), rel=1e-12)
    assert found.held == 0.5


@pytest.mark.parametrize("truth", [{}, {"d": 1.0}], ids=["no truth", "of other effects"])
def test_without_the_truth_of_one_effect_nothing_is_told(truth: dict[str, float]) -> None:
    assert against_truth(EFFECTS, truth) is None


def test_an_interval_holds_its_ends() -> None:
    assert holds(EFFECTS[0], 1.5)
    assert not holds(EFFECTS[0], 1.5000001)
