"""Bias points and best figures as JSON has them, and back; which family is the poorest."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, Final

from agent.entropy.best import Best
from agent.entropy.bias import BIAS_METRICS, BiasPoint, coverage, evenness, joint_entropy, priority
from agent.metrics import Metric
from scenarios.run.trajectory import Bands

ENDS: Final = ("entropy_low", "entropy_high")
"""What the ends of a band are called."""


def bias_tree(point: BiasPoint, bands: Bands = ()) -> dict[str, Any]:
    """Return a point as JSON has it, families as a list of objects."""
    rows = zip(point.families, point.sizes, point.entropies, bands or (None,) * len(point.families), strict=True)
    return {
        "families": [
            {"family": name, "size": size, "entropy": h} | dict(zip(ENDS, band or (), strict=False))
            for name, size, h, band in rows
        ],
        **{metric.name: getattr(point, metric.name) for metric in BIAS_METRICS},
        "starved_family": point.starved_family,
        **(
            {"declared": [dataclasses.asdict(metric) | {"value": value} for metric, value in point.declared]}
            if point.declared
            else {}
        ),
    }


def bias_fields(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a `BiasPoint` from its JSON; figures that summaries of old lack follow from the others."""
    rows = tree["families"]
    columns = {"families": "family", "sizes": "size", "entropies": "entropy"}
    fields = {plural: [row[one] for row in rows] for plural, one in columns.items()}
    entropies, sizes = fields["entropies"], fields["sizes"]
    later = {
        "evenness": evenness(entropies),
        "coverage": coverage(sizes),
        "joint_entropy": joint_entropy(sizes, entropies),
    }
    declared = [(_metric(row), row["value"]) for row in tree.get("declared", ())]
    return later | {**tree, **fields, "declared": declared}


def _metric(row: Mapping[str, Any]) -> Metric:
    return Metric(**{name: row[name] for name in ("name", "label", "short", "unit", "lower_is_better")})


def best_tree(figures: Iterable[Best]) -> dict[str, Any]:
    """Return the best of each figure as JSON has it: where and what it was, and by how much the last is worse."""
    return {
        each.metric.name: {"observation": each.observation, "value": each.value, "regret": each.regret}
        for each in figures
    }


def best_fields(tree: Mapping[str, Any], last: Mapping[str, Any]) -> tuple[Best, ...]:
    """Return the best of each figure from its JSON and that of the last point."""
    figures = [*last.get("declared", ()), *((metric, last[metric.name]) for metric in BIAS_METRICS)]
    return tuple(
        Best(metric, int(tree[metric.name]["observation"]), float(tree[metric.name]["value"]), now)
        for metric, now in figures
        if metric.name in tree
    )


def bands_of(tree: Mapping[str, Any]) -> list[Any]:
    """Return the bands of the families from the JSON of a point; nothing where it has none."""
    bands = [[row.get(end) for end in ENDS] for row in tree["families"]]
    known = [None if band == [None, None] else band for band in bands]
    return known if any(known) else []


def starved_first(point: BiasPoint) -> list[int]:
    """Positions of the families, the poorest first (see `agent.entropy.bias.priority`)."""
    keys = [priority(h, n, name) for name, n, h in zip(point.families, point.sizes, point.entropies, strict=True)]
    return sorted(range(len(keys)), key=keys.__getitem__)
