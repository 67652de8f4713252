"""The views of the journal: what `agent.campaign.event_descriptions` says of an event, written in its transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from sqlalchemy import Executable, bindparam, delete, insert, literal_column, update

from agent.campaign.event_descriptions import Observation, additions_of, description_of, observations_of, taken_away_by
from agent.campaign.events import CampaignStarted, Event
from agent.campaign.plan import CampaignPlan
from agent.pool.candidates import Pool
from agent.pool.measurements import Measurement
from agent.store.tables import OBSERVATION, REQUEST
from protocols.storage.database import Statements

_INSERT_OBSERVATION: Final = insert(OBSERVATION)
_CORRECT_OBSERVATION: Final = (
    update(OBSERVATION)
    .where(OBSERVATION.c.candidate_id == bindparam("which"))
    .values(value=bindparam("right"), standard_deviation=bindparam("deviation"), sequence=bindparam("when"))
)
_DELETE_OBSERVATION: Final = delete(OBSERVATION).where(OBSERVATION.c.candidate_id == bindparam("which"))
_INSERT_REQUEST: Final = insert(REQUEST)
_CLOSE: Final = (
    update(REQUEST)
    .where(REQUEST.c.attempt_id == bindparam("which"))
    .values(outcome=bindparam("how"), closed_sequence=bindparam("when"))
)
_CLOSE_OPEN: Final = (
    update(REQUEST)
    .where(REQUEST.c.candidate_id == bindparam("which"), REQUEST.c.outcome == literal_column("''"))
    .values(outcome=bindparam("how"), closed_sequence=bindparam("when"))
)


@dataclass(frozen=True, slots=True)
class DatasetLabels:
    """What the dataset shows beside a value, and the journal does not repeat in every row."""

    families: Mapping[str, str]
    """Candidate id -> family, of the pool at the start."""
    unit: str
    source_ids: Mapping[str, str] = field(default_factory=dict)
    """Candidate id -> its id as the pool's table writes it, of those that have one."""

    @classmethod
    def of(cls, pool: Pool, unit: str) -> Self:
        """Return the labels of the candidates of a pool."""
        return cls(pool.family_of, unit, pool.source_id_of)


class Views:
    """Keeps the dataset and the requests as the fold of the journal.

    Args:
        statements: Of the store's connection, in a transaction.
        labels: Families, unit and ids of the table.
    """

    def __init__(self, statements: Statements, labels: DatasetLabels) -> None:
        self._statements = statements
        self._joined: dict[str, str] = {}
        self._families = labels.families
        self._unit, self._source_ids = labels.unit, labels.source_ids
        self._plan: CampaignPlan | None = None

    def learn(self, event: Event) -> None:
        """Take in the plan, and which candidates join the pool with an event that is projected already."""
        if isinstance(event, CampaignStarted):
            self._plan = event.plan
        self._joined |= {each.candidate_id: each.family for each in additions_of(event)}

    def project(self, sequence: int, event: Any) -> None:
        """Write what an event changes.

        Args:
            sequence: Its number in the journal.
            event: The event.
        """
        row = description_of(event)
        self.learn(event)
        if gone := taken_away_by(event):
            self._statements.run(_DELETE_OBSERVATION, [{"which": gone}])
        if row.corrects:
            self._correct(sequence, observations_of(event))
        else:
            self._observe([self._observation(sequence, each) for each in observations_of(event)])
        if row.opens_request:
            self._statements.run(_INSERT_REQUEST, [self._request(sequence, event)])
        if row.closes_attempt is not None:
            self._close(_CLOSE, event.attempt_id, row.closes_attempt(event), sequence)
        if row.closes_candidate is not None:
            self._close(_CLOSE_OPEN, event.candidate_id, row.closes_candidate(event), sequence)

    def _observe(self, rows: list[dict[str, Any]]) -> None:
        if rows:
            self._statements.run(_INSERT_OBSERVATION, rows)

    def _correct(self, sequence: int, observations: Iterable[Observation]) -> None:
        """Correct values; who measured them, and what came with them then, stays."""
        rows = [
            {"which": each.candidate_id, "right": each.value, "deviation": each.standard_deviation, "when": sequence}
            for each in observations
        ]
        self._statements.run(_CORRECT_OBSERVATION, rows)

    def _asked(self, which: str) -> Measurement:
        return Measurement(which, None) if self._plan is None else self._plan.measurement_of(which)

    def _family_of(self, asked: Measurement) -> str:
        return self._joined.get(asked.candidate_id) or self._families[asked.candidate_id]

    def _request(self, sequence: int, event: Any) -> dict[str, Any]:
        columns = ("attempt_id", "candidate_id", "decision", "attempt", "recipient", "source_id")
        row = {column: getattr(event, column) for column in columns}
        family = self._family_of(self._asked(event.candidate_id))
        return row | {"family": family, "sequence": sequence, "outcome": "", "closed_sequence": None}

    def _observation(self, sequence: int, observed: Observation) -> dict[str, Any]:
        which = observed.candidate_id
        asked = self._asked(which)
        return {
            "candidate_id": which,
            "sequence": sequence,
            "family": self._family_of(asked),
            "value": observed.value,
            "unit": self._unit,
            "source": observed.source,
            "attempt_id": observed.attempt_id,
            "source_id": self._source_ids.get(asked.candidate_id, ""),
            "standard_deviation": observed.standard_deviation,
            "details": json.dumps(observed.details, ensure_ascii=False) if observed.details else "",
            "fidelity": asked.fidelity or "",
            "replicate": asked.replicate,
        }

    def _close(self, statement: Executable, which: str, how: str, sequence: int) -> None:
        self._statements.run(statement, [{"which": which, "how": how, "when": sequence}])
