"""Where the nodes of a graph stand and how its edges run: layers by causal order, from left to right.

A node stands right of all that acts on it, an edge over several layers passes a point in each of them, and within a
layer nodes and points are sorted by where their neighbours are, so that few edges cross (K. Sugiyama, S. Tagawa,
M. Toda, IEEE Trans. Syst. Man Cybern. 11, 109 (1981), with barycentres). An edge against the order passes no points.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

Pair = tuple[int, int]
"""Cause and effect."""

Stop = tuple[int, ...]
"""What stands in a layer: (node,), or (cause, effect, layer) for a point that an edge passes."""

SWEEPS: Final = 12
"""How often layers are sorted, to and fro; after a few nothing gets better any more."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Positions in layers.

    Attributes:
        layer_of: Layer of each node, from 0.
        height_of: Where each node stands in its layer: 0 in the middle, neighbours 1 apart, upwards.
        passed: Edge → the layers and heights that it passes on its way, in order; empty where there are none.
        layers: How many there are.
        tallest: Most that stands in one layer.
    """

    layer_of: tuple[int, ...]
    height_of: tuple[float, ...]
    passed: Mapping[Pair, tuple[tuple[int, float], ...]]
    layers: int
    tallest: int


def lay_out(order: Sequence[int], edges: Sequence[Pair], target: int | None = None) -> Layout:
    """Return where nodes stand.

    Args:
        order: All nodes, causes before effects as far as can be.
        edges: That are drawn.
        target: A node that stands right of all others, where nothing comes after it.
    """
    place = {node: number for number, node in enumerate(order)}
    forward = [(cause, effect) for cause, effect in edges if place[cause] < place[effect]]
    layer_of = _layers(order, forward, target)
    layers = _sort(_filled(order, forward, layer_of), forward, layer_of)
    height = {stop: (len(row) - 1) / 2 - number for row in layers for number, stop in enumerate(row)}
    return Layout(
        tuple(layer_of[node] for node in range(len(order))),
        tuple(height[_node(node)] for node in range(len(order))),
        {
            (cause, effect): tuple(
                (layer, height[_point(cause, effect, layer)]) for layer in range(layer_of[cause] + 1, layer_of[effect])
            )
            for cause, effect in forward
        },
        len(layers),
        max(len(row) for row in layers),
    )


def _layers(order: Sequence[int], forward: Sequence[Pair], target: int | None) -> dict[int, int]:
    """Return the layer of each node: after its last cause; without a cause, just before its first effect."""
    layer_of = dict.fromkeys(order, 0)
    for node in order:
        layer_of[node] = max((layer_of[cause] + 1 for cause, effect in forward if effect == node), default=0)
    for node in order:
        effects = [layer_of[effect] for cause, effect in forward if cause == node]
        if effects and all(effect != node for _, effect in forward):
            layer_of[node] = min(effects) - 1
    if target is not None and all(cause != target for cause, _ in forward):
        others = [layer for node, layer in layer_of.items() if node != target]
        layer_of[target] = max([layer_of[target], *(layer + 1 for layer in others)])
    return layer_of


def _node(node: int) -> Stop:
    return (node,)


def _point(cause: int, effect: int, layer: int) -> Stop:
    return cause, effect, layer


def _filled(order: Sequence[int], forward: Sequence[Pair], layer_of: Mapping[int, int]) -> list[list[Stop]]:
    """Return what stands in each layer, in the order of the nodes and their edges."""
    layers: list[list[Stop]] = [[] for _ in range(max(layer_of.values()) + 1)]
    for node in order:
        layers[layer_of[node]].append(_node(node))
        for cause, effect in forward:
            if cause == node:
                for layer in range(layer_of[cause] + 1, layer_of[effect]):
                    layers[layer].append(_point(cause, effect, layer))
    return layers


def _sort(layers: list[list[Stop]], forward: Sequence[Pair], layer_of: Mapping[int, int]) -> list[list[Stop]]:
    """Return the layers sorted by the mean place of neighbours, in the layer before, then after, and so on.

    Those of equal means turn round every other time; the sweep with the fewest crossings counts.
    """
    pieces = [piece for cause, effect in forward for piece in itertools.pairwise(_way(cause, effect, layer_of))]
    best = rows = layers
    for sweep in range(SWEEPS):
        rightwards = sweep % 2 == 0
        neighbours: dict[Stop, list[Stop]] = {stop: [] for row in rows for stop in row}
        for one, other in pieces:
            neighbours[other if rightwards else one].append(one if rightwards else other)
        rows = _swept(rows if rightwards else rows[::-1], neighbours, turn=sweep % 4 > 1)
        rows = rows if rightwards else rows[::-1]
        if _crossings(rows, pieces) < _crossings(best, pieces):
            best = rows
    return best


def _way(cause: int, effect: int, layer_of: Mapping[int, int]) -> list[Stop]:
    passed = [_point(cause, effect, layer) for layer in range(layer_of[cause] + 1, layer_of[effect])]
    return [_node(cause), *passed, _node(effect)]


def _swept(
    rows: Sequence[Sequence[Stop]], neighbours: Mapping[Stop, Sequence[Stop]], *, turn: bool
) -> list[list[Stop]]:
    """Return each row sorted by the places of its neighbours, which are sorted before it."""
    place = _places(rows)
    swept = []
    for row in rows:
        means = {
            stop: sum(place[each] for each in neighbours[stop]) / len(neighbours[stop])
            if neighbours[stop]
            else place[stop]
            for stop in row
        }
        swept.append(sorted(row[::-1] if turn else row, key=means.__getitem__))
        place |= _places(swept[-1:])
    return swept


def _places(rows: Sequence[Sequence[Stop]]) -> dict[Stop, float]:
    return {stop: number - (len(row) - 1) / 2 for row in rows for number, stop in enumerate(row)}


def _crossings(rows: Sequence[Sequence[Stop]], pieces: Sequence[tuple[Stop, Stop]]) -> int:
    """Return how many pairs of pieces between the same layers cross."""
    place = _places(rows)
    layer = {stop: number for number, row in enumerate(rows) for stop in row}
    between: dict[int, list[tuple[float, float]]] = {}
    for one, other in pieces:
        between.setdefault(layer[one], []).append((place[one], place[other]))
    return sum(
        (left - other_left) * (right - other_right) < 0
        for alike in between.values()
        for (left, right), (other_left, other_right) in itertools.combinations(alike, 2)
    )
