"""The words say what a selection was told and what it needs."""

from __future__ import annotations

import numpy as np
import pytest

from agent.causal.reference.report import in_words
from agent.causal.reference.selection import Universe, select
from tests.support.samples.causal import random_system


@pytest.fixture(scope="module")
def universe() -> Universe:
    variables, _ = random_system(0, 300, 4)
    return Universe.of(variables, np.repeat([0, 1, 2], 100))


@pytest.mark.parametrize("arm", ["active", "best_of_three"])
def test_it_says_that_the_global_graph_is_told_and_that_three_times_the_values_are_needed(
    universe: Universe, arm: str
) -> None:
    words = in_words(select(universe, arm, seed=0, rounds=4, batch=10))  # type: ignore[arg-type]
    assert words.startswith(f"{arm}: 41 rows kept")
    assert "told the answer: every choice compares with the graph of all rows" in words
    assert "needs 121 values" in words
    assert "3.0 times what it keeps" in words


def test_it_says_that_the_control_is_told_nothing(universe: Universe) -> None:
    words = in_words(select(universe, "control", seed=0, rounds=4, batch=10))
    assert "told nothing, and needs 41 values" in words
    assert "the answer" not in words
