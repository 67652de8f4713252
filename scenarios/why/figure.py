"""An explanation as a picture: what was known, predicted and observed; and below it who was poor, and who is less so.

Where there are no families to compare, what was believed of effects stands below. Blue is what was known, vermillion
what was predicted, green what was observed (see `scenarios.display.figure_style`).
"""

from __future__ import annotations

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
    WIDTH_IN,
    save_figure,
    signed,
    spaced,
    style_axes,
    write_title,
)
from scenarios.display.labels import INK, shortened, with_unit
from scenarios.why.effects_panel import draw_effects_then, effects_to_draw
from scenarios.why.explanation import Explanation, FamilyAtDecision
from scenarios.why.phrases import (
    deviations_in_words,
    entropy_of,
    prediction_in_words,
    quantity,
    shown_rows,
    starved_first,
)

FloatArray = NDArray[np.float64]

LEFT_IN: Final = 0.85
"""Where the panels begin [inch]."""

RIGHT_IN: Final = 6.3
"""Where they end [inch]: the names need the rest."""

HEAD_IN: Final = 0.8
VALUES_IN: Final = 2.3
BETWEEN_IN: Final = 0.85
FOOT_IN: Final = 0.62
"""Heights from top to bottom [inch]: title, upper panel, the axis between the panels, the axis below."""

MAX_ROWS: Final = 24
"""Most families drawn."""

MAX_BINS: Final = 40
CURVE_POINTS: Final = 400
CURVE_HEIGHT: Final = 0.85
"""Height of the predicted distribution [panel]: it has its own scale, for a sharp one would dwarf the bars."""

MAX_TITLE: Final = 82
MAX_SUBTITLE: Final = 140
"""Longest lines of the title [character]: the width of the figure."""


