"""Mosquitto as a child of ours: it listens, comes back, and ends with us however we end."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from protocols.errors import BrokerError
from protocols.link.broker_settings import BrokerSettings
from scenarios.broker.broker import (
    broker_for,
    embedded_broker,
    find_mosquitto,
    mosquitto_broker,
)
from scenarios.broker.child_guard import SETTLED_S
from tests.support.brokers import listens
from tests.support.processes import started

PATIENCE_S = 10.0


OWNER = """
import subprocess, sys
held = subprocess.Popen([sys.executable, "-m", "scenarios.broker.child_guard", "sleep", "60"], stdin=subprocess.PIPE)
print(held.pid, flush=True)
held.wait()
"""


def mosquitto_or_skip() -> str:
    try:
        return find_mosquitto()
    except BrokerError:
        pytest.skip("Mosquitto is not installed")


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
        guarding = next(
            child
            for child in psutil.Process().children()
            if "scenarios.broker.child_guard" in " ".join(child.cmdline())
        )
        (first,) = guarding.children()
        first.kill()
        until = time.monotonic() + 10
        while not (back := [child.pid for child in guarding.children() if child.pid != first.pid]):
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
def test_what_a_guard_holds_ends_when_its_owner_is_killed() -> None:
    with started([sys.executable, "-c", OWNER], stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        guarding = psutil.Process(int(owner.stdout.readline()))
        until = time.monotonic() + PATIENCE_S
        while not guarding.children() and time.monotonic() < until:
            time.sleep(0.02)
        (held,) = guarding.children()
        owner.send_signal(signal.SIGKILL)
        owner.wait()
        gone, alive = psutil.wait_procs([held], timeout=PATIENCE_S)
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
def test_what_a_guard_holds_ends_although_it_does_not_hear_that_it_is_to(deaf_to: int, codes: set[int]) -> None:
    """Mosquitto forgets a SIGTERM that comes between its first listening and its main loop.

    On a slow machine one more SIGTERM may meet an interpreter that is on its way out and has no handler any more.
    """
    command = [sys.executable, "-c", FORGETFUL.format(deaf_to=deaf_to)]
    guard = [sys.executable, "-m", "scenarios.broker.child_guard"]
    with started([*guard, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as guarding:
        assert guarding.stdin is not None
        assert guarding.stdout is not None
        assert guarding.stdout.readline() == b"ready\n"
        time.sleep(SETTLED_S)
        guarding.stdin.close()
        assert guarding.wait(30) in {code % 256 for code in codes}
