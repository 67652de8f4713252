"""Curves over the tables from the files of their comparisons: bias against observations, models against rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from agent.entropy.bias import BIAS_METRICS
from scenarios.compare.files import curve_over_seeds
from scenarios.display.observation_axis import OBSERVATION_LABEL
from scenarios.display.panels import MAX_PANELS, Curve, Panel, draw_panels
from tests.benchmarks.real_tables.results import Result


def draw_bias(path: Path, results: Sequence[Result], names: Sequence[str]) -> None:
    """Draw some bias metrics of every table of one setting: a row for each table where there are two of them."""
    frames = {each.table: pd.read_csv(each.folder / "comparison.csv") for each in results}
    panels = [
        Panel(
            f"{table}: {metric.short}" + (f" [{metric.unit}]" if metric.unit else ""),
            "lower is better" if metric.lower_is_better else "higher is better",
            curves(frame, "observation", metric.name),
            from_zero=metric.lower_is_better,
        )
        for table, frame in frames.items()
        for metric in BIAS_METRICS
        if metric.name in names
    ]
    title, columns = "Bias of real tables against observations", len(names) if len(names) > 1 else None
    draw_panels(path, panels, title=title, subtitle=_subtitle(results), x_label=OBSERVATION_LABEL, columns=columns)


def draw_models(path: Path, results: Sequence[Result]) -> None:
    """Draw the mean R² of the models of every table and target of one setting."""
    panels = []
    for each in results:
        rows = pd.read_csv(each.folder / "downstream.csv")
        mean = rows.groupby(["policy", "seed", "target", "acquired"], sort=False)["r2"].mean().reset_index()
        for target, of_target in mean.groupby("target", sort=False):
            panels.append(
                Panel(each.table, f"R² of {str(target).replace('_', ' ')}", curves(of_target, "acquired", "r2"))
            )
    title = "Models trained on what was acquired, scored on rows held out: mean R²"
    draw_panels(path, panels[:MAX_PANELS], title=title, subtitle=_subtitle(results), x_label="Rows acquired")


def curves(rows: pd.DataFrame, x: str, y: str) -> dict[str, Curve]:
    """Return mean and band over seeds of each policy."""
    return {
        str(policy): curve_over_seeds([list(zip(run[x], run[y], strict=True)) for _, run in of_policy.groupby("seed")])
        for policy, of_policy in rows.groupby("policy", sort=False)
    }


def _subtitle(results: Sequence[Result]) -> str:
    seeds = max(len(each.document["seeds"]) for each in results)
    return f"{results[0].setting.words}; mean over {seeds} seeds, bands are the 95 % interval of the mean"
