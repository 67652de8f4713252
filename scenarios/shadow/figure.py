"""A lab beside its shadow: the lab's bias trajectory, where the two agree, and which families each chose."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from scenarios.display.figure_style import DPI, FAINT, OKABE_ITO, WIDTH_IN, save_figure, style_axes, write_title
from scenarios.display.labels import INK, shortened
from scenarios.display.observation_axis import OBSERVATION_LABEL
from scenarios.run.figure.bias import LEFT_MARGIN, draw_entropies, families_right
from scenarios.run.figure.curves import Curves
from scenarios.run.trajectory import Trajectory
from scenarios.shadow.choices import Agreement
from scenarios.shadow.comparison import FamilyRow

HEIGHT_IN: Final = 7.4

AGREEMENT_COLOURS: Final = {
    Agreement.CANDIDATE: OKABE_ITO[0],
    Agreement.FAMILY: OKABE_ITO[5],
    Agreement.NONE: OKABE_ITO[1],
}
"""Blue where they agree, the paler the less; orange where they do not..."""

AGREEMENT_HEIGHTS: Final = {Agreement.CANDIDATE: 1.0, Agreement.FAMILY: 0.66, Agreement.NONE: 0.33}
"""...and the higher the more they agree [strip]: what colours tell, heights tell as well."""

LAB, SHADOW = "#BDBDBD", OKABE_ITO[0]
"""Light and dark: apart in grey too."""

MOST_RIGHT: Final = 0.7
"""The keys right of strip and bars need the rest [figure width]."""

MAX_BARS: Final = 12
"""Most families with bars of their own: more names cannot be read beside each other; the rest are one."""

BAR_WIDTH: Final = 0.38

NOTE_PT: Final = 15
"""Room for the note below the entropies, above the numbers of the axis [point]."""

KEY_ROW_IN: Final = 0.2
"""Distance of two lines of a key [inch]."""


def draw_shadow(
    path: Path,
    trajectory: Trajectory,
    agreements: Sequence[Agreement],
    families: Sequence[FamilyRow],
    *,
    title: str,
    subtitle: str,
) -> None:
    """Draw a lab beside its shadow.

    Args:
        path: PNG file to write.
        trajectory: Of the lab.
        agreements: How far the shadow agrees with each choice of the lab, in their order.
        families: Candidates chosen of every family.
        title: What the picture shows.
        subtitle: What it comes to.

    Raises:
        StoreError: When the file cannot be written.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN), dpi=DPI, facecolor="white")
    width = min(MOST_RIGHT, families_right(Curves.of(trajectory))) - LEFT_MARGIN
    upper, strip, lower = (
        figure.add_axes((LEFT_MARGIN, bottom, width, height))
        for bottom, height in ((0.525, 0.365), (0.37, 0.05), (0.075, 0.195))
    )
    write_title(figure, title, subtitle)
    draw_entropies(upper, trajectory)
    upper.tick_params(axis="x", pad=NOTE_PT)
    upper.set_xlabel(OBSERVATION_LABEL, fontsize=9)
    _draw_strip(strip, agreements)
    _draw_bars(lower, _folded(families))
    figure.align_ylabels((upper, lower))
    save_figure(figure, path)


def _draw_strip(axes: Any, agreements: Sequence[Agreement]) -> None:
    kinds = list(AGREEMENT_COLOURS)
    axes.set_yticks([])
    style_axes(axes)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("Choice of the lab", fontsize=9)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_ylim(0, 1)
    if agreements:
        axes.set_xlim(0.5, len(agreements) + 0.5)
        for kind in kinds:
            at = np.flatnonzero([each is kind for each in agreements]) + 1
            axes.bar(at, AGREEMENT_HEIGHTS[kind], 1.0, color=AGREEMENT_COLOURS[kind], linewidth=0)
    else:
        axes.set_xlim(0, 1)
        axes.text(0.5, 0.5, "No choice was compared", transform=axes.transAxes, ha="center", va="center", fontsize=9)
    entries = [(f"{each.value}: {agreements.count(each)}", AGREEMENT_COLOURS[each]) for each in kinds]
    _write_key(axes, [("The shadow would have chosen", None), *entries])


def _draw_bars(axes: Any, families: Sequence[FamilyRow]) -> None:
    places = np.arange(len(families))
    axes.bar(places - BAR_WIDTH / 2, [each.lab for each in families], BAR_WIDTH, color=LAB)
    axes.bar(places + BAR_WIDTH / 2, [each.shadow for each in families], BAR_WIDTH, color=SHADOW)
    style_axes(axes)
    axes.yaxis.get_major_locator().set_params(integer=True)
    crowded = len(families) > MAX_BARS // 2
    names = [shortened(each.family) for each in families]
    turn = {"rotation": 20, "ha": "right", "rotation_mode": "anchor"} if crowded else {}
    axes.set_xticks(places, names, fontsize=8, parse_math=False, **turn)
    axes.set_ylim(0, max(1.0, axes.get_ylim()[1]))
    axes.set_ylabel("Candidates chosen", fontsize=9)
    lab, shadow = sum(each.lab for each in families), sum(each.shadow for each in families)
    _write_key(axes, [(f"by the lab: {lab}", LAB), (f"by the shadow: {shadow}", SHADOW)])


def _folded(families: Sequence[FamilyRow]) -> list[FamilyRow]:
    """Return the families that were chosen most, in their order, and the others as one."""
    if len(families) <= MAX_BARS:
        return list(families)
    most = sorted(range(len(families)), key=lambda at: -(families[at].lab + families[at].shadow))[: MAX_BARS - 1]
    rest = [each for at, each in enumerate(families) if at not in most]
    others = FamilyRow(f"{len(rest)} others", sum(each.lab for each in rest), sum(each.shadow for each in rest))
    return [*(families[at] for at in sorted(most)), others]


def _write_key(axes: Any, entries: Sequence[tuple[str, str | None]]) -> None:
    """Write what the colours mean right of the axes, from their upper end down."""
    observation = KEY_ROW_IN / (axes.get_position().height * HEIGHT_IN)
    for row, (text, colour) in enumerate(entries):
        y = 1 - observation * (row + 0.25)
        if colour is not None:
            axes.plot([1.045], [y], "s", transform=axes.transAxes, color=colour, markersize=7, clip_on=False)
        x, ink = (1.035, FAINT) if colour is None else (1.065, INK)
        axes.text(x, y, text, transform=axes.transAxes, fontsize=8.5, color=ink, va="center", parse_math=False)
