"""The comparison as a figure: mean gap of the dear values against what was spent, with bands over the seeds."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from agent.acquisition.base import FloatArray
from scenarios.display.figure_style import FAINT, GRID, OKABE_ITO, WIDTH_IN, save_figure, style_axes, write_title
from tests.benchmarks.fidelities.campaigns import HALF, WHOLE
from tests.benchmarks.fidelities.report import Courses

STYLES: Final[dict[str, tuple[str, Any, float]]] = {
    "two methods": (OKABE_ITO[1], "-", 2.4),
    "dear alone": (OKABE_ITO[0], (0, (5, 2)), 2.0),
    "cheap at random": (OKABE_ITO[2], (0, (1, 1.2)), 1.8),
    "dear at random": (OKABE_ITO[6], (0, (6, 2, 1, 2)), 1.3),
}
"""Arm -> colour, dashes and width: dashes tell them apart where colours do not."""

BANDED: Final = ("two methods", "dear alone")
"""Arms whose band is drawn: more of them would hide each other."""

COSTS: Final = np.arange(0, WHOLE + 1, 5)

HEIGHT_IN: Final = 3.9


def draw(courses: Courses, path: Path) -> None:
    """Write the figure.

    Raises:
        StoreError: When it cannot be written.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN))
    panels = figure.subplots(1, len(courses), squeeze=False)[0]
    for axes, (table, seeds) in zip(panels, courses.items(), strict=True):
        _panel(axes, [{arm: each[arm] for arm in STYLES} for each in seeds])
        axes.set_title(f"{table}: {len(seeds)} starts", fontsize=9.5, loc="left")
    panels[0].set_ylabel("Mean gap of dear values [nat]", fontsize=9)
    panels[0].legend(fontsize=8, frameon=False, loc="upper right")
    write_title(
        figure,
        "What cheap values are worth",
        "A cheap value costs 1, a dear one 20. Mean over starts; bands are 95 % intervals of the mean. "
        "Level: dear alone at 1,200.",
    )
    figure.subplots_adjust(left=0.07, right=0.975, bottom=0.13, top=0.78, wspace=0.2)
    save_figure(figure, path)


def _panel(axes: Any, seeds: Any) -> None:
    style_axes(axes)
    for arm, (colour, dashes, width) in STYLES.items():
        end = WHOLE if arm == "dear alone" else HALF
        costs = COSTS[end >= COSTS]
        gaps = np.array([[each[arm].at(int(cost)) for cost in costs] for each in seeds])
        mean = gaps.mean(axis=0)
        axes.plot(costs, mean, color=colour, linestyle=dashes, linewidth=width, label=arm, drawstyle="steps-post")
        if arm in BANDED:
            half = _half_interval(gaps)
            axes.fill_between(costs, mean - half, mean + half, step="post", color=colour, alpha=0.16, linewidth=0)
        if arm == "dear alone":
            axes.axhline(mean[-1], color=FAINT, linewidth=0.9, linestyle=":")
    axes.axvline(HALF, color=GRID, linewidth=1.2, zorder=0)
    axes.set_xlim(0, WHOLE)
    axes.set_ylim(bottom=0.0)
    axes.set_xlabel("Spent", fontsize=9)


def _half_interval(gaps: FloatArray) -> FloatArray:
    from scipy.stats import t as student

    n = len(gaps)
    half: FloatArray = float(student.ppf(0.975, n - 1)) * gaps.std(axis=0, ddof=1) / n**0.5
    return half
