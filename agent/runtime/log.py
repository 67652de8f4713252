"""The agent's log: one JSON line per fact, with campaign, decision, attempt and observation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, TextIO, cast

import structlog
from pydantic import BaseModel

from agent.campaign.event_descriptions import additions_of, changes_dataset, description_of
from agent.campaign.events import Event, ResultContradicted
from agent.campaign.ledger import TrajectoryPoint
from agent.campaign.plan import CampaignPlan
from agent.campaign.target_values import changes_target
from agent.entropy.bias import BIAS_METRICS, BiasMeter
from agent.runtime.transaction import Transaction
from agent.store.commit import JournalHead
from protocols.storage.rotating_file import RotatingFile
from protocols.wire.attempt_ids import decision_of

MAX_QUARANTINE_LINES: Final = 1_000
"""Quarantined messages logged one by one; under a flood the counters go on, the log does not."""

MAX_WAITING_LINES: Final = 1_000
"""Lines of who is waited for: an instrument that comes and goes for ever does not fill the log."""

LOGGED_IF_ANY: Final = frozenset({"takes"})
"""Fields of events that a line has only where they hold something."""

NOT_LOGGED: Final = frozenset(
    {"quantities", "provenance", "added", "candidates", "replicates", "conditions", "remarks", "files", "structure"}
)
"""Fields of events that stand in the journal, and are too long for a line of a log."""

HEAD_EVERY_ROWS: Final = 100
"""Rows of the journal after which its end is logged: a log that is kept elsewhere then tells whether one of them was
changed, and has a hundredth more lines."""

LOGGED_OF_A_CANDIDATE: Final = ("candidate_id", "family", "formula", "smiles", "parent", "origin")
"""Fields of a candidate that joins the pool, for its line of a log."""


def open_log(path: Path) -> tuple[structlog.typing.FilteringBoundLogger, RotatingFile]:
    """Return a logger that appends JSON lines to a file, and the file to close at the end."""
    file = RotatingFile(path)
    logger = structlog.wrap_logger(
        structlog.WriteLogger(cast("TextIO", file)),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(0),
    )
    return logger, file


def log_bands(logger: structlog.typing.FilteringBoundLogger, observation: int, meter: BiasMeter) -> None:
    """Log how far the entropy of every family is known: when an agent begins and ends, for it takes a while."""
    logger.info(
        "entropy_bands", observation=observation, band=dict(zip(meter.point().families, meter.bands(), strict=True))
    )


def log_head(logger: structlog.typing.FilteringBoundLogger, head: JournalHead) -> None:
    """Log the end of the journal: now and then, and when an agent ends."""
    logger.info("journal_head", row=head.row, digest=head.digest)


class WaitingLog:
    """Logs whom the campaign waits for, whenever that changes.

    Args:
        logger: With the campaign bound.
    """

    def __init__(self, logger: structlog.typing.FilteringBoundLogger) -> None:
        self._logger = logger
        self._lines = 0

    def __call__(self, recipients: tuple[str, ...]) -> None:
        """Log it: nobody, when all that were waited for are there."""
        self._lines += 1
        if self._lines > MAX_WAITING_LINES:
            return
        if recipients:
            self._logger.warning("waiting_for_instruments", instruments=list(recipients))
        else:
            self._logger.info("instruments_are_there")


class TransactionLog:
    """Logs what each transaction committed.

    Every line has `decision`, `attempt_id` and `observation` where they apply, so that lines can be joined.

    Args:
        logger: With the campaign bound.
        head: Returns the end of the journal.
        plan: Of the campaign; None where every value is a point of the trajectory.
    """

    def __init__(
        self,
        logger: structlog.typing.FilteringBoundLogger,
        head: Callable[[], JournalHead] | None = None,
        plan: CampaignPlan | None = None,
    ) -> None:
        self._is_point = changes_dataset if plan is None else partial(changes_target, plan=plan)
        self._logger = logger
        self._head = head
        self._rows = 0
        self._quarantine_lines = 0

    def __call__(self, transaction: Transaction) -> None:
        """Log a transaction after its commit."""
        points = iter(transaction.bias)
        for event in transaction.events:
            point = next(points) if self._is_point(event) else None
            keys = _keys_of(event, point)
            self._log_event(event, keys)
            for new in additions_of(event):
                told = {field: getattr(new, field) for field in LOGGED_OF_A_CANDIDATE}
                self._logger.info("candidate_added", decision=getattr(event, "decision", None), **told)
            if point is not None:
                self._log_point(point, keys)
        for message in transaction.quarantined:
            self._quarantine_lines += 1
            if self._quarantine_lines <= MAX_QUARANTINE_LINES:
                self._logger.warning(
                    "message_quarantined", topic=message.topic[:200], reason=message.reason, detail=message.detail
                )
        self._rows += len(transaction.events)
        if self._head is not None and self._rows >= HEAD_EVERY_ROWS:
            self._rows = 0
            log_head(self._logger, self._head())

    def _log_event(self, event: Event, keys: dict[str, object]) -> None:
        row = description_of(event)
        if not row.log_name:
            return
        names = [
            field
            for field in event.__dataclass_fields__
            if field not in NOT_LOGGED and (field not in LOGGED_IF_ANY or getattr(event, field))
        ]
        fields = {name: _plain(getattr(event, name)) for name in names}
        if isinstance(event, ResultContradicted):
            fields["says"] = {each.name: each.value for each in event.quantities}
        log = self._logger.warning if row.is_warning else self._logger.info
        log(
            row.log_name, **{("why" if field == "reason" else field): value for field, value in (fields | keys).items()}
        )

    def _log_point(self, trajectory_point: TrajectoryPoint, keys: dict[str, object]) -> None:
        point = trajectory_point.point
        self._logger.info(
            "bias_trajectory",
            **keys,
            **{metric.name: getattr(point, metric.name) for metric in BIAS_METRICS},
            starved_family=point.starved_family,
            **({"declared": {metric.name: value for metric, value in point.declared}} if point.declared else {}),
            entropy=dict(zip(point.families, point.entropies, strict=True)),
            size=dict(zip(point.families, point.sizes, strict=True)),
        )


def _plain(value: Any) -> Any:
    """Return the value of a field as a log holds it: a time as ISO 8601, settings as far as somebody set them."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_defaults=True)
    return value.isoformat() if isinstance(value, datetime) else value


def _keys_of(event: Event, point: TrajectoryPoint | None) -> dict[str, object]:
    """Return the numbers that an event belongs to: its decision, its attempt, and the observation that it made."""
    keys: dict[str, object] = {}
    attempt_id = getattr(event, "attempt_id", None)
    if attempt_id is not None:
        keys |= {"decision": decision_of(attempt_id), "attempt_id": attempt_id}
    if point is not None:
        keys["observation"] = point.observation
    return keys
