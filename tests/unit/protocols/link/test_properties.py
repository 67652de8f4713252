"""What a publisher says beside its payload comes through as JSON can hold it."""

from __future__ import annotations

import json

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from protocols.link.properties import properties_of


def test_every_property_of_a_publisher_has_a_name_and_a_value_for_json() -> None:
    given = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    given.ContentType = "text/plain"
    given.ResponseTopic = "lab/answer"
    given.CorrelationData = b"\xff\x00"
    given.UserProperty = ("unit", "eV")
    given.UserProperty = ("unit", "K")
    given.MessageExpiryInterval = 60
    given.PayloadFormatIndicator = 1
    given.TopicAlias = 3  # between a client and its broker
    found = properties_of(given)
    assert json.loads(json.dumps(found)) == {
        "content_type": "text/plain",
        "response_topic": "lab/answer",
        "correlation_data": "/wA=",
        "user_properties": [["unit", "eV"], ["unit", "K"]],
        "message_expiry_s": 60,
        "payload_format": 1,
    }


def test_a_version_without_properties_says_nothing() -> None:
    assert properties_of(None) == {}
    assert properties_of(Properties(PacketTypes.PUBLISH)) == {}  # type: ignore[no-untyped-call]
