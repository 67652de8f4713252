"""The look that our figures share: size, colours, frame, title, and how a file is written.

Colours are those of M. Okabe and K. Ito, Color Universal Design (2008), told apart by colour-blind readers too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from protocols.storage.atomic_file import atomic_write
from scenarios.display.labels import INK

OKABE_ITO: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Without the yellow, which is lost on white."""

WIDTH_IN: Final = 9.0
"""Width of a figure [inch]: 1800 pixels at DPI."""

DPI: Final = 200
"""Resolution [dot/inch]: sharp in print and on dense screens."""

MAX_PROPERTY_LENGTH: Final = 40
"""Longest name of a property beside the axis [character]."""

GRID: Final = "#E4E4E4"
FRAME: Final = "#9A9A9A"
FAINT: Final = "#5A5A5A"
"""Colour of what is said in small letters: dark enough to be read on white (7:1)."""


def style_axes(axes: Any) -> None:
    """Draw only the left and the lower side of a panel, and a faint grid for its heights."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(FRAME)
    axes.grid(axis="y", color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=8.5, color=FRAME, labelcolor=INK)


def write_note(axes: Any, text: str) -> None:
    """Write small below the right end of a panel."""
    axes.annotate(
        text,
        xy=(1, 0),
        xycoords="axes fraction",
        xytext=(0, -7),
        textcoords="offset points",
        ha="right",
        va="top",
        fontsize=7.5,
        color=FAINT,
        parse_math=False,
    )


def write_title(figure: Any, title: str, subtitle: str) -> None:
    """Write what a figure shows, and below it what it comes to."""
    inch = 1 / figure.get_size_inches()[1]
    figure.text(0.02, 1 - 0.32 * inch, title, fontsize=13, fontweight="bold", color=INK, parse_math=False)
    figure.text(0.02, 1 - 0.56 * inch, subtitle, fontsize=9, color=FAINT, parse_math=False)


def signed(value: float) -> str:
    """Return a figure with three decimals and a real minus sign."""
    return f"{value:.3f}".replace("-", "−")


def spaced(name: str) -> str:
    """Return the name of a property as people write it, cut to what fits beside an axis."""
    return name.replace("_", " ")[:MAX_PROPERTY_LENGTH]


def save_figure(figure: Any, path: Path) -> None:
    """Write a PNG file, whole or not at all.

    Raises:
        StoreError: When it cannot be written.
    """
    with atomic_write(path) as file:
        # Without the program's version, the same trajectory gives the same bytes after an update.
        figure.savefig(file, format="png", dpi=DPI, metadata={"Software": None})
