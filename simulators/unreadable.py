"""Who asks, in a request that is none: so that they hear what is wrong with it, instead of nothing.

A structure of ten thousand atoms, a coordinate that is no number, a field that we do not know: such a request is
refused as a whole, and nothing of it is used. But where it says as it should whose attempt it is, that attempt gets its
failure at once.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter, ValidationError

from protocols.errors import MessageError
from protocols.wire.limits import MAX_ENVELOPE_BYTES, PROTOCOL_VERSION
from protocols.wire.messages import CandidateRequest, Identifier
from protocols.wire.topics import Channel, parse

_IDENTIFIER: Final = TypeAdapter(Identifier)
_TYPE: Final = CandidateRequest.model_fields["type"].default


@dataclass(frozen=True, slots=True)
class Asked:
    """What a failure copies from a request."""

    campaign: str
    attempt_id: str
    candidate_id: str


def who_asks(topic: str, payload: bytes) -> Asked | None:
    """Return whose attempt an unreadable request is; None where it does not say so, or on a topic of somebody else."""
    try:
        on = parse(topic)
        content = json.loads(payload) if len(payload) <= MAX_ENVELOPE_BYTES else None
        if not isinstance(content, dict) or on.channel is not Channel.REQUEST:
            return None
        told = [_IDENTIFIER.validate_python(content.get(name)) for name in ("campaign", "attempt_id", "candidate_id")]
    except (MessageError, ValidationError, ValueError, RecursionError):
        return None
    is_ours = content.get("type") == _TYPE and content.get("protocol") == PROTOCOL_VERSION
    return Asked(*told) if is_ours and told[0] == on.campaign else None
