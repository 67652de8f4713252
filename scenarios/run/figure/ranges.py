"""The range between the richest and the poorest family, of a run and of those it is compared with.

Runs are black and grey: colours mean families.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from scenarios.display.figure_style import FAINT, style_axes
from scenarios.display.labels import EndLabel, draw_end_labels, shortened
from scenarios.display.observation_axis import last_defined
from scenarios.run.figure.curves import Curves

THIS_RUN: Final = "#111111"
"""Colour of the run that the picture is of."""

OTHERS: Final = ("#7A7A7A", "#555555", "#9A9A9A")
"""Of those it is compared with..."""

OTHER_STYLES: Final[tuple[Any, ...]] = ((0, (5, 1.6)), (0, (1, 1.3)), (0, (6, 1.5, 1, 1.5)))
"""...which are dashed, dotted, or both..."""

OTHER_MARKS: Final = ("s", "^", "D")
"""...and have marks of their own."""

LABEL_SIZE: Final = 8.5
"""Size of the names [point]."""

RANGE_LABEL: Final = "Entropy range,\nrichest − poorest [nat]"


def run_look(index: int) -> tuple[str, Any, str]:
    """Return colour, style and mark of the index-th run; the first is the one that the picture is of."""
    if index == 0:
        return THIS_RUN, "-", "o"
    at = (index - 1) % len(OTHERS)
    return OTHERS[at], OTHER_STYLES[at], OTHER_MARKS[at]


def range_labels(curves: Sequence[tuple[str, Curves]]) -> list[EndLabel]:
    """Return the names of the runs with the range they ended at."""
    labels = []
    for index, (name, each) in enumerate(curves):
        colour, _, mark = run_look(index)
        if (end := last_defined(each.range)) is not None:
            text = f"{shortened(name)} {each.range[end]:.3f}"
            labels.append(EndLabel(each.observations[end], each.range[end], text, colour, bold=index == 0, mark=mark))
    return labels


def draw_ranges(axes: Any, curves: Sequence[tuple[str, Curves]]) -> None:
    """Draw the ranges of runs over each other, a ring at the best of each; its horizontal limits are set."""
    for index, (_, each) in enumerate(curves):
        (colour, style, mark), own = run_look(index), index == 0
        if (end := last_defined(each.range)) is None:
            continue
        width = 2.0 if own else 1.3
        axes.plot(each.observations, each.range, color=colour, linestyle=style, linewidth=width, zorder=5 - own)
        axes.plot(each.observations[end], each.range[end], mark, color=colour, markersize=4, zorder=6, clip_on=False)
        best = int(np.nanargmin(each.range))
        axes.plot(each.observations[best], each.range[best], "o", mfc="white", mec=colour, markersize=4.5, zorder=5.5)
    style_axes(axes)
    top = axes.dataLim.y1
    axes.set_ylim(0, top * 1.08 if np.isfinite(top) and top > 0 else 1)
    axes.set_ylabel(RANGE_LABEL, fontsize=9)
    labels = range_labels(curves)
    draw_end_labels(axes, labels, LABEL_SIZE)
    if not labels:
        text = "A gap needs two families with a defined entropy"
        axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", fontsize=9, color=FAINT)
