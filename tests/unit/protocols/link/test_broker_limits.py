"""What a broker says on connecting is read, named, and held against what we cannot do without."""

from __future__ import annotations

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from protocols.link.broker_limits import BrokerLimits, limits_of, packet_bytes, too_large

FILTERS = ("lab/+/result", "$share/simulators/lab/request/any")


def said(**properties: int) -> BrokerLimits:
    """Read the limits of a CONNACK."""
    packet = Properties(PacketTypes.CONNACK)  # type: ignore[no-untyped-call]
    for name, value in properties.items():
        setattr(packet, name, value)
    return limits_of(packet)


def test_a_broker_that_says_nothing_limits_nothing() -> None:
    for limits in (said(), limits_of(None)):
        assert limits == BrokerLimits()
        assert limits.in_words() == ()
        assert limits.lacks(FILTERS, retains=True) is None
        assert limits.granted(FILTERS) == FILTERS


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"MaximumPacketSize": 400}, "packets of at most 400 bytes"),
        ({"ReceiveMaximum": 5}, "at most 5 messages unconfirmed"),
        ({"ServerKeepAlive": 60}, "a word every 60 s"),
        ({"SessionExpiryInterval": 0}, "our queue is kept for 0 s"),
        ({"MaximumQoS": 0}, "QoS 0 at most"),
        ({"RetainAvailable": 0}, "nothing is retained"),
        ({"WildcardSubscriptionAvailable": 0}, "no filters with + or #"),
        ({"SharedSubscriptionAvailable": 0}, "no shared subscriptions"),
    ],
)
def test_each_limit_is_named(properties: dict[str, int], words: str) -> None:
    assert said(**properties).in_words() == (words,)


def test_what_we_cannot_do_without_is_named() -> None:
    assert "QoS 0" in str(said(MaximumQoS=0).lacks((), retains=False))
    assert "retained" in str(said(RetainAvailable=0).lacks((), retains=True))
    assert "'lab/+/result'" in str(said(WildcardSubscriptionAvailable=0).lacks(FILTERS, retains=True))


def test_what_we_do_not_use_is_not_missed() -> None:
    assert said(MaximumQoS=1).lacks(FILTERS, retains=True) is None
    assert said(RetainAvailable=0).lacks((), retains=False) is None
    assert said(WildcardSubscriptionAvailable=0).lacks(("lab/x",), retains=True) is None


def test_a_shared_filter_becomes_a_plain_one_where_nothing_is_shared() -> None:
    assert said(SharedSubscriptionAvailable=0).granted(FILTERS) == ("lab/+/result", "lab/request/any")


@pytest.mark.parametrize(
    ("payload", "properties_bytes", "expected"),
    [(0, 0, 2 + 2 + 5 + 2), (117, 1, 2 + 127), (118, 1, 3 + 128), (16_373, 1, 3 + 16_383), (16_374, 1, 4 + 16_384)],
)
def test_the_size_of_a_packet_counts_its_header_topic_number_and_properties(
    payload: int, properties_bytes: int, expected: int
) -> None:
    assert packet_bytes("lab/x", b"x" * payload, properties_bytes) == expected


def test_a_packet_that_is_too_large_is_told_with_both_sizes() -> None:
    error = too_large("lab/x", 512, 400)
    assert error.topic == "lab/x"
    assert "512 bytes is larger than the broker takes, at most 400 bytes" in error.reason
    assert "packet size" in error.action
