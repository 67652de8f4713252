"""The picture of a campaign that is not after evenness: a panel for each metric that its policy declares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from agent.metrics import Metric
from scenarios.display.observation_axis import OBSERVATION_LABEL
from scenarios.display.panels import Curve, Panel, draw_panels
from scenarios.run.trajectory import Trajectory

THIS_RUN = "this run"


def draw_metrics(
    path: Path,
    trajectory: Trajectory,
    *,
    comparison: Mapping[str, Trajectory],
    title: str,
    errors: Sequence[float] = (),
) -> None:
    """Draw the declared metrics against the observations.

    Args:
        path: PNG file to write, 1800 pixels wide.
        trajectory: This run.
        comparison: Further runs by name ("at random").
        title: What the picture shows.
        errors: Of the effects against the truth, after each observation [unit of the property]; empty where not known.

    Raises:
        StoreError: When the file cannot be written.
    """
    runs = {THIS_RUN: trajectory, **comparison}
    panels = [
        Panel(
            metric.label[:1].upper() + metric.label[1:] + (f" [{metric.unit}]" if metric.unit else ""),
            "lower is better" if metric.lower_is_better else "higher is better",
            {name: _curve(run, metric) for name, run in runs.items()},
            from_zero=True,
        )
        for metric, _ in trajectory.points[-1][1].declared
    ]
    if errors:
        unit = f" [{trajectory.unit}]" if trajectory.unit else ""
        off = np.array(errors, dtype=np.float64)
        observations = np.array([observation for observation, _ in trajectory.points], dtype=np.float64)
        curve = Curve(observations[: len(off)], off, np.zeros(len(off)))
        about = "against the truth, which no policy sees"
        panels.append(Panel(f"Error of the effects{unit}", about, {THIS_RUN: curve}, from_zero=True))
    subtitle = "Metrics that the policy declares, after each observation"
    draw_panels(path, panels, title=title, subtitle=subtitle, x_label=OBSERVATION_LABEL)


def _curve(run: Trajectory, metric: Metric) -> Curve:
    values = np.array([point.value(metric.name) for _, point in run.points], dtype=np.float64)
    observations = np.array([observation for observation, _ in run.points], dtype=np.float64)
    return Curve(observations, values, np.zeros(len(values)))
