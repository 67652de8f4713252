"""Layers of a graph: causes left, long edges pass every layer between, few edges cross."""

from __future__ import annotations

import itertools

from scenarios.findings.graph_layout import Layout, lay_out


def crossings(layout: Layout, edges: list[tuple[int, int]]) -> int:
    """Pairs of pieces between neighbouring layers that cross."""
    pieces = []
    for cause, effect in edges:
        way = [
            (layout.layer_of[cause], layout.height_of[cause]),
            *layout.passed[cause, effect],
            (layout.layer_of[effect], layout.height_of[effect]),
        ]
        pieces += list(itertools.pairwise(way))
    return sum(
        one[0][0] == other[0][0] and (one[0][1] - other[0][1]) * (one[1][1] - other[1][1]) < 0
        for one, other in itertools.combinations(pieces, 2)
    )


def test_a_node_stands_right_of_all_that_acts_on_it() -> None:
    edges = [(0, 1), (1, 2), (0, 2), (3, 2)]
    layout = lay_out([0, 1, 3, 2], edges)
    assert all(layout.layer_of[cause] < layout.layer_of[effect] for cause, effect in edges)
    assert layout.layer_of[3] == layout.layer_of[2] - 1, "a node without a cause stands just before its effect"


def test_an_edge_over_several_layers_passes_a_point_of_its_own_in_each() -> None:
    layout = lay_out([0, 1, 2, 3], [(0, 1), (1, 2), (2, 3), (0, 3)])
    assert [layer for layer, _ in layout.passed[0, 3]] == [1, 2]
    assert layout.passed[0, 1] == ()
    for layer, height in layout.passed[0, 3]:
        assert all((layout.layer_of[node], layout.height_of[node]) != (layer, height) for node in range(4)), (
            "a line leads through no node"
        )


def test_the_target_stands_last_and_nodes_without_edges_stand_first() -> None:
    layout = lay_out([2, 0, 1, 3], [(0, 1)], target=2)
    assert layout.layer_of[2] == max(layout.layer_of) == layout.layers - 1
    assert layout.layer_of[3] == 0


def test_an_edge_against_the_order_passes_nothing_and_moves_nobody() -> None:
    layout = lay_out([0, 1], [(0, 1), (1, 0)])
    assert (1, 0) not in layout.passed
    assert layout.layer_of == (0, 1)


def test_neighbours_are_sorted_so_that_edges_that_need_not_cross_do_not() -> None:
    edges = [(0, 5), (1, 4), (2, 3), (0, 3), (1, 5)]
    layout = lay_out([0, 1, 2, 3, 4, 5], edges)
    assert crossings(layout, edges) == 0


def test_heights_in_a_layer_are_one_apart_and_about_its_middle() -> None:
    layout = lay_out(range(4), [(0, 1), (0, 2), (0, 3)])
    assert sorted(layout.height_of[1:]) == [-1.0, 0.0, 1.0]
    assert (layout.layers, layout.tallest) == (2, 3)
