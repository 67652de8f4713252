"""The picture of a causal graph: causes left of effects, each edge as wide as it is strong and as dark as it is sure.

Where the true graph is known, colour and dashes say whether an edge is in it, and what nobody found is dashed.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from scenarios.display.figure_style import DPI, FAINT, FRAME, OKABE_ITO, WIDTH_IN, save_figure, write_title
from scenarios.display.labels import INK
from scenarios.findings.believed_graph import BelievedGraph, Edge
from scenarios.findings.graph_layout import Layout, lay_out

FloatArray = NDArray[np.float64]

FOUND: Final = OKABE_ITO[0]
WRONG: Final = OKABE_ITO[1]
MISSED: Final = "#333333"

DASHES: Final[Any] = (0, (4, 2.5))
"""Of what is true and not believed."""

WRONG_DASHES: Final[Any] = (0, (7, 1.5, 1.2, 1.5))
"""Of what is believed and not true: told apart without colours too."""

HEAD_IN: Final = 1.0
"""Height of title and key [inch]."""

MARGIN_IN: Final = 0.35
"""Free at the other sides [inch]."""

ROW_IN: Final = 0.62
"""Distance of what stands in one layer [inch]."""

TALLEST_IN: Final = 20.0
"""Most height of all rows [inch]: of more, they move together."""

MOST_EDGES: Final = 60
"""Most edges drawn: what is true, then the most probable; more cannot be told apart."""

HIDDEN_IN: Final = 0.55
"""Height of the row of what nobody measures [inch]."""

BOX_HEIGHT_IN: Final = 0.32
"""Of a node [inch]."""

CHARACTER_IN: Final = 0.088
"""Width of a character of a name, on the mean [inch]."""

LONGEST_NAME: Final = 16
"""Of a node [character]; less where there are many layers."""

BESIDE_NAME_IN: Final = 0.24
"""Width of a node beside its name [inch]."""

GAP_IN: Final = 0.5
"""Least distance of nodes in neighbouring layers [inch]: lines need it to be told apart."""

LABEL_IN: Final = (0.78, 0.15)
"""Width and height of the label of an edge [inch]."""

PLACES_OF_LABEL: Final = (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82)
"""Parts of the way where a label may stand, the best first; it takes the first that is free."""

BESIDE_IN: Final = (0.0, 0.26, -0.26)
"""How far above its line a label may stand, the best first [inch]: on it, else clear of a node at its height."""

POINTS_A_PART: Final = 24
"""Points of the line between two layers."""


def draw_graph(path: Path, graph: BelievedGraph, *, title: str, subtitle: str, in_deviations: bool = False) -> None:
    """Draw what is believed or true of a graph; the rest would hide it, and stands in the file beside.

    Args:
        path: PNG file to write, 1800 pixels wide.
        graph: What is believed.
        title: What the picture shows.
        subtitle: What it comes to.
        in_deviations: Whether weights are told between variables of unit deviation, and not in their units.

    Raises:
        StoreError: When the file cannot be written.
    """
    from matplotlib.figure import Figure

    told = [edge for edge in graph.edges if edge.is_believed or edge.is_true]
    drawn = sorted(told, key=lambda edge: not edge.is_true)[:MOST_EDGES]
    if len(told) > len(drawn):
        subtitle += f"; {len(drawn)} of them are drawn"
    layout = lay_out(graph.order, [(edge.cause, edge.effect) for edge in drawn], graph.target)
    canvas = _Canvas.of(graph, layout)
    figure = Figure(figsize=(WIDTH_IN, canvas.height_in), dpi=DPI, facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, WIDTH_IN)
    axes.set_ylim(0, canvas.height_in)
    axes.axis("off")
    write_title(figure, title, subtitle)
    _draw_key(figure, canvas.height_in, drawn, graph)
    labels = _Labels([canvas.box_of(node) for node in range(len(graph.names))])
    for edge in reversed(drawn):  # what is surest lies on top
        _draw_edge(axes, edge, canvas.way_of(edge))
    for edge in drawn:
        labels.write(axes, edge, canvas.way_of(edge), edge.standardised if in_deviations else edge.weight)
    _draw_hidden(axes, graph, canvas)
    for node, name in enumerate(graph.names):
        _draw_node(axes, canvas.box_of(node), name, is_target=node == graph.target, is_confounded=node in graph.hidden)
    save_figure(figure, path)


@dataclass(frozen=True, slots=True)
class _Box:
    """A rectangle, by its middle [inch]."""

    x: float
    y: float
    width: float
    height: float

    def meets(self, other: _Box) -> bool:
        return (
            abs(self.x - other.x) < (self.width + other.width) / 2
            and abs(self.y - other.y) < (self.height + other.height) / 2
        )


@dataclass(frozen=True, slots=True)
class _Canvas:
    """From places in layers to inches."""

    graph: BelievedGraph
    layout: Layout
    box_width_in: float

    @classmethod
    def of(cls, graph: BelievedGraph, layout: Layout) -> _Canvas:
        longest = min(max(map(len, graph.names)), LONGEST_NAME)
        room = (WIDTH_IN - 2 * MARGIN_IN + GAP_IN) / layout.layers - GAP_IN
        return cls(graph, layout, min(BESIDE_NAME_IN + CHARACTER_IN * longest, max(room, 2 * BESIDE_NAME_IN)))

    @property
    def rows_in(self) -> float:
        """Height of all rows."""
        return min(ROW_IN * max(self.layout.tallest, 3), TALLEST_IN)

    @property
    def height_in(self) -> float:
        return HEAD_IN + (HIDDEN_IN if self.graph.hidden else 0.0) + self.rows_in + MARGIN_IN

    def at(self, layer: int, height: float) -> tuple[float, float]:
        left = MARGIN_IN + self.box_width_in / 2
        step = (WIDTH_IN - 2 * left) / max(self.layout.layers - 1, 1)
        row = self.rows_in / max(self.layout.tallest, 3)
        return left + step * layer, MARGIN_IN + self.rows_in / 2 + row * height

    def box_of(self, node: int) -> _Box:
        return _Box(*self.at(self.layout.layer_of[node], self.layout.height_of[node]), self.box_width_in, BOX_HEIGHT_IN)

    def way_of(self, edge: Edge) -> FloatArray:
        """Return the points of the line of an edge, shape (k, 2) [inch]."""
        begin, end = self.box_of(edge.cause), self.box_of(edge.effect)
        passed = self.layout.passed.get((edge.cause, edge.effect))
        if passed is None:  # against the order: above both
            return _bent((begin.x, begin.y + begin.height / 2), (end.x, end.y + end.height / 2))
        points = [
            (begin.x + begin.width / 2, begin.y),
            *(self.at(layer, height) for layer, height in passed),
            (end.x - end.width / 2, end.y),
        ]
        parts = [_level(one, other) for one, other in itertools.pairwise(points)]
        return np.concatenate(parts)


def _level(one: tuple[float, float], other: tuple[float, float]) -> FloatArray:
    """Return a cubic that leaves and comes in level."""
    middle = (one[0] + other[0]) / 2
    return _cubic(one, (middle, one[1]), (middle, other[1]), other)


def _bent(one: tuple[float, float], other: tuple[float, float]) -> FloatArray:
    """Return a cubic that leaves upwards and comes in from above."""
    above = max(one[1], other[1]) + 0.7 * ROW_IN
    return _cubic(one, (one[0], above), (other[0], above), other)


def _cubic(*corners: tuple[float, float]) -> FloatArray:
    t = np.linspace(0.0, 1.0, POINTS_A_PART)[:, None]
    a, b, c, d = (np.array(corner) for corner in corners)
    points: FloatArray = (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d
    return points


def _colour_of(edge: Edge) -> str:
    if not edge.is_believed:
        return MISSED
    return FOUND if edge.truth is None or edge.is_true else WRONG


def _style_of(edge: Edge) -> Any:
    if not edge.is_believed:
        return DASHES
    return WRONG_DASHES if _colour_of(edge) == WRONG else "-"


def _draw_edge(axes: Any, edge: Edge, way: FloatArray) -> None:
    colour = _colour_of(edge)
    style = _style_of(edge)
    width, alpha = 1.3, 0.9
    if edge.is_believed:
        width, alpha = 0.9 + 3.0 * min(abs(edge.standardised), 1.0), 0.2 + 0.65 * edge.probability
    axes.plot(*way.T, color=colour, linewidth=width, alpha=alpha, linestyle=style, solid_capstyle="butt", zorder=2)
    axes.annotate(
        "",
        xy=way[-1],
        xytext=way[-3],
        arrowprops={
            "arrowstyle": "-|>",
            "color": colour,
            "alpha": max(alpha, 0.5),
            "linewidth": 0,
            "mutation_scale": 7 + 1.6 * width,
            "shrinkA": 0,
            "shrinkB": 0,
        },
        zorder=3,
    )


class _Labels:
    """Writes labels where nothing stands yet.

    Args:
        taken: What stands already.
    """

    def __init__(self, taken: Sequence[_Box]) -> None:
        self._taken = list(taken)

    def write(self, axes: Any, edge: Edge, way: FloatArray, weight: float) -> None:
        """Write weight and probability of an edge on its line; of one that is not believed, the true weight."""
        text = f"{weight:.2g}" if edge.is_believed else f"true {edge.truth:.2g}"
        text = f"{text} · {100 * edge.probability:.0f} %".replace("-", "−")
        box = self._free(way)
        self._taken.append(box)
        axes.text(
            box.x,
            box.y,
            text,
            fontsize=7.5,
            color=_colour_of(edge),
            ha="center",
            va="center",
            zorder=5,
            parse_math=False,
            bbox={"boxstyle": "round,pad=0.12", "facecolor": "white", "edgecolor": "none", "alpha": 0.85},
        )

    def _free(self, way: FloatArray) -> _Box:
        lengths = np.concatenate(([0.0], np.cumsum(np.linalg.norm(np.diff(way, axis=0), axis=1))))
        boxes = []
        for above, part in itertools.product(BESIDE_IN, PLACES_OF_LABEL):
            x, y = (float(np.interp(part * lengths[-1], lengths, way[:, axis])) for axis in (0, 1))
            boxes.append(_Box(x, y + above, *LABEL_IN))
            if not any(boxes[-1].meets(each) for each in self._taken):
                return boxes[-1]
        return boxes[0]


def _fitting(name: str, most: int) -> str:
    """Cut a name in its middle: names of columns often begin alike, and end with what tells them apart."""
    if len(name) <= most:
        return name
    end = max(most - 1, 1) // 2
    return f"{name[: max(most - 1 - end, 1)]}…{name[len(name) - end :]}"


def _draw_node(axes: Any, box: _Box, name: str, *, is_target: bool, is_confounded: bool) -> None:
    from matplotlib.patches import FancyBboxPatch

    axes.add_patch(
        FancyBboxPatch(
            (box.x - box.width / 2, box.y - box.height / 2),
            box.width,
            box.height,
            boxstyle="round,pad=0,rounding_size=0.1",
            facecolor="#EAF2F8" if is_target else "white",
            edgecolor=INK if is_target else FRAME,
            linewidth=1.4 if is_target or is_confounded else 1.0,
            linestyle=":" if is_confounded else "-",
            zorder=6,
        )
    )
    weight = "bold" if is_target else "normal"
    text = _fitting(name, int((box.width - BESIDE_NAME_IN) / CHARACTER_IN + 0.5))
    axes.text(
        box.x, box.y, text, fontsize=9, fontweight=weight, color=INK, ha="center", va="center", zorder=7,
        parse_math=False,
    )  # fmt: skip


def _draw_hidden(axes: Any, graph: BelievedGraph, canvas: _Canvas) -> None:
    """Draw what nobody measures above all layers, and on what it acts."""
    if not graph.hidden:
        return
    boxes = [canvas.box_of(node) for node in graph.hidden]
    x = float(np.mean([box.x for box in boxes]))
    y = canvas.height_in - HEAD_IN - HIDDEN_IN / 3
    for box in boxes:
        way = _cubic((x, y), (x, y), (box.x, y), (box.x, box.y + box.height / 2))
        axes.plot(*way.T, color=FAINT, linewidth=1.1, linestyle=(0, (1, 1.6)), zorder=1)
        axes.annotate(
            "", xy=way[-1], xytext=way[-3], zorder=3,
            arrowprops={"arrowstyle": "-|>", "color": FAINT, "linewidth": 0, "mutation_scale": 9, "shrinkA": 0,
                        "shrinkB": 0},
        )  # fmt: skip
    axes.text(
        x, y, "hidden: nobody measures it", fontsize=8, fontstyle="italic", color=FAINT, ha="center", va="center",
        zorder=6, bbox={"boxstyle": "round,pad=0.25", "facecolor": "white", "edgecolor": FAINT, "linestyle": ":"},
    )  # fmt: skip


def _draw_key(figure: Any, height_in: float, drawn: Sequence[Edge], graph: BelievedGraph) -> None:
    """Write below the title what the lines mean, those that there are."""
    from matplotlib.lines import Line2D

    colours = {_colour_of(edge) for edge in drawn}
    entries = (
        (FOUND, "-", "believed, and true" if graph.knows_truth else "believed"),
        (WRONG, WRONG_DASHES, "believed, not true"),
        (MISSED, DASHES, "true, not believed"),
    )
    x, y = 0.02, 1 - 0.82 / height_in
    for colour, style, text in entries:
        if colour in colours:
            figure.add_artist(Line2D([x, x + 0.03], [y, y], color=colour, linestyle=style, linewidth=2.0))
            figure.text(x + 0.037, y, text, fontsize=8.5, color=INK, va="center")
            x += 0.06 + 0.0088 * len(text)
    figure.text(0.98, y, "on each: weight · share of the graphs", fontsize=8, color=FAINT, va="center", ha="right")
