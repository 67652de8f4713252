"""What a client says of itself when it connects: how long its session is to be kept, and what is its last will."""

from __future__ import annotations

from typing import Any

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from protocols.link.broker_settings import BrokerSettings, MqttVersion
from protocols.link.client import (
    LISTENER_EXPIRY_S,
    NOT_KEPT_S,
    SESSION_EXPIRY_S,
    PackedProperties,
    new_client,
    packed_bytes,
    with_user_properties,
)
from protocols.link.properties import properties_of
from protocols.link.transport import UserProperties, Will


def made(version: MqttVersion, expiry_s: int, will: Will | None = None) -> Any:
    settings = BrokerSettings(url="mqtt://lab")
    return new_client(settings, settings.address(), "client", version, expiry_s=expiry_s, timeout_s=1.0, will=will)


@pytest.mark.parametrize(("expiry_s", "clean"), [(SESSION_EXPIRY_S, False), (LISTENER_EXPIRY_S, False), (0, True)])
async def test_over_mqtt_5_the_broker_is_told_how_long_to_keep_the_session(expiry_s: int, clean: bool) -> None:
    client = made(MqttVersion.V5, expiry_s)
    assert client._properties.SessionExpiryInterval == expiry_s
    assert client._clean_start is clean


@pytest.mark.parametrize(
    ("expiry_s", "clean"), [(SESSION_EXPIRY_S, False), (LISTENER_EXPIRY_S, True), (NOT_KEPT_S, True)]
)
async def test_over_mqtt_3_1_1_a_session_is_kept_for_ever_or_not_at_all(expiry_s: int, clean: bool) -> None:
    assert made(MqttVersion.V311, expiry_s)._client._clean_session is clean


def test_user_properties_are_sent_as_they_come_and_their_size_is_known() -> None:
    properties = with_user_properties(PacketTypes.PUBLISH, (("unit", "eV"), ("unit", "K")))
    assert properties_of(properties) == {"user_properties": [["unit", "eV"], ["unit", "K"]]}
    each = 1 + 2 + len("unit") + 2  # identifier, and two lengths
    assert packed_bytes(properties) == 1 + (each + len("eV")) + (each + len("K"))


def test_without_properties_a_packet_says_that_there_are_none() -> None:
    assert with_user_properties(PacketTypes.PUBLISH, ()) is None
    assert packed_bytes(None) == 1


@pytest.mark.parametrize(
    "pairs",
    [
        (("unit", "eV"),),
        (("unit", "eV"), ("unit", "K"), ("größe", "½ Å"), ("", "")),
        tuple((f"instrument-{number}", "0" * 64) for number in range(64)),  # its length takes two bytes
        (("long", "x" * 65_535),),
    ],
)
@pytest.mark.parametrize("packet", [PacketTypes.PUBLISH, PacketTypes.WILLMESSAGE])
def test_properties_that_are_packed_once_are_those_that_paho_packs(packet: int, pairs: UserProperties) -> None:
    packed, by_paho = PackedProperties(packet, pairs), Properties(packet)  # type: ignore[no-untyped-call]
    by_paho.UserProperty = list(pairs)
    assert packed.pack() == by_paho.pack()  # type: ignore[no-untyped-call]
    assert str(packed) == str(by_paho)
    assert properties_of(packed) == properties_of(by_paho)
    read, size = Properties(packet).unpack(packed.pack())  # type: ignore[no-untyped-call]
    assert (read.UserProperty, size) == (list(pairs), len(packed.pack()))


async def test_the_signature_of_a_last_will_stands_beside_it_or_in_its_envelope() -> None:
    will = Will("a/status/b", b"offline", (("signature", "b 00"),), b"enveloped")
    v5, v311 = (made(version, SESSION_EXPIRY_S, will)._client for version in (MqttVersion.V5, MqttVersion.V311))
    assert (v5._will_payload, properties_of(v5._will_properties)) == (
        b"offline",
        {"user_properties": [["signature", "b 00"]]},
    )
    assert (v311._will_payload, v311._will_properties) == (b"enveloped", None)
