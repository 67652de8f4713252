"""Small multiples: several figures of several policies against a common axis, each a mean with its band.

Every panel has the same policies in the same looks, so their names stand once; beside each line stands only where it
ended. A figure that is the same constant for all is said, not drawn. What is drawn was computed elsewhere: this file
knows nothing of policies, seeds or statistics.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from scenarios.display.figure_style import DPI, FAINT, WIDTH_IN, save_figure, style_axes, write_title
from scenarios.display.labels import INK, EndLabel, draw_end_labels, shortened
from scenarios.display.observation_axis import (
    MAX_DRAWN_STEPS,
    Look,
    draw_marks,
    last_defined,
    look,
    set_observation_limits,
)

FloatArray = NDArray[np.float64]

MAX_PANELS: Final = 12
"""Most panels in a figure: four rows fill a page."""

MAX_COLUMNS: Final = 3
"""Most panels in a row: narrower ones cannot be read at the width of a text."""

NAME_WIDTH_IN: Final = (0.62, 0.07)
"""What a name takes of a row above the panels: for its line and the gap, and for each character [inch]."""

BAND_SHARE: Final = 0.75
"""How far beyond the means a band may stretch an axis [height of the means]: wide bands of few seeds are cut."""

PANEL_HEIGHT_IN: Final = {1: 3.6, 2: 2.7, 3: 2.2}
"""Height of the axes of a panel, by columns [inch]..."""

LOW_PANEL_IN: Final = 1.75
"""...and where more than `TALL_ROWS` rows must fit a page."""

TALL_ROWS: Final = 3

SAME: Final = 1e-9
"""Two figures that differ by less, of their size or of 1, are one constant."""

LEFT_IN: Final = 0.62
"""What a panel needs left of its axes for numbers [inch]."""

RIGHT_IN: Final = {1: 0.85, 2: 0.6, 3: 0.5}
"""And right for where the lines end, by columns [inch]: the leaders grow with the axes."""

CONSTANTS_IN: Final = 0.76
"""Where it is said what is constant [inch from above]; it takes `CONSTANTS_LINE_IN`."""

CONSTANTS_LINE_IN: Final = 0.2

ABOVE_IN: Final = 0.52
"""What a panel needs above for title and remark [inch]."""

BELOW_IN: Final = 0.3
"""And below for its numbers [inch]."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A mean and its band; NaN where not defined.

    Attributes:
        x: Ascending, shape (k,).
        mean: Shape (k,).
        half_width: Of the band, shape (k,); zero for no band.
    """

    x: FloatArray
    mean: FloatArray
    half_width: FloatArray


@dataclass(frozen=True, slots=True)
class Panel:
    """One figure.

    Attributes:
        title: What it is, with its unit.
        remark: Below the title, muted ("lower is better").
        curves: By policy; the same policies in every panel.
        from_zero: Whether the axis begins at zero, unless a mean is below it.
    """

    title: str
    remark: str
    curves: Mapping[str, Curve]
    from_zero: bool = False


def draw_panels(
    path: Path, panels: Sequence[Panel], *, title: str, subtitle: str, x_label: str, columns: int | None = None
) -> None:
    """Draw up to `MAX_PANELS` panels, in the order given; further ones are counted in the subtitle.

    Args:
        path: PNG file to write, 1800 pixels wide.
        panels: At least one.
        title: What the picture shows.
        subtitle: What bands and lines mean.
        x_label: Below the last row.
        columns: Panels in a row, where the order of the panels has a meaning; else what fills the page.

    Raises:
        StoreError: When the file cannot be written.
    """
    from matplotlib.figure import Figure

    constants = [(panel, value) for panel in panels if (value := constant_of(panel)) is not None]
    if len(constants) == len(panels):
        constants = []  # a picture of nothing would say less
    said = {id(panel) for panel, _ in constants}
    varying = [panel for panel in panels if id(panel) not in said]
    drawn = varying[:MAX_PANELS]
    if len(varying) > MAX_PANELS:
        subtitle += f"; {len(varying) - MAX_PANELS} further panels are not drawn"
    names = list(dict.fromkeys(name for panel in drawn for name in panel.curves))
    grid = _Grid.of(len(drawn), names, columns, has_constants=bool(constants))
    figure = Figure(figsize=(WIDTH_IN, grid.height_in), dpi=DPI, facecolor="white")
    looks = {name: look(index) for index, name in enumerate(names)}
    for index, panel in enumerate(drawn):
        axes = figure.add_axes(grid.axes_of(index))
        set_observation_limits((axes,), [curve.x for each in drawn for curve in each.curves.values()])
        _draw_panel(axes, panel, looks)
        if index + grid.columns >= len(drawn):  # nothing below it
            axes.set_xlabel(x_label, fontsize=8.5, color=INK)
    _write_names(figure, grid, looks)
    write_title(figure, title, subtitle)
    if constants:
        text = constants_in_words(constants)
        figure.text(0.02, 1 - CONSTANTS_IN / grid.height_in, text, fontsize=8.5, color=FAINT, parse_math=False)
    save_figure(figure, path)


def constant_of(panel: Panel) -> float | None:
    """Return the one figure that all policies have at all observations; None where it changes, or there are too few."""
    means = _known(curve.mean for curve in panel.curves.values())
    if len(means) <= len(panel.curves):  # a point of each is no course
        return None
    low, high = float(means.min()), float(means.max())
    return high if high - low <= SAME * max(1.0, abs(high)) else None


def constants_in_words(constants: Sequence[tuple[Panel, float]]) -> str:
    """Say what is constant: "The same throughout: Coverage 1.000"."""
    return f"The same throughout, and not drawn: {', '.join(f'{_called(each, value)}' for each, value in constants)}"


def _called(panel: Panel, value: float) -> str:
    name, _, unit = panel.title.partition(" [")
    return f"{name} {_number(np.array([value]))} {unit.rstrip(']')}".rstrip()


def thinned(curve: Curve) -> Curve:
    """Return the curve with at most `MAX_DRAWN_STEPS` evenly spaced points, first and last among them."""
    if len(curve.x) <= MAX_DRAWN_STEPS:
        return curve
    kept = np.unique(np.linspace(0, len(curve.x) - 1, MAX_DRAWN_STEPS).round().astype(int))
    return Curve(curve.x[kept], curve.mean[kept], curve.half_width[kept])


@dataclass(frozen=True, slots=True)
class _Grid:
    """Where things are: the names in the free cell of the last row if there is one, else above the panels."""

    columns: int
    rows: int
    names_in_cell: bool
    has_constants: bool
    places: tuple[tuple[float, int], ...]
    """Of each name above the panels: its left end [inch] and its row."""

    @classmethod
    def of(cls, panels: int, names: Sequence[str], columns: int | None = None, *, has_constants: bool = False) -> _Grid:
        fitting = 2 if panels == MAX_COLUMNS + 1 else min(max(panels, 1), MAX_COLUMNS)
        columns = fitting if columns is None else min(columns, max(panels, 1))
        rows = ceil(max(panels, 1) / columns)
        free = rows * columns > panels > 0
        return cls(columns, rows, free, has_constants, () if free else tuple(_in_rows(names)))

    @property
    def top_in(self) -> float:
        """Height of title, subtitle and names."""
        return self.names_top_in + 0.24 * (self.places[-1][1] + 1 if self.places else 0)

    @property
    def names_top_in(self) -> float:
        """Height of title, subtitle and what is constant."""
        return 0.7 + CONSTANTS_LINE_IN * self.has_constants

    @property
    def panel_height_in(self) -> float:
        return LOW_PANEL_IN if self.rows > TALL_ROWS else PANEL_HEIGHT_IN[self.columns]

    @property
    def height_in(self) -> float:
        return self.top_in + self.rows * (ABOVE_IN + self.panel_height_in + BELOW_IN) + 0.2

    def axes_of(self, index: int) -> tuple[float, float, float, float]:
        """Return left, bottom, width and height of the axes of a cell, as parts of the figure."""
        row, column = divmod(index, self.columns)
        width = (WIDTH_IN - 0.1) / self.columns
        left = column * width + LEFT_IN
        top = self.top_in + row * (ABOVE_IN + self.panel_height_in + BELOW_IN) + ABOVE_IN
        return (
            left / WIDTH_IN,
            1 - (top + self.panel_height_in) / self.height_in,
            (width - LEFT_IN - RIGHT_IN[self.columns]) / WIDTH_IN,
            self.panel_height_in / self.height_in,
        )


def _draw_panel(axes: Any, panel: Panel, looks: Mapping[str, Look]) -> None:
    labels = []
    for name, given in panel.curves.items():
        curve, (colour, style, mark, _) = thinned(given), looks[name]
        axes.plot(curve.x, curve.mean, color=colour, linestyle=style, linewidth=1.6, zorder=3)
        draw_marks(axes, curve.x, curve.mean, looks[name])
        low, high = curve.mean - curve.half_width, curve.mean + curve.half_width
        axes.fill_between(curve.x, low, high, color=colour, alpha=0.13, lw=0)
        if (end := last_defined(curve.mean)) is not None:
            axes.plot(curve.x[end], curve.mean[end], mark, color=colour, markersize=3.5, zorder=6, clip_on=False)
            labels.append(EndLabel(curve.x[end], curve.mean[end], _number(curve.mean[: end + 1]), colour, mark=mark))
    style_axes(axes)
    axes.tick_params(labelsize=8)
    axes.set_ylim(*_limits(panel))
    draw_end_labels(axes, labels, 8.0)
    for text, points, weight, colour, above_pt in (
        (panel.title, 9.5, "bold", INK, 19),
        (panel.remark, 8, "normal", FAINT, 7),
    ):
        axes.annotate(
            text,
            xy=(0, 1),
            xycoords="axes fraction",
            xytext=(0, above_pt),
            textcoords="offset points",
            fontsize=points,
            fontweight=weight,
            color=colour,
            parse_math=False,
        )
    if not labels:
        text = "not defined"
        axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", fontsize=9, color=FAINT)


def _limits(panel: Panel) -> tuple[float, float]:
    """Return the ends of the axis: all of the means, and of the bands what does not flatten them."""
    means = _known(curve.mean for curve in panel.curves.values())
    if not len(means):
        return 0.0, 1.0
    lowest, high = float(means.min()), float(means.max())
    low = lowest
    reach = BAND_SHARE * (high - low)
    lows = _known(curve.mean - curve.half_width for curve in panel.curves.values())
    highs = _known(curve.mean + curve.half_width for curve in panel.curves.values())
    low = max(float(lows.min()), low - reach)
    high = min(float(highs.max()), high + reach)
    margin = 0.06 * (high - low) or 0.05 * abs(high) or 0.5
    return (0.0 if panel.from_zero and lowest >= 0.0 else low - margin), high + margin


def _known(arrays: Iterable[FloatArray]) -> FloatArray:
    joined: FloatArray = np.concatenate([np.empty(0), *arrays])
    finite: FloatArray = joined[np.isfinite(joined)]
    return finite


def _write_names(figure: Any, grid: _Grid, looks: Mapping[str, Look]) -> None:
    """Write the policies beside a piece of their line: down the free cell, or in rows above the panels."""
    from matplotlib.lines import Line2D

    left, bottom, _, height = grid.axes_of(grid.columns * grid.rows - 1)
    for index, (name, (colour, style, mark, _)) in enumerate(looks.items()):
        if grid.names_in_cell:
            x, y = left, bottom + height - (0.1 + 0.24 * index) / grid.height_in
        else:
            from_left_in, row = grid.places[index]
            x, y = from_left_in / WIDTH_IN, 1 - (grid.names_top_in + 0.14 + 0.24 * row) / grid.height_in
        piece = Line2D([x, x + 0.028], [y, y], color=colour, linestyle=style, linewidth=2.2, solid_capstyle="butt")
        figure.add_artist(piece)
        figure.add_artist(Line2D([x + 0.014], [y], marker=mark, color=colour, linestyle="", markersize=5.5))
        figure.text(x + 0.036, y, shortened(name), fontsize=9, color=INK, va="center", parse_math=False)


def _in_rows(names: Sequence[str]) -> Iterator[tuple[float, int]]:
    """Yield the left end [inch] and the row of each name, as words fill lines."""
    begin = 0.02 * WIDTH_IN  # below the title
    left, row = begin, 0
    for name in names:
        width = NAME_WIDTH_IN[0] + NAME_WIDTH_IN[1] * len(shortened(name))
        if left + width > WIDTH_IN and left > begin:
            left, row = begin, row + 1
        yield left, row
        left += width


def _number(curve: FloatArray) -> str:
    """Write the last value of a curve with the digits that the margin holds; none after the point where it counts."""
    known = curve[np.isfinite(curve)]
    counts = bool(known[-1] > 1.0 and (known == np.round(known)).all())
    return f"{known[-1]:.{0 if counts else 3}f}"[:6].rstrip(".").replace("-", "−")
