"""Bytes to messages and back. Whatever a peer sends, the outcome is a valid message or a `MessageError`.

Reasons of a `MessageError`, a closed vocabulary, so that faults can be counted: `oversize`, `not_json`,
`unknown_type`, `unknown_version`, `invalid`, `unknown_topic`, `foreign_campaign`, `wrong_topic`; and, from the rules of
the campaign, `unknown_attempt`, `wrong_sender` and `stale`. Who looks at signatures has `wrong_signature` and
`unsigned`; who translates a lab's own messages has `unmapped`. One more stands in the quarantine only: `kills_handler`
(`protocols.link.poison_guard`), of a message that is not read any more.
"""

from __future__ import annotations

import json
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from protocols.errors import MessageError
from protocols.wire.limits import MAX_PAYLOAD_BYTES, PROTOCOL_VERSION
from protocols.wire.messages import (
    MESSAGE_TYPES,
    AnyMessage,
    CandidateFailure,
    CandidateRequest,
    CandidateResult,
    Capabilities,
    Control,
    ControlReceipt,
    Message,
    ResultReceipt,
    Status,
)
from protocols.wire.topics import ANY_SIMULATOR, Channel, Topic, parse

_ADAPTERS: Final[dict[str, TypeAdapter[Any]]] = {
    model.model_fields["type"].default: TypeAdapter(model) for model in MESSAGE_TYPES
}

CHANNEL_OF: Final[dict[str, Channel]] = {
    "candidate_request": Channel.REQUEST,
    "candidate_result": Channel.RESULT,
    "candidate_failure": Channel.FAILURE,
    "result_receipt": Channel.RECEIPT,
    "metrics_report": Channel.METRICS,
    "status": Channel.STATUS,
    "control": Channel.CONTROL,
    "control_receipt": Channel.RECEIPT,
    "campaign_state": Channel.CAMPAIGN,
    "capabilities": Channel.CAPABILITIES,
    "capabilities_request": Channel.ANNOUNCE,
}

_TYPE_ON: Final = {channel: kind for kind, channel in reversed(CHANNEL_OF.items())}
"""The type that a message on a channel mostly has: of several, the one that stands first."""

WRONG_SIGNATURE: Final = "wrong_signature"
"""Reason in the quarantine: a signature does not hold."""

UNSIGNED_MESSAGE: Final = "unsigned"
"""Reason in the quarantine: there is no signature, and one is required."""

UNMAPPED: Final = "unmapped"
"""Reason in the quarantine: a message of a lab does not fit the `[lab]` section."""


def encode(message: Message) -> bytes:
    """Return the message as compact JSON.

    Raises:
        MessageError: With reason `oversize` when it exceeds what a receiver would take.
    """
    payload = _json(message)
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise _oversize(len(payload))
    return payload


def _json(message: Message) -> bytes:
    return message.model_dump_json(exclude_none=True).encode()


def decode(topic: str, payload: bytes) -> AnyMessage:
    """Return the message that arrived on a topic.

    Raises:
        MessageError: With the reason why it is not one of ours.
    """
    parsed = parse(topic)
    message = _as_encoded(payload, parsed.channel) or decode_payload(payload)
    _check_belongs(message, parsed)
    return message


def _as_encoded(payload: bytes, channel: Channel) -> AnyMessage | None:
    """Return the message of a payload that is to the byte what `encode` writes; None of every other one.

    So of one that repeats no key, and is of the usual type of its channel: nothing need be looked for in it, and most
    are.
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        return None
    try:
        message: AnyMessage = _ADAPTERS[_TYPE_ON[channel]].validate_json(payload, strict=True)
    except ValidationError:
        return None
    return message if _json(message) == payload else None


def decode_payload(payload: bytes) -> AnyMessage:
    """Return the message in a payload, whatever topic it came on.

    Raises:
        MessageError: With the reason why it is not one of ours.
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise _oversize(len(payload))
    kind = _kind_of(payload)
    try:
        message: AnyMessage = _ADAPTERS[kind].validate_json(payload, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the message"
        raise MessageError("invalid", f"{kind}: {where}: {first['msg']}"[:300]) from None
    return message


def _kind_of(payload: bytes) -> str:
    """Find type and version before anything else, so that a newer peer is told apart from garbage."""
    try:
        content = from_json(payload, allow_inf_nan=False)
    except ValueError as error:
        raise MessageError("not_json", f"The payload is not JSON: {str(error)[:200]}") from None
    if not isinstance(content, dict):
        raise MessageError("not_json", f"The payload is a JSON {type(content).__name__}", expected="an object")
    if _has_repeated_keys(payload):
        raise MessageError("invalid", "The payload repeats a key: two readers could understand it differently")
    version = content.get("protocol")
    if version != PROTOCOL_VERSION or isinstance(version, bool):
        raise MessageError("unknown_version", f"Protocol version {str(version)[:50]!r}", expected=str(PROTOCOL_VERSION))
    kind = content.get("type")
    if not isinstance(kind, str) or kind not in _ADAPTERS:
        raise MessageError(
            "unknown_type", f"Message type {str(kind)[:50]!r}", expected="one of " + ", ".join(sorted(_ADAPTERS))
        )
    return kind


def _has_repeated_keys(payload: bytes) -> bool:
    """Tell whether any object repeats a key: parsers silently keep the last one, and we would not know which."""
    repeated = False

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal repeated
        content = dict(items)
        repeated = repeated or len(content) != len(items)
        return content

    try:
        json.loads(payload, object_pairs_hook=pairs)
    except (ValueError, RecursionError):
        return True  # one parser takes it and another does not: that is the danger itself
    return repeated


def _check_belongs(message: AnyMessage, topic: Topic) -> None:
    """Check that a message came on the topic that it names: a device cannot speak for another."""
    if message.campaign != topic.campaign:
        raise MessageError(
            "foreign_campaign", f"A message of campaign {message.campaign!r} on a topic of {topic.campaign!r}"
        )
    if CHANNEL_OF[message.type] is not topic.channel:
        raise MessageError("wrong_topic", f"A {message.type} on the {topic.channel.value} channel")
    if not isinstance(message, CandidateRequest) and topic.client != (client := _client_of(message)):
        raise MessageError("wrong_topic", f"A message of {client!r} on the topic of {topic.client!r}")


def _client_of(message: AnyMessage) -> str | None:
    """Return whom the last level of a message's topic names; None where it has none."""
    match message:
        case Control() | ControlReceipt():
            return message.operator
        case Status():
            return message.client
        case CandidateResult() | CandidateFailure() | ResultReceipt() | Capabilities():
            return message.simulator
        case _:
            return None


def topic_of(message: AnyMessage, *, recipient: str = ANY_SIMULATOR) -> str:
    """Return the topic that a message travels on; `recipient` matters for requests only."""
    client = recipient if isinstance(message, CandidateRequest) else _client_of(message)
    return str(Topic(message.campaign, CHANNEL_OF[message.type], client))


def _oversize(size: int) -> MessageError:
    return MessageError("oversize", f"A message of {size} bytes", expected=f"at most {MAX_PAYLOAD_BYTES}")
