"""Packets are read as the standard has them, and whatever breaks its rules is malformed, never an error of ours."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.broker.embedded.limits import MAX_FILTER_BYTES, MAX_FILTERS
from scenarios.broker.embedded.packets import (
    Kind,
    Malformed,
    Message,
    OtherVersion,
    Packet,
    greeting_of,
    header_of,
    is_filter,
    length_of,
    number_of,
    publication_of,
    wanted_of,
)


def text(content: str | bytes) -> bytes:
    encoded = content.encode() if isinstance(content, str) else content
    return len(encoded).to_bytes(2) + encoded


def connect(flags: int = 2, *rest: bytes, name: str = "MQTT", level: int = 4, client_id: str = "me") -> Packet:
    body = text(name) + bytes((level, flags)) + (15).to_bytes(2) + text(client_id) + b"".join(rest)
    return Packet(Kind.CONNECT, 0, body)


def test_a_greeting_tells_who_comes_and_what_is_to_be_said_when_it_is_gone() -> None:
    said = greeting_of(connect(0xC0 | 0x2C, text("status/me"), text(b"\xffgone"), text("ann"), text(b"\x00secret")))
    assert (said.client_id, said.is_clean, said.keepalive_s) == ("me", False, 15)
    assert said.will == Message("status/me", b"\xffgone", qos=1, retain=True)
    assert (said.username, said.password) == ("ann", b"\x00secret")
    nobody = greeting_of(connect(2, client_id=""))
    assert (nobody.client_id, nobody.is_clean, nobody.will, nobody.username, nobody.password) == (
        "",
        True,
        None,
        "",
        b"",
    )


@pytest.mark.parametrize(
    "packet",
    [
        Packet(Kind.PUBLISH, 0, b""),
        connect(3),  # the reserved flag
        connect(0x42, text("secret")),  # a password without a name
        connect(0x1E, text("t"), text("w")),  # a will of quality 3
        connect(0x0A),  # a will's quality without a will
        connect(0x06, text("+/x"), text("w")),  # a will to a filter
        connect(0x82, b"\x00\x05ann"),  # it ends too soon
        connect(2, b"more"),
        connect(client_id="a\0b"),
        Packet(Kind.CONNECT, 0, text(b"\xff\xfe") + b"\x04\x02\x00\x00" + text("x")),
    ],
)
def test_a_greeting_that_breaks_the_rules_is_malformed(packet: Packet) -> None:
    with pytest.raises(Malformed):
        greeting_of(packet)


@pytest.mark.parametrize(("name", "level"), [("MQTT", 5), ("MQIsdp", 3), ("MQTT", 0)])
def test_another_version_is_told_apart(name: str, level: int) -> None:
    with pytest.raises(OtherVersion) as caught:
        greeting_of(connect(name=name, level=level))
    assert caught.value.level == level


def test_a_message_is_read_with_its_number_where_it_has_one() -> None:
    plain = publication_of(Packet(Kind.PUBLISH, 0, text("a/b") + b"\x00\xff"))
    assert (plain.message, plain.number) == (Message("a/b", b"\x00\xff", 0), 0)
    kept = publication_of(Packet(Kind.PUBLISH, 0b1011, text("a") + b"\x01\x02"))
    assert (kept.message, kept.number) == (Message("a", b"", 1, retain=True), 258)


@pytest.mark.parametrize("topic", ["", "a/+", "#", "$SYS/x", "x" * (MAX_FILTER_BYTES + 1), "a\0"])
def test_a_topic_that_nobody_may_publish_to_is_malformed(topic: str) -> None:
    with pytest.raises(Malformed):
        publication_of(Packet(Kind.PUBLISH, 0, text(topic)))


@pytest.mark.parametrize(("flags", "body"), [(6, b"\x00\x01a\x00\x01"), (8, b"\x00\x01a"), (2, b"\x00\x01a\x00\x00")])
def test_a_quality_of_three_a_repetition_of_what_is_not_numbered_and_the_number_zero_are_malformed(
    flags: int, body: bytes
) -> None:
    with pytest.raises(Malformed):
        publication_of(Packet(Kind.PUBLISH, flags, body))


def test_filters_are_read_each_with_its_quality() -> None:
    wanted = wanted_of(Packet(Kind.SUBSCRIBE, 2, b"\x00\x07" + text("a/+") + b"\x01" + text("#") + b"\x02"))
    assert (wanted.number, wanted.filters) == (7, (("a/+", 1), ("#", 2)))
    left = wanted_of(Packet(Kind.UNSUBSCRIBE, 2, b"\x00\x07" + text("a/+")))
    assert left.filters == (("a/+", 0),)


def test_more_filters_than_a_client_may_have_none_or_a_wrong_one_are_malformed() -> None:
    one = text("a") + b"\x00"
    assert len(wanted_of(Packet(Kind.SUBSCRIBE, 2, b"\x00\x01" + one * MAX_FILTERS)).filters) == MAX_FILTERS
    for rest in (one * (MAX_FILTERS + 1), b"", text("a#") + b"\x00", text("a") + b"\x03"):
        with pytest.raises(Malformed):
            wanted_of(Packet(Kind.SUBSCRIBE, 2, b"\x00\x01" + rest))


@pytest.mark.parametrize(
    ("lawful", "names"),
    [
        (True, ("#", "+", "a/#", "+/b/+", "a//b", "$share/g/a/#")),
        (False, ("", "a/#/b", "a#", "+a", "x" * (MAX_FILTER_BYTES + 1))),
    ],
)
def test_wildcards_take_whole_levels_and_the_last_one_takes_the_rest(lawful: bool, names: tuple[str, ...]) -> None:
    assert [is_filter(name) for name in names] == [lawful] * len(names)


@given(st.integers(0, 268_435_455))
def test_a_length_is_read_as_it_is_written(length: int) -> None:
    written, rest = bytearray(), length
    while True:
        rest, low = rest >> 7, rest & 0x7F
        written.append(low | (0x80 if rest else 0))
        if not rest:
            break
    assert [length_of(bytes(written[: place + 1])) for place in range(len(written))] == [
        *[None] * (len(written) - 1),
        length,
    ]


def test_a_length_that_does_not_end_is_malformed() -> None:
    with pytest.raises(Malformed):
        length_of(b"\xff\xff\xff\xff")


def outcome(read: Callable[[Packet], object], packet: Packet) -> str:
    """What becomes of a packet; anything but a value and `Malformed` is an error of ours, and raised."""
    try:
        return type(read(packet)).__name__
    except Malformed:
        return "malformed"


@given(st.integers(0, 15), st.binary(max_size=80))
def test_no_bytes_raise_anything_but_malformed(flags: int, body: bytes) -> None:
    cases = [
        (greeting_of, Packet(Kind.CONNECT, 0, body), "Greeting"),
        (greeting_of, Packet(Kind.CONNECT, 0, text("MQTT") + b"\x04" + body), "Greeting"),
        (publication_of, Packet(Kind.PUBLISH, flags, body), "Publication"),
        (wanted_of, Packet(Kind.SUBSCRIBE, 2, body), "Wanted"),
        (number_of, Packet(Kind.PUBACK, 0, body), "int"),
    ]
    for read, packet, value in cases:
        assert outcome(read, packet) in {value, "malformed"}


@pytest.mark.parametrize("first", [0x00, 0xF0, 0x11, 0x80, 0x60, 0xC1])
def test_a_kind_that_there_is_not_or_with_flags_that_it_has_not_is_malformed(first: int) -> None:
    with pytest.raises(Malformed):
        header_of(first)
