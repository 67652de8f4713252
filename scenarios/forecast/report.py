"""A forecast for a terminal, as JSON, and as files."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agent.entropy.bias import BIAS_METRICS
from agent.entropy.ceiling import level_of
from agent.metrics import Metric
from protocols.storage.atomic_file import atomic_write
from protocols.storage.csv_file import write_csv
from scenarios.forecast.courses import difference_at_end
from scenarios.forecast.figure import draw_forecast
from scenarios.forecast.forecast import PLAYED, Forecast
from scenarios.forecast.words import GAP, caveat, in_words
from scenarios.run.reach_words import with_band

FIGURE: Final = "forecast.png"
COURSES: Final = "forecast.csv"
JSON_FILE: Final = "forecast.json"
WRITTEN: Final = (FIGURE, COURSES, JSON_FILE)

SHOWN_SHARES: Final = (0.25, 0.5, 1.0)
"""Parts of the budget at which the figures are shown."""

MOST_FAMILIES: Final = 12
"""Most families in the table, the poorest ones."""


def forecast_table(told: Forecast) -> RenderableType:
    """Lay a forecast out: sentences on top, then the figures along the budget, then the families."""
    head = Text.assemble(
        (told.scenario, "bold"), f"  {told.budget:,} observations, {told.draws} draws, seed {told.seed}"
    )
    sentences = [Text(sentence) for sentence in in_words(told)]
    return Group(head, "", *sentences, "", _figures_table(told), "", _families_table(told), Text(caveat(told), "dim"))


def forecast_json(told: Forecast) -> str:
    """Return all figures as JSON; what is not defined is null."""
    level = level_of(told.ceilings)
    content = {
        "scenario": told.scenario,
        "property": told.property,
        "unit": told.unit,
        "budget": told.budget,
        "draws": told.draws,
        "seed": told.seed,
        "start": told.start,
        "candidates": told.candidates,
        "sentences": in_words(told),
        "notes": list(told.notes),
        "flat_from": {policy: told.courses[policy][GAP].flat_from() for policy in PLAYED},
        "difference": {metric.name: _difference(told, metric) for metric in BIAS_METRICS},
        "courses": {
            policy: {metric.name: _course(told, policy, metric) for metric in BIAS_METRICS} for policy in PLAYED
        },
        "skills": [dataclasses.asdict(each) for each in told.skills],
        "families": [
            dataclasses.asdict(each)
            | {
                "falls_short": level is not None and each.falls_short(level),
                "cannot_be_helped": level is not None and each.is_hopeless(level),
            }
            for each in told.ceilings
        ],
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)


def write_forecast(told: Forecast, folder: Path) -> tuple[Path, ...]:
    """Write figure, courses and JSON into a folder; return their paths.

    Raises:
        StoreError: When the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = tuple(folder / name for name in WRITTEN)
    draw_forecast(paths[0], told)
    write_csv(paths[1], ("policy", "observation", "metric", "mean", "low", "high"), _rows(told))
    with atomic_write(paths[2]) as file:
        file.write((forecast_json(told) + "\n").encode())
    return paths


def ends_of(metric: Metric) -> tuple[float, float]:
    """Return between which numbers a figure of bias lies."""
    return (0.0, math.inf) if metric.unit == "nat" else (0.0, 1.0)


def _figures_table(told: Forecast) -> Table:
    at = sorted({max(1, round(share * told.budget)) for share in SHOWN_SHARES})
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("", "policy", "start", *(f"at {n:,}" for n in at[:-1]), f"at {at[-1]:,} (band)"):
        table.add_column(Text(heading), justify="left" if heading in {"", "policy"} else "right", no_wrap=True)
    for metric in BIAS_METRICS:
        for policy in PLAYED:
            course = told.courses[policy][metric.name]
            low, high = (ends[-1] for ends in course.band(*ends_of(metric)))
            cells = [_figure(course.mean[n]) for n in (0, *at)]
            cells[-1] += f" ({_figure(low)} to {_figure(high)})"
            table.add_row(Text(metric.short if policy == PLAYED[0] else ""), Text(policy), *map(Text, cells))
    return table


def _families_table(told: Forecast) -> Table:
    level = level_of(told.ceilings)
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("family", "candidates", "now [nat]", "at most [nat]", ""):
        table.add_column(Text(heading), justify="left" if heading in {"family", ""} else "right", no_wrap=True)
    poorest = sorted(told.ceilings, key=lambda each: (each.now is not None, each.now or 0.0, each.family))
    for each in poorest[:MOST_FAMILIES]:
        now = "–" if each.now is None else f"{each.now:.2f}"
        lost = level is not None and each.is_hopeless(level)
        verdict = "cannot be helped" if lost else "falls short" if level is not None and each.falls_short(level) else ""
        table.add_row(*map(Text, (each.family, f"{each.remaining:,}", now.replace("-", "−"), with_band(each), verdict)))
    if len(poorest) > MOST_FAMILIES:
        table.add_row(Text(f"… {len(poorest) - MOST_FAMILIES} richer families", "dim"))
    return table


def _rows(told: Forecast) -> Iterator[tuple[object, ...]]:
    for policy in PLAYED:
        for metric in BIAS_METRICS:
            course = told.courses[policy][metric.name]
            for n, row in enumerate(zip(course.mean, *course.band(*ends_of(metric)), strict=True)):
                yield policy, n, metric.name, *(repr(float(each)) if math.isfinite(each) else "" for each in row)


def _course(told: Forecast, policy: str, metric: Metric) -> dict[str, list[float | None]]:
    course = told.courses[policy][metric.name]
    columns = zip(("mean", "low", "high"), (course.mean, *course.band(*ends_of(metric))), strict=True)
    return {name: [float(each) if math.isfinite(each) else None for each in column] for name, column in columns}


def _difference(told: Forecast, metric: Metric) -> dict[str, Any] | None:
    one, other = (told.courses[policy][metric.name] for policy in PLAYED)
    found = difference_at_end(one, other)
    return None if found is None else dataclasses.asdict(found)


def _figure(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else "–"
