"""The families of a run as a table whose columns stand still.

Their widths follow from all names, not from what is shown, and the mark of the poorest has a column of its own.
"""

from __future__ import annotations

import math
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agent.entropy.bias import BiasPoint
from scenarios.run.live.words import clean, is_number, nat
from scenarios.run.summary.points import starved_first

NAME_CELLS: Final = (10, 23)
"""Least and greatest width of the names: with the greatest a row fills 80 columns."""

BAR_CELLS: Final = 16
"""Width of an entropy bar [cell]."""

EIGHTHS: Final = " ▏▎▍▌▋▊▉█"
"""A cell filled by eighths."""

STARVED: Final = "◂"
"""Marks the poorest family, in a column of its own."""


def families_table(bias: BiasPoint, before: BiasPoint | None, rows: int) -> RenderableType:
    """Lay the families out in up to `rows` rows; of more, the richest are counted.

    Args:
        bias: The bias now.
        before: That of the start set.
        rows: At least 2.
    """
    longest = max(len(clean(name)) for name in bias.families)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("family", no_wrap=True, overflow="ellipsis", width=min(max(longest, NAME_CELLS[0]), NAME_CELLS[1]))
    table.add_column("", width=1)
    table.add_column("size", justify="right", no_wrap=True, min_width=5)
    table.add_column(Text("entropy [nat]"), justify="right", no_wrap=True)
    table.add_column("spread vs richest", no_wrap=True, min_width=BAR_CELLS)
    table.add_column("since start", justify="right", no_wrap=True)
    order = starved_first(bias)
    fits = len(order) <= rows
    # In their own order, names stay in place between two redraws; folded, the poorest matter.
    shown = range(len(order)) if fits else order[: rows - 1]
    richest = max((h for h in bias.entropies if is_number(h)), default=None, key=float)  # type: ignore[arg-type]
    start = {} if before is None else dict(zip(before.families, before.entropies, strict=False))
    for position in shown:
        name, h = bias.families[position], bias.entropies[position]
        style = "bold yellow" if name == bias.starved_family else ""
        table.add_row(
            Text(clean(name), style),
            Text(STARVED if style else "", style),
            str(bias.sizes[position]),
            nat(h),
            Text(bar(h, richest), "blue"),
            _change(start.get(name), h),
        )
    return table if fits else Group(table, Text(f"… {len(order) - rows + 1} richer families", "dim"))


def bar(h: float | None, richest: float | None) -> str:
    """A bar of length exp(h − h_max): e^h is the width of the uniform distribution that has entropy h."""
    if h is None or richest is None or not is_number(h):
        return ""
    eighths = round(math.exp(min(h - richest, 0.0)) * BAR_CELLS * 8)
    return "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()


def _change(start: float | None, h: float | None) -> Text:
    if h is None or not is_number(h):
        return Text("")
    if start is None or not is_number(start):
        return Text("new", "green")
    change = h - start
    return Text(f"{change:+.3f}".replace("-", "−"), "green" if change > 0 else "red" if change < 0 else "dim")
