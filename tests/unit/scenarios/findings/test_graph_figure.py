"""The picture of a graph: colour tells what is true, everything lies inside, and names that begin alike stay apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from agent.causal.graph.bootstrap import GraphSamples
from scenarios.findings.believed_graph import BelievedGraph, believed_graph
from scenarios.findings.graph_figure import FOUND, WRONG, _Canvas, _fitting, _Labels, draw_graph
from scenarios.findings.graph_layout import lay_out


def chain(names: tuple[str, ...], truth: np.ndarray | None = None, hidden: tuple[str, ...] = ()) -> BelievedGraph:
    """Each variable acts on the next one and the last."""
    d = len(names)
    weights = np.zeros((4, d, d))
    for i in range(1, d):
        weights[:, i, i - 1] = 0.8
        weights[:, d - 1, i - 1] = -0.4
    return believed_graph(GraphSamples(names, weights), np.ones(d), target=names[-1], truth=truth, hidden=hidden)


def pixels_of(path: Path, colour: str) -> int:
    picture = imread(path)[..., :3]
    return int((np.abs(picture - np.array(to_rgb(colour))).max(axis=2) < 0.25).sum())


def test_colour_tells_what_is_believed_and_not_true(tmp_path: Path) -> None:
    names = ("a", "b", "y")
    truth = chain(names)
    right = np.zeros((3, 3))
    for edge in truth.edges:
        right[edge.effect, edge.cause] = edge.weight
    for name, known in (("right", right), ("wrong", np.zeros((3, 3))), ("unknown", None)):
        draw_graph(tmp_path / name, chain(names, known), title="t", subtitle="s")
    assert pixels_of(tmp_path / "right", FOUND) > 1_000
    assert pixels_of(tmp_path / "right", WRONG) < 20
    assert pixels_of(tmp_path / "wrong", WRONG) > 1_000
    assert pixels_of(tmp_path / "unknown", FOUND) > 1_000
    assert pixels_of(tmp_path / "unknown", WRONG) < 20


def test_what_is_true_and_not_believed_is_drawn_too(tmp_path: Path) -> None:
    nothing = GraphSamples(("a", "y"), np.zeros((3, 2, 2)))
    truth = np.array([[0.0, 0.0], [0.7, 0.0]])
    draw_graph(tmp_path / "known.png", believed_graph(nothing, np.ones(2), truth=truth), title="", subtitle="")
    draw_graph(tmp_path / "unknown.png", believed_graph(nothing, np.ones(2)), title="", subtitle="")
    dark = [(imread(tmp_path / name)[..., :3].max(axis=2) < 0.4).sum() for name in ("known.png", "unknown.png")]
    assert dark[0] > dark[1] + 500


@pytest.mark.parametrize("count", [2, 5, 12, 40])
def test_nodes_lie_inside_and_apart(count: int) -> None:
    graph = chain(tuple(f"a_name_of_a_column_{number}" for number in range(count)))
    edges = [(edge.cause, edge.effect) for edge in graph.edges]
    canvas = _Canvas.of(graph, lay_out(graph.order, edges, graph.target))
    boxes = [canvas.box_of(node) for node in range(count)]
    for first, box in enumerate(boxes):
        assert 0 < box.x - box.width / 2 < box.x + box.width / 2 < 9.0
        assert 0 < box.y - box.height / 2 < box.y + box.height / 2 < canvas.height_in
        if count <= 12:
            assert not any(box.meets(other) for other in boxes[:first])


def test_a_label_stands_where_nothing_stands_yet() -> None:
    graph = chain(("a", "b", "c", "y"))
    canvas = _Canvas.of(graph, lay_out(graph.order, [(edge.cause, edge.effect) for edge in graph.edges], 3))
    labels = _Labels([canvas.box_of(node) for node in range(4)])
    placed = []
    for edge in graph.edges:
        placed.append(labels._free(canvas.way_of(edge)))
        labels._taken.append(placed[-1])
    for first, box in enumerate(placed):
        assert not any(box.meets(other) for other in placed[:first])


def test_names_are_cut_in_their_middle() -> None:
    assert _fitting("volume", 10) == "volume"
    assert _fitting("a_long_column_30", 9) == "a_lo…n_30"
    assert {len(_fitting(f"a_long_column_{number}", 9)) for number in range(20)} == {9}


def test_hidden_causes_and_many_columns_give_a_picture_1800_pixels_wide_and_always_the_same(tmp_path: Path) -> None:
    graph = chain(tuple(f"x{number}" for number in range(20)), np.zeros((20, 20)), hidden=("x3", "x19"))
    for name in ("one.png", "other.png"):
        draw_graph(tmp_path / name, graph, title="$t", subtitle="s", in_deviations=True)
    assert imread(tmp_path / "one.png").shape[1] == 1800
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "other.png").read_bytes()
