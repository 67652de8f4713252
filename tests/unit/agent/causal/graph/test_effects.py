"""Total effects against sums over paths, and against what an intervention does."""

from __future__ import annotations

import numpy as np
import pytest

from agent.causal.graph.effects import effects_on, total_effects
from protocols.errors import TableError
from tests.support.samples.causal import random_weights


def sum_over_paths(weights: np.ndarray, cause: int, effect: int) -> float:
    """The products of the weights along every directed path, added up."""
    if cause == effect:
        return 1.0
    before = np.flatnonzero(weights[effect]).tolist()
    return sum(weights[effect, node] * sum_over_paths(weights, cause, node) for node in before)


@pytest.mark.parametrize("seed", range(10))
def test_a_total_effect_is_the_sum_over_all_paths(seed: int) -> None:
    weights = random_weights(np.random.default_rng(seed), 7)
    found = total_effects(weights)
    for cause in range(7):
        for effect in range(7):
            assert found[effect, cause] == pytest.approx(sum_over_paths(weights, cause, effect), abs=1e-12)


def test_setting_a_variable_moves_the_target_by_its_total_effect() -> None:
    rng = np.random.default_rng(1)
    weights = random_weights(rng, 6)
    effects = effects_on(weights, 2)
    noise = rng.normal(size=6)
    for cause in range(6):
        cut = weights.copy()
        cut[cause] = 0.0  # what is set has no other cause
        values = [np.linalg.solve(np.eye(6) - cut, np.where(np.arange(6) == cause, x, noise)) for x in (1.0, 3.0)]
        assert values[1][2] - values[0][2] == pytest.approx(2.0 * effects[cause], abs=1e-12)


def test_the_effect_of_the_target_on_itself_is_one() -> None:
    assert effects_on(random_weights(np.random.default_rng(0), 5), 3)[3] == 1.0


def test_a_cycle_is_refused() -> None:
    with pytest.raises(TableError, match="cycle"):
        total_effects(np.array([[0.0, 1.0], [1.0, 0.0]]))


@pytest.mark.parametrize("target", [-1, 4])
def test_a_target_that_is_not_there_is_refused(target: int) -> None:
    with pytest.raises(TableError, match=f"place {target}"):
        effects_on(np.zeros((4, 4)), target)