def draw_explanation(path: Path, explanation: Explanation) -> None:
    """Draw an explanation.

    Args:
        path: PNG file to write, 1800 pixels wide.
        explanation: What to draw.

    Raises:
        StoreError: When the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    ordered = starved_first(explanation.then)
    rows = [ordered[at] for at in shown_rows(ordered, explanation.shown_family, MAX_ROWS)]
    effects = effects_to_draw(explanation)
    rows_in = ROW_IN * max(len(rows) if effects is None else len(effects.effects), 3)
    height = HEAD_IN + VALUES_IN + BETWEEN_IN + rows_in + FOOT_IN
    figure = Figure(figsize=(WIDTH_IN, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)  # measures the names
    left, width = LEFT_IN / WIDTH_IN, (RIGHT_IN - LEFT_IN) / WIDTH_IN
    upper = figure.add_axes((left, (height - HEAD_IN - VALUES_IN) / height, width, VALUES_IN / height))
    lower = figure.add_axes((left, FOOT_IN / height, width, rows_in / height))
    write_title(figure, _cut(_title(explanation), MAX_TITLE), _cut(_subtitle(explanation), MAX_SUBTITLE))
    _draw_values(upper, explanation)
    if effects is None:
        draw_families(lower, explanation, rows, len(ordered) - len(rows))
    else:
        draw_effects_then(lower, effects, explanation.unit, -LABEL_BELOW_IN / rows_in)
    save_figure(figure, path)


def _draw_values(axes: Any, explanation: Explanation) -> None:
    values = np.array(explanation.shown_values)
    value, (mean, std) = explanation.first.outcome.value, (explanation.prediction.mean, explanation.prediction.std)
    span = span_of(values, value, mean, std)
    style_axes(axes)
    axes.set_xlim(span.low, span.high)
    handles = [_draw_known(axes, values, span, _of_whom(explanation))]
    handles += _draw_prediction(axes, explanation)
    if value is not None:
        handles.append(_draw_observed(axes, explanation, value))
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(LABEL_X - 0.02, 1.02), fontsize=8, frameon=False,
                handlelength=1.4, labelspacing=0.9, labelcolor=INK)  # fmt: skip
    for text in axes.get_legend().get_texts():
        text.set_parse_math(False)
    axes.set_ylabel("Known values", fontsize=9)
    axes.set_xlabel(with_unit(spaced(explanation.property_name), explanation.unit or "1"), fontsize=9, parse_math=False)
    axes.xaxis.set_label_coords(0.5, -LABEL_BELOW_IN / VALUES_IN)


def _draw_known(axes: Any, values: FloatArray, span: Span, whose: str) -> Any:
    from matplotlib.patches import Patch

    inside = values[(values >= span.low) & (values <= span.high)]
    bins = int(np.clip(2 * np.ceil(np.sqrt(len(inside))), 8, MAX_BINS))
    counts = np.zeros(1)
    if len(inside):
        counts, _, _ = axes.hist(inside, bins=bins, range=(span.low, span.high), color=KNOWN, alpha=0.3, lw=0)
        axes.plot(inside, np.zeros(len(inside)), "|", color=KNOWN, markersize=9, markeredgewidth=0.7, clip_on=False)
    else:
        text = "No value was known"
        axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", fontsize=9, color=FAINT)
    axes.set_ylim(0, max(float(counts.max()) * 1.18, 1.0))
    axes.yaxis.get_major_locator().set_params(integer=True)
    words = f"{len(values):,} known value{'s' * (len(values) != 1)}\n{whose}"
    words += f"\n({span.beyond:,} beyond the axis)" if span.beyond else ""
    return Patch(color=KNOWN, alpha=0.4, lw=0, label=words)


def _draw_prediction(axes: Any, explanation: Explanation) -> list[Any]:
    mean, std = explanation.prediction.mean, explanation.prediction.std
    if mean is None:
        return []
    if std:
        x = mean + std * np.linspace(-4, 4, CURVE_POINTS)
        y = CURVE_HEIGHT * np.exp(-0.5 * ((x - mean) / std) ** 2)
        frame = axes.get_xaxis_transform()
        axes.fill_between(x, 0, y, transform=frame, color=PREDICTED, alpha=0.15, lw=0, zorder=3)
        axes.plot(x, y, transform=frame, color=PREDICTED, linewidth=1.4, zorder=4)
    line = axes.axvline(mean, ymax=CURVE_HEIGHT, color=PREDICTED, linewidth=1.2, linestyle=(0, (3, 2)), zorder=4)
    line.set_label(f"predicted\n{prediction_in_words(explanation)}\n(with a height of its own)" if std
                   else f"predicted\n{prediction_in_words(explanation)}")  # fmt: skip
    return [line]


def _draw_observed(axes: Any, explanation: Explanation, value: float) -> Any:
    axes.axvline(value, color=OBSERVED, linewidth=1.6, zorder=5)
    words = f"observed\n{quantity(value, explanation.unit)}"
    if explanation.deviations is not None:
        words += "\n" + deviations_in_words(explanation.deviations).replace(" deviations ", " deviations\n")
    (mark,) = axes.plot(
        [value],
        [1],
        "D",
        transform=axes.get_xaxis_transform(),
        color=OBSERVED,
        markersize=5,
        clip_on=False,
        label=words,
    )
    return mark


def _of_whom(explanation: Explanation) -> str:
    return f"of {shortened(explanation.shown_family)}" if explanation.shown_family is not None else "of all families"


def _title(explanation: Explanation) -> str:
    first = explanation.first.candidate
    more = f" and {len(explanation.chosen) - 1} more" if len(explanation.chosen) > 1 else ""
    return f"{explanation.campaign}: decision {explanation.decision} chose {first.formula or first.name}{more}"


def _subtitle(explanation: Explanation) -> str:
    return f"{explanation.policy}: {explanation.reason}"


def _cut(line: str, most: int) -> str:
    return line if len(line) <= most else line[: most - 1] + "…"


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


def draw_families(axes: Any, explanation: Explanation, rows: list[FamilyAtDecision], hidden: int) -> None:
    """Draw the entropy of every family then, the poorest first, and where the value took that of the choice.

    Args:
        axes: The panel; the canvas of its figure can measure text.
        explanation: What to draw.
        rows: The families, from top to bottom.
        hidden: How many more there were.
    """
    style_axes(axes)
    axes.grid(visible=False)
    axes.grid(axis="x", color=GRID, linewidth=0.7)
    axes.set_ylim(max(len(rows), 3) - 0.4, -0.6)
    axes.set_yticks([])
    chosen_family = explanation.first.candidate.family
    after = None if chosen_family is None else entropy_of(explanation.first.outcome.after, chosen_family)
    _set_entropy_limits(axes, [row.entropy for row in rows] + [after])
    for at, family in enumerate(rows):
        _draw_family(axes, at, family, is_target=family.name == explanation.shown_family)
        if family.name == chosen_family and after is not None:
            _draw_after(axes, at, family.entropy, after)
    axes.set_ylabel("Poorest first", fontsize=9)
    axes.set_xlabel(
        f"Differential entropy h of {spaced(explanation.property_name)} [nat]", fontsize=9, parse_math=False
    )
    axes.xaxis.set_label_coords(0.5, -LABEL_BELOW_IN / (ROW_IN * max(len(rows), 3)))
    note = _families_note(explanation, rows, hidden, drawn_after=after is not None)
    axes.annotate(
        note, xy=(0, 1), xycoords="axes fraction", xytext=(0, 5), textcoords="offset points", va="bottom",
        fontsize=7.5, color=FAINT, parse_math=False,
    )  # fmt: skip


def _draw_family(axes: Any, at: int, family: FamilyAtDecision, *, is_target: bool) -> None:
    colour = KNOWN if is_target else FRAME
    low, high = axes.get_xlim()
    figures = f"(n {family.size:,})"
    if family.entropy is None:
        axes.text(low, at, " not defined", fontsize=7.5, color=FAINT, va="center")
    else:
        axes.plot([low, high], [at, at], color=GRID, linewidth=0.7, zorder=1)
        face, size = "white" if family.excluded else colour, 7 if is_target else 5.5
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


def _families_note(explanation: Explanation, rows: list[FamilyAtDecision], hidden: int, *, drawn_after: bool) -> str:
    parts = ["Dots: what was known then"]
    if any(row.excluded for row in rows):
        parts.append("hollow: left out by then")
    if drawn_after:
        others = explanation.first.outcome.meanwhile
        parts.append("diamond: after its value" + (f" and {others} that had come since" if others else ""))
    if hidden:
        parts.append(f"{hidden} families between are not drawn")
    return "; ".join(parts)


FAR_OUT: Final = 10.0
"""Known values farther than this from the middle half are left off [its width]."""

PREDICTED_SPREAD: Final = 3.0
"""How much of the predicted distribution is shown on each side [predicted deviation]."""

WIDEST_PREDICTION: Final = 1.5
"""But on each side no more than this [width of the values]: a surrogate that knows nothing predicts anything."""

MARGIN: Final = 0.04
"""Empty on each side [width]."""


@dataclass(frozen=True, slots=True)
class Span:
    """Ends of the axis, and how many known values lie beyond."""

    low: float
    high: float
    beyond: int


def span_of(values: FloatArray, observed: float | None, mean: float | None, std: float | None) -> Span:
    """Return what to show of the axis.

    Args:
        values: Known values, ascending, shape (n,).
        observed: The observed value, always shown.
        mean: Predicted mean, always shown.
        std: Predicted deviation.
    """
    shown = np.array([x for x in (observed, mean) if x is not None])
    core = values
    if len(values):
        first, third = np.quantile(values, (0.25, 0.75))
        reach = FAR_OUT * (third - first)
        core = values[(values >= first - reach) & (values <= third + reach)] if reach else values
    points = np.concatenate((core, shown))
    if not len(points):
        return Span(0.0, 1.0, 0)
    low, high = float(points.min()), float(points.max())
    if mean is not None and std:
        reach = min(PREDICTED_SPREAD * std, WIDEST_PREDICTION * (high - low) or PREDICTED_SPREAD * std)
        low, high = min(low, mean - reach), max(high, mean + reach)
    pad = MARGIN * (high - low) or 0.05 * abs(low) or 0.5
    low, high = low - pad, high + pad
    return Span(low, high, int(((values < low) | (values > high)).sum()))
