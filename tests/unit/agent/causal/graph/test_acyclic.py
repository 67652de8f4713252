"""Cycles are found and named."""

from __future__ import annotations

import numpy as np
import pytest

from agent.causal.graph.acyclic import find_cycle, require_acyclic
from protocols.errors import TableError


def edges(d: int, *pairs: tuple[int, int]) -> np.ndarray:
    """Edges (cause, effect)."""
    found = np.zeros((d, d), dtype=bool)
    for cause, effect in pairs:
        found[effect, cause] = True
    return found


def test_an_acyclic_graph_has_no_cycle() -> None:
    assert find_cycle(edges(4, (0, 1), (1, 2), (0, 2), (3, 2))) == []


@pytest.mark.parametrize("pairs", [[(1, 1)], [(0, 1), (1, 0)], [(3, 0), (0, 1), (1, 2), (2, 0)]])
def test_a_cycle_is_a_walk_from_cause_to_effect_that_returns(pairs: list) -> None:
    found = edges(4, *pairs)
    cycle = find_cycle(found)
    assert cycle
    for cause, effect in zip(cycle, [*cycle[1:], cycle[0]], strict=True):
        assert found[effect, cause]


def test_weights_with_a_cycle_are_refused_with_the_cycle() -> None:
    with pytest.raises(TableError, match=r"cycle (0 → 1 → 0|1 → 0 → 1)"):
        require_acyclic(np.array([[0.0, 0.5], [0.2, 0.0]]))


@pytest.mark.parametrize("weights", [np.zeros((2, 3)), np.array([[0.0, np.nan], [0.0, 0.0]]), np.zeros(4)])
def test_what_is_no_square_of_finite_numbers_is_refused(weights: np.ndarray) -> None:
    with pytest.raises(TableError, match="square matrix of finite numbers"):
        require_acyclic(weights)
