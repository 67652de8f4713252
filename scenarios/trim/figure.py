"""Picture of a trimmed table: a row per family, with its entropy and its distribution before and after.

What colours tell, shapes and places tell as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from scenarios.display.figure_style import (
    DPI,
    FAINT,
    FRAME,
    GRID,
    OKABE_ITO,
    WIDTH_IN,
    save_figure,
    spaced,
    write_title,
)
from scenarios.display.labels import INK, shortened

FloatArray = NDArray[np.float64]

MAX_FAMILIES_DRAWN: Final = 24
"""Most families in the picture: half of them the poorest of the full table, half the richest."""

ROW_HEIGHT_IN: Final = (0.27, 0.5)
"""Least and greatest height of a family's row [inch]."""

ROWS_HEIGHT_IN: Final = 5.2
"""Height that the rows share where these bounds leave it [inch]."""

HEAD_IN: Final = 1.12
"""Room above the rows for title, sentence and keys [inch]."""

FOOT_IN: Final = 0.62
"""Room below the rows for the axes' numbers and names [inch]."""

NAME_CHARACTER: Final = 0.0082
"""Width of a character of a family's name [figure width]: the margin is made for the longest."""

ENTROPY_AXES: Final = (0.12, 0.475)
"""Left end, where names leave that room, and right end of the entropies [figure width]."""

VALUE_AXES: Final = (0.505, 0.325)
"""Left end and width of the distributions [figure width]."""

COUNT_X: Final = 0.84
"""Where the numbers of rows begin [figure width]."""

LONG_COUNT: Final = 1_000_000
"""Rows of a family from which on its share has no room beside the numbers."""

BINS: Final = 60
"""Bins of a distribution: two points of print each."""

TAIL: Final = 0.002
"""Part of all values that may lie beyond each end of the drawn range, so that one outlier flattens nothing."""

OVERLAP: Final = 0.86
"""Height of the tallest bar of a row [row height]."""

KEYS_X: Final = 0.06
"""Where the keys of the entropies begin [figure width]."""

KEY_CHARACTER: Final = 0.0066
"""Width of a character of a key [figure width]."""

BEFORE: Final = "#8A8A8A"
FULL_FACE: Final = "#D2D2D2"
KEPT: Final = OKABE_ITO[0]
KEPT_FACE: Final = KEPT + "38"
RANDOM: Final = OKABE_ITO[1]


@dataclass(frozen=True, slots=True)
class FamilyStrip:
    """One row of the picture; entropies in nat, None where undefined.

    Attributes:
        name: The family.
        before: Entropy of all its values.
        after: Entropy of the kept ones.
        random_mean: Mean entropy over random trims.
        random_std: Its standard deviation.
        values: All values, shape (n,).
        kept: The kept ones, shape (k,).
    """

    name: str
    before: float | None
    after: float | None
    random_mean: float | None
    random_std: float | None
    values: FloatArray
    kept: FloatArray


@dataclass(frozen=True, slots=True)
class TrimPicture:
    """All that is drawn."""

    title: str
    subtitle: str
    property: str
    unit: str
    random_trims: int
    families: tuple[FamilyStrip, ...]


