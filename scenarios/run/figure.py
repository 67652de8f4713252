"""Pictures of the bias trajectory: who is poor and who is rich, how the gap closes, and against what.

Colours, sizes and axes are those of `scenarios.display.figure_style`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from agent.entropy.best import WORSE_BY, Best, best_of
from scenarios.display.figure_style import (
    DPI,
    OKABE_ITO,
    WIDTH_IN,
    save_figure,
    signed,
    spaced,
    style_axes,
    write_note,
    write_title,
)
from scenarios.display.labels import EndLabel, draw_end_labels, shortened
from scenarios.display.observation_axis import (
    COST_LABEL,
    LINE_STYLES,
    MAX_DRAWN_STEPS,
    OBSERVATION_LABEL,
    last_defined,
    look,
    set_observation_limits,
)
from scenarios.run.banded import ENDS
from scenarios.run.trajectory import Trajectory, positions_of

FloatArray = NDArray[np.float64]

MAX_NAMED_FAMILIES: Final = len(OKABE_ITO) * len(LINE_STYLES)
"""Most families with a colour and a name; of more, the most telling are named and the others drawn grey."""

EXTREMES_NAMED: Final = 4
"""Of too many families, how many are named of: the poorest at the start, the poorest at the end, the richest."""

TOLD: Final = ("entropy_range", "mean_gap", "joint_entropy")
"""Figures in the sentence over the picture: the drawn one first."""

LEFT_MARGIN: Final = 0.1
"""Where the axes begin [figure width]: a label of two lines and its numbers stand before."""

RIGHT_MARGIN: Final = 0.66
"""Where the axes end [figure width]: the names need the rest."""

OTHERS: Final = ("#8A8A8A", "#B36200", "#4C4C9D", "#2E7D5B")
"""Colours of the runs compared with."""

THIS_RUN: Final = "#0072B2"
PARTING: Final = "#333333"
"""Marks where two runs part."""

BAND_SHARE: Final = 0.15
"""How far beyond the entropies a band may stretch the axis [their height]: those of small families are wide."""

RANGE: Final = "#0072B2"


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

    figure = Figure(figsize=(WIDTH_IN, 6.9), dpi=DPI, facecolor="white")
    upper = figure.add_axes((LEFT_MARGIN, 0.405, RIGHT_MARGIN - LEFT_MARGIN, 0.475))
    lower = figure.add_axes((LEFT_MARGIN, 0.085, RIGHT_MARGIN - LEFT_MARGIN, 0.245), sharex=upper)
    own = _Curves.of(trajectory)
    curves = [("this run", own), *((name, _Curves.of(run)) for name, run in (comparison or {}).items())]
    set_observation_limits((upper, lower), [each.observations for _, each in curves])
    write_title(figure, title, _course_sentence(trajectory))
    _draw_entropies(upper, trajectory, own)
    upper.tick_params(labelbottom=False)
    _draw_ranges(lower, curves)
    lower.set_ylabel("Entropy range,\nrichest − poorest [nat]", fontsize=9)
    figure.align_ylabels((upper, lower))
    lower.set_xlabel(COST_LABEL if trajectory.spent else OBSERVATION_LABEL, fontsize=9)
    save_figure(figure, path)


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

    figure = Figure(figsize=(WIDTH_IN, 9.2), dpi=DPI, facecolor="white")
    width = RIGHT_MARGIN - LEFT_MARGIN
    first = figure.add_axes((LEFT_MARGIN, 0.635, width, 0.255))
    second = figure.add_axes((LEFT_MARGIN, 0.32, width, 0.255), sharex=first)
    lower = figure.add_axes((LEFT_MARGIN, 0.065, width, 0.19), sharex=first)
    panels, curves = (first, second, lower), [_Curves.of(run) for run in runs.values()]
    set_observation_limits(panels, [each.observations for each in curves])
    write_title(figure, title, subtitle)
    limits = [_entropy_limits(each, _extremes(each)) for each in curves]
    bottom, top = min(low for low, _ in limits), max(high for _, high in limits)
    for axes, (name, run), own, colour in zip(panels, runs.items(), curves, (THIS_RUN, OTHERS[0]), strict=False):
        _draw_families(axes, run, own, limits=(bottom, top))
        axes.set_ylabel(f"h of {spaced(run.property)} [nat]", fontsize=9, parse_math=False)
        axes.set_title(shortened(name), loc="left", fontsize=9.5, fontweight="bold", color=colour, parse_math=False)
        axes.tick_params(labelbottom=False)
    _draw_ranges(lower, list(zip(runs, curves, strict=True)))
    lower.set_ylabel("Entropy range,\nrichest − poorest [nat]", fontsize=9)
    lower.set_xlabel(OBSERVATION_LABEL, fontsize=9)
    if parted_at is not None:
        for axes in panels:
            axes.axvline(parted_at, color=PARTING, linewidth=1.0, linestyle=":", zorder=1)
        figure.text(0.98, 0.018, f"dotted: {parted}", ha="right", fontsize=8, color=PARTING, parse_math=False)
    figure.align_ylabels(panels)
    save_figure(figure, path)


def draw_entropies(axes: Any, trajectory: Trajectory) -> None:
    """Draw the entropy of every family on axes of any figure: the upper panel of `draw_bias`."""
    curves = _Curves.of(trajectory)
    set_observation_limits((axes,), [curves.observations])
    _draw_entropies(axes, trajectory, curves)


@dataclass(frozen=True, slots=True)
class _Curves:
    """What is drawn of a run, thinned out; NaN where undefined.

    Attributes:
        observations: Where they stand on the axis: their numbers, or what had been spent by them, shape (k,).
        entropies: Of the families [nat], shape (k, f).
        bands: Lower and upper ends of their bands [nat], shape (k, f, 2).
        range: Of the entropies [nat], shape (k,).
        families: Their names, length f.
    """

    observations: FloatArray
    entropies: FloatArray
    bands: FloatArray
    range: FloatArray
    families: tuple[str, ...]

    @classmethod
    def of(cls, run: Trajectory) -> _Curves:
        gaps = _figures([point.entropy_range for _, point in run.points])
        kept, positions = _kept(gaps), positions_of(run)
        points = [run.points[index] for index in kept]
        families = tuple(dict.fromkeys(name for _, point in points for name in point.families))
        column = {name: index for index, name in enumerate(families)}
        entropies = np.full((len(points), len(families)), np.nan)
        bands = np.full((*entropies.shape, 2), np.nan)
        for row, (observation, point) in enumerate(points):
            places = [column[name] for name in point.families]
            entropies[row, places] = _figures(point.entropies)
            for place, band in zip(places, run.bands.get(observation, ()), strict=False):
                bands[row, place] = band or (np.nan, np.nan)
        gaps = _figures([point.entropy_range for _, point in points])
        return cls(np.array([positions[index] for index in kept], dtype=np.float64), entropies, bands, gaps, families)


def _kept(gaps: FloatArray) -> list[int]:
    """Indices of the points to draw: evenly spaced, with the first, the last and the smallest gap."""
    if len(gaps) <= MAX_DRAWN_STEPS:
        return list(range(len(gaps)))
    kept = set(np.linspace(0, len(gaps) - 1, MAX_DRAWN_STEPS).round().astype(int).tolist())
    if not np.isnan(gaps).all():
        kept.add(int(np.nanargmin(gaps)))
    return sorted(kept)


def _figures(values: Sequence[float | None]) -> FloatArray:
    numbers = np.array(values, dtype=np.float64)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _named(entropies: FloatArray) -> list[int]:
    """Columns of the families with a colour and a name: all, or the poorest and the richest of many."""
    defined = np.flatnonzero(~np.isnan(entropies).all(axis=0))
    if len(defined) <= MAX_NAMED_FAMILIES:
        return [int(column) for column in defined]
    known = ~np.isnan(entropies[:, defined])
    first = entropies[known.argmax(axis=0), defined]
    last = entropies[len(entropies) - 1 - known[::-1].argmax(axis=0), defined]
    from_poorest = defined[np.argsort(last, kind="stable")]
    poor_at_start = defined[np.argsort(first, kind="stable")[:EXTREMES_NAMED]]
    named = {*from_poorest[:EXTREMES_NAMED], *from_poorest[-EXTREMES_NAMED:], *poor_at_start}
    return sorted(int(column) for column in named)


def _draw_entropies(axes: Any, run: Trajectory, curves: _Curves) -> None:
    _draw_families(axes, run, curves)
    axes.set_ylabel(f"Differential entropy h of\n{spaced(run.property)} [nat]", fontsize=9, parse_math=False)


def _draw_families(axes: Any, run: Trajectory, curves: _Curves, *, limits: tuple[float, float] | None = None) -> None:
    named = _named(curves.entropies)
    banded = _extremes(curves)
    if not banded:
        _draw_range(axes, curves)
    _draw_others(axes, curves, named)
    last = run.points[-1][1] if run.points else None
    sizes = dict(zip(last.families, last.sizes, strict=True)) if last else {}
    labels: list[EndLabel] = []
    for index, column in enumerate(named):
        (colour, style), h, family = look(index), curves.entropies[:, column], curves.families[column]
        axes.plot(curves.observations, h, color=colour, linestyle=style, linewidth=1.5, zorder=3)
        if column in banded:
            _draw_band(axes, curves, column, colour)
        if (end := last_defined(h)) is not None:
            axes.plot(curves.observations[end], h[end], "o", color=colour, markersize=4, zorder=6, clip_on=False)
            text = f"{shortened(family)} {signed(h[end])}{_reach(curves.bands[end, column])} (n {sizes.get(family, 0)})"
            labels.append(EndLabel(curves.observations[end], h[end], text, colour))
    style_axes(axes)
    axes.set_ylim(*(limits or _entropy_limits(curves, banded)))
    draw_end_labels(axes, labels, 8.0)
    write_note(axes, _families_sentence(curves, named, bands=bool(banded)))


def _extremes(curves: _Curves) -> list[int]:
    """Columns of the poorest and the richest family at the end, if they have bands.

    Theirs are drawn: the bands of seven families lie over each other, and hide what is below.
    """
    last = curves.entropies[-1] if len(curves.observations) else np.empty(0)
    known = int((~np.isnan(curves.bands)).any(axis=(1, 2)).sum())
    if np.isnan(last).all() or known <= ENDS:  # an interrupted run has bands at its ends alone
        return []
    return sorted({int(np.nanargmin(last)), int(np.nanargmax(last))})


def _draw_band(axes: Any, curves: _Curves, column: int, colour: str) -> None:
    low, high = curves.bands[:, column].T
    known = ~np.isnan(low)
    axes.fill_between(curves.observations[known], low[known], high[known], color=colour, alpha=0.13, lw=0, zorder=2)


def _reach(band: FloatArray) -> str:
    return "" if np.isnan(band).any() else f" ± {(band[1] - band[0]) / 2:.2f}"


def _entropy_limits(curves: _Curves, banded: Sequence[int]) -> tuple[float, float]:
    """Return the ends of the axis: all entropies, and of the bands what does not flatten them."""
    h = curves.entropies[~np.isnan(curves.entropies)]
    if not len(h):
        return 0.0, 1.0
    low, high = float(h.min()), float(h.max())
    spread = high - low or 1.0
    drawn = curves.bands[:, banded]
    ends = drawn[~np.isnan(drawn)]
    low = min(low, max(float(ends.min(initial=low)), low - BAND_SHARE * spread))
    high = max(high, min(float(ends.max(initial=high)), high + BAND_SHARE * spread))
    return low - 0.04 * spread, high + 0.04 * spread


def _draw_range(axes: Any, curves: _Curves) -> None:
    """Shade from the poorest to the richest family, where there are no bands to shade."""
    defined = (
        ~np.isnan(curves.entropies).all(axis=1) if curves.families else np.zeros(len(curves.observations), dtype=bool)
    )
    if defined.any():
        observations, rows = curves.observations[defined], curves.entropies[defined]
        axes.fill_between(observations, np.nanmin(rows, axis=1), np.nanmax(rows, axis=1), color=RANGE, alpha=0.08, lw=0)


def _draw_others(axes: Any, curves: _Curves, named: Sequence[int]) -> None:
    from matplotlib.collections import LineCollection

    others = [column for column in range(len(curves.families)) if column not in named]
    lines = [np.column_stack([curves.observations, curves.entropies[:, column]]) for column in others]
    axes.add_collection(LineCollection(lines, colors="#9A9A9A", linewidths=0.4, alpha=0.35, zorder=1), autolim=False)


def _families_sentence(curves: _Curves, named: Sequence[int], *, bands: bool) -> str:
    undefined = int(np.isnan(curves.entropies).all(axis=0).sum())
    grey = len(curves.families) - len(named) - undefined
    shaded = (
        "the 90 % bands of the poorest and the richest family" if bands else "from the poorest to the richest family"
    )
    parts = [f"Shaded: {shaded}" if named else "No family has an entropy yet"]
    parts += [f"grey: {grey} other families"] if grey else []
    parts += [f"{undefined} without an entropy (too few values for it)"] if undefined else []
    return "; ".join(parts)


def _draw_ranges(axes: Any, curves: Sequence[tuple[str, _Curves]]) -> None:
    labels: list[EndLabel] = []
    for index, (name, each) in enumerate(curves):
        own = index == 0
        colour = THIS_RUN if own else OTHERS[(index - 1) % len(OTHERS)]
        style = "-" if own else LINE_STYLES[1]
        if (end := last_defined(each.range)) is None:
            continue
        axes.plot(
            each.observations, each.range, color=colour, linestyle=style, linewidth=2.0 if own else 1.3, zorder=5 - own
        )
        axes.plot(each.observations[end], each.range[end], "o", color=colour, markersize=4, zorder=6, clip_on=False)
        best = int(np.nanargmin(each.range))
        axes.plot(each.observations[best], each.range[best], "o", mfc="white", mec=colour, markersize=4.5, zorder=5.5)
        text = f"{shortened(name)} {each.range[end]:.3f}"
        labels.append(EndLabel(each.observations[end], each.range[end], text, colour, bold=own))
    style_axes(axes)
    _gap_limits(axes)
    draw_end_labels(axes, labels, 8.5)
    if not labels:
        text = "A gap needs two families with a defined entropy"
        axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", fontsize=9, color="#5A5A5A")


def _gap_limits(axes: Any) -> None:
    top = axes.dataLim.y1
    axes.set_ylim(0, top * 1.08 if np.isfinite(top) and top > 0 else 1)


def _course_sentence(run: Trajectory) -> str:
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
