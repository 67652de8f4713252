"""What a run's database holds, as data frames: the trajectory, the dataset, the decisions."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

import pandas as pd
from sqlalchemy import Connection, select

from agent.campaign.events import DecisionMade, Event
from agent.entropy.bias import BIAS_METRICS, BiasPoint
from agent.metrics import Metric
from agent.store.store import Store
from agent.store.tables import JOURNAL, OBSERVATION

TRAJECTORY: Final = ("observation", "family", "size", "entropy")
"""Columns of a trajectory before those of the metrics; one row an observation and family [entropy: nat]."""


def trajectory_frame(points: Iterable[tuple[int, BiasPoint]]) -> pd.DataFrame:
    """Return a trajectory, a row for each observation and family; observation 0 is the start set."""
    rows = [
        {
            "observation": observation,
            "family": family,
            "size": size,
            "entropy": entropy,
            **{metric.name: getattr(point, metric.name) for metric in BIAS_METRICS},
            "starved_family": point.starved_family,
            **{metric.name: value for metric, value in point.declared},
        }
        for observation, point in points
        for family, size, entropy in zip(point.families, point.sizes, point.entropies, strict=True)
    ]
    metrics = [metric.name for metric in BIAS_METRICS]
    frame = pd.DataFrame(rows, columns=None if rows else [*TRAJECTORY, *metrics, "starved_family"])
    return frame.astype(dict.fromkeys(("entropy", *metrics), "float64"))


def trajectory_of(store: Store, metrics: Sequence[Metric]) -> pd.DataFrame:
    """Return the trajectory of a run, as its database has it."""
    return trajectory_frame(store.trajectory(metrics))


def dataset_of(connection: Connection) -> pd.DataFrame:
    """Return the dataset of a run, a row an observation, in the order in which they came; the index is the candidate.

    `id` is the candidate's id as its table writes it, `measured_by` who said the value, `when` when it was journalled.
    """
    columns = (
        OBSERVATION.c.candidate_id, OBSERVATION.c.source_id, OBSERVATION.c.family, OBSERVATION.c.value,
        OBSERVATION.c.standard_deviation, OBSERVATION.c.unit, OBSERVATION.c.source, JOURNAL.c.recorded_at,
        OBSERVATION.c.sequence, OBSERVATION.c.details,
    )  # fmt: skip
    joined = OBSERVATION.join(JOURNAL, JOURNAL.c.sequence == OBSERVATION.c.sequence)
    asked = select(*columns).select_from(joined).order_by(OBSERVATION.c.sequence, OBSERVATION.c.candidate_id)
    rows = [
        {
            "candidate": row.candidate_id,
            "id": row.source_id or row.candidate_id,
            "family": row.family,
            "value": row.value,
            "uncertainty": row.standard_deviation,
            "unit": row.unit,
            "measured_by": row.source,
            "when": row.recorded_at,
            "journal_row": row.sequence,
            "details": json.loads(row.details) if row.details else {},
        }
        for row in connection.execute(asked)
    ]
    names = [
        "candidate",
        "id",
        "family",
        "value",
        "uncertainty",
        "unit",
        "measured_by",
        "when",
        "journal_row",
        "details",
    ]
    frame = pd.DataFrame(rows, columns=names).set_index("candidate")
    frame["when"] = pd.to_datetime(frame["when"], utc=True, format="ISO8601")
    return frame.astype({"value": "float64", "uncertainty": "float64"})


def decisions_of(events: Sequence[Event]) -> pd.DataFrame:
    """Return the decisions of a run, a row for each chosen candidate; the index is the decision's number.

    `reason` is the policy's own sentence, `details` the figures that it kept beside the choice.
    """
    rows: list[dict[str, Any]] = []
    for number, event in enumerate(events, 1):
        if not isinstance(event, DecisionMade):
            continue
        made = dataclasses.asdict(event)
        for place, (candidate, score) in enumerate(zip(event.candidate_ids, event.scores, strict=True)):
            rows.append(
                {
                    "decision": event.decision,
                    "place": place,
                    "candidate": candidate,
                    "score": score,
                    "runner_up": event.runner_up,
                    "runner_up_score": event.runner_up_score,
                    "target_family": event.target_family,
                    "policy": event.policy,
                    "reason": event.reason,
                    "journal_row": number,
                    "based_on": event.based_on,
                    "details": dict(made["details"]),
                }
            )
    names = [
        "decision", "place", "candidate", "score", "runner_up", "runner_up_score", "target_family", "policy", "reason",
        "journal_row", "based_on", "details",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=names).set_index("decision").astype({"score": "float64"})