def draw_trim(path: Path, picture: TrimPicture) -> None:
    """Draw entropies and distributions of all families before and after.

    Args:
        path: PNG file to write, 1800 pixels wide.
        picture: What is drawn.

    Raises:
        StoreError: When the file cannot be written.
    """
    from matplotlib.figure import Figure

    strips, hidden = _drawn(picture.families)
    row_in = float(np.clip(ROWS_HEIGHT_IN / len(strips), *ROW_HEIGHT_IN))
    height = HEAD_IN + row_in * len(strips) + FOOT_IN
    figure = Figure(figsize=(WIDTH_IN, height), dpi=DPI, facecolor="white")
    bottom, tall = FOOT_IN / height, row_in * len(strips) / height
    names = max(len(shortened(strip.name)) for strip in strips)
    start = max(ENTROPY_AXES[0], 0.03 + NAME_CHARACTER * names)
    left = figure.add_axes((start, bottom, ENTROPY_AXES[1] - start, tall))
    right = figure.add_axes((VALUE_AXES[0], bottom, VALUE_AXES[1], tall))
    for axes in (left, right):
        _style(axes, len(strips))
    _draw_entropies(left, strips)
    _draw_distributions(right, strips)
    _name_axes(left, right, picture)
    for row, strip in enumerate(strips):
        _write(left, -0.035, row, shortened(strip.name), ha="right", fontsize=9, color=INK)
        kept, whole = len(strip.kept), len(strip.values)
        share = f" ({100 * kept / whole:.0f} %)" if whole < LONG_COUNT else ""
        _write(right, 1.03, row, f"{kept:,} of {whole:,}{share}", fontsize=7.5, color=FAINT)
    _write_head(figure, height, picture, hidden)
    save_figure(figure, path)


def _drawn(families: Sequence[FamilyStrip]) -> tuple[list[FamilyStrip], int]:
    """The families to draw, richest first, and how many are left out."""

    def rank(strip: FamilyStrip) -> tuple[float, str]:
        return (float("inf") if strip.before is None else -strip.before, strip.name)

    ordered = sorted(families, key=rank)
    hidden = max(0, len(ordered) - MAX_FAMILIES_DRAWN)
    half = MAX_FAMILIES_DRAWN // 2
    return (ordered if not hidden else ordered[:half] + ordered[-half:]), hidden


def _draw_entropies(axes: Any, strips: Sequence[FamilyStrip]) -> None:
    known = [h for strip in strips for h in (strip.before, strip.after) if h is not None]
    if not known:
        axes.set_xlim(0, 1)
        axes.text(0.5, 0.5, "No family has an entropy", transform=axes.transAxes, ha="center", fontsize=9, color=BEFORE)
        return
    low, high = min(known), max(known)
    margin = 0.14 * (high - low) or 0.5
    low, high = low - margin, high + margin
    axes.set_xlim(low, high)
    for row, strip in enumerate(strips):
        if strip.before is not None and strip.after is not None:
            axes.plot([strip.before, strip.after], [row, row], color=KEPT, linewidth=1.4, alpha=0.45, zorder=2)
        if strip.random_mean is not None:
            _draw_random(axes, row, strip.random_mean, strip.random_std or 0.0, (low, high))
        if strip.before is not None:
            axes.plot(strip.before, row, "o", ms=6.5, mfc="white", mec=BEFORE, mew=1.5, zorder=4)
        if strip.after is not None:
            axes.plot(strip.after, row, "o", ms=6.5, color=KEPT, mec="white", mew=0.7, zorder=5)


def _draw_random(axes: Any, row: int, mean: float, std: float, limits: tuple[float, float]) -> None:
    """A bar of one standard deviation with a tick at the mean; beyond the axis, an arrow with the number."""
    low, high = limits
    place = row + 0.26
    if low <= mean <= high:
        ends = [min(max(each, low), high) for each in (mean - std, mean + std)]
        axes.plot(ends, [place, place], color=RANDOM, linewidth=1.1, zorder=3, solid_capstyle="butt")
        axes.plot(mean, place, "|", ms=6, mew=1.6, color=RANDOM, zorder=3)
        return
    below = mean < low
    axes.plot(low if below else high, place, "<" if below else ">", ms=4, color=RANDOM, clip_on=False, zorder=3)
    axes.annotate(
        f"{mean:.1f}".replace("-", "−"),
        (low if below else high, place),
        xytext=(5 if below else -5, 0),
        textcoords="offset points",
        ha="left" if below else "right",
        va="center",
        fontsize=7,
        color=RANDOM,
    )


