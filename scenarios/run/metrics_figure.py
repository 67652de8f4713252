"""The picture of a campaign that is not after evenness: a panel for each metric that its policy declares.

Where the scenario knows what effects are, a panel for how far off they are believed to be stands beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from scenarios.display.labels import titled
from scenarios.display.observation_axis import OBSERVATION_LABEL
from scenarios.display.panels import Curve, Panel, draw_panels
from scenarios.effects.truth import ERROR_LABEL, UNSEEN
from scenarios.run.trajectory import Trajectory

THIS_RUN: Final = "this run"

SUBTITLE: Final = "Metrics that the policy declares, after each observation"


def draw_metrics(path: Path, trajectory: Trajectory, *, comparison: Mapping[str, Trajectory], title: str) -> None:
    """Draw the declared metrics against the observations, and the error where the truth is known.

    Args:
        path: PNG file to write, 1800 pixels wide.
        trajectory: This run.
        comparison: Further runs by name ("at random").
        title: What the picture shows.

    Raises:
        StoreError: When the file cannot be written.
    """
    draw_runs(path, {THIS_RUN: trajectory, **comparison}, title=title, subtitle=SUBTITLE)


def draw_runs(path: Path, runs: Mapping[str, Trajectory], *, title: str, subtitle: str) -> None:
    """Draw the declared metrics of several runs over each other.

    Args:
        path: PNG file to write, 1800 pixels wide.
        runs: By name, at least one, with observations.
        title: What the picture shows.
        subtitle: What the lines are.

    Raises:
        StoreError: When the file cannot be written.
    """
    first = next(iter(runs.values()))
    panels = [
        Panel(
            titled(metric.label, metric.unit),
            "lower is better" if metric.lower_is_better else "higher is better",
            {name: _curve({at: point.value(metric.name) for at, point in run.points}) for name, run in runs.items()},
            from_zero=True,
        )
        for metric in dict.fromkeys(metric for run in runs.values() for metric, _ in run.points[-1][1].declared)
    ]
    if any(run.against_truth for run in runs.values()):
        errors = {
            name: _curve({at: run.against_truth[at].error if at in run.against_truth else None for at, _ in run.points})
            for name, run in runs.items()
        }
        title_of_error, remark = titled(ERROR_LABEL, first.unit), f"{UNSEEN}; lower is better"
        panels.append(Panel(title_of_error, remark, errors, from_zero=True))
    draw_panels(path, panels, title=title, subtitle=subtitle, x_label=OBSERVATION_LABEL)


def _curve(values: Mapping[int, float | None]) -> Curve:
    observations = np.array(list(values), dtype=np.float64)
    means = np.array(list(values.values()), dtype=np.float64)
    return Curve(observations, means, np.zeros(len(means)))
