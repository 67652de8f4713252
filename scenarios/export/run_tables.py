"""The tables of a run: dataset with features, bias trajectory, decisions, attempts, journal. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.campaign.event_descriptions import additions_of, in_words
from agent.campaign.events import DecisionMade
from agent.entropy.bias import BIAS_METRICS, BiasPoint
from agent.pool.candidates import Pool
from scenarios.export.columns import (
    ATTEMPT_COLUMNS,
    ATTEMPTS,
    DATASET,
    DECISION_COLUMNS,
    DECISIONS,
    JOURNAL,
    JOURNAL_COLUMNS,
    TRAJECTORY,
    dataset_columns,
    trajectory_columns,
)
from scenarios.export.reading import RunRecord
from scenarios.export.table import Cell, Table, finite


@dataclass(frozen=True, slots=True)
class Described:
    """What is known of candidates besides their values.

    Attributes:
        features: Names of the features, length d; nothing where the pool is not known.
        values: Features by our id, length d each.
        formulas: By our id, of those that have one.
        source_ids: Ids as the table writes them, by ours.
    """

    features: tuple[str, ...] = ()
    values: Mapping[str, Sequence[float]] = field(default_factory=dict)
    formulas: Mapping[str, str] = field(default_factory=dict)
    source_ids: Mapping[str, str] = field(default_factory=dict)


def described_of(run: RunRecord, pool: Pool | None) -> Described:
    """Return what is known of the candidates that a run has touched.

    Args:
        run: The run.
        pool: Of its scenario; None where that cannot be made.
    """
    touched = {_candidate(run, row.candidate_id) for row in (*run.observations, *run.requests)}
    source_ids = {_candidate(run, each.candidate_id): each.source_id for each in run.requests if each.source_id}
    source_ids |= {_candidate(run, each.candidate_id): each.source_id for each in run.observations if each.source_id}
    if pool is None:
        return Described(source_ids=source_ids)
    joined = {new.candidate_id: new for event in run.events for new in additions_of(event)}
    values = {which: list(new.features) for which, new in joined.items() if which in touched}
    formulas = {which: new.formula for which, new in joined.items() if new.formula}
    for which in sorted(touched - joined.keys()):
        place = pool.index_of.get(which)
        if place is not None:
            values[which] = pool.features[place].tolist()
            candidate = pool.candidates[place]
            formulas |= {which: candidate.formula} if candidate.formula else {}
            source_ids |= {which: candidate.source_id} if candidate.source_id else {}
    return Described(pool.feature_names, values, formulas, source_ids)


def run_tables(run: RunRecord, described: Described) -> tuple[Table, ...]:
    """Return all tables of a run."""
    return (
        dataset_table(run, described),
        trajectory_table(run),
        decisions_table(run, described),
        attempts_table(run, described),
        journal_table(run),
    )


def dataset_table(run: RunRecord, described: Described) -> Table:
    """Return the dataset: a row for each value that counts."""
    plan = run.plan
    none = (None,) * len(described.features)
    rows = [
        (
            row.source_id or row.candidate_id,
            row.family,
            finite(row.value),
            finite(row.standard_deviation),
            row.unit,
            run.time_of(row.sequence),
            row.source,
            row.candidate_id,
            row.attempt_id,
            row.fidelity or None,
            row.replicate,
            row.sequence,
            json.loads(row.details) if row.details else None,
            described.formulas.get(which := _candidate(run, row.candidate_id)),
            *(tuple(map(finite, described.values[which])) if which in described.values else none),
        )
        for row in run.observations
    ]
    return Table(
        DATASET,
        "Dataset",
        f"What is known of {plan.property_name}: a row for each value that counts; values that an operator retracted "
        "are in the journal alone.",
        dataset_columns(plan.property_name, plan.unit, described.features),
        rows,
        ("candidate",),
    )


def trajectory_table(run: RunRecord) -> Table:
    """Return the bias trajectory: a row for each observation and family."""
    metrics = run.plan.metrics
    rows: list[tuple[Cell, ...]] = []
    for observation, sequence, point in run.trajectory:
        figures = _figures(point)
        figures += tuple(finite(dict(_by_name(point)).get(each.name)) for each in metrics)
        end = (point.starved_family, sequence, run.time_of(sequence))
        rows += (
            (observation, family, size, finite(entropy), *figures, *end)
            for family, size, entropy in zip(point.families, point.sizes, point.entropies, strict=True)
        )
    return Table(
        TRAJECTORY,
        "Bias trajectory",
        "How uneven the dataset was after each observation, by family; figures of the whole are repeated in each row.",
        trajectory_columns(metrics),
        rows,
        ("observation", "family"),
    )


def decisions_table(run: RunRecord, described: Described) -> Table:
    """Return the decisions: a row for each chosen candidate."""
    rows = [
        (
            made.decision,
            place,
            described.source_ids.get(_candidate(run, candidate), candidate),
            candidate,
            finite(score),
            made.runner_up,
            finite(made.runner_up_score),
            made.target_family,
            made.policy,
            made.reason,
            made.seed,
            made.based_on,
            made.held,
            sequence,
            run.time_of(sequence),
            {name: finite(value) for name, value in made.details.items()},
        )
        for sequence, made in enumerate(run.events, 1)
        if isinstance(made, DecisionMade)
        for place, (candidate, score) in enumerate(zip(made.candidate_ids, made.scores, strict=True))
    ]
    return Table(
        DECISIONS,
        "Decisions",
        "What the policy chose, on what ground, and what came next after it: a row for each chosen candidate.",
        DECISION_COLUMNS,
        rows,
        ("decision", "place"),
    )


def attempts_table(run: RunRecord, described: Described) -> Table:
    """Return the attempts: who was asked for what, and how it ended."""
    rows = [
        (
            row.attempt_id,
            row.source_id or described.source_ids.get(_candidate(run, row.candidate_id), row.candidate_id),
            row.candidate_id,
            row.family or None,
            row.decision,
            row.attempt,
            row.recipient,
            row.sequence,
            run.time_of(row.sequence),
            row.outcome,
            row.closed_sequence,
            run.time_of(row.closed_sequence),
        )
        for row in run.requests
    ]
    about = "Who was asked for what, and how it ended: a row for each dispatch of a candidate."
    return Table(ATTEMPTS, "Attempts", about, ATTEMPT_COLUMNS, rows, ("attempt_id",))


def journal_table(run: RunRecord) -> Table:
    """Return the journal: every event in order."""
    rows = [
        (row.sequence, row.recorded_at or None, row.kind, in_words(event), json.loads(row.payload), row.digest)
        for row, event in zip(run.journal, run.events, strict=True)
    ]
    about = "Every event of the campaign in order; all other tables follow from it."
    return Table(JOURNAL, "Journal", about, JOURNAL_COLUMNS, rows, ("sequence",))


def _figures(point: BiasPoint) -> tuple[float | None, ...]:
    return tuple(finite(getattr(point, each.name)) for each in BIAS_METRICS)


def _by_name(point: BiasPoint) -> list[tuple[str, float | None]]:
    return [(metric.name, value) for metric, value in point.declared]


def _candidate(run: RunRecord, row_id: Any) -> str:
    """Return the candidate that a row of the pool measures: in most campaigns the one of that id."""
    return run.plan.measurement_of(str(row_id)).candidate_id
