"""What a client says of itself when it connects: how long its session is to be kept."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.link.broker_settings import BrokerSettings, MqttVersion
from protocols.link.client import LISTENER_EXPIRY_S, NOT_KEPT_S, SESSION_EXPIRY_S, new_client


def made(version: MqttVersion, expiry_s: int) -> Any:
    settings = BrokerSettings(url="mqtt://lab")
    return new_client(settings, settings.address(), "client", version, expiry_s=expiry_s, timeout_s=1.0)


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
