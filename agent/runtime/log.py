"""The agent's log: one JSON line per fact, with the campaign, the step and the attempt bound to it."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Final

import structlog

from agent.campaign.event_descriptions import description_of
from agent.campaign.events import AskingEnded, DecisionMade, Event
from agent.entropy.bias import BIAS_FIGURES, BiasMeter
from agent.runtime.transaction import Step

MAX_QUARANTINE_LINES: Final = 1_000
"""Quarantined messages logged one by one; under a flood the counters go on, the log does not."""


def open_log(path: Path) -> tuple[structlog.typing.FilteringBoundLogger, IO[str]]:
    """Return a logger that appends JSON lines to a file, and the file to close at the end."""
    file = path.open("a", encoding="utf-8", buffering=1)
    logger = structlog.wrap_logger(
        structlog.WriteLogger(file),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(0),
    )
    return logger, file


def log_bands(logger: structlog.typing.FilteringBoundLogger, step: int, meter: BiasMeter) -> None:
    """Log how far the entropy of every family is known: when an agent begins and ends, for it takes a while."""
    logger.info("entropy_bands", step=step, band=dict(zip(meter.point().families, meter.bands(), strict=True)))


class StepLog:
    """Logs what each step committed.

    Args:
        logger: With the campaign bound.
    """

    def __init__(self, logger: structlog.typing.FilteringBoundLogger) -> None:
        self._logger = logger
        self._quarantine_lines = 0

    def __call__(self, step: Step) -> None:
        """Log a step after its commit."""
        for event in step.events:
            self._log_event(event)
        for bias in step.bias:
            point = bias.point
            self._logger.info(
                "bias_trajectory",
                step=bias.step,
                **{figure.name: getattr(point, figure.name) for figure in BIAS_FIGURES},
                poorest_family=point.poorest_family,
                entropy=dict(zip(point.families, point.entropies, strict=True)),
                size=dict(zip(point.families, point.sizes, strict=True)),
            )
        for message in step.quarantined:
            self._quarantine_lines += 1
            if self._quarantine_lines <= MAX_QUARANTINE_LINES:
                self._logger.warning(
                    "message_quarantined", topic=message.topic[:200], reason=message.reason, detail=message.detail
                )

    def _log_event(self, event: Event) -> None:
        row = description_of(event)
        if not row.log_name:
            return
        fields = {field: getattr(event, field) for field in event.__dataclass_fields__ if field != "quantities"}
        if isinstance(event, DecisionMade | AskingEnded):
            fields["step"] = fields.pop("decision")
        log = self._logger.warning if row.is_warning else self._logger.info
        log(row.log_name, **{("why" if field == "reason" else field): value for field, value in fields.items()})
