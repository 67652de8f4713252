"""Names at the ends of lines, instead of a legend: the eye need not travel, and no name covers another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

POINTS_PER_INCH = 72.0

EDGE_IN = 0.14
"""Empty right of the longest name [inch]."""

LEAST_WIDTH = 0.35
"""Least width of axes, however long the names beside them [figure width]."""

INK = "#222222"
"""Colour of text: names stay readable whatever the colour of their line."""

LABEL_X = 1.035
"""Where the names begin [axes width]; the leaders run from 1."""

AT_THE_EDGE = 0.985
"""A line that ends before this [axes width] has no leader: it would look like a line of its own."""

MARK_PT = 6.0
"""What a mark takes before its name [point]."""

LINE_SPACING = 1.25
"""Distance of two names [font size]."""

MAX_NAME_LENGTH = 24
"""Longest name shown [character]; the margin is made for it."""


@dataclass(frozen=True, slots=True)
class EndLabel:
    """A name for the end of a line, in data coordinates; `mark` is that of its line, "" for none."""

    x: float
    y: float
    text: str
    colour: str
    bold: bool = False
    mark: str = ""


def spread(wanted: FloatArray, spacing: float, low: float, high: float) -> FloatArray:
    """Move positions as little as possible so that neighbours are `spacing` apart and all lie in [low, high].

    The least-squares answer: with the spacing taken off it is an isotonic regression (pool adjacent violators;
    R. E. Barlow et al., Statistical Inference under Order Restrictions, 1972), then clipped. When they do not fit,
    the spacing shrinks to what does.

    Args:
        wanted: Shape (n,).
        spacing: Least distance.
        low: Lower bound.
        high: Upper bound.
    """
    count = len(wanted)
    if count == 0:
        return wanted
    spacing = min(spacing, (high - low) / max(count - 1, 1))
    order = np.argsort(wanted, kind="stable")
    offsets = spacing * np.arange(count)
    blocks: list[tuple[float, int]] = []
    for target in wanted[order] - offsets:
        mean, size = float(target), 1
        while blocks and blocks[-1][0] > mean:
            before, members = blocks.pop()
            mean, size = (before * members + mean * size) / (members + size), members + size
        blocks.append((mean, size))
    pooled = np.concatenate([np.full(size, mean) for mean, size in blocks])
    placed = np.empty(count)
    placed[order] = np.clip(pooled, low, high - offsets[-1]) + offsets
    return placed


def draw_end_labels(axes: Any, labels: Sequence[EndLabel], font_size: float) -> None:
    """Write the names right of the axes, each with the mark of its line, and a leader from the end of it.

    No leader runs inside the axes: there is nothing in them that is not data. A line that ends before the edge is found
    by the mark alone. The limits of the axes must be final.
    """
    low, high = axes.get_ylim()
    height_pt = axes.get_position().height * axes.figure.get_size_inches()[1] * 72
    spacing = (high - low) * font_size * LINE_SPACING / height_pt
    places = spread(np.array([label.y for label in labels]), spacing, low + spacing / 2, high - spacing / 2)
    x_low, x_high = axes.get_xlim()
    for label, place in zip(labels, places, strict=True):
        own, beside = (label.y - low) / (high - low), (place - low) / (high - low)
        if (label.x - x_low) / (x_high - x_low) >= AT_THE_EDGE:
            axes.plot(
                [1.004, LABEL_X - 0.016, LABEL_X - 0.012],
                [own, beside, beside],
                transform=axes.transAxes,
                color=label.colour,
                linewidth=0.8,
                clip_on=False,
                zorder=2,
            )
        axes.plot(
            [LABEL_X - 0.006], [beside], label.mark or "s", transform=axes.transAxes, color=label.colour,
            markersize=4.5, clip_on=False,
        )  # fmt: skip
        axes.annotate(
            label.text,
            xy=(LABEL_X - 0.006, beside),
            xycoords="axes fraction",
            xytext=(MARK_PT, 0),
            textcoords="offset points",
            fontsize=font_size,
            fontweight="bold" if label.bold else "normal",
            color=INK,
            va="center",
            parse_math=False,
            annotation_clip=False,
        )


def text_width_in(text: str, font_size: float, *, bold: bool = False) -> float:
    """Return how wide a text is drawn [inch]: margins are made for what stands in them."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(size=font_size, weight="bold" if bold else "normal")
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, False)  # noqa: FBT003 - its order
    return float(width) / POINTS_PER_INCH


def right_margin(left: float, width_in: float, labels: Sequence[EndLabel], font_size: float) -> float:
    """Return where axes must end so that the names right of them just fit [figure width].

    Args:
        left: Where the axes begin [figure width].
        width_in: Width of the figure [inch].
        labels: What stands right of the axes.
        font_size: Of the names [point].
    """
    widest = max((text_width_in(each.text, font_size, bold=each.bold) for each in labels), default=0.0)
    beyond, taken_in = LABEL_X - 1.0, widest + MARK_PT / POINTS_PER_INCH + EDGE_IN
    return max((1.0 - taken_in / width_in + beyond * left) / (1.0 + beyond), left + LEAST_WIDTH)


def figure_text(value: float | None, unit: str) -> str:
    """Return a figure with three decimals, without any where it is a count; "–" for none.

    A count is told by its size: shares and scores, which are pure numbers too, are no whole number above 1.
    """
    if value is None or not math.isfinite(value):
        return "–"
    counts = not unit and value > 1.0 and float(value).is_integer()
    return f"{value:.{0 if counts else 3}f}".replace("-", "−")


def titled(label: str, unit: str) -> str:
    """Return a label as the title of a picture: "Mean gap [nat]"."""
    return label[:1].upper() + label[1:] + (f" [{unit}]" if unit else "")


def with_unit(name: str, unit: str) -> str:
    """Return a name with its unit in brackets behind it, once: a table's column may be called "hardness [GPa]"."""
    return name if not unit or name.endswith((f"[{unit}]", f"({unit})")) else f"{name} [{unit}]"


def shortened(name: str, most: int = MAX_NAME_LENGTH) -> str:
    """Cut a name to what its place holds; by default the margin."""
    return name if len(name) <= most else name[: most - 1] + "…"
