"""The best observation of every campaign beside its last: a policy may pass its best, and buy on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from agent.entropy.best import HARM, Best, best_of
from agent.entropy.bias import BIAS_METRICS
from scenarios.compare.measures import shown
from scenarios.run.trajectory import Trajectory

Runs = Mapping[str, Sequence[Trajectory]]
"""Policy -> trajectories, one for each seed."""

DECIMALS = 3
"""Decimal places of figures in nat: entropies of dozens of values err by more than a hundredth."""


def best_json(runs: Runs) -> dict[str, Any]:
    """Return policy -> figure -> best value and its observation, by seed; null where it was never defined."""
    return {
        policy: {metric.name: [_plain(_of(figures, metric.name)) for figures in by_seed] for metric in BIAS_METRICS}
        for policy, by_seed in _best_of_each(runs).items()
    }


def best_table(runs: Runs) -> Table:
    """Return what each policy had at its best, when, and at the end, for the figures in which it may do harm."""
    table = Table(
        title=Text("The best observation beside the last", style="bold"),
        caption=Text("regret: by how much the last is worse than the best; means over seeds", style="dim"),
        title_justify="left", caption_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0),
    )  # fmt: skip
    table.add_column("figure and policy")
    for heading in ("best", "at observation", "last", "regret"):
        table.add_column(heading, justify="right")
    for metric in (each for name in HARM for each in BIAS_METRICS if each.name == name):
        table.add_row(Text(f"{metric.label} [{metric.unit}] {'↓' if metric.lower_is_better else '↑'}", style="bold"))
        for policy, figures in _best_of_each(runs).items():
            table.add_row(Text(f"  {policy}"), *_cells([_of(each, metric.name) for each in figures]))
    return table


def _best_of_each(runs: Runs) -> dict[str, list[tuple[Best, ...]]]:
    return {policy: [best_of(run.points) for run in of_policy] for policy, of_policy in runs.items()}


def _cells(figures: Sequence[Best | None]) -> tuple[str, ...]:
    at = [each.observation for each in figures if each is not None]
    values = ([None if each is None else getattr(each, part) for each in figures] for part in ("value", "last"))
    best, last = (shown(each, DECIMALS) for each in values)
    regrets = [None if each is None else each.regret for each in figures]
    return best, f"{fmean(at):.0f}" if at else "–", last, shown(regrets, DECIMALS)


def _of(figures: Sequence[Best], name: str) -> Best | None:
    return next((each for each in figures if each.metric.name == name), None)


def _plain(best: Best | None) -> dict[str, Any] | None:
    return None if best is None else {"observation": best.observation, "value": best.value, "regret": best.regret}
