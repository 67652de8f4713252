"""What every picture shares: colours, sizes, axes, titles, and the file that is there whole or not at all.

Colours are those of M. Okabe and K. Ito, Color Universal Design (2008), told apart by colour-blind readers too; beyond
them, lines differ by style. matplotlib is used without its global state (no pyplot), and imported only when something
is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from agent.report.labels import INK
from agent.report.whole_file import written_whole

FloatArray = NDArray[np.float64]

OKABE_ITO: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Without the yellow, which is lost on white."""

LINE_STYLES: Final = ("-", (0, (5, 1.6)))
"""The first seven families are drawn through, the next seven dashed."""

MAX_DRAWN_STEPS: Final = 900
"""Most steps drawn of a trajectory: a pixel holds no more."""

WIDTH_IN: Final = 9.0
"""Width of a figure [inch]: 1800 pixels at DPI."""

DPI: Final = 200
"""Resolution [dot/inch]: sharp in print and on dense screens."""

GRID: Final = "#E4E4E4"
STEP_LABEL: Final = "Step (results accepted)"
MUTED: Final = "#5A5A5A"
"""Colour of remarks."""


def look(index: int) -> tuple[str, Any]:
    """Return colour and line style of the index-th of several lines."""
    return OKABE_ITO[index % len(OKABE_ITO)], LINE_STYLES[index // len(OKABE_ITO) % len(LINE_STYLES)]


def last_defined(values: FloatArray) -> int | None:
    """Return the index of the last value that is not NaN."""
    defined = np.flatnonzero(~np.isnan(values))
    return int(defined[-1]) if len(defined) else None


def set_step_limits(panels: Sequence[Any], steps: Sequence[FloatArray]) -> None:
    """Let panels share the steps from the first to the last of all lines, with whole numbers below."""
    ends = [(float(each[0]), float(each[-1])) for each in steps if len(each)] or [(0.0, 1.0)]
    low, high = min(start for start, _ in ends), max(end for _, end in ends)
    if low == high:
        low, high = low - 1, high + 1
    for axes in panels:
        axes.set_xlim(low, high)
        axes.xaxis.get_major_locator().set_params(integer=True)


def style_axes(axes: Any) -> None:
    """Take away what carries no meaning, and let the rest step back."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color("#9A9A9A")
    axes.grid(axis="y", color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=8.5, color="#9A9A9A", labelcolor=INK)


def write_title(figure: Any, title: str, subtitle: str) -> None:
    """Write title and subtitle at the upper left, at the same distance in a figure of any height."""
    inch = 1 / figure.get_size_inches()[1]
    figure.text(0.02, 1 - 0.32 * inch, title, fontsize=13, fontweight="bold", color=INK, parse_math=False)
    figure.text(0.02, 1 - 0.56 * inch, subtitle, fontsize=9, color="#5A5A5A", parse_math=False)


def save(figure: Any, path: Path) -> None:
    """Write a PNG.

    Raises:
        StoreError: When the file cannot be written.
    """
    with written_whole(path) as file:
        # Without the program's version, the same trajectory gives the same bytes after an update.
        figure.savefig(file, format="png", dpi=DPI, metadata={"Software": None})
