"""Stability of a graph's edges: 1 where all agree, 0 where only chance does, whatever the number of edges."""

from __future__ import annotations

import numpy as np
import pytest

from agent.causal.graph.stability import edge_stability
from protocols.errors import InvariantViolation

D = 6
POSSIBLE = ~np.eye(D, dtype=bool)


def graphs_at_random(members: int, edges: int, seed: int) -> np.ndarray:
    """Graphs of as many edges each, anywhere; stability does not ask whether they have cycles."""
    generator = np.random.default_rng(seed)
    made = np.zeros((members, D, D))
    for graph in made:
        rows, columns = np.nonzero(POSSIBLE)
        chosen = generator.choice(len(rows), edges, replace=False)
        graph[rows[chosen], columns[chosen]] = generator.normal(size=edges)
    return made


def test_graphs_of_the_same_edges_are_stable_whatever_their_weights() -> None:
    generator = np.random.default_rng(0)
    edges = np.tril(np.ones((D, D)), -1) * (generator.random((D, D)) < 0.5)
    assert edge_stability(edges * generator.uniform(0.5, 2.0, (20, D, D)), POSSIBLE) == pytest.approx(1.0)


@pytest.mark.parametrize("edges", [2, 8, 20])
def test_graphs_that_agree_by_chance_alone_have_none_however_many_edges_they_have(edges: int) -> None:
    found = [edge_stability(graphs_at_random(20, edges, seed), POSSIBLE) for seed in range(100)]
    assert np.mean([each for each in found if each is not None]) == pytest.approx(0.0, abs=0.01)


def test_it_is_one_minus_the_variance_of_the_edges_over_that_of_chance() -> None:
    graphs = np.zeros((4, D, D))
    graphs[:, 1, 0] = 1.0
    graphs[:2, 2, 1] = -3.0
    m = D * (D - 1)
    share = 1.5 / m
    spread = (4 / 3) * 0.5 * 0.5 / m
    assert edge_stability(graphs, POSSIBLE) == pytest.approx(1 - spread / (share * (1 - share)))


def test_an_edge_that_cannot_be_does_not_count() -> None:
    graphs = graphs_at_random(10, 8, 3)
    sink = POSSIBLE.copy()
    sink[:, D - 1] = False
    without = graphs * sink
    assert edge_stability(graphs, sink) == edge_stability(without, sink)
    assert edge_stability(graphs, sink) != edge_stability(without, POSSIBLE)


def test_of_no_edges_and_of_all_edges_there_is_no_stability() -> None:
    assert edge_stability(np.zeros((5, D, D)), POSSIBLE) is None
    assert edge_stability(np.ones((5, D, D)), POSSIBLE) is None


def test_one_graph_alone_is_refused() -> None:
    with pytest.raises(InvariantViolation, match="several graphs"):
        edge_stability(np.zeros((1, D, D)), POSSIBLE)
