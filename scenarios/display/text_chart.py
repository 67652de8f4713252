"""A line in characters, for a terminal: eight dots a cell (Braille), with the ends of its axes.

It takes any numbers, and leaves a gap where one is not finite.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

BLANK: Final = 0x2800
"""The cell without a dot; the dots are bits above it."""

DOTS: Final = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bits of the dots of a cell: four rows of two."""

LEAST_LABEL: Final = 7
"""Least width of the numbers before the line [cell], so that lines below each other begin alike."""

EDGE: Final = " ┤"
"""Between numbers and line."""

LEAST_CELLS: Final = 4
"""Narrower or lower nothing can be seen [cell]."""


def text_chart(x: Sequence[float], y: Sequence[float | None], width: int, height: int, *, mark: int = -1) -> list[str]:
    """Return a line as rows of text of one width, its highest and lowest number before it.

    Args:
        x: Ascending, length n.
        y: Length n; None or not finite where there is none.
        width: Of all [cell].
        height: Of all, the axis below included [line].
        mark: Index of the point that is marked by a line through all rows; -1 for none.
    """
    known = [(a, b) for a, b in zip(x, y, strict=True) if b is not None and math.isfinite(a) and math.isfinite(b)]
    if not known:
        return []
    x_low, x_high = known[0][0], known[-1][0]
    y_low, y_high = min(b for _, b in known), max(b for _, b in known)
    label = max(LEAST_LABEL, len(_number(y_low)), len(_number(y_high)))
    cells, rows = width - label - len(EDGE), height - 1
    if cells < LEAST_CELLS or rows < 2:  # noqa: PLR2004 - a line needs two rows
        return []
    grid = [[BLANK] * cells for _ in range(rows)]
    for column, row in _dots(known, (x_low, x_high), (y_low, y_high), (cells * 2, rows * 4)):
        grid[row // 4][column // 2] |= DOTS[row % 4][column % 2]
    if 0 <= mark < len(x) and x_low <= x[mark] <= x_high:
        at = round(_part(x[mark], x_low, x_high) * (cells - 1))
        for line in grid:
            line[at] = line[at] if line[at] != BLANK else ord("│")
    lines = ["".join(map(chr, line)) for line in grid]
    labels = [_number(y_high), *[""] * (rows - 2), _number(y_low)]
    drawn = [f"{each:>{label}}{EDGE}{line}" for each, line in zip(labels, lines, strict=True)]
    ends = f"{x_low:g}".ljust(cells - len(f"{x_high:g}")) + f"{x_high:g}"
    return [*drawn, " " * (label + len(EDGE)) + ends[:cells]]


def _dots(
    known: Sequence[tuple[float, float]], x: tuple[float, float], y: tuple[float, float], size: tuple[int, int]
) -> set[tuple[int, int]]:
    """Return column and row of each dot: steps, which hold until the next point."""
    width, height = size
    dots, before = set(), None
    for a, b in known:
        column = round(_part(a, *x) * (width - 1))
        row = round((1.0 - _part(b, *y)) * (height - 1))
        if before is not None:
            dots |= {(each, before[1]) for each in range(before[0], column + 1)}
            dots |= {(column, each) for each in range(min(before[1], row), max(before[1], row) + 1)}
        dots.add((column, row))
        before = (column, row)
    return dots


def _part(value: float, low: float, high: float) -> float:
    """Return where a value lies between two others, from 0 to 1."""
    return min(max((value - low) / (high - low), 0.0), 1.0) if high > low else 0.0


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")
