"""The judged policy against every other, figure by figure: the mean difference with its interval, and its verdict.

Right of the line is better whatever the figure is, so that one look tells where a policy wins, and where it does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from math import ceil
from pathlib import Path
from typing import Any, Final

from scenarios.compare.measures import Contrast, Measure
from scenarios.display.figure_style import DPI, FAINT, FRAME, OKABE_ITO, WIDTH_IN, save_figure, write_title
from scenarios.display.labels import INK, shortened, titled

COLUMNS: Final = 3
"""Panels in a row."""

MAX_PANELS: Final = 18
"""Most figures drawn: six rows fill a page."""

ROW_IN: Final = 0.2
"""Height of the row of one policy [inch]."""

ABOVE_IN: Final = 0.5
"""What a panel needs above for its title [inch]."""

BELOW_IN: Final = 0.34
"""And below for its numbers [inch]."""

MAX_TITLE_LENGTH: Final = 44
"""Longest line above a panel [character]: what its width holds."""

TOP_IN: Final = 0.95
"""Title, subtitle and legend [inch]."""

LEFT_IN: Final = 0.95
"""Least room for the names of the policies, in the first column [inch]."""

CHARACTER_IN: Final = 0.068
"""What a character of a name takes [inch]."""

LOOKS: Final = {
    "better": (OKABE_ITO[2], "o", OKABE_ITO[2]),
    "bought": (OKABE_ITO[4], "D", OKABE_ITO[4]),
    "worse": (OKABE_ITO[1], "X", OKABE_ITO[1]),
    "not shown": ("#8A8A8A", "o", "white"),
}
"""Colour, mark and face of a verdict: discs, diamonds, crosses and rings are told apart without colours."""

LEGEND: Final = {
    "better": "better",
    "bought": "better, joint entropy worse: no success",
    "worse": "worse",
    "not shown": "not shown",
}
"""What the marks mean."""


def draw_differences(path: Path, contrasts: Sequence[Contrast], *, title: str, subtitle: str) -> None:
    """Draw a panel for each figure, up to `MAX_PANELS` of them.

    Args:
        path: PNG file to write, 1800 pixels wide.
        contrasts: At least one, figure by figure.
        title: What the picture shows.
        subtitle: Which tests and intervals these are.

    Raises:
        StoreError: When the file cannot be written.
    """
    from matplotlib.figure import Figure

    every = [list(of) for _, of in groupby(contrasts, key=lambda each: id(each.measure))]
    alike = [of for of in every if is_the_same(of)]
    if len(alike) == len(every):
        alike = []  # a picture of nothing would say less
    panels = [of for of in every if of not in alike][:MAX_PANELS]
    others = len(panels[0])
    rows = ceil(len(panels) / COLUMNS)
    panel_in = ROW_IN * (others + 0.6)
    height_in = TOP_IN + rows * (ABOVE_IN + panel_in + BELOW_IN)
    figure = Figure(figsize=(WIDTH_IN, height_in), dpi=DPI, facecolor="white")
    longest = max(len(shortened(each.other)) for each in panels[0])
    left_in = max(LEFT_IN, 0.1 + CHARACTER_IN * longest)
    width_in = (WIDTH_IN - left_in - 0.15) / COLUMNS
    for index, of_figure in enumerate(panels):
        row, column = divmod(index, COLUMNS)
        left = left_in + column * width_in + 0.06
        top = TOP_IN + row * (ABOVE_IN + panel_in + BELOW_IN) + ABOVE_IN
        place = (left / WIDTH_IN, 1 - (top + panel_in) / height_in, (width_in - 0.2) / WIDTH_IN, panel_in / height_in)
        _draw_panel(figure.add_axes(place), of_figure, named=column == 0)
    may_be_bought = any(each.joint is not None for each in contrasts)
    same = [titled(of[0].measure.label, "") for of in alike]
    _write_legend(figure, height_in, [name for name in LOOKS if name != "bought" or may_be_bought], same)
    write_title(figure, title, subtitle)
    save_figure(figure, path)


def is_the_same(of_figure: Sequence[Contrast]) -> bool:
    """Whether all policies have the very same figure with every seed: there is nothing to draw."""
    tests = [each.test for each in of_figure]
    return all(test.difference == 0.0 and (test.low, test.high) in {(0.0, 0.0), (None, None)} for test in tests)


def _draw_panel(axes: Any, of_figure: Sequence[Contrast], *, named: bool) -> None:
    measure = of_figure[0].measure
    sign = -1.0 if measure.lower_is_better else 1.0
    axes.axvline(0.0, color=FRAME, linewidth=0.9, zorder=1)
    for place, each in enumerate(of_figure):
        if each.test.difference is None:
            continue
        colour, mark, face = LOOKS[each.verdict]
        if each.test.low is not None and each.test.high is not None:
            ends = [sign * each.test.low, sign * each.test.high]
            axes.plot(ends, [place, place], color=colour, linewidth=2.0, solid_capstyle="butt", zorder=2)
        axes.plot([sign * each.test.difference], [place], mark, color=colour, mfc=face, markersize=5.5, zorder=3)
    axes.set_ylim(len(of_figure) - 0.4, -0.6)
    axes.set_yticks(range(len(of_figure)), [shortened(each.other) if named else "" for each in of_figure])
    axes.tick_params(labelsize=8, color=FRAME, labelcolor=INK, left=False)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(FRAME)
    axes.locator_params(axis="x", nbins=4)
    axes.margins(x=0.1)
    _write_titles(axes, measure)


def _write_titles(axes: Any, measure: Measure) -> None:
    """Write what the figure is, and below it of which model."""
    of_model = f"{measure.model} of {measure.target}".replace("_", " ") if measure.model else ""
    for text, weight, colour, above_pt in (
        (titled(measure.label, measure.unit), "bold", INK, 15),
        (shortened(of_model, MAX_TITLE_LENGTH), "normal", FAINT, 5),
    ):
        axes.annotate(
            text,
            xy=(0, 1),
            xycoords="axes fraction",
            xytext=(0, above_pt),
            textcoords="offset points",
            fontsize=8.5 if weight == "bold" else 7.5,
            fontweight=weight,
            color=colour,
            parse_math=False,
        )


def _write_legend(figure: Any, height_in: float, verdicts: Sequence[str], same: Sequence[str]) -> None:
    from matplotlib.lines import Line2D

    x, y = 0.02, 1 - 0.8 / height_in
    for verdict in verdicts:
        colour, mark, face = LOOKS[verdict]
        figure.add_artist(Line2D([x + 0.006], [y], marker=mark, color=colour, mfc=face, linestyle="", markersize=5.5))
        figure.text(x + 0.016, y, LEGEND[verdict], fontsize=8.5, color=INK, va="center")
        x += 0.04 + 0.0085 * len(LEGEND[verdict])
    text = "right of the line is better"
    text += f"\nthe same for all, not drawn: {', '.join(same)}" if same else ""
    figure.text(0.98, y, text, fontsize=8.5, color=FAINT, va="center", ha="right", parse_math=False)
