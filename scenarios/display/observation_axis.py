"""What pictures of lines over observations share: how lines are told apart, how many points are drawn, and their axis.

A line has a colour, a mark and a style: who sees no colours, or prints in grey, tells lines by the marks, which stand
a few times along each line and again beside its name. matplotlib is used without its global state (no pyplot), and
imported only when something is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scenarios.display.figure_style import OKABE_ITO

FloatArray = NDArray[np.float64]

LINE_COLOURS: Final = (*OKABE_ITO[:-1], "#882255")
"""Of lines: wine in the place of black, which is the colour of runs (`scenarios.run.figure.ranges`) and of text."""

MARKS: Final = ("o", "s", "^", "D", "v", "P", "X")
"""One for each colour: disc, square, triangles, diamond, plus and cross."""

LINE_STYLES: Final = ("-", (0, (5, 1.6)))
"""The first seven lines are drawn through, the next seven dashed."""

MARKS_ALONG: Final = 6
"""How often the mark of a line stands along it..."""

MARK_SHIFTS: Final = len(MARKS)
"""...each line's a part of the way further, so that the marks of lines that lie over each other do not."""

MAX_DRAWN_STEPS: Final = 900
"""Most observations drawn of a trajectory: a pixel holds no more."""

OBSERVATION_LABEL: Final = "Observation"

COST_LABEL: Final = "Cost [unit of the budget]"
"""Of the axis where measurements have costs."""


class Look(NamedTuple):
    """How a line is told from others."""

    colour: str
    style: Any
    mark: str
    number: int


def look(index: int) -> Look:
    """Return how the index-th of several lines is drawn."""
    kinds = len(LINE_COLOURS)
    style = LINE_STYLES[index // kinds % len(LINE_STYLES)]
    return Look(LINE_COLOURS[index % kinds], style, MARKS[index % kinds], index)


def draw_marks(axes: Any, x: FloatArray, y: FloatArray, looks: Look, size: float = 4.0) -> None:
    """Draw the mark of a line along it, on the points nearest to even places; none where it is not defined."""
    known = np.flatnonzero(np.isfinite(y))
    if len(known) < 2:  # noqa: PLR2004 - a line needs two points
        return
    first, last = x[known[0]], x[known[-1]]
    shift = (looks.number % MARK_SHIFTS + 0.5) / MARK_SHIFTS
    places = first + (last - first) * (np.arange(MARKS_ALONG) + shift) / MARKS_ALONG
    at = np.unique(known[np.abs(x[known][:, None] - places).argmin(axis=0)])
    axes.plot(
        x[at], y[at], looks.mark, color=looks.colour, markersize=size, markeredgecolor="white", markeredgewidth=0.5,
        zorder=4,
    )  # fmt: skip


def last_defined(values: FloatArray) -> int | None:
    """Return the index of the last value that is not NaN."""
    defined = np.flatnonzero(~np.isnan(values))
    return int(defined[-1]) if len(defined) else None


def set_observation_limits(panels: Sequence[Any], observations: Sequence[FloatArray]) -> None:
    """Let panels share the observations from the first to the last of all lines, with whole numbers below."""
    ends = [(float(each[0]), float(each[-1])) for each in observations if len(each)] or [(0.0, 1.0)]
    low, high = min(start for start, _ in ends), max(end for _, end in ends)
    if low == high:
        low, high = max(0.0, low - 1), high + 1
    for axes in panels:
        axes.set_xlim(low, high)
        axes.xaxis.get_major_locator().set_params(integer=True)
