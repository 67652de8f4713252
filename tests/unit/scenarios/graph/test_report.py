"""What a graph is told as: every edge as JSON, the likeliest on the screen, and two files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from rich.console import Console

from agent.causal.graph.bootstrap import GraphSamples
from agent.causal.graph.collinearity import Dropped
from agent.causal.graph.prior_knowledge import PriorKnowledge
from agent.causal.graph.variables import Variables
from scenarios.findings.believed_graph import believed_graph
from scenarios.graph.graph import GraphOfTable
from scenarios.graph.report import MOST_SHOWN, graph_json, graph_table, write_files
from scenarios.graph.source import GraphSource


def made(columns: int = 3) -> GraphOfTable:
    names = tuple(f"x[{n}]" for n in range(columns))  # brackets are markup to rich
    weights = np.tril(np.full((columns, columns), -0.5), -1)[None].repeat(4, axis=0)
    weights[0] = 0.0
    rows = Variables.of(names, np.random.default_rng(0).normal(size=(50, columns)))
    dropped = (Dropped("z", "inflated", "z has a large factor"),)
    source = GraphSource(Path("t.csv"), "t", rows, PriorKnowledge.of(names), dropped, 2, names[-1])
    return GraphOfTable(source, believed_graph(GraphSamples(names, weights), np.ones(columns)), 0.25, 7)


def printed(found: GraphOfTable) -> str:
    console = Console(width=100, color_system=None, highlight=False)
    with console.capture() as capture:
        console.print(graph_table(found))
    return capture.get()


def test_edges_stand_with_weight_and_probability_and_what_is_taken_for_granted_below() -> None:
    text = printed(made())
    assert "t: 3 edges in at least half of 4 graphs" in text
    assert text.count("−0.500") == 3
    assert text.count("0.75") == 3
    assert "x[0]" in text
    assert "50 rows, 4 samples, stability of the edges 0.25" in text
    assert "only if relations are straight" in text


def test_of_many_edges_the_screen_shows_some_and_json_all() -> None:
    many = made(10)
    assert f"… and {45 - MOST_SHOWN} less probable" in printed(many)
    assert len(json.loads(graph_json(many, []))["edges"]) == 45


def test_json_says_what_was_asked_found_and_left_out(tmp_path: Path) -> None:
    files = write_files(made(), tmp_path / "out")
    told = json.loads(graph_json(made(), files))
    assert (told["table"], told["target"], told["rows"], told["samples"], told["seed"]) == ("t.csv", "x[2]", 50, 4, 7)
    assert (told["rows_left_out"], told["columns_left_out"]) == (2, {"z": "z has a large factor"})
    assert told["notes"] == ["z has a large factor: left out", "2 rows with an empty cell were left out"]
    assert told["order"] == ["x[0]", "x[1]", "x[2]"]
    assert told["edges"][0] == {
        "cause": "x[0]", "effect": "x[1]", "weight": -0.5, "standardised_weight": -0.5, "probability": 0.75,
    }  # fmt: skip
    assert [Path(name).name for name in told["files"]] == ["graph.png", "graph.csv"]
    assert all(Path(name).is_file() for name in told["files"])
