"""The dataset as people read it: a row for each measurement, with when it came and with which observation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, select

from agent.store.tables import BIAS_POINT, JOURNAL, OBSERVATION


@dataclass(frozen=True, slots=True)
class DatasetRow:
    """A measurement that counts.

    Attributes:
        observation: Number of the observation that it came with; 0 is the start set, None where none did.
        candidate: Our id.
        id: As the table writes it.
        family: Of the candidate.
        value: Of the property [unit].
        uncertainty: Standard uncertainty of the value [unit]; None where none is known.
        unit: Of both.
        fidelity: The method; empty for the lab's usual one.
        replicate: Which repetition by it, from 0.
        measured_by: Who said it.
        attempt: The attempt that it answers; empty for what was known at the start.
        when: When it was journalled, ISO 8601 in UTC.
        journal_row: Which row of the journal says so.
        details: What came with it, as JSON; empty where nothing did.
    """

    observation: int | None
    candidate: str
    id: str
    family: str
    value: float
    uncertainty: float | None
    unit: str
    fidelity: str
    replicate: int
    measured_by: str
    attempt: str
    when: str
    journal_row: int
    details: str


def dataset_question() -> Select[Any]:
    """Return what asks a database for the rows of `dataset_rows`, in the order in which they came."""
    joined = OBSERVATION.join(JOURNAL, JOURNAL.c.sequence == OBSERVATION.c.sequence).outerjoin(
        BIAS_POINT, BIAS_POINT.c.sequence == OBSERVATION.c.sequence
    )
    columns = select(OBSERVATION, JOURNAL.c.recorded_at, BIAS_POINT.c.observation).select_from(joined)
    return columns.order_by(OBSERVATION.c.sequence, OBSERVATION.c.candidate_id)


def dataset_rows(rows: Iterable[Row[Any]]) -> Iterator[DatasetRow]:
    """Yield the rows of an answer to `dataset_question`."""
    for row in rows:
        yield DatasetRow(
            row.observation,
            row.candidate_id,
            row.source_id or row.candidate_id,
            row.family,
            row.value,
            row.standard_deviation,
            row.unit,
            row.fidelity,
            row.replicate,
            row.source,
            row.attempt_id or "",
            row.recorded_at,
            row.sequence,
            row.details,
        )
