"""The lower panel of the figure of a decision: the families, the poorest first."""

from __future__ import annotations

from typing import Any, Final

from agent.report.labels import INK, shortened
from agent.report.look import DPI, FAINT, FRAME, GRID, WIDTH_IN, signed, spaced, style_axes
from agent.why.explanation import Explanation, FamilyThen
from agent.why.phrases import entropy_of

KNOWN: Final = "#0072B2"
PREDICTED: Final = "#D55E00"
OBSERVED: Final = "#009E73"

EDGE_IN: Final = 0.06
"""Left free at the edge [inch]."""

LABEL_BELOW_IN: Final = 0.3
"""Where the label of an axis stands below it [inch]."""

ROW_IN: Final = 0.24
"""Height of a family's row [inch]: a name of 8 points, and air."""

ROOM_RIGHT_UNTIL: Final = 0.85
"""Up to where a figure fits right of its mark [panel width]; beyond, it stands on the left."""

LABEL_X: Final = 1.035
"""Where names begin [panel width]."""


def draw_families(axes: Any, told: Explanation, rows: list[FamilyThen], hidden: int) -> None:
    """Draw the entropy of every family then, the poorest first, and where the value took that of the choice.

    Args:
        axes: The panel; the canvas of its figure can measure text.
        told: What to draw.
        rows: The families, from top to bottom.
        hidden: How many more there were.
    """
    style_axes(axes)
    axes.grid(visible=False)
    axes.grid(axis="x", color=GRID, linewidth=0.7)
    axes.set_ylim(max(len(rows), 3) - 0.4, -0.6)
    axes.set_yticks([])
    chosen_family = told.first.candidate.family
    after = None if chosen_family is None else entropy_of(told.first.outcome.after, chosen_family)
    _set_entropy_limits(axes, [row.entropy for row in rows] + [after])
    for at, family in enumerate(rows):
        _draw_family(axes, at, family, is_target=family.name == told.shown_family)
        if family.name == chosen_family and after is not None:
            _draw_after(axes, at, family.entropy, after)
    axes.set_ylabel("Poorest first", fontsize=9)
    axes.set_xlabel(f"Differential entropy h of {spaced(told.property_name)} [nat]", fontsize=9, parse_math=False)
    axes.xaxis.set_label_coords(0.5, -LABEL_BELOW_IN / (ROW_IN * max(len(rows), 3)))
    note = _families_note(told, rows, hidden, drawn_after=after is not None)
    axes.annotate(
        note, xy=(0, 1), xycoords="axes fraction", xytext=(0, 5), textcoords="offset points", va="bottom",
        fontsize=7.5, color=FAINT, parse_math=False,
    )  # fmt: skip


def _draw_family(axes: Any, at: int, family: FamilyThen, *, is_target: bool) -> None:
    colour = KNOWN if is_target else FRAME
    low, high = axes.get_xlim()
    figures = f"(n {family.size:,})"
    if family.entropy is None:
        axes.text(low, at, " not defined", fontsize=7.5, color=FAINT, va="center")
    else:
        axes.plot([family.entropy, high], [at, at], color=colour, linewidth=0.7, alpha=0.5, zorder=1)
        face, size = "white" if family.left_out else colour, 7 if is_target else 5.5
        axes.plot(family.entropy, at, "o", color=colour, markerfacecolor=face, markersize=size, zorder=4)
        figures = f"{signed(family.entropy)} {figures}"
    text = axes.text(
        LABEL_X, at, "", transform=axes.get_yaxis_transform(), fontsize=8, color=INK, va="center",
        fontweight="bold" if is_target else "normal", parse_math=False,
    )  # fmt: skip
    _write_fitting(text, shortened(family.name), figures)


def _write_fitting(text: Any, name: str, figures: str) -> None:
    """Write a name with its figures, and cut the name to what the margin holds in this font."""
    renderer = text.figure.canvas.get_renderer()
    text.set_text(f"{name} {figures}")
    while text.get_window_extent(renderer).x1 > (WIDTH_IN - EDGE_IN) * DPI and len(name) > 1:
        name = f"{name.removesuffix('…')[:-1]}…"
        text.set_text(f"{name} {figures}")


def _draw_after(axes: Any, at: int, before: float | None, after: float) -> None:
    if before is not None:
        axes.plot([before, after], [at, at], color=OBSERVED, linewidth=2, solid_capstyle="butt", zorder=3)
    axes.plot(after, at, "D", color=OBSERVED, markersize=5, zorder=5)
    low, high = axes.get_xlim()
    ends = [after] if before is None else [before, after]
    is_right = (max(ends) - low) / (high - low) < ROOM_RIGHT_UNTIL
    axes.annotate(
        f"→ {signed(after)}", xy=(max(ends) if is_right else min(ends), at), xytext=(7 if is_right else -7, 0),
        textcoords="offset points", ha="left" if is_right else "right", va="center", fontsize=8, color=INK, zorder=6,
        bbox={"boxstyle": "square,pad=0.15", "facecolor": "white", "edgecolor": "none"},
    )  # fmt: skip


def _set_entropy_limits(axes: Any, entropies: list[float | None]) -> None:
    defined = [h for h in entropies if h is not None]
    low, high = (min(defined), max(defined)) if defined else (0.0, 1.0)
    pad = 0.08 * (high - low) or 0.5
    axes.set_xlim(low - pad, high + pad)


def _families_note(told: Explanation, rows: list[FamilyThen], hidden: int, *, drawn_after: bool) -> str:
    parts = ["Dots: what was known then"]
    if any(row.left_out for row in rows):
        parts.append("hollow: left out by then")
    if drawn_after:
        others = told.first.outcome.meanwhile
        parts.append("diamond: after its value" + (f" and {others} that had come since" if others else ""))
    if hidden:
        parts.append(f"{hidden} families between are not drawn")
    return "; ".join(parts)
