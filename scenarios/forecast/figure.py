"""A forecast as a picture: mean gap, range and evenness along the budget, with their bands, for both policies."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final

import numpy as np

from agent.entropy.bias import BIAS_METRICS
from agent.metrics import Metric
from scenarios.display.figure_style import DPI, FAINT, WIDTH_IN, save_figure, style_axes, write_title
from scenarios.display.labels import EndLabel, draw_end_labels
from scenarios.display.observation_axis import OBSERVATION_LABEL, draw_marks, look, set_observation_limits
from scenarios.forecast.forecast import PLAYED, Forecast

DRAWN: Final = ("mean_gap", "entropy_range", "evenness")
"""The figures of bias that are drawn, from above."""

HEIGHT_IN: Final = 7.4
LEFT: Final = 0.1
RIGHT: Final = 0.79
"""Where the panels begin and end [figure width]."""

TOP: Final = 0.89
BOTTOM: Final = 0.07
BETWEEN: Final = 0.035
"""Ends of the panels, and room between two of them [figure height]."""

BAND_OPACITY: Final = 0.16
LABEL_SIZE: Final = 8.5
"""Size of the names [point]."""


def draw_forecast(path: Path, told: Forecast) -> None:
    """Draw a forecast.

    Raises:
        StoreError: When the file cannot be written.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN), dpi=DPI, facecolor="white")
    subtitle = f"Mean of {told.draws} campaigns on drawn pools; bands hold nine campaigns in ten if the model is right"
    write_title(figure, f"{told.scenario}: what {told.budget:,} observations can buy", subtitle)
    metrics = [metric for name in DRAWN for metric in BIAS_METRICS if metric.name == name]
    height = (TOP - BOTTOM - BETWEEN * (len(metrics) - 1)) / len(metrics)
    panels = [
        figure.add_axes((LEFT, TOP - (place + 1) * height - place * BETWEEN, RIGHT - LEFT, height))
        for place in range(len(metrics))
    ]
    set_observation_limits(panels, [np.arange(told.budget + 1.0)])
    flat = told.courses[PLAYED[0]][DRAWN[0]].flattens_at()
    for axes, metric in zip(panels, metrics, strict=True):
        _draw_panel(axes, told, metric)
        if flat:
            axes.axvline(flat, color=FAINT, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
        axes.tick_params(labelbottom=axes is panels[-1])
    if flat:
        _name_the_flat(panels[0], flat)
    panels[-1].set_xlabel(OBSERVATION_LABEL, fontsize=9)
    figure.align_ylabels(panels)
    save_figure(figure, path)


def _draw_panel(axes: Any, told: Forecast, metric: Metric) -> None:
    style_axes(axes)
    observations = np.arange(told.budget + 1)
    labels: list[EndLabel] = []
    for index, policy in enumerate(PLAYED):
        looks = look(index)
        course = told.courses[policy][metric.name]
        low, high = course.band(0.0, 1.0 if metric.unit == "" else math.inf)
        axes.fill_between(observations, low, high, color=looks.colour, alpha=BAND_OPACITY, linewidth=0)
        axes.plot(observations, course.mean, color=looks.colour, linewidth=1.6)
        draw_marks(axes, observations.astype(np.float64), course.mean, looks)
        if math.isfinite(end := float(course.mean[-1])):
            at = float(observations[-1])
            labels.append(EndLabel(at, end, f"{policy}  {end:.3f}", looks.colour, mark=looks.mark))
    if metric.lower_is_better:
        axes.set_ylim(bottom=0.0)
    unit = f" [{metric.unit}]" if metric.unit else ""
    axes.set_ylabel(f"{metric.short.capitalize()}{unit}", fontsize=9)
    draw_end_labels(axes, labels, LABEL_SIZE)


def _name_the_flat(axes: Any, observation: int) -> None:
    axes.annotate(
        f"flat from {observation:,}",
        xy=(observation, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(4, -4),
        textcoords="offset points",
        va="top",
        fontsize=LABEL_SIZE,
        color=FAINT,
    )
