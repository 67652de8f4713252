"""The entropies of many families: a row for each, the poorest at the end on top, dark where it is poor.

Lines of forty families cannot be told apart; rows can be read by their names. The colours rise in lightness alike for
every eye and in grey (cividis; J. R. Nuñez, C. R. Anderton, R. S. Renslow, PLoS ONE 13, e0199239, 2018).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from scenarios.display.figure_style import FAINT, FRAME, signed
from scenarios.display.labels import INK, LABEL_X, EndLabel, shortened
from scenarios.run.figure.curves import Curves, FloatArray
from scenarios.run.figure.families import reach, without_entropy

MAX_ROWS: Final = 48
"""Most families with a row: of more, the poorest and the richest half of it each."""

ROW_IN: Final = 0.135
"""Height of a row [inch]: that of its name."""

LABEL_SIZE: Final = 7.0
"""Size of the names [point]."""

COLOURS: Final = "cividis"

UNDEFINED: Final = "#E8E8E8"
"""Where a family has no entropy."""

KEY_IN: Final = (1.5, 0.09)
"""Width and height of the key of the colours [inch]."""


def rows_of(curves: Curves) -> tuple[list[int], int]:
    """Return the columns that have a row, poorest at the end first, and how many between them have none."""
    last, defined = curves.last_entropies(), curves.defined()
    ordered = sorted(defined, key=lambda column: (last[column], curves.families[column]))
    hidden = max(0, len(ordered) - MAX_ROWS)
    half = MAX_ROWS // 2
    return (ordered if not hidden else ordered[:half] + ordered[-half:]), hidden


def row_labels(curves: Curves) -> list[EndLabel]:
    """Return the names of the rows with their last entropies, from above."""
    last, labels = curves.last_entropies(), []
    for row, column in enumerate(rows_of(curves)[0]):
        band = curves.bands[-1, column]
        name = shortened(curves.families[column])
        text = f"{name} {signed(last[column])}{reach(band)} (n {curves.sizes[column]:,})"
        labels.append(EndLabel(curves.observations[-1], float(row), text, INK))
    return labels


def draw_family_rows(axes: Any, curves: Curves) -> None:
    """Draw a row for each family, up to `MAX_ROWS`; its horizontal limits are set."""
    from matplotlib import colormaps

    columns, hidden = rows_of(curves)
    values = curves.entropies[:, columns].T
    colours = colormaps[COLOURS].with_extremes(bad=UNDEFINED)
    edges = _edges(curves.observations)
    mesh = axes.pcolormesh(
        edges, np.arange(len(columns) + 1) - 0.5, np.ma.masked_invalid(values), cmap=colours, rasterized=True
    )
    axes.set_ylim(len(columns) - 0.5, -0.5)
    axes.set_yticks([])
    for side in axes.spines.values():
        side.set_color(FRAME)
    axes.tick_params(labelsize=8.5, color=FRAME, labelcolor=INK)
    for row, label in enumerate(row_labels(curves)):
        axes.text(
            LABEL_X - 0.02, row, label.text, transform=axes.get_yaxis_transform(), fontsize=LABEL_SIZE, color=INK,
            va="center", parse_math=False,
        )  # fmt: skip
    if hidden:
        axes.axhline(MAX_ROWS // 2 - 0.5, color="white", linewidth=2.0)
    _draw_key(axes, mesh, hidden, without_entropy(curves))


def _edges(observations: FloatArray) -> FloatArray:
    """Return where cells begin and end so that each holds until the next observation."""
    if len(observations) < 2:  # noqa: PLR2004 - one cell
        return np.array([observations[0] - 0.5, observations[0] + 0.5])
    edges: FloatArray = np.append(observations, observations[-1] + (observations[-1] - observations[-2]))
    return edges


def _draw_key(axes: Any, mesh: Any, hidden: int, undefined: str) -> None:
    """Draw below the rows what the colours mean, and say what has no row."""
    place, (width, height) = axes.get_position(), axes.figure.get_size_inches()
    key = axes.figure.add_axes((
        place.x1 - KEY_IN[0] / width, place.y0 - (KEY_IN[1] + 0.1) / height, KEY_IN[0] / width, KEY_IN[1] / height,
    ))  # fmt: skip
    axes.figure.colorbar(mesh, cax=key, orientation="horizontal")
    key.tick_params(labelsize=7, color=FRAME, labelcolor=INK, length=2, pad=1)
    key.locator_params(nbins=4)
    for side in key.spines.values():
        side.set_visible(False)
    parts = ["Colour: h [nat], poorest at the end on top"]
    parts += ["grey: none" if np.ma.is_masked(mesh.get_array()) else ""]
    parts += [f"at the white line {hidden} families between are not drawn" if hidden else "", undefined]
    axes.annotate(
        "; ".join(filter(None, parts)), xy=(1, 0), xycoords="axes fraction",
        xytext=(-(KEY_IN[0] + 0.1) * 72, -8), textcoords="offset points", ha="right", va="top", fontsize=7.5,
        color=FAINT, parse_math=False,
    )  # fmt: skip
