"""Recorded words of a lab, written again for a live campaign: its name, its attempt, a fresh id and time."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from protocols.errors import MessageError
from protocols.wire.codec import decode_payload, encode, topic_of
from protocols.wire.messages import CandidateFailure, CandidateRequest, CandidateResult, Control, FailureReason, Status
from protocols.wire.topics import PREFIX
from scenarios.play.recorded_lab import RecordedAnswer, Unsolicited

UNKNOWN: Final = "the recording has no answer for it"

MESSAGE_ID_DIGITS: Final = 32
"""Hexadecimal digits of a message id, as `fresh_id` has them."""


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """What is to be published; `is_answer` tells answers from what is said unasked."""

    topic: str
    payload: bytes
    retain: bool = False
    is_answer: bool = False


def recorded_answer(
    answer: RecordedAnswer, request: CandidateRequest, simulator: str, now: datetime
) -> OutgoingMessage:
    """Return a recorded answer as one to this request."""
    recorded = decode_payload(answer.payload)
    assert isinstance(recorded, CandidateResult | CandidateFailure)  # noqa: S101 - for the type checker: see `labs_in`
    message = recorded.model_copy(
        update={
            "campaign": request.campaign,
            "attempt_id": request.attempt_id,
            "message_id": _message_id(request.attempt_id, recorded.message_id),
            "sent_at": now,
            "simulator": simulator,
        }
    )
    return OutgoingMessage(topic_of(message), encode(message), is_answer=True)


def unknown_answer(request: CandidateRequest, simulator: str, now: datetime) -> OutgoingMessage:
    """Return the failure of a candidate that was never answered for: another attempt cannot fix it."""
    message = CandidateFailure(
        campaign=request.campaign,
        attempt_id=request.attempt_id,
        candidate_id=request.candidate_id,
        message_id=_message_id(request.attempt_id, UNKNOWN),
        sent_at=now,
        simulator=simulator,
        reason=FailureReason.UNKNOWN_CANDIDATE,
        detail=UNKNOWN,
    )
    return OutgoingMessage(topic_of(message), encode(message), is_answer=True)


def unsolicited_message(unsolicited: Unsolicited, campaign: str, now: datetime) -> OutgoingMessage:
    """Return what was said unasked; what is no message of ours stays as it was.

    A control keeps its id, for it may have come more than once, and is carried out once.
    """
    payload = unsolicited.payload
    try:
        message = decode_payload(payload)
    except MessageError:
        pass
    else:
        if isinstance(message, Status | Control):
            payload = encode(message.model_copy(update={"campaign": campaign, "sent_at": now}))
    return OutgoingMessage(f"{PREFIX}/{campaign}/{unsolicited.channel}", payload, unsolicited.retain)


def _message_id(attempt_id: str, recorded: str) -> str:
    """Return an id that nobody has used, and that comes again where the recorded one does: for this attempt."""
    return hashlib.sha256(f"{attempt_id}/{recorded}".encode()).hexdigest()[:MESSAGE_ID_DIGITS]
