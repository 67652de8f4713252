"""Packets are written as the standard has them, and a refusal as its reader understands it."""

from __future__ import annotations

import pytest

from scenarios.broker.embedded.packets import Kind, Message
from scenarios.broker.embedded.writing import (
    REFUSED_FILTER,
    Refusal,
    connack,
    numbered,
    pong,
    publish,
    refusal,
    refusal_of_version,
    suback,
)


def test_what_a_broker_says_is_written_as_the_standard_has_it() -> None:
    assert connack(session_present=True) == b"\x20\x02\x01\x00"
    assert refusal(Refusal.NOT_AUTHORISED) == b"\x20\x02\x00\x05"
    assert numbered(Kind.PUBACK, 258) == b"\x40\x02\x01\x02"
    assert numbered(Kind.PUBREL, 1) == b"\x62\x02\x00\x01"
    assert suback(3, (0, 1, REFUSED_FILTER)) == b"\x90\x05\x00\x03\x00\x01\x80"
    assert pong() == b"\xd0\x00"
    assert publish(Message("a", b"x", 1, retain=True), 5, again=True) == b"\x3b\x06\x00\x01a\x00\x05x"
    assert publish(Message("a", b"x" * 200, 0), 0, again=False)[:3] == b"\x30\xcb\x01"


@pytest.mark.parametrize(("level", "said"), [(3, b"\x20\x02\x00\x01"), (5, b"\x20\x03\x00\x84\x00")])
def test_another_version_is_refused_as_it_reads(level: int, said: bytes) -> None:
    """132 is MQTT 5's unsupported protocol version; no properties follow."""
    assert refusal_of_version(level) == said
