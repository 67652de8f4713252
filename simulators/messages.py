"""The messages that a simulator writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from protocols.errors import MessageError
from protocols.wire.codec import encode, topic_of
from protocols.wire.fresh_ids import fresh_id
from protocols.wire.messages import (
    CandidateFailure,
    CandidateRequest,
    CandidateResult,
    Capabilities,
    FailureReason,
    Health,
    Status,
    cut,
)
from protocols.wire.topics import Channel, Topic
from simulators.evaluator import Measurement
from simulators.unreadable import Asked


class Messages:
    """Writes the messages of one simulator.

    Args:
        simulator: Its id.
        clock: Returns the wall-clock time, a label.
        new_id: Returns a message id that nobody has used.
        instance: Names this simulator among those of its id, for its status.
    """

    def __init__(
        self,
        simulator: str,
        clock: Callable[[], datetime],
        new_id: Callable[[], str] = fresh_id,
        instance: str | None = None,
    ) -> None:
        self._instance = instance
        self._simulator = simulator
        self._clock = clock
        self._new_id = new_id

    def result(
        self, request: CandidateRequest, measured: Measurement, duration_s: float
    ) -> CandidateResult | CandidateFailure:
        """Write what was measured; a failure where more came with it than a message carries."""
        message = CandidateResult(
            **self._common_fields(request),
            quantities=measured.quantities,
            duration_s=round(duration_s, 6),
            provenance=dict(measured.provenance) or None,
            replicates=measured.replicates,
            conditions=measured.conditions,
            remarks=dict(measured.remarks),
            files=measured.files,
            structure=measured.structure,
        )
        if (
            measured.structure
            or measured.replicates
            or measured.conditions
            or measured.remarks
            or measured.files
            or measured.provenance
        ):
            try:
                encode(message)
            except MessageError as error:
                return self.failure(request, FailureReason.CALCULATION_FAILED, f"its result cannot be sent: {error}")
        return message

    def failure(self, request: CandidateRequest | Asked, reason: FailureReason, detail: str) -> CandidateFailure:
        """Write why nothing was measured."""
        return CandidateFailure(**self._common_fields(request), reason=reason, detail=cut(detail))

    def status(self, campaign: str, health: Health) -> tuple[str, bytes]:
        """Return topic and payload of the simulator's status."""
        now, message_id = self._clock(), self._new_id()
        return status_message(campaign, self._simulator, health, now, message_id=message_id, instance=self._instance)

    def capabilities(self, campaign: str, fields: Mapping[str, Any]) -> tuple[str, bytes]:
        """Return topic and payload of what the simulator can do.

        Args:
            campaign: Whose topic it goes to.
            fields: What it can do.
        """
        message = Capabilities(
            campaign=campaign,
            message_id=self._new_id(),
            sent_at=self._clock(),
            simulator=self._simulator,
            **fields,
        )
        return topic_of(message), encode(message)

    def _common_fields(self, request: CandidateRequest | Asked) -> dict[str, Any]:
        return {
            "campaign": request.campaign,
            "message_id": self._new_id(),
            "sent_at": self._clock(),
            "attempt_id": request.attempt_id,
            "candidate_id": request.candidate_id,
            "simulator": self._simulator,
        }


def status_message(
    campaign: str,
    simulator: str,
    health: Health,
    now: datetime,
    *,
    message_id: str | None = None,
    instance: str | None = None,
    incumbent: bool = False,
) -> tuple[str, bytes]:
    """Return topic and payload of a simulator's status; also its last will.

    Args:
        campaign: Whose topic it goes to.
        simulator: Its id.
        health: How it is.
        now: Wall-clock time, a label.
        message_id: One that nobody has used; a fresh one by default.
        instance: Names it among those of its id.
        incumbent: Whether it has been there for a while.
    """
    message = Status(
        campaign=campaign,
        message_id=message_id or fresh_id(),
        sent_at=now,
        client=simulator,
        role="simulator",
        health=health,
        instance=instance,
        incumbent=incumbent,
    )
    return str(Topic(campaign, Channel.STATUS, simulator)), encode(message)
