"""The panel of effects: what was believed of each then, and how closely the choice was to make it known.

Blue is what was known, vermillion what was expected, as in the rest of the figure.
"""

from __future__ import annotations

from typing import Any, Final

from scenarios.display.figure_style import FAINT, GRID, OKABE_ITO, style_axes
from scenarios.display.labels import INK, shortened
from scenarios.why.explanation import EffectsAtDecision, Explanation

KNOWN: Final = OKABE_ITO[0]
EXPECTED: Final = OKABE_ITO[1]

LABEL_X: Final = 1.035
"""Where names begin [panel width]."""


def effects_to_draw(explanation: Explanation) -> EffectsAtDecision | None:
    """Return the effects where they say more than the families do: where there is one family."""
    return None if len(explanation.then.families) > 1 else explanation.effects


def draw_effects_then(axes: Any, believed: EffectsAtDecision, unit: str, label_below: float) -> None:
    """Draw every effect with its interval then, and within it the one that was expected of the choice.

    Args:
        axes: The panel.
        believed: What was believed.
        unit: Of the property.
        label_below: Where the label of the axis stands [panel height].
    """
    style_axes(axes)
    axes.grid(visible=False)
    axes.grid(axis="x", color=GRID, linewidth=0.7)
    axes.axvline(0.0, color=FAINT, linewidth=0.8, linestyle=":")
    rows = sorted(believed.effects, key=lambda each: -each.mean)
    for at, each in enumerate(rows):
        for half_width, colour, width in (
            (each.half_width, KNOWN, 2.4),
            (each.expected_half_width, EXPECTED, 5.0),
        ):
            ends = (each.mean - half_width, each.mean + half_width)
            axes.plot(ends, (at, at), color=colour, linewidth=width, alpha=0.55, solid_capstyle="butt")
        axes.plot(each.mean, at, "o", color=KNOWN, markersize=4.5, zorder=4)
        text = f"{shortened(each.name)} {each.mean:.3g} ± {each.half_width:.3g}".replace("-", "−")
        axes.text(
            LABEL_X, at, text, transform=axes.get_yaxis_transform(), fontsize=8, color=INK, va="center",
            parse_math=False,
        )  # fmt: skip
    axes.set_ylim(max(len(rows), 3) - 0.4, -0.6)
    axes.set_yticks([])
    axes.set_ylabel("Largest first", fontsize=9)
    axes.set_xlabel(f"Effect [{unit or '1'}]", fontsize=9, parse_math=False)
    axes.xaxis.set_label_coords(0.5, label_below)
    axes.annotate(
        "Thin: 90 % interval then; thick: what all that was in flight and chosen was to leave of it",
        xy=(0, 1), xycoords="axes fraction", xytext=(0, 5), textcoords="offset points", va="bottom", fontsize=7.5,
        color=FAINT, parse_math=False,
    )  # fmt: skip
