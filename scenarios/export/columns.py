"""What the columns of the exported tables hold. Pure.

A page that shows the same rows makes its tables of the same columns: `dataset_columns`, `trajectory_columns`, ….
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from agent.entropy.bias import BIAS_METRICS
from agent.metrics import Metric
from scenarios.export.table import Column, Kind

DATASET: Final = "dataset"
TRAJECTORY: Final = "trajectory"
DECISIONS: Final = "decisions"
ATTEMPTS: Final = "attempts"
JOURNAL: Final = "journal"

FEATURE: Final = "feature."
"""Stands before the name of a feature that is called as another column."""

_WHEN: Final = "when its row of the journal was written"


def dataset_columns(property_name: str, unit: str, features: Sequence[str] = ()) -> tuple[Column, ...]:
    """Return the columns of a dataset.

    Args:
        property_name: What is measured.
        unit: Its unit.
        features: Names of the features, which stand last.
    """
    own = (
        Column("id", "the candidate's id as its table writes it; ours where that has none"),
        Column("family", "the family that it counts to"),
        Column("value", f"{property_name}, as it was measured", Kind.NUMBER, unit),
        Column("uncertainty", "standard uncertainty of the value; empty where none is known", Kind.NUMBER, unit),
        Column("unit", "unit of value and uncertainty"),
        Column("when", _WHEN, Kind.TIME),
        Column("measured_by", "instrument, or `start set`, or `manual` for a value that an operator added"),
        Column("candidate", "the candidate's id, which comes from its content"),
        Column("attempt_id", "request that it answers; empty where nobody asked"),
        Column("method", "the lab's method; empty for its usual one"),
        Column("replicate", "which repetition by that method, from 0", Kind.INTEGER),
        Column("journal_row", "row of the journal that brought it", Kind.INTEGER),
        Column("details", "what came with it: other quantities, conditions, remarks, raw files", Kind.TREE),
        Column("formula", "chemical formula; empty where none is known"),
    )
    taken = {each.name for each in own}
    return own + tuple(
        Column(feature_heading(each, taken), f"feature {each!r} that policies know a candidate by", Kind.NUMBER)
        for each in features
    )


def feature_heading(name: str, taken: set[str]) -> str:
    """Return the heading of a feature; one that is called as another column gets a word before it."""
    return f"{FEATURE}{name}" if name in taken else name


def trajectory_columns(declared: Sequence[Metric] = ()) -> tuple[Column, ...]:
    """Return the columns of a bias trajectory: a row for each observation and family.

    Args:
        declared: Metrics that the policy keeps beside those of the bias.
    """
    return (
        Column("observation", "how many values came in since the start set; 0 is the start set", Kind.INTEGER),
        Column("family", "a family"),
        Column("size", "how many values it has", Kind.INTEGER),
        Column("entropy", "differential entropy of its values; empty where it is not defined", Kind.NUMBER, "nat"),
        *(Column(each.name, _of_metric(each), Kind.NUMBER, each.unit) for each in (*BIAS_METRICS, *declared)),
        Column("starved_family", "the family of lowest entropy"),
        Column("journal_row", "row of the journal that brought the observation", Kind.INTEGER),
        Column("when", _WHEN, Kind.TIME),
    )


def _of_metric(metric: Metric) -> str:
    return f"{metric.label}; {'smaller' if metric.lower_is_better else 'larger'} is better"


DECISION_COLUMNS: Final = (
    Column("decision", "number of the decision, from 0", Kind.INTEGER),
    Column("place", "which of its candidates, from 0", Kind.INTEGER),
    Column("id", "the candidate's id as its table writes it; ours where that is not known"),
    Column("candidate", "the candidate's id, which comes from its content"),
    Column("score", "what the policy gave it, in the policy's own measure", Kind.NUMBER),
    Column("runner_up", "the best candidate that was not chosen"),
    Column("runner_up_score", "its score", Kind.NUMBER),
    Column("target_family", "the family that the policy was after, if one"),
    Column("policy", "which decided"),
    Column("reason", "the policy's own sentence"),
    Column("seed", "of its random numbers", Kind.INTEGER),
    Column("based_on", "last row of the journal that it used", Kind.INTEGER),
    Column("held", "whether it waited for a person's approval", Kind.BOOLEAN),
    Column("journal_row", "its own row of the journal", Kind.INTEGER),
    Column("when", _WHEN, Kind.TIME),
    Column("details", "figures that the policy kept beside the choice", Kind.TREE),
)

ATTEMPT_COLUMNS: Final = (
    Column("attempt_id", "one dispatch of a candidate"),
    Column("id", "the candidate's id as its table writes it"),
    Column("candidate", "the candidate's id, which comes from its content"),
    Column("family", "its family; empty where the run does not tell"),
    Column("decision", "the decision that asked for it", Kind.INTEGER),
    Column("number", "which attempt at it, from 1", Kind.INTEGER),
    Column("instrument", "who was asked"),
    Column("asked_row", "row of the journal that asked", Kind.INTEGER),
    Column("asked_at", _WHEN, Kind.TIME),
    Column("outcome", "how it ended; empty while it is awaited"),
    Column("closed_row", "row of the journal that ended it", Kind.INTEGER),
    Column("closed_at", "when that row was written", Kind.TIME),
)

JOURNAL_COLUMNS: Final = (
    Column("sequence", "number of the row, from 1, without gaps", Kind.INTEGER),
    Column("when", "when it was written", Kind.TIME),
    Column("kind", "what happened"),
    Column("words", "the same as a sentence"),
    Column("payload", "the event, with all that it says", Kind.TREE),
    Column("digest", "SHA-256 over the digest before, number, kind and payload"),
)