def _draw_distributions(axes: Any, strips: Sequence[FamilyStrip]) -> None:
    """Densities of all and of the kept values of each family, each row with a scale of its own."""
    everything = np.concatenate([strip.values for strip in strips])
    low, high = (float(each) for each in np.quantile(everything, (TAIL, 1 - TAIL)))
    margin = 0.04 * (high - low) or 0.5
    edges = np.linspace(low - margin, high + margin, BINS + 1)
    axes.set_xlim(edges[0], edges[-1])
    for row, strip in enumerate(strips):
        before, after = (_density(each, edges) for each in (strip.values, strip.kept))
        top = max(before.max(), after.max()) or 1.0
        base = row + OVERLAP / 2
        for density, look in (
            (before, {"facecolor": FULL_FACE, "edgecolor": "none", "zorder": 2}),
            (after, {"facecolor": KEPT_FACE, "edgecolor": KEPT, "linewidth": 0.9, "zorder": 3}),
        ):
            axes.stairs(base - OVERLAP * density / top, edges, baseline=base, fill=True, **look)
        axes.plot(edges[[0, -1]], [base, base], color=FRAME, linewidth=0.6, zorder=4)


def _density(values: FloatArray, edges: FloatArray) -> FloatArray:
    """Part of the values in each bin; those beyond the edges are counted but not drawn."""
    counts, _ = np.histogram(values, edges)
    return np.asarray(counts / max(1, len(values)), dtype=np.float64)


def _style(axes: Any, rows: int) -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(FRAME)
    axes.set_ylim(rows - 0.4, -0.6)  # the first row is the upper one
    axes.set_yticks([])
    axes.grid(axis="x", color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=8.5, color=FRAME, labelcolor=INK)


def _name_axes(left: Any, right: Any, picture: TrimPicture) -> None:
    unit = f" [{picture.unit}]" if picture.unit else ""
    left.set_xlabel("Differential entropy h [nat]", fontsize=9)
    right.set_xlabel(f"{spaced(picture.property)}{unit}", fontsize=9, parse_math=False)


def _write(axes: Any, x: float, row: float, text: str, **look: Any) -> None:
    axes.text(x, row, text, transform=axes.get_yaxis_transform(), va="center", parse_math=False, **look)


def _write_head(figure: Any, height: float, picture: TrimPicture, hidden: int) -> None:
    def up(inch: float) -> float:
        return 1 - inch / height

    write_title(figure, picture.title, picture.subtitle)
    keys = [("full table", "o", BEFORE, "white"), ("trimmed", "o", KEPT, KEPT)]
    if picture.random_trims:
        keys.append((f"random, mean ± std of {picture.random_trims}", "|", RANDOM, RANDOM))
    _draw_keys(figure, (KEYS_X, up(0.9)), keys)
    densities = [("density of the full table", "s", FULL_FACE, FULL_FACE), ("trimmed", "s", KEPT, KEPT_FACE)]
    _draw_keys(figure, (VALUE_AXES[0], up(0.9)), densities)
    figure.text(COUNT_X, up(0.9), "rows kept", fontsize=8, color=FAINT, va="center")
    if hidden:
        text = f"{hidden} families between the poorest and the richest are not drawn"
        figure.text(0.98, 0.09 / height, text, fontsize=7.5, color=FAINT, ha="right")


def _draw_keys(figure: Any, at: tuple[float, float], keys: Sequence[tuple[str, str, str, str]]) -> None:
    """Text, marker, colour and face of each key, from left to right."""
    from matplotlib.lines import Line2D

    x, y = at
    for text, marker, colour, face in keys:
        mark = Line2D([x + 0.006], [y], marker=marker, markersize=6, linestyle="", markeredgewidth=1.4)
        mark.set(markeredgecolor=colour, markerfacecolor=face)
        figure.add_artist(mark)
        figure.text(x + 0.016, y, text, fontsize=8, color=INK, va="center")
        x += 0.034 + KEY_CHARACTER * len(text)
