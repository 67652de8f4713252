"""An explanation as a picture: what was known, predicted and observed; and below it who was poor, and who is less so.

Blue is what was known, vermillion what was predicted, green what was observed (see `agent.report.look`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from agent.report.labels import INK, shortened
from agent.report.look import DPI, FAINT, WIDTH_IN, save_figure, spaced, style_axes, write_title
from agent.why.explanation import Explanation
from agent.why.figure_families import KNOWN, LABEL_BELOW_IN, LABEL_X, OBSERVED, PREDICTED, ROW_IN, draw_families
from agent.why.phrases import deviations_in_words, poorest_first, prediction_in_words, quantity, shown_rows
from agent.why.span import Span, span_of

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


def draw_explanation(path: Path, told: Explanation) -> None:
    """Draw an explanation.

    Args:
        path: PNG file to write, 1800 pixels wide.
        told: What to draw.

    Raises:
        StoreError: When the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    ordered = poorest_first(told.then)
    rows = [ordered[at] for at in shown_rows(ordered, told.shown_family, MAX_ROWS)]
    rows_in = ROW_IN * max(len(rows), 3)
    height = HEAD_IN + VALUES_IN + BETWEEN_IN + rows_in + FOOT_IN
    figure = Figure(figsize=(WIDTH_IN, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)  # measures the names
    left, width = LEFT_IN / WIDTH_IN, (RIGHT_IN - LEFT_IN) / WIDTH_IN
    upper = figure.add_axes((left, (height - HEAD_IN - VALUES_IN) / height, width, VALUES_IN / height))
    lower = figure.add_axes((left, FOOT_IN / height, width, rows_in / height))
    write_title(figure, _cut(_title(told), MAX_TITLE), _cut(_subtitle(told), MAX_SUBTITLE))
    _draw_values(upper, told)
    draw_families(lower, told, rows, len(ordered) - len(rows))
    save_figure(figure, path)


def _draw_values(axes: Any, told: Explanation) -> None:
    values = np.array(told.shown_values)
    value, (mean, std) = told.first.outcome.value, (told.prediction.mean, told.prediction.std)
    span = span_of(values, value, mean, std)
    style_axes(axes)
    axes.set_xlim(span.low, span.high)
    handles = [_draw_known(axes, values, span, _of_whom(told))]
    handles += _draw_prediction(axes, told)
    if value is not None:
        handles.append(_draw_observed(axes, told, value))
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(LABEL_X - 0.02, 1.02), fontsize=8, frameon=False,
                handlelength=1.4, labelspacing=0.9, labelcolor=INK)  # fmt: skip
    for text in axes.get_legend().get_texts():
        text.set_parse_math(False)
    axes.set_ylabel("Known values", fontsize=9)
    axes.set_xlabel(f"{spaced(told.property_name)} [{told.unit or '1'}]", fontsize=9, parse_math=False)
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


def _draw_prediction(axes: Any, told: Explanation) -> list[Any]:
    mean, std = told.prediction.mean, told.prediction.std
    if mean is None:
        return []
    if std:
        x = mean + std * np.linspace(-4, 4, CURVE_POINTS)
        y = CURVE_HEIGHT * np.exp(-0.5 * ((x - mean) / std) ** 2)
        frame = axes.get_xaxis_transform()
        axes.fill_between(x, 0, y, transform=frame, color=PREDICTED, alpha=0.15, lw=0, zorder=3)
        axes.plot(x, y, transform=frame, color=PREDICTED, linewidth=1.4, zorder=4)
    line = axes.axvline(mean, ymax=CURVE_HEIGHT, color=PREDICTED, linewidth=1.2, linestyle=(0, (3, 2)), zorder=4)
    line.set_label(f"predicted\n{prediction_in_words(told)}\n(with a height of its own)" if std
                   else f"predicted\n{prediction_in_words(told)}")  # fmt: skip
    return [line]


def _draw_observed(axes: Any, told: Explanation, value: float) -> Any:
    axes.axvline(value, color=OBSERVED, linewidth=1.6, zorder=5)
    words = f"observed\n{quantity(value, told.unit)}"
    if told.deviations is not None:
        words += "\n" + deviations_in_words(told.deviations).replace(" deviations ", " deviations\n")
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


def _of_whom(told: Explanation) -> str:
    return f"of {shortened(told.shown_family)}" if told.shown_family is not None else "of all families"


def _title(told: Explanation) -> str:
    first = told.first.candidate
    more = f" and {len(told.chosen) - 1} more" if len(told.chosen) > 1 else ""
    return f"{told.campaign}: decision {told.decision} chose {first.formula or first.candidate_id}{more}"


def _subtitle(told: Explanation) -> str:
    return f"{told.policy}: {told.reason}"


def _cut(line: str, most: int) -> str:
    return line if len(line) <= most else line[: most - 1] + "…"
