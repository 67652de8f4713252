"""The picture of one bias trajectory: the entropies of its families, and below them the range, against other runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from agent.entropy.best import WORSE_BY, Best, best_of
from scenarios.display.figure_style import DPI, WIDTH_IN, save_figure, signed, spaced, write_title
from scenarios.display.labels import right_margin
from scenarios.display.observation_axis import COST_LABEL, OBSERVATION_LABEL, set_observation_limits
from scenarios.run.figure import families, family_rows, ranges
from scenarios.run.figure.curves import Curves
from scenarios.run.trajectory import Trajectory

TOLD: Final = ("entropy_range", "mean_gap", "joint_entropy")
"""Figures in the sentence over the picture: the drawn one first."""

LEFT_MARGIN: Final = 0.1
"""Where the axes begin [figure width]: a label of two lines and its numbers stand before."""

HEAD_IN: Final = 0.83
FAMILIES_IN: Final = 3.28
BETWEEN_IN: Final = 0.52
RANGES_IN: Final = 1.69
FOOT_IN: Final = 0.58
"""Heights from top to bottom [inch]: title, families, the note below them, ranges, the axis."""


def draw_bias(
    path: Path,
    trajectory: Trajectory,
    *,
    comparison: Mapping[str, Trajectory] | None = None,
    title: str,
) -> None:
    """Draw the entropy of every family, and below it the gap between the poorest and the richest, its best marked.

    Args:
        path: PNG file to write, 1800 pixels wide.
        trajectory: This run.
        comparison: Further runs by name ("same budget at random"), drawn in the lower panel.
        title: What the picture shows.

    Raises:
        StoreError: When the file cannot be written.
    """
    from matplotlib.figure import Figure

    own = Curves.of(trajectory)
    curves = [("this run", own), *((name, Curves.of(run)) for name, run in (comparison or {}).items())]
    families_in = families_height_in(own)
    height = HEAD_IN + families_in + BETWEEN_IN + RANGES_IN + FOOT_IN
    figure = Figure(figsize=(WIDTH_IN, height), dpi=DPI, facecolor="white")
    right = min(
        families_right(own), right_margin(LEFT_MARGIN, WIDTH_IN, ranges.range_labels(curves), ranges.LABEL_SIZE)
    )
    width = right - LEFT_MARGIN
    lower = figure.add_axes((LEFT_MARGIN, FOOT_IN / height, width, RANGES_IN / height))
    bottom = FOOT_IN + RANGES_IN + BETWEEN_IN
    upper = figure.add_axes((LEFT_MARGIN, bottom / height, width, families_in / height), sharex=lower)
    set_observation_limits((upper, lower), [each.observations for _, each in curves])
    write_title(figure, title, course_sentence(trajectory))
    draw_families(upper, trajectory, own)
    upper.tick_params(labelbottom=False)
    ranges.draw_ranges(lower, curves)
    figure.align_ylabels((upper, lower))
    lower.set_xlabel(COST_LABEL if trajectory.spent else OBSERVATION_LABEL, fontsize=9)
    save_figure(figure, path)


def draw_entropies(axes: Any, trajectory: Trajectory) -> None:
    """Draw the entropy of every family on axes of any figure: the upper panel of `draw_bias`."""
    curves = Curves.of(trajectory)
    set_observation_limits((axes,), [curves.observations])
    draw_families(axes, trajectory, curves)


def draw_families(axes: Any, run: Trajectory, curves: Curves) -> None:
    """Draw the families of a run: as lines, or more of them as rows."""
    if has_rows(curves):
        family_rows.draw_family_rows(axes, curves)
    else:
        families.draw_family_lines(axes, curves)
    axes.set_ylabel(f"Differential entropy h of\n{spaced(run.property)} [nat]", fontsize=9, parse_math=False)


def has_rows(curves: Curves) -> bool:
    """Whether there are too many families for lines."""
    return len(curves.defined()) > families.MAX_LINES


def families_right(curves: Curves) -> float:
    """Return where the axes of the families end, so that their names just fit [figure width]."""
    rows = has_rows(curves)
    labels = family_rows.row_labels(curves) if rows else families.family_labels(curves)
    return right_margin(LEFT_MARGIN, WIDTH_IN, labels, family_rows.LABEL_SIZE if rows else families.LABEL_SIZE)


def families_height_in(curves: Curves) -> float:
    """Return how high the panel of the families is [inch]."""
    rows = len(family_rows.rows_of(curves)[0]) if has_rows(curves) else 0
    return max(FAMILIES_IN, rows * family_rows.ROW_IN)


def course_sentence(run: Trajectory) -> str:
    """Say what range, mean gap and joint entropy went from and to [nat], with their best where the end is not it."""
    known = {best.metric.name: best for best in best_of(run.points)}
    if "entropy_range" not in known:
        return "The entropy range is not defined: it needs two families with a defined entropy"
    said = [_course(known[name], run) for name in TOLD]
    said[0] = said[0].capitalize()
    return "; ".join(said) + " nat"


def _course(best: Best, run: Trajectory) -> str:
    values = [getattr(point, best.metric.name) for _, point in run.points]
    first = next(value for value in values if value is not None)
    now = "undefined" if best.last is None else signed(best.last)
    course = f"{best.metric.short} {signed(first)}" + (f" → {now}" if len(values) > 1 else "")
    is_past = best.regret is None or best.regret > WORSE_BY
    return course + (f" (best {signed(best.value)} at {best.observation})" if is_past else "")
