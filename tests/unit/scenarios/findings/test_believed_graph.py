"""What graphs of samples come to: a majority, its order, and the truth beside it."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from agent.causal.graph.bootstrap import GraphSamples
from scenarios.findings.believed_graph import believed_graph, write_graph

NAMES = ("y", "a", "b")
TRUTH = np.array([[0.0, 0.5, 0.0], [0.0, 0.0, 0.0], [0.0, 2.0, 0.0]])
"""a → y and a → b."""


def samples() -> GraphSamples:
    """Ten: a → b in all, a → y in none, b → y in six and y → b in two."""
    weights = np.zeros((10, 3, 3))
    weights[:, 2, 1] = np.linspace(1.5, 2.5, 10)
    weights[:6, 0, 2] = -1.0
    weights[6:8, 2, 0] = 3.0
    return GraphSamples(NAMES, weights)


def test_weight_and_probability_are_of_the_graphs_that_have_the_edge() -> None:
    graph = believed_graph(samples(), np.array([4.0, 1.0, 2.0]))
    told = {(NAMES[e.cause], NAMES[e.effect]): (e.weight, e.standardised, e.probability) for e in graph.edges}
    assert told == {
        ("a", "b"): (pytest.approx(2.0), pytest.approx(1.0), 1.0),
        ("b", "y"): (-1.0, -0.5, 0.6),
        ("y", "b"): (3.0, 6.0, 0.2),
    }
    assert [edge.is_believed for edge in graph.edges] == [True, True, False]
    assert graph.graphs == 10
    assert not graph.knows_truth


def test_in_the_order_causes_come_before_what_they_are_believed_to_cause() -> None:
    assert [NAMES[place] for place in believed_graph(samples(), np.ones(3)).order] == ["a", "b", "y"]


def test_a_cycle_of_majorities_has_an_order_all_the_same() -> None:
    weights = np.zeros((3, 3, 3))
    for sample, (cause, effect) in enumerate(((0, 1), (1, 2), (2, 0))):
        weights[:, effect, cause] = 1.0
        weights[sample, effect, cause] = 0.0
    graph = believed_graph(GraphSamples(NAMES, weights), np.ones(3))
    assert len(graph.believed) == 3
    assert sorted(graph.order) == [0, 1, 2]


def test_the_truth_stands_beside_every_edge_and_what_nobody_found_is_there() -> None:
    graph = believed_graph(samples(), np.ones(3), target="y", truth=TRUTH, hidden=("b", "y"))
    told = {(NAMES[e.cause], NAMES[e.effect]): (e.probability, e.truth) for e in graph.edges}
    assert told == {("a", "b"): (1.0, 2.0), ("b", "y"): (0.6, 0.0), ("y", "b"): (0.2, 0.0), ("a", "y"): (0.0, 0.5)}
    assert graph.in_words() == (
        "2 edges in at least half of 10 graphs: 1 of the 2 true ones, 1 that are not; what nobody measures acts on b "
        "and y"
    )
    assert (graph.target, graph.hidden) == (0, (2, 0))


def test_the_file_has_every_edge_the_most_probable_first(tmp_path: Path) -> None:
    write_graph(tmp_path / "graph.csv", believed_graph(samples(), np.ones(3), truth=TRUTH))
    with (tmp_path / "graph.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["cause"], row["effect"], row["probability"], row["truth"]) for row in rows] == [
        ("a", "b", "1.0", "2.0"),
        ("b", "y", "0.6", "0.0"),
        ("y", "b", "0.2", "0.0"),
        ("a", "y", "0.0", "0.5"),
    ]
    write_graph(tmp_path / "unknown.csv", believed_graph(samples(), np.ones(3)))
    with (tmp_path / "unknown.csv").open(newline="") as file:
        assert {row["truth"] for row in csv.DictReader(file)} == {""}
