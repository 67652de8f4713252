"""The views of the journal: what each event writes into the dataset and the requests, in its own transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Executable, bindparam, insert, literal_column, update

from agent.campaign.events import (
    AttemptFailed,
    CandidateExcluded,
    Event,
    ObservationAdded,
    RequestExpired,
    RequestIssued,
    ResultAccepted,
    StartSetLoaded,
)
from agent.store.tables import OBSERVATION, REQUEST
from protocols.storage.database import Statements

START_SET: Final = "start set"
BY_HAND: Final = "by hand"

_INSERT_OBSERVATION: Final = insert(OBSERVATION)
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
    """Candidate id -> family."""
    unit: str


class Views:
    """Keeps the dataset and the requests as the fold of the journal.

    Args:
        statements: Of the store's connection, in a transaction.
        labels: Families and unit.
    """

    def __init__(self, statements: Statements, labels: DatasetLabels) -> None:
        self._statements = statements
        self._labels = labels

    def project(self, sequence: int, event: Event) -> None:
        """Write what an event changes.

        Args:
            sequence: Its number in the journal.
            event: The event.
        """
        match event:
            case StartSetLoaded():
                values = zip(event.candidate_ids, event.values, strict=True)
                self._observe([self._observation(sequence, which, value, START_SET) for which, value in values])
            case ObservationAdded():
                self._observe([self._observation(sequence, event.candidate_id, event.value, BY_HAND)])
                self._close(_CLOSE_OPEN, event.candidate_id, "observed by hand", sequence)
            case RequestIssued():
                row = {
                    "attempt_id": event.attempt_id,
                    "candidate_id": event.candidate_id,
                    "decision": event.decision,
                    "attempt": event.attempt,
                    "recipient": event.recipient,
                    "sequence": sequence,
                    "outcome": "",
                    "closed_sequence": None,
                }
                self._statements.run(_INSERT_REQUEST, [row])
            case ResultAccepted():
                row = self._observation(sequence, event.candidate_id, event.value, event.simulator)
                self._observe([row | {"attempt_id": event.attempt_id}])
                self._close(_CLOSE, event.attempt_id, "observed", sequence)
                self._close(_CLOSE_OPEN, event.candidate_id, "overtaken by another attempt", sequence)
            case AttemptFailed():
                self._close(_CLOSE, event.attempt_id, f"failed: {event.reason}", sequence)
            case RequestExpired():
                self._close(_CLOSE, event.attempt_id, "expired", sequence)
            case CandidateExcluded():
                self._close(_CLOSE_OPEN, event.candidate_id, "excluded", sequence)
            case _:
                pass

    def _observe(self, rows: list[dict[str, Any]]) -> None:
        if rows:
            self._statements.run(_INSERT_OBSERVATION, rows)

    def _observation(self, sequence: int, candidate_id: str, value: float, source: str) -> dict[str, Any]:
        return {
            "candidate_id": candidate_id,
            "sequence": sequence,
            "family": self._labels.families[candidate_id],
            "value": value,
            "unit": self._labels.unit,
            "source": source,
            "attempt_id": None,
        }

    def _close(self, statement: Executable, which: str, how: str, sequence: int) -> None:
        self._statements.run(statement, [{"which": which, "how": how, "when": sequence}])
