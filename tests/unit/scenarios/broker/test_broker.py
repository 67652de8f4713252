"""The brokers that a run brings along start, tell how to be reached, and end with it."""

from __future__ import annotations

import asyncio
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from protocols.errors import BrokerError
from protocols.link.broker_settings import BrokerSettings, MqttVersion
from protocols.link.mqtt import MqttSession
from protocols.link.transport import LinkUp
from scenarios.broker.broker import (
    LOOPBACK,
    broker_for,
    embedded_broker,
    find_mosquitto,
    mosquitto_broker,
    mosquitto_config,
)
from scenarios.broker.child_guard import SETTLED_S

PATIENCE_S = 10.0

MQTT_5_CONNECT = b"\x10\x18\x00\x04MQTT\x05\x00\x00\x3c\x05\x11\x00\x00\x00\x78\x00\x06client"
"""With a session expiry: amqtt takes its first bytes for the length of a client id, and waits for more."""

RESET = struct.pack("ii", 1, 0)
"""Lets a socket hang up without a goodbye."""

OWNER = """
import subprocess, sys
held = subprocess.Popen([sys.executable, "-m", "scenarios.broker.child_guard", "sleep", "60"], stdin=subprocess.PIPE)
print(held.pid, flush=True)
held.wait()
"""


async def listens(settings: BrokerSettings) -> bool:
    """Tell whether a client gets in."""
    session = MqttSession(
        settings.model_copy(update={"first_connect_timeout_s": 0.5}), client_id="knock", subscriptions=()
    )
    running = asyncio.create_task(session.run())
    first = asyncio.create_task(session.receive())
    await asyncio.wait({running, first}, return_when=asyncio.FIRST_COMPLETED)
    heard = isinstance(first.result(), LinkUp) if first.done() else False
    first.cancel()
    await session.close()
    await asyncio.gather(running, first, return_exceptions=True)
    return heard


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - the number of open files tells nobody that it changed
            await asyncio.sleep(0.01)


def mosquitto_or_skip() -> str:
    try:
        return find_mosquitto()
    except BrokerError:
        pytest.skip("Mosquitto is not installed")


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


@pytest.mark.system
async def test_mosquitto_listens_where_it_is_told_and_says_how_this_machine_reaches_it(tmp_path: Path) -> None:
    mosquitto_or_skip()
    async with mosquitto_broker(tmp_path, host="0.0.0.0") as reached:
        assert reached.url.startswith("mqtt://127.0.0.1:")
        assert await listens(reached)


@pytest.mark.system
async def test_mosquitto_runs_as_a_child_and_ends_with_us(tmp_path: Path) -> None:
    mosquitto_or_skip()
    async with broker_for(BrokerSettings(url="mosquitto"), tmp_path) as reached:
        assert await listens(reached)
    assert not await listens(reached)


@pytest.mark.system
async def test_a_mosquitto_that_is_killed_comes_back_and_remembers(tmp_path: Path) -> None:
    mosquitto_or_skip()
    async with mosquitto_broker(tmp_path) as reached:
        await asyncio.sleep(SETTLED_S)  # one that dies sooner is taken for one that cannot start
        leash = next(
            child
            for child in psutil.Process().children()
            if "scenarios.broker.child_guard" in " ".join(child.cmdline())
        )
        (first,) = leash.children()
        first.kill()
        until = time.monotonic() + 10
        while not (back := [child.pid for child in leash.children() if child.pid != first.pid]):
            assert time.monotonic() < until, "it did not come back"
            await asyncio.sleep(0.05)
        while not await listens(reached):
            assert time.monotonic() < until, "it came back and does not listen"
    assert not psutil.pid_exists(back[0])


@pytest.mark.system
async def test_mosquitto_on_a_port_in_use_says_so(tmp_path: Path) -> None:
    mosquitto_or_skip()
    async with embedded_broker() as reached:
        with pytest.raises(BrokerError, match="already"):
            async with mosquitto_broker(tmp_path, reached.address().port):
                pass


@pytest.mark.system
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
def test_what_a_leash_holds_ends_when_its_owner_is_killed() -> None:
    owner = subprocess.Popen(
        [
            sys.executable,
            "-c",
            OWNER,
        ],
        stdout=subprocess.PIPE,
    )
    assert owner.stdout is not None
    leash = psutil.Process(int(owner.stdout.readline()))
    until = time.monotonic() + 10
    while not leash.children() and time.monotonic() < until:
        time.sleep(0.02)
    (held,) = leash.children()
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    owner.stdout.close()
    gone, alive = psutil.wait_procs([held], timeout=10)
    assert gone
    assert not alive


FORGETFUL = """
import signal, sys, time
asked = 0
def end(*_):
    global asked
    asked += 1
    if asked > {deaf_to}: sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
while True: time.sleep(0.01)
"""


@pytest.mark.system
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGTERM on Windows")
@pytest.mark.parametrize(
    ("deaf_to", "codes"), [(1, {0, -signal.SIGTERM}), (10**6, {-signal.SIGKILL})], ids=["once", "for good"]
)
def test_what_a_leash_holds_ends_although_it_does_not_hear_that_it_is_to(deaf_to: int, codes: set[int]) -> None:
    """Mosquitto forgets a SIGTERM that comes between its first listening and its main loop.

    On a slow machine one more SIGTERM may meet an interpreter that is on its way out and has no handler any more.
    """
    leash = subprocess.Popen(
        [sys.executable, "-m", "scenarios.broker.child_guard", sys.executable, "-c", FORGETFUL.format(deaf_to=deaf_to)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert leash.stdin is not None
    assert leash.stdout is not None
    assert leash.stdout.readline() == b"ready\n"
    time.sleep(SETTLED_S)
    leash.stdin.close()
    assert leash.wait(30) in {code % 256 for code in codes}
    leash.stdout.close()
