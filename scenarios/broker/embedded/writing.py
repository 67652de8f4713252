"""The packets of MQTT 3.1.1 that a broker says: values in, bytes out. Pure."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from scenarios.broker.embedded.packets import FLAGS, MORE, SEVEN_BITS, Kind, Message

MQTT_5: Final = 5
"""The first level whose clients read properties in a refusal."""

UNSUPPORTED_VERSION: Final = 132
"""What such a client reads as: another version, please."""

REFUSED_FILTER: Final = 0x80
"""What a SUBACK says of a subscription that is not granted."""


class Refusal(IntEnum):
    """Why a client is not taken in: codes of CONNACK."""

    VERSION = 1
    CLIENT_ID = 2
    UNAVAILABLE = 3
    PASSWORD = 4
    NOT_AUTHORISED = 5


def connack(*, session_present: bool) -> bytes:
    """Write the CONNACK of a client that is taken in."""
    return bytes((Kind.CONNACK << 4, 2, session_present, 0))


def refusal(why: Refusal) -> bytes:
    """Write the CONNACK of a client that is not taken in."""
    return bytes((Kind.CONNACK << 4, 2, 0, why))


def refusal_of_version(level: int) -> bytes:
    """Write the CONNACK for who speaks another version, as that version reads it."""
    return bytes((Kind.CONNACK << 4, 3, 0, UNSUPPORTED_VERSION, 0)) if level >= MQTT_5 else refusal(Refusal.VERSION)


def numbered(kind: Kind, number: int) -> bytes:
    """Write a PUBACK, PUBREC, PUBREL, PUBCOMP or UNSUBACK."""
    return bytes((kind << 4 | FLAGS.get(kind, 0), 2)) + number.to_bytes(2)


def suback(number: int, granted: tuple[int, ...]) -> bytes:
    """Write a SUBACK: for each filter the quality that is granted, or `REFUSED_FILTER`."""
    return _packet(Kind.SUBACK << 4, number.to_bytes(2) + bytes(granted))


def pong() -> bytes:
    """Write a PINGRESP."""
    return bytes((Kind.PINGRESP << 4, 0))


def publish(message: Message, number: int, *, again: bool) -> bytes:
    """Write a PUBLISH; `again` marks one that was sent before."""
    first = Kind.PUBLISH << 4 | (8 if again else 0) | message.qos << 1 | message.retain
    topic = message.topic.encode()
    head = len(topic).to_bytes(2) + topic + (number.to_bytes(2) if message.qos else b"")
    return _packet(first, head + message.payload)


def _packet(first: int, body: bytes) -> bytes:
    length, rest = bytearray(), len(body)
    while True:
        rest, low = rest >> 7, rest & SEVEN_BITS
        length.append(low | (MORE if rest else 0))
        if not rest:
            return bytes((first,)) + bytes(length) + body
