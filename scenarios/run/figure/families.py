"""The entropies of families as lines with their names, and the bands of the poorest and the richest.

Where a band leaves the panel, triangles in the colour of its family say so, and the note below says how far it goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from scenarios.display.figure_style import signed, style_axes, write_note
from scenarios.display.labels import EndLabel, draw_end_labels, shortened
from scenarios.display.observation_axis import LINE_COLOURS, LINE_STYLES, draw_marks, last_defined, look
from scenarios.run.figure.curves import Curves

FloatArray = NDArray[np.float64]

MAX_LINES: Final = len(LINE_COLOURS) * len(LINE_STYLES)
"""Most families drawn as lines; more have rows (`scenarios.run.figure.family_rows`)."""

LABEL_SIZE: Final = 8.0
"""Size of the names [point]."""

BAND_SHARE: Final = 0.15
"""How far beyond the entropies a band may stretch the axis [their height]: those of small families are wide."""

MARGIN: Final = 0.04
"""Empty above and below all that [height of the entropies]."""

CLIP_MARKS: Final = 9
"""Most triangles at one edge of the panel that say that a band goes on."""

CLIP_INSET: Final = 0.012
"""How far inside the edge they stand [panel]."""

SPAN_COLOUR: Final = "#777777"
"""From the poorest to the richest, where there are no bands: no family's colour."""


def family_labels(curves: Curves) -> list[EndLabel]:
    """Return the names of the families with their last entropies, in their order."""
    labels = []
    for index, column in enumerate(curves.defined()):
        h, looks = curves.entropies[:, column], look(index)
        if (end := last_defined(h)) is not None:
            name = shortened(curves.families[column])
            text = f"{name} {signed(h[end])}{reach(curves.bands[end, column])} (n {curves.sizes[column]:,})"
            labels.append(EndLabel(curves.observations[end], h[end], text, looks.colour, mark=looks.mark))
    return labels


def draw_family_lines(axes: Any, curves: Curves, *, limits: tuple[float, float] | None = None) -> None:
    """Draw a line for each family, at most `MAX_LINES`.

    Args:
        axes: Where; its horizontal limits are set.
        curves: What is drawn.
        limits: Ends of the axis [nat]; those that fit these curves by default.
    """
    banded = curves.extremes()
    low, high = limits or entropy_limits(curves)
    if not banded:
        _draw_span(axes, curves)
    for index, column in enumerate(curves.defined()):
        looks, h = look(index), curves.entropies[:, column]
        axes.plot(curves.observations, h, color=looks.colour, linestyle=looks.style, linewidth=1.4, zorder=3)
        draw_marks(axes, curves.observations, h, looks)
        if column in banded:
            _draw_band(axes, curves, column, looks.colour, (low, high))
        if (end := last_defined(h)) is not None:
            axes.plot(
                curves.observations[end], h[end], looks.mark, color=looks.colour, markersize=4, zorder=6, clip_on=False
            )
    style_axes(axes)
    axes.set_ylim(low, high)
    draw_end_labels(axes, family_labels(curves), LABEL_SIZE)
    write_note(axes, _note(curves, banded, (low, high)))


def entropy_limits(curves: Curves) -> tuple[float, float]:
    """Return the ends of the axis: all entropies, and of the bands what does not flatten them [nat]."""
    h = curves.entropies[~np.isnan(curves.entropies)]
    if not len(h):
        return 0.0, 1.0
    low, high = float(h.min()), float(h.max())
    spread = high - low or 1.0
    drawn = curves.bands[:, curves.extremes()]
    ends = drawn[~np.isnan(drawn)]
    low = min(low, max(float(ends.min(initial=low)), low - BAND_SHARE * spread))
    high = max(high, min(float(ends.max(initial=high)), high + BAND_SHARE * spread))
    return low - MARGIN * spread, high + MARGIN * spread


def reach(band: FloatArray) -> str:
    """Return half the width of a band as it stands behind an entropy; nothing where there is none."""
    return "" if np.isnan(band).any() else f" ± {(band[1] - band[0]) / 2:.2f}"


def without_entropy(curves: Curves) -> str:
    """Say how many families have no entropy; nothing where all have one."""
    undefined = len(curves.families) - len(curves.defined())
    return f"{undefined} without an entropy (too few values for it)" if undefined else ""


def _draw_band(axes: Any, curves: Curves, column: int, colour: str, limits: tuple[float, float]) -> None:
    low, high = curves.bands[:, column].T
    known = ~np.isnan(low)
    at, low, high = curves.observations[known], low[known], high[known]
    axes.fill_between(at, low, high, color=colour, alpha=0.1, lw=0, zorder=2)
    for end, edge, mark, inward in ((low, limits[0], "v", CLIP_INSET), (high, limits[1], "^", -CLIP_INSET)):
        axes.plot(at, end, color=colour, linewidth=0.7, alpha=0.6, linestyle=(0, (1, 1.5)), zorder=2)
        beyond = np.flatnonzero(end < edge if mark == "v" else end > edge)
        if len(beyond):
            places = at[beyond[np.linspace(0, len(beyond) - 1, min(CLIP_MARKS, len(beyond))).round().astype(int)]]
            heights = np.full(len(places), edge + inward * (limits[1] - limits[0]))
            axes.plot(places, heights, mark, color=colour, markersize=4, clip_on=False, zorder=5)


def _draw_span(axes: Any, curves: Curves) -> None:
    """Shade from the poorest to the richest family, where there are no bands to shade."""
    defined = (
        ~np.isnan(curves.entropies).all(axis=1) if curves.families else np.zeros(len(curves.observations), dtype=bool)
    )
    if defined.any():
        at, rows = curves.observations[defined], curves.entropies[defined]
        axes.fill_between(at, np.nanmin(rows, axis=1), np.nanmax(rows, axis=1), color=SPAN_COLOUR, alpha=0.12, lw=0)


def _note(curves: Curves, banded: Sequence[int], limits: tuple[float, float]) -> str:
    """Say what is shaded, what it shows, and how far it goes where it is cut."""
    if not curves.defined():
        return "No family has an entropy yet"
    rest = [without_entropy(curves)]
    if not banded:
        return "; ".join(filter(None, ["Shaded: from the poorest to the richest family", *rest]))
    names = " and ".join(shortened(curves.families[column]) for column in banded)
    parts = [f"Shaded: 90 % band{'s' * (len(banded) > 1)} of {names}{_overlap(curves, banded)}"]
    drawn = curves.bands[:, banded]
    lowest, highest = float(np.nanmin(drawn)), float(np.nanmax(drawn))
    parts += [f"▼: cut, to {signed(lowest)}"] if lowest < limits[0] else []
    parts += [f"▲: cut, to {signed(highest)}"] if highest > limits[1] else []
    return "; ".join(filter(None, [*parts, *rest]))


def _overlap(curves: Curves, banded: Sequence[int]) -> str:
    """Say whether the poorest and the richest family differ by more than their bands at the end."""
    if len(banded) < 2:  # noqa: PLR2004 - there is only one family
        return ""
    poorest, richest = (curves.bands[-1, column] for column in banded)
    if np.isnan(poorest).any() or np.isnan(richest).any():
        return ""
    return ", apart at the end" if poorest[1] < richest[0] else ", which overlap at the end"
