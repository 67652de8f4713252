"""Brokers as children of ours: they listen, come back when they die, and end with us however we or their guard end."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from protocols.errors import BrokerError
from protocols.link.broker_settings import BrokerSettings, MqttVersion
from protocols.link.mqtt import MqttSession
from protocols.link.transport import LinkUp
from scenarios.broker.broker import LOOPBACK, broker_for, embedded_broker, find_mosquitto, mosquitto_broker
from scenarios.broker.child_guard import SETTLED_S
from tests.support.brokers import listens
from tests.support.processes import started

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(sys.platform == "win32", reason="there is neither SIGKILL nor SIGTERM on Windows"),
]

PATIENCE_S = 30.0

KINDS = ("embedded", "mosquitto")

OWNER = """
import asyncio, sys
from pathlib import Path
from protocols.link.broker_settings import BrokerSettings
from scenarios.broker.broker import broker_for
async def main():
    async with broker_for(BrokerSettings(url=sys.argv[1]), Path(sys.argv[2])) as reached:
        print(reached.address().port, flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""


def mosquitto_or_skip() -> str:
    try:
        return find_mosquitto()
    except BrokerError:
        pytest.skip("Mosquitto is not installed")


def require(kind: str) -> None:
    if kind == "mosquitto":
        mosquitto_or_skip()


def children_of(process: psutil.Process) -> list[psutil.Process]:
    return process.children(recursive=True)


def the_one(words: str, among: list[psutil.Process]) -> psutil.Process:
    (found,) = [each for each in among if words in " ".join(each.cmdline())]
    return found


def assert_ended(processes: list[psutil.Process]) -> None:
    """They are gone; what lost its parent is there for a moment longer, until the system takes it away."""
    _, alive = psutil.wait_procs(processes, timeout=PATIENCE_S)
    assert not alive


async def until_it_is_back(told: list[str]) -> None:
    until = time.monotonic() + PATIENCE_S
    while "broker_back" not in told:
        assert time.monotonic() < until, told
        await asyncio.sleep(0.02)
    assert told == ["broker_died", "broker_back"]


async def until_it_listens(reached: BrokerSettings) -> None:
    until = time.monotonic() + PATIENCE_S
    while not await listens(reached):
        assert time.monotonic() < until, "it does not listen"


@pytest.mark.parametrize("kind", KINDS)
async def test_a_broker_lets_in_who_was_given_its_password_and_ends_with_us(kind: str, tmp_path: Path) -> None:
    require(kind)
    passwords = set()
    for _ in range(2):
        async with broker_for(BrokerSettings(url=kind), tmp_path) as reached:
            assert await listens(reached)
            assert not await listens(reached.model_copy(update={"username": None, "password": None}))
            assert not await listens(BrokerSettings(url=reached.url.replace("//", "//entropilot:guessed@")))
            assert reached.password is not None
            passwords.add(reached.password.get_secret_value())
        assert not await listens(reached)
    assert len(passwords) == 2


@pytest.mark.parametrize("kind", KINDS)
async def test_no_password_stands_on_a_command_line_or_in_an_environment(kind: str, tmp_path: Path) -> None:
    require(kind)
    known = set(children_of(psutil.Process()))
    async with broker_for(BrokerSettings(url=kind), tmp_path) as reached:
        assert reached.password is not None
        password = reached.password.get_secret_value()
        ours = [each for each in children_of(psutil.Process()) if each not in known]
        assert ours
        for each in ours:
            assert password not in " ".join(each.cmdline())
            assert password not in " ".join(each.environ().values())
    assert not any(password in file.read_text(errors="replace") for file in tmp_path.rglob("*") if file.is_file())


async def test_mosquitto_listens_where_it_is_told_and_says_how_this_machine_reaches_it(tmp_path: Path) -> None:
    mosquitto_or_skip()
    async with mosquitto_broker(tmp_path, host="0.0.0.0") as reached:
        assert reached.url.startswith("mqtt://127.0.0.1:")
        assert await listens(reached)


async def test_a_mosquitto_that_is_killed_comes_back_and_remembers(tmp_path: Path) -> None:
    mosquitto_or_skip()
    async with mosquitto_broker(tmp_path) as reached:
        await asyncio.sleep(SETTLED_S)  # one that dies sooner is taken for one that cannot start
        guarding = the_one("scenarios.broker.child_guard", psutil.Process().children())
        (first,) = guarding.children()
        first.kill()
        until = time.monotonic() + PATIENCE_S
        while not (back := [child for child in guarding.children() if child != first]):
            assert time.monotonic() < until, "it did not come back"
            await asyncio.sleep(0.05)
        await until_it_listens(reached)
    assert_ended(back)


async def test_a_killed_guard_leaves_no_mosquitto_behind_and_both_come_back(tmp_path: Path) -> None:
    mosquitto_or_skip()
    told: list[str] = []
    known = {each.pid for each in children_of(psutil.Process())}
    async with mosquitto_broker(tmp_path, on_event=lambda name, **_fields: told.append(name)) as reached:
        guarding = the_one("scenarios.broker.child_guard", psutil.Process().children())
        (held,) = guarding.children()
        guarding.kill()
        gone, _ = await asyncio.to_thread(psutil.wait_procs, [held], PATIENCE_S)
        assert gone == [held]
        await until_it_is_back(told)
        assert await listens(reached)
        after = [each for each in children_of(psutil.Process()) if each.pid not in known]
        assert held not in after
    assert_ended(after)


async def test_an_embedded_broker_that_is_killed_comes_back_on_its_port_with_its_password() -> None:
    told: list[str] = []
    known = set(psutil.Process().children())
    async with embedded_broker(on_event=lambda name, **_fields: told.append(name)) as reached:
        (first,) = set(psutil.Process().children()) - known
        first.kill()
        await until_it_is_back(told)
        assert await listens(reached)
    assert set(psutil.Process().children()) <= known


@pytest.mark.parametrize("kind", KINDS)
def test_a_broker_ends_when_its_owner_is_killed(kind: str, tmp_path: Path) -> None:
    require(kind)
    with started([sys.executable, "-c", OWNER, kind, tmp_path], stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        assert int(owner.stdout.readline())
        held = children_of(psutil.Process(owner.pid))
        assert held
        owner.send_signal(signal.SIGKILL)
        owner.wait()
        gone, alive = psutil.wait_procs(held, timeout=PATIENCE_S)
    assert gone
    assert not alive


def test_mosquitto_ends_when_its_owner_and_its_guard_are_killed_at_once(tmp_path: Path) -> None:
    mosquitto_or_skip()
    with started([sys.executable, "-c", OWNER, "mosquitto", tmp_path], stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        assert int(owner.stdout.readline())
        (guarding,) = psutil.Process(owner.pid).children()
        (held,) = guarding.children()
        owner.send_signal(signal.SIGSTOP)  # so that it can do nothing about it
        guarding.kill()
        owner.send_signal(signal.SIGKILL)
        owner.wait()
        gone, alive = psutil.wait_procs([held], timeout=PATIENCE_S)
        for each in alive:
            each.kill()
    if sys.platform == "linux":
        assert gone == [held]


@pytest.mark.parametrize("kind", KINDS)
async def test_what_a_terminal_sends_does_not_reach_a_broker(kind: str, tmp_path: Path) -> None:
    """Ctrl-C goes to the whole group in front: we are asked to end, and need the broker for our goodbyes."""
    require(kind)
    known = set(children_of(psutil.Process()))
    async with broker_for(BrokerSettings(url=kind), tmp_path):
        ours = set(children_of(psutil.Process())) - known
        assert ours
        assert all(os.getpgid(each.pid) != os.getpgrp() for each in ours)


async def test_a_port_in_use_is_said_with_an_advice(tmp_path: Path) -> None:
    async with embedded_broker() as reached:
        with pytest.raises(BrokerError, match="cannot listen") as caught:
            async with embedded_broker(port=reached.address().port):
                pass
        assert "--port" in caught.value.action
        mosquitto_or_skip()
        with pytest.raises(BrokerError, match="already"):
            async with mosquitto_broker(tmp_path, reached.address().port):
                pass


async def test_auto_reaches_the_embedded_broker_which_refuses_mqtt_5() -> None:
    events: list[dict[str, object]] = []
    async with embedded_broker() as reached:
        session = MqttSession(
            reached.model_copy(update={"version": MqttVersion.AUTO, "reconnect_min_s": 0.02}),
            client_id="client",
            subscriptions=("lab/x",),
            on_event=lambda _name, **fields: events.append(fields),
        )
        running = asyncio.create_task(session.run())
        async with asyncio.timeout(PATIENCE_S):
            while not isinstance(await session.receive(), LinkUp):
                pass
            await session.publish("lab/x", b"hello")
        await session.close()
        await running
    assert events[-1]["mqtt"] == "3.1.1"
    assert LOOPBACK in reached.url


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
