"""The picture of effects: what is believed of each with its interval, and crosses for the truth where it is known."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from scenarios.display.figure_style import DPI, FAINT, OKABE_ITO, WIDTH_IN, save_figure, style_axes, write_title
from scenarios.display.labels import INK, shortened
from scenarios.effects.effects import Effects
from scenarios.effects.truth import holds

ROW_IN: Final = 0.3
"""Height of an effect in the picture [inch]."""


def draw_effects(path: Path, effects: Effects, *, title: str) -> None:
    """Draw every effect with its interval, and the truth beside it.

    Args:
        path: PNG file to write, 1800 pixels wide.
        effects: What is believed.
        title: What the picture shows.

    Raises:
        StoreError: When the file cannot be written.
    """
    from matplotlib.figure import Figure

    rows = sorted(effects.effects, key=lambda each: each.mean)
    height = 1.35 + ROW_IN * len(rows)
    figure = Figure(figsize=(WIDTH_IN, height), dpi=DPI, facecolor="white")
    axes = figure.add_axes((0.18, 0.55 / height, 0.76, 1 - 1.35 / height))
    held = [each for each in rows if each.name in effects.truth]
    inside = sum(holds(each, effects.truth[each.name]) for each in held)
    subtitle = "What is believed, with 90 % intervals"
    subtitle += f"; crosses: the truth, which no policy sees: {inside} of {len(held)} inside" if held else ""
    write_title(figure, title, subtitle)
    for place, each in enumerate(rows):
        axes.plot(
            [each.mean - each.half_width, each.mean + each.half_width],
            [place, place],
            color=OKABE_ITO[0],
            linewidth=2.4,
            alpha=0.55,
            solid_capstyle="butt",
        )
        axes.plot(each.mean, place, "o", color=OKABE_ITO[0], markersize=5)
        if each.name in effects.truth:
            axes.plot(effects.truth[each.name], place, "x", color=OKABE_ITO[1], markersize=6.5, markeredgewidth=1.8)
    style_axes(axes)
    axes.axvline(0.0, color=FAINT, linewidth=0.8, linestyle=":")
    axes.set_yticks(range(len(rows)), [shortened(each.name) for each in rows])
    axes.set_ylim(-0.7, len(rows) - 0.3)
    unit = f" [{effects.unit}]" if effects.unit else ""
    axes.set_xlabel(f"Effect{unit}", fontsize=9, color=INK, parse_math=False)
    save_figure(figure, path)
