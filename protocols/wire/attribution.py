"""Whose a message is that cannot be read: who sent it, which attempt it answers, and its id, as far as they show.

A refused answer gets its receipt too, or its sender would repeat it for ever; and so does a refused order, or its
operator would hear nothing. So its text is searched for the ids, whatever else is wrong with it: not parsed, and no
further than a message may be long. What is found is a guess. It
addresses a receipt and is used for nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from protocols.errors import MessageError
from protocols.wire.limits import MAX_ID_LENGTH, MAX_PAYLOAD_BYTES
from protocols.wire.topics import Channel, parse

_ID: Final = rf'\s{{0,16}}:\s{{0,16}}"([a-z0-9][a-z0-9_-]{{0,{MAX_ID_LENGTH - 1}}})"'
_ATTEMPT_ID: Final = re.compile(f'"attempt_id"{_ID}'.encode())
_MESSAGE_ID: Final = re.compile(f'"message_id"{_ID}'.encode())


@dataclass(frozen=True, slots=True)
class Attribution:
    """Whose an unreadable answer is.

    Attributes:
        campaign: Of its topic.
        simulator: Of its topic.
        attempt_id: That it names.
        message_id: That it names; None where it names none, or several.
    """

    campaign: str
    simulator: str
    attempt_id: str
    message_id: str | None


def attributed(topic: str, payload: bytes) -> Attribution | None:
    """Return whose an answer is that was not understood; None where it cannot be told, or it is no answer."""
    try:
        said_on = parse(topic)
    except MessageError:
        return None
    if said_on.channel not in {Channel.RESULT, Channel.FAILURE} or said_on.client is None:
        return None
    attempt_id = _only(_ATTEMPT_ID, payload)
    if attempt_id is None:
        return None
    return Attribution(said_on.campaign, said_on.client, attempt_id, message_id_of(payload))


@dataclass(frozen=True, slots=True)
class OrderAttribution:
    """Whose an unreadable control is.

    Attributes:
        campaign: Of its topic.
        operator: Of its topic.
        message_id: That it names.
    """

    campaign: str
    operator: str
    message_id: str


def ordered_by(topic: str, payload: bytes) -> OrderAttribution | None:
    """Return whose a control is that was not taken; None where it cannot be told, or it is none."""
    try:
        said_on = parse(topic)
    except MessageError:
        return None
    message_id = message_id_of(payload)
    if said_on.channel is not Channel.CONTROL or said_on.client is None or message_id is None:
        return None
    return OrderAttribution(said_on.campaign, said_on.client, message_id)


def message_id_of(payload: bytes) -> str | None:
    """Return the id of a message by its text; None where it names none, or several."""
    return _only(_MESSAGE_ID, payload)


def _only(pattern: re.Pattern[bytes], payload: bytes) -> str | None:
    """Return what all matches agree in; None where there is none, or they differ."""
    found = {match.group(1) for match in pattern.finditer(payload, 0, MAX_PAYLOAD_BYTES)}
    return found.pop().decode() if len(found) == 1 else None
