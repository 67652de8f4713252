"""A broker that is shared: who of one name goes on, what a campaign leaves there, and how it is tidied."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from paho.mqtt.client import MQTTMessage

from protocols.link.credentials import Account, Role
from protocols.link.election import PROBATION_S
from protocols.wire.topics import PREFIX
from scenarios.broker.broker import LOOPBACK
from scenarios.broker.mosquitto import password_file
from simulators.outbox import ATTEMPT
from tests.support.commands import Part, Workbench, until
from tests.system.cases.bench import mosquitto, stranger

pytestmark = pytest.mark.system

VERSIONS = pytest.mark.parametrize("version", ["5", "3.1.1"])
BROKER_ERROR = 4


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as opened:
        yield opened


@pytest.fixture
def port(bench: Workbench) -> Iterator[int]:
    """Of a Mosquitto that lets everybody in."""
    with mosquitto(bench.folder) as port:
        yield port


def at(port: int, version: str) -> tuple[str, ...]:
    """The flags that reach it."""
    return ("--broker", f"mqtt://{LOOPBACK}:{port}", "--set", f'broker.version="{version}"')


def instrument(bench: Workbench, port: int, version: str, memory: str, *more: str, latency_s: float = 0.2) -> Part:
    slow = ("--set", f"simulator.latency.mean_s={latency_s}")
    return bench.start(
        "simulator", "lab.toml", *at(port, version), "--id", "simulator-1", "--memory", memory, *slow, *more
    )


def retained(port: int) -> set[str]:
    """The topics of ours on which something is retained."""
    found: set[str] = set()
    all_heard = threading.Event()

    def hear(_client: object, _given: object, message: MQTTMessage) -> None:
        if message.retain:
            found.add(message.topic)
        elif message.payload == b"all":
            all_heard.set()

    with stranger(port) as client:
        client.on_message = hear
        client.subscribe(f"{PREFIX}/#")
        client.publish(f"{PREFIX}/lab", b"all")  # it comes after what is retained
        assert all_heard.wait(20)
    return found


def sessions(port: int) -> int:
    """How many sessions it keeps of clients that are away; it counts once a second."""
    counted: list[int] = []
    known = threading.Event()
    with stranger(port) as client:
        time.sleep(2.5)

        def count(_client: object, _given: object, message: MQTTMessage) -> None:
            counted.append(int(message.payload))
            known.set()

        client.message_callback_add("$SYS/broker/clients/disconnected", count)
        client.subscribe("$SYS/broker/clients/disconnected")
        assert known.wait(20)
    return counted[0]


def attempts(bench: Workbench, memory: str) -> set[str]:
    """The attempts that an instrument has ever begun."""
    database = bench.folder / memory / "simulator-1.db"
    with closing(sqlite3.connect(database)) as connection:
        return {attempt_id for (attempt_id,) in connection.execute(f"SELECT attempt_id FROM {ATTEMPT.name}")}


@VERSIONS
@pytest.mark.parametrize("every", [(), ("--every-campaign",)], ids=["one campaign", "every campaign"])
def test_the_second_instrument_of_an_id_gives_way_and_no_attempt_is_in_both_memories(
    bench: Workbench, port: int, version: str, every: tuple[str, ...]
) -> None:
    first = instrument(bench, port, version, "m1").wait_for("link_up")
    agent = bench.start("agent", "lab.toml", *at(port, version), "--budget", "30", "--quiet")
    bench.wait_for_events("ResultAccepted", 1)
    time.sleep(PROBATION_S)  # from then on the first is no newcomer, whatever the names
    second = instrument(bench, port, version, "m2", *every).finish()
    assert second.code == BROKER_ERROR
    assert "Another instrument is called 'simulator-1'" in second.err
    assert agent.finish().code == 0
    assert first.process.poll() is None
    assert first.said.count("link_up") == 1
    first.end()
    assert len(attempts(bench, "m1")) == 30
    assert attempts(bench, "m2") == set()


@VERSIONS
def test_an_agent_that_gives_way_leaves_no_session(bench: Workbench, port: int, version: str) -> None:
    lab = instrument(bench, port, version, "m1", latency_s=60.0).wait_for("link_up")
    budget = ("--budget", "12", "--quiet")
    first = bench.start("agent", "lab.toml", *at(port, version), *budget)
    bench.wait_for_events("RequestIssued", 1)
    time.sleep(PROBATION_S)
    second = bench.entropilot("agent", "lab.toml", *at(port, version), *budget, "--runs", "elsewhere")
    assert second.code == BROKER_ERROR
    assert "Another agent runs campaign 'lab'" in second.err
    first.end()
    lab.end()
    assert sessions(port) == 2, "those of who will come back"


@VERSIONS
def test_a_finished_campaign_and_its_instrument_leave_nothing_but_where_it_stands(
    bench: Workbench, port: int, version: str
) -> None:
    lab = instrument(bench, port, version, "m1").wait_for("link_up")
    assert bench.entropilot("agent", "lab.toml", *at(port, version), "--budget", "3", "--quiet").code == 0
    of_the_instrument = {f"{PREFIX}/lab/{each}/simulator-1" for each in ("status", "capabilities")}
    assert retained(port) == {*of_the_instrument, f"{PREFIX}/lab/campaign"}, "it is still there"
    assert lab.end().code == 0
    assert retained(port) == {f"{PREFIX}/lab/campaign"}
    assert sessions(port) == 0


@VERSIONS
def test_a_campaign_that_is_interrupted_keeps_its_sessions_and_can_be_tidied(
    bench: Workbench, port: int, version: str
) -> None:
    lab = instrument(bench, port, version, "m1", latency_s=3.0).wait_for("link_up")
    agent = bench.start("agent", "lab.toml", *at(port, version), "--budget", "30", "--quiet")
    bench.wait_for_events("ResultAccepted", 2)
    url = ("--broker", f"mqtt://{LOOPBACK}:{port}")
    busy = bench.entropilot("broker", "tidy", *url, "--yes")
    assert (busy.code, "left alone: lab" in busy.err) == (0, True)
    agent.end()
    lab.end()
    assert sessions(port) == 2
    asked = bench.entropilot("broker", "tidy", *url)
    assert (asked.code, "--yes" in asked.err) == (2, True), "nobody is at a terminal"
    assert len(retained(port)) == 5
    assert "5 retained messages" in asked.out
    assert (
        bench.entropilot("broker", "tidy", *url, "--campaign", "another", "--yes").out == "There is nothing to tidy.\n"
    )
    tidied = bench.entropilot("broker", "tidy", *url, "--yes")
    assert (tidied.code, tidied.err) == (0, "")
    assert retained(port) == set()
    assert sessions(port) == 0
    again = bench.entropilot("broker", "tidy", *url, "--yes")
    assert again.out == "There is nothing to tidy.\n"


def test_a_session_is_ended_by_its_name(bench: Workbench, port: int) -> None:
    lab = instrument(bench, port, "3.1.1", "m1", "--every-campaign").wait_for("link_up")
    lab.kill()
    until(lambda: sessions(port) == 1, "the broker does not notice")
    name = "entropilot-all-simulator-1"
    url = ("--broker", f"mqtt://{LOOPBACK}:{port}")
    ended = bench.entropilot("broker", "tidy", *url, "--client-id", name, "--yes")
    assert (ended.code, name in ended.out) == (0, True)
    assert sessions(port) == 0, "its last will tells which one it was"


def test_a_network_that_is_cut_every_second_does_not_keep_a_run_from_its_end(bench: Workbench) -> None:
    """Pauses begin afresh after a link over which work was done, and an unanswered greeting is noticed at once."""
    cut = ("--set", "network.cut_every_s=1", "--set", "crashes.at=[3, 6]")
    ended = bench.entropilot("run", "lab.toml", "--quiet", *cut)
    assert ended.code == 0, ended.err
    assert bench.summary()["observations"] == 36


@pytest.mark.parametrize(
    "given",
    [
        ("--broker", "mqtt://lab:cretword@127.0.0.1:1"),
        ("--set", 'broker.url="mqtt://lab:cretword@127.0.0.1:1"'),
        ("--set", "broker.password=cretword"),
        ("--set", 'broker={url="mqtt://127.0.0.1:1", password="cretword"}'),
    ],
)
@pytest.mark.parametrize("debug", [(), ("--debug",)])
def test_a_password_on_a_command_line_is_refused_with_the_three_ways_and_shown_nowhere(
    bench: Workbench, given: tuple[str, ...], debug: tuple[str, ...]
) -> None:
    for command in (("run", "lab.toml"), ("agent", "lab.toml"), ("run", "lab.toml", "--show-settings")):
        ended = bench.entropilot(*command, *given, *debug)
        assert ended.code == 2
        assert "cretword" not in ended.err + ended.out
        for way in ("PASSWORD_FILE", "ENTROPILOT_BROKER__PASSWORD", "KEYRING"):
            assert way in ended.err
    assert not bench.runs.exists()


def test_a_password_file_opens_a_broker_and_is_written_nowhere(bench: Workbench) -> None:
    password = bench.folder / "password"
    password.write_text("cretword\n")
    password.chmod(0o600)
    (bench.folder / "users").write_text(password_file([Account("lab", Role.ALL, "cretword")]))
    (bench.folder / "users").chmod(0o600)
    lines = ("allow_anonymous false", f"password_file {bench.folder / 'users'}", "user root")
    with mosquitto(bench.folder, *lines) as port:
        env = {"ENTROPILOT_BROKER__PASSWORD_FILE": str(password)}
        url = ("--broker", f"mqtt://lab@{LOOPBACK}:{port}")
        ended = bench.entropilot("run", "lab.toml", "--quiet", "--budget", "2", *url, env=env)
    assert (ended.code, ended.err) == (0, "")
    written = b"".join(path.read_bytes() for path in bench.runs.rglob("*") if path.is_file())
    assert b"cretword" not in written
