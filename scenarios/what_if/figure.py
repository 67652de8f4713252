"""Two trajectories over each other, by candidates asked for, and below who answered for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from agent.entropy.bias import BIAS_METRICS
from agent.metrics import Metric
from scenarios.display.figure_style import DPI, WIDTH_IN, save_figure, style_axes, write_title
from scenarios.display.labels import EndLabel, draw_end_labels, titled
from scenarios.display.observation_axis import draw_marks, look
from scenarios.run.trajectory import Trajectory

FloatArray = NDArray[np.float64]

HEIGHT_IN: Final = 6.2
LEFT: Final = 0.1
RIGHT: Final = 0.72
"""Where the axes begin and end [figure width]: numbers stand before, names behind."""


SHARE_LOOKS: Final = (("#595959", ""), ("#A6A6A6", "////"), ("#E3E3E3", ""))
"""Grey and hatching of what the recording knew, of what was filled in, and of what nobody knew: colours mean runs."""

RANGE_LABEL: Final = "Entropy range,\nrichest − poorest [nat]"

LABEL_SIZE: Final = 8.0
"""Size of the names [point]."""


@dataclass(frozen=True, slots=True)
class Line:
    """A trajectory to draw.

    Attributes:
        name: Beside its end.
        trajectory: Its points.
        asked_at: Candidates that had their outcome at each of them.
    """

    name: str
    trajectory: Trajectory
    asked_at: Sequence[int]


def draw_what_if(
    path: Path, lines: Sequence[Line], answered: Mapping[str, Sequence[bool]], *, title: str, subtitle: str
) -> None:
    """Draw the leading metric, a ring at its best, and who answered for the candidates of the last line.

    That is the range of the entropies, or where families are not compared the first that the policy declares.

    Args:
        path: PNG file to write.
        lines: The trajectories.
        answered: Who answered -> whether they did, for each candidate in the order of the answers.
        title: What the picture shows.
        subtitle: What it comes to.

    Raises:
        StoreError: When the file cannot be written.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN), dpi=DPI, facecolor="white")
    upper = figure.add_axes((LEFT, 0.36, RIGHT - LEFT, 0.50))
    lower = figure.add_axes((LEFT, 0.09, RIGHT - LEFT, 0.20), sharex=upper)
    write_title(figure, title, subtitle)
    upper.set_xlim(0, max(1, *(line.asked_at[-1] for line in lines), *(len(each) for each in answered.values())))
    lower.set_ylim(0, 1)
    last = lines[0].trajectory.points[-1][1]
    metric = BIAS_METRICS[0] if last.compares_families else last.declared[0][0]
    _draw(upper, [(line.name, *_curve(line, metric)) for line in lines], metric)
    _draw_shares(lower, answered)
    label = RANGE_LABEL if last.compares_families else titled(metric.label, metric.unit)
    upper.set_ylabel(label, fontsize=9, parse_math=False)
    upper.tick_params(labelbottom=False)
    lower.set_ylabel("Who answered,\nshare of asked so far", fontsize=9)
    lower.set_xlabel("candidates asked for", fontsize=9)
    figure.align_ylabels((upper, lower))
    save_figure(figure, path)


def _draw(axes: Any, curves: Sequence[tuple[str, FloatArray, FloatArray]], metric: Metric) -> None:
    style_axes(axes)
    labels = []
    for index, (name, x, y) in enumerate(curves):
        looks = look(index)
        axes.plot(x, y, color=looks.colour, linestyle=looks.style, linewidth=1.6, drawstyle="steps-post")
        draw_marks(axes, x, y, looks)
        defined = np.flatnonzero(np.isfinite(y))
        if len(defined):
            at, best = defined[-1], int(np.nanargmin(y) if metric.lower_is_better else np.nanargmax(y))
            axes.plot(x[best], y[best], "o", mfc="white", mec=looks.colour, markersize=4.5, zorder=5)
            text = f"{name}  {y[at]:.3f}"
            labels.append(EndLabel(float(x[at]), float(y[at]), text, looks.colour, mark=looks.mark))
    draw_end_labels(axes, labels, LABEL_SIZE)


def _curve(line: Line, metric: Metric) -> tuple[FloatArray, FloatArray]:
    values = [point.value(metric.name) for _, point in line.trajectory.points]
    return np.array(line.asked_at, dtype=np.float64), np.array([np.nan if each is None else each for each in values])


def _draw_shares(axes: Any, answered: Mapping[str, Sequence[bool]]) -> None:
    """Draw who answered as areas over each other; who never did has none."""
    style_axes(axes)
    labels: list[EndLabel] = []
    below = np.zeros(max(map(len, answered.values()), default=0))
    for (name, given), (colour, hatch) in zip(answered.items(), SHARE_LOOKS, strict=True):
        if not any(given):
            continue
        asked = np.arange(1, len(given) + 1)
        shares = np.cumsum(given) / asked
        axes.fill_between(asked, below, below + shares, facecolor=colour, edgecolor="white", hatch=hatch, linewidth=0)
        middle = float(below[-1] + shares[-1] / 2)
        labels.append(EndLabel(float(asked[-1]), middle, f"{name}  {shares[-1]:.0%}", colour))
        below = below + shares
    draw_end_labels(axes, labels, LABEL_SIZE)
