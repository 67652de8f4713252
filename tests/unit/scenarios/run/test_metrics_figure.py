"""The picture of declared metrics: a panel for each, and one for the error where the truth is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from matplotlib.image import imread

from agent.entropy.bias import BiasPoint
from agent.metrics import Metric
from scenarios.effects.truth import AgainstTruth
from scenarios.run.metrics_figure import draw_metrics, draw_runs
from scenarios.run.trajectory import Trajectory

WIDTH = Metric("half_width", "mean half-width $", "half-width", "D", lower_is_better=True)
WIDEST = replace(WIDTH, name="widest")
HITS = Metric("hits", "hits", "hits", "", lower_is_better=False)


def run(*metrics: Metric, observations: int = 9) -> Trajectory:
    points = []
    for at in range(observations):
        declared = tuple((metric, 2.0 / (1 + at)) for metric in metrics)
        points.append((at, BiasPoint(("all",), (at,), (None,), None, None, None, "all", declared=declared)))
    return Trajectory("dipole", "D", tuple(points))


def rows_of(path: Path) -> int:
    """Height of a picture: it grows by the row of panels."""
    return int(imread(path).shape[0])


TRUTH = {at: AgainstTruth(1.0 / (1 + at), 1.0) for at in range(9)}


def test_the_error_takes_a_panel_where_the_truth_is_known_of_any_of_the_runs(tmp_path: Path) -> None:
    own, random = run(WIDTH, HITS, WIDEST), run(WIDTH, HITS, WIDEST)
    draw_metrics(tmp_path / "without.png", own, comparison={"random": random}, title="t")
    draw_metrics(tmp_path / "with.png", replace(own, against_truth=TRUTH), comparison={"random": random}, title="t")
    draw_metrics(tmp_path / "of.png", own, comparison={"random": replace(random, against_truth=TRUTH)}, title="t")
    assert rows_of(tmp_path / "without.png") < rows_of(tmp_path / "with.png") == rows_of(tmp_path / "of.png")


@pytest.mark.parametrize("other", [run(HITS), run(observations=3), run(WIDTH, HITS)])
def test_two_runs_are_drawn_whatever_either_declares(tmp_path: Path, other: Trajectory) -> None:
    draw_runs(tmp_path / "d.png", {"one": run(WIDTH), "other": other}, title="t", subtitle="s")
    assert imread(tmp_path / "d.png").shape[1] == 1800
