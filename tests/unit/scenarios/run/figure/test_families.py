"""Lines of families: a band that leaves the panel is marked, and the note says how far it goes."""

from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from scenarios.run.figure.curves import Curves
from scenarios.run.figure.families import CLIP_INSET, CLIP_MARKS, draw_family_lines, entropy_limits
from tests.support.shown.grown import grown

SEVEN = Curves.of(grown(7, 60, bands=True))


def drawn(curves: Curves) -> Any:
    axes = Figure().add_axes((0.1, 0.1, 0.6, 0.8))
    axes.set_xlim(0, 60)
    draw_family_lines(axes, curves)
    return axes


def carets(axes: Any, edge: float) -> int:
    """Triangles that stand at an edge of the panel."""
    low, high = axes.get_ylim()
    at, mark = (edge + CLIP_INSET * (high - low), "v") if edge == low else (edge - CLIP_INSET * (high - low), "^")
    lines = [line for line in axes.get_lines() if line.get_marker() == mark]
    return sum(int(np.isclose(np.asarray(line.get_ydata()), at).sum()) for line in lines)


def test_a_band_that_is_cut_has_triangles_at_the_edge_and_its_end_in_the_note() -> None:
    wide = SEVEN.bands.copy()
    poorest, richest = SEVEN.extremes()
    wide[:, richest, 1] = 25.0
    wide[:, poorest, 0] = -31.5
    axes = drawn(replace(SEVEN, bands=wide))
    low, high = axes.get_ylim()
    assert 0 < carets(axes, low) <= 2 * CLIP_MARKS
    assert 0 < carets(axes, high) <= 2 * CLIP_MARKS
    note = " ".join(text.get_text() for text in axes.texts)
    assert "▼: cut, to −31.500" in note
    assert "▲: cut, to 25.000" in note


def test_bands_inside_the_panel_have_no_triangles_and_the_note_says_whether_they_part() -> None:
    h, (poorest, richest) = SEVEN.entropies, SEVEN.extremes()
    narrow = np.stack([h - 1e-3, h + 1e-3], axis=2)
    axes = drawn(replace(SEVEN, bands=narrow))
    note = " ".join(text.get_text() for text in axes.texts)
    assert "cut" not in note
    assert "apart at the end" in note
    wide = narrow.copy()
    wide[:, [poorest, richest]] = [np.nanmin(h), np.nanmax(h)]
    assert "which overlap at the end" in " ".join(text.get_text() for text in drawn(replace(SEVEN, bands=wide)).texts)


def test_wide_bands_do_not_flatten_the_entropies() -> None:
    wide = np.broadcast_to(np.array([-90.0, 90.0]), SEVEN.bands.shape).copy()
    low, high = entropy_limits(replace(SEVEN, bands=wide))
    spread = np.nanmax(SEVEN.entropies) - np.nanmin(SEVEN.entropies)
    assert high - low < 1.5 * spread


def test_every_line_inside_the_panel_is_of_data() -> None:
    axes: Any = Figure().add_axes((0.1, 0.1, 0.6, 0.8))
    axes.set_xlim(0, 200)  # beyond the end of these
    draw_family_lines(axes, SEVEN)
    inside = [line for line in axes.get_lines() if line.get_transform() != axes.transData]
    assert all(min(line.get_xdata()) > 1.0 for line in inside)
