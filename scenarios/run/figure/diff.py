"""The picture of two runs: their entropies, a panel each on the same axes, and their ranges over each other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from scenarios.display.figure_style import DPI, WIDTH_IN, save_figure, spaced, write_title
from scenarios.display.labels import INK, right_margin, shortened
from scenarios.display.observation_axis import OBSERVATION_LABEL, set_observation_limits
from scenarios.run.figure import bias, families, family_rows, ranges
from scenarios.run.figure.curves import Curves
from scenarios.run.trajectory import Trajectory

PARTING: Final = "#333333"
"""Marks where two runs part."""

FAMILIES_IN: Final = 2.35
"""Least height of the entropies of one run [inch]."""

NAME_IN: Final = 0.5
"""Room above them for the run's name, and below for their note [inch]."""


def draw_diff(
    path: Path, runs: Mapping[str, Trajectory], parted_at: int | None, *, parted: str, title: str, subtitle: str
) -> None:
    """Draw the entropies of two runs, one panel each on the same axes, and their ranges over each other.

    Args:
        path: PNG file to write, 1800 pixels wide.
        runs: Both, by name.
        parted_at: Observation after which they chose differently; None where they never did.
        parted: What happened there.
        title: What the picture shows.
        subtitle: What it comes to.

    Raises:
        StoreError: When the file cannot be written.
    """
    from matplotlib.figure import Figure

    named = [(name, Curves.of(run)) for name, run in runs.items()]
    curves = [each for _, each in named]
    tall = [_height_in(each) for each in curves]
    height = 0.72 + sum(tall) + NAME_IN * len(named) + ranges_room_in()
    figure = Figure(figsize=(WIDTH_IN, height), dpi=DPI, facecolor="white")
    right = min(bias.families_right(each) for each in curves)
    right = min(right, right_margin(bias.LEFT_MARGIN, WIDTH_IN, ranges.range_labels(named), ranges.LABEL_SIZE))
    left, width = bias.LEFT_MARGIN, right - bias.LEFT_MARGIN
    lower = figure.add_axes((left, bias.FOOT_IN / height, width, bias.RANGES_IN / height))
    panels, top = [], 0.72
    for each in tall:
        top += NAME_IN + each
        panels.append(figure.add_axes((left, 1 - (top - 0.2) / height, width, each / height), sharex=lower))
    set_observation_limits((*panels, lower), [each.observations for each in curves])
    write_title(figure, title, subtitle)
    limits = [families.entropy_limits(each) for each in curves]
    bottom, highest = min(low for low, _ in limits), max(high for _, high in limits)
    for index, (axes, (name, own), run) in enumerate(zip(panels, named, runs.values(), strict=True)):
        if bias.has_rows(own):
            family_rows.draw_family_rows(axes, own)
        else:
            families.draw_family_lines(axes, own, limits=(bottom, highest))
        axes.set_ylabel(f"h of {spaced(run.property)} [nat]", fontsize=9, parse_math=False)
        colour = ranges.run_look(index)[0]
        axes.set_title(shortened(name), loc="left", fontsize=9.5, fontweight="bold", color=INK, parse_math=False)
        axes.plot([-0.02], [1.045], "s" if index else "o", transform=axes.transAxes, color=colour, ms=5, clip_on=False)
        axes.tick_params(labelbottom=False)
    ranges.draw_ranges(lower, named)
    lower.set_xlabel(OBSERVATION_LABEL, fontsize=9)
    if parted_at is not None:
        for axes in (*panels, lower):
            axes.axvline(parted_at, color=PARTING, linewidth=1.0, linestyle=":", zorder=1)
        figure.text(0.98, 0.15 / height, f"dotted: {parted}", ha="right", fontsize=8, color=PARTING, parse_math=False)
    figure.align_ylabels((*panels, lower))
    save_figure(figure, path)


def ranges_room_in() -> float:
    """Return what the ranges need with what stands below them [inch]."""
    return bias.BETWEEN_IN / 2 + bias.RANGES_IN + bias.FOOT_IN


def _height_in(curves: Curves) -> float:
    rows = len(family_rows.rows_of(curves)[0]) if bias.has_rows(curves) else 0
    return max(FAMILIES_IN, rows * family_rows.ROW_IN)
