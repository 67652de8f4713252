"""The brokers that a run brings along start, tell how to be reached, and end with it."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from protocols.errors import BrokerError
from protocols.link.broker_settings import BrokerSettings, MqttVersion
from scenarios.broker.broker import (
    LOOPBACK,
    broker_for,
    embedded_broker,
    mosquitto_config,
)
from tests.support.brokers import listens

PATIENCE_S = 10.0

MQTT_5_CONNECT = b"\x10\x18\x00\x04MQTT\x05\x00\x00\x3c\x05\x11\x00\x00\x00\x78\x00\x06client"
"""With a session expiry: amqtt takes its first bytes for the length of a client id, and waits for more."""

RESET = struct.pack("ii", 1, 0)
"""Lets a socket hang up without a goodbye."""


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - the number of open files tells nobody that it changed
            await asyncio.sleep(0.01)


async def test_the_embedded_broker_takes_a_free_port_and_leaves_it() -> None:
    async with embedded_broker() as reached:
        assert reached.version is MqttVersion.V311
        assert await listens(reached)
    assert not await listens(reached)


@pytest.mark.parametrize("said", [b"", MQTT_5_CONNECT], ids=["nothing", "MQTT 5"])
async def test_the_embedded_broker_lets_go_of_who_hangs_up_on_it(said: bytes, caplog: pytest.LogCaptureFixture) -> None:
    process = psutil.Process()
    async with embedded_broker() as reached:
        before = process.num_fds()
        with socket.create_connection((LOOPBACK, reached.address().port)) as stranger:
            stranger.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            stranger.sendall(said)
            await until(lambda: process.num_fds() == before + 2)  # both ends
        await until(lambda: process.num_fds() == before)
    assert caplog.records == []


async def test_a_port_in_use_is_said_with_an_advice() -> None:
    async with embedded_broker() as reached:
        with pytest.raises(BrokerError, match="cannot listen") as caught:
            async with embedded_broker(port=reached.address().port):
                pass
    assert "--port" in caught.value.action


async def test_a_url_is_taken_as_it_is(tmp_path: Path) -> None:
    settings = BrokerSettings(url="mqtt://lab:1884")
    async with broker_for(settings, tmp_path) as reached:
        assert reached == settings


def test_our_mosquitto_keeps_what_it_confirms(tmp_path: Path) -> None:
    lines = mosquitto_config(tmp_path, 1999).splitlines()
    assert "listener 1999 127.0.0.1" in lines
    assert "listener 1999 0.0.0.0" in mosquitto_config(tmp_path, 1999, "0.0.0.0").splitlines()
    assert {"persistence true", "autosave_on_changes true", "autosave_interval 1"} <= set(lines)
