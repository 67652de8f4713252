"""The graph of a table: a true graph is found, what is known is kept, and the same seed gives the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scenarios.graph.graph import FITTING, GraphOfTable, graph_of
from scenarios.graph.source import Question, read_source

SCALE = np.array([1000.0, 1.0, 0.001])
"""Of the columns: no weight can be read without it."""


def table(folder: Path) -> Path:
    """The chain a → b → y, straight and with uniform disturbances."""
    e = np.random.default_rng(3).uniform(-1, 1, (600, 3))
    a = e[:, 0]
    b = 0.9 * a + e[:, 1]
    y = -0.8 * b + e[:, 2]
    path = folder / "chain.csv"
    rows = (np.column_stack((a, b, y)) * SCALE).tolist()
    path.write_text("a,b,y\n" + "\n".join(",".join(map(str, row)) for row in rows) + "\n", encoding="utf-8")
    return path


def found(folder: Path, *, seed: int = 0, samples: int = 20, forbidden: tuple[str, ...] = ()) -> GraphOfTable:
    question = Question(("a", "b"), "y", forbidden, (), 10.0, drop_missing=False)
    told: list[tuple[str, int, int]] = []
    made = graph_of(read_source(table(folder), "chain", question), samples, seed, lambda *each: told.append(each))
    assert told == [(FITTING, done, samples) for done in range(samples + 1)]
    return made


def test_a_true_graph_is_found_with_its_weights_in_units_and_in_deviations(tmp_path: Path) -> None:
    made = found(tmp_path)
    names = made.graph.names
    believed = {(names[e.cause], names[e.effect]): e for e in made.graph.believed}
    assert set(believed) == {("a", "b"), ("b", "y")}
    assert believed["a", "b"].weight == pytest.approx(0.9 / 1000.0, rel=0.1)
    assert believed["b", "y"].weight == pytest.approx(-0.8 * 0.001, rel=0.1)
    spread = made.source.variables.values.std(axis=0)
    edge = believed["b", "y"]
    assert edge.standardised == pytest.approx(edge.weight * spread[1] / spread[2])
    assert [names[place] for place in made.graph.order] == ["a", "b", "y"]
    assert made.stability is not None
    assert made.stability > 0.8


def test_an_edge_that_is_forbidden_is_in_no_sample(tmp_path: Path) -> None:
    made = found(tmp_path, forbidden=("a:b",))
    names = made.graph.names
    assert ("a", "b") not in {(names[e.cause], names[e.effect]) for e in made.graph.edges}


def test_the_same_seed_gives_the_same_and_another_one_other_samples(tmp_path: Path) -> None:
    assert found(tmp_path).graph == found(tmp_path).graph
    assert found(tmp_path).graph != found(tmp_path, seed=1).graph
