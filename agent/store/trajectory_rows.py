"""The trajectory as rows of `bias_point` and `bias_family`, and back: a family has a row only where it changed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Row

from agent.campaign.ledger import TrajectoryPoint
from agent.entropy.bias import BIAS_METRICS, BiasPoint
from agent.metrics import Metric


def point_rows(observations: Sequence[TrajectoryPoint]) -> list[dict[str, Any]]:
    """Return a row for each observation."""
    return [
        {
            "observation": each.observation,
            "sequence": each.sequence,
            "spent": each.spent,
            "starved_family": each.point.starved_family,
            "declared": _declared_text(each.point),
            **{metric.name: getattr(each.point, metric.name) for metric in BIAS_METRICS},
        }
        for each in observations
    ]


def family_rows(observations: Sequence[TrajectoryPoint]) -> list[dict[str, Any]]:
    """Return a row for each family that changed; never empty, for every observation changed one."""
    return [
        {"observation": each.observation, "family": family, "size": size, "entropy": entropy}
        for each in observations
        for family, size, entropy in zip(each.point.families, each.point.sizes, each.point.entropies, strict=True)
        if family in each.changed
    ]


def trajectory_of(
    observations: Sequence[Row[Any]], rows: Sequence[Row[Any]], metrics: Sequence[Metric]
) -> Iterator[tuple[int, BiasPoint]]:
    """Return the trajectory, rebuilt from its rows.

    Args:
        observations: Of `bias_point`, in order.
        rows: Of `bias_family`, by observation.
        metrics: Those that the campaign's plan declares beside the bias metrics.
    """
    now: dict[str, tuple[int, float | None]] = {}
    at = 0
    for observation in observations:
        while at < len(rows) and rows[at].observation <= observation.observation:
            now[rows[at].family] = (rows[at].size, rows[at].entropy)
            at += 1
        families = tuple(sorted(now))
        yield (
            observation.observation,
            BiasPoint(
                families=families,
                sizes=tuple(now[family][0] for family in families),
                entropies=tuple(now[family][1] for family in families),
                starved_family=observation.starved_family,
                declared=_declared(observation.declared, metrics),
                **{metric.name: getattr(observation, metric.name) for metric in BIAS_METRICS},
            ),
        )


def _declared_text(point: BiasPoint) -> str:
    return json.dumps({metric.name: value for metric, value in point.declared}) if point.declared else ""


def _declared(text: str, metrics: Sequence[Metric]) -> tuple[tuple[Metric, float | None], ...]:
    values = json.loads(text) if text else {}
    return tuple((metric, values.get(metric.name)) for metric in metrics) if values else ()
