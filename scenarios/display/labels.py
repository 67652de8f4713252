"""Names at the ends of lines, instead of a legend: the eye need not travel, and no name covers another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

INK = "#222222"
"""Colour of text: names stay readable whatever the colour of their line."""

LABEL_X = 1.035
"""Where the names begin [axes width]; the leaders run from 1."""

LINE_SPACING = 1.25
"""Distance of two names [font size]."""

MAX_NAME_LENGTH = 24
"""Longest name shown [character]; the margin is made for it."""


@dataclass(frozen=True, slots=True)
class EndLabel:
    """A name for the end of a line, in data coordinates."""

    x: float
    y: float
    text: str
    colour: str
    bold: bool = False


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
    """Write the names right of the axes, each with a leader from the end of its line.

    The limits of the axes must be final.
    """
    low, high = axes.get_ylim()
    height_pt = axes.get_position().height * axes.figure.get_size_inches()[1] * 72
    spacing = (high - low) * font_size * LINE_SPACING / height_pt
    places = spread(np.array([label.y for label in labels]), spacing, low + spacing / 2, high - spacing / 2)
    x_low, x_high = axes.get_xlim()
    for label, place in zip(labels, places, strict=True):
        start = (label.x - x_low) / (x_high - x_low)
        bend = max(start, 1.0) + 0.004
        axes.plot(
            [start, bend, LABEL_X - 0.012, LABEL_X - 0.004],
            [(y - low) / (high - low) for y in (label.y, label.y, place, place)],
            transform=axes.transAxes,
            color=label.colour,
            linewidth=0.8,
            clip_on=False,
            zorder=2,
        )
        axes.text(
            LABEL_X,
            (place - low) / (high - low),
            label.text,
            transform=axes.transAxes,
            fontsize=font_size,
            fontweight="bold" if label.bold else "normal",
            color=INK,
            va="center",
            parse_math=False,
        )


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


def shortened(name: str, most: int = MAX_NAME_LENGTH) -> str:
    """Cut a name to what its place holds; by default the margin."""
    return name if len(name) <= most else name[: most - 1] + "…"
