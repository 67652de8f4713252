"""A session is ended by a client that comes under its id for one that is not kept, and leaves at once."""

from __future__ import annotations

import asyncio

import pytest

from protocols.errors import BrokerError
from protocols.link.broker_settings import MqttVersion
from protocols.link.sessions import end_session
from tests.unit.protocols.link.mqtt_peer import V5, Script, scripted_peer

V311 = 4
CLEAN = 0x02
"""The flag of CONNECT that asks for a clean start, or a clean session."""


@pytest.mark.parametrize(("version", "level"), [(MqttVersion.V5, V5), (MqttVersion.V311, V311)])
async def test_it_comes_for_a_clean_session_and_leaves_nothing_open(version: MqttVersion, level: int) -> None:
    script = Script()
    async with scripted_peer(script) as settings:
        await end_session(settings, "gone", version)
        async with asyncio.timeout(20):
            while script.open:  # noqa: ASYNC110 - of the peer's making
                await asyncio.sleep(0.005)
    assert script.levels == [level]
    (greeting,) = script.greetings
    assert greeting[7] & CLEAN
    assert b"gone" in greeting


@pytest.mark.parametrize("version", [MqttVersion.V5, MqttVersion.V311])
async def test_a_broker_that_does_not_take_it_in_is_named_with_its_word(version: MqttVersion) -> None:
    script = Script(connack={V5: 135, V311: 5})
    async with scripted_peer(script) as settings:
        with pytest.raises(BrokerError, match="not authorised"):
            await end_session(settings, "gone", version)
