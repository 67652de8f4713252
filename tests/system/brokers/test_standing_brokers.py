"""`entropilot broker`, and the brokers of a run: our own parts are let in by themselves, and nobody else is."""

from __future__ import annotations

import os
import socket
import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as paho
import psutil
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from protocols.errors import BrokerError
from protocols.link.credentials import credentials_place, read_credentials
from scenarios.broker.broker import LOOPBACK, find_mosquitto
from tests.support.commands import Workbench, free_port, until
from tests.support.processes import started

pytestmark = pytest.mark.system

KINDS = ("embedded", "mosquitto")
SLOW = ("--set", "simulator.latency.mean_s=0.4")
BUDGET = ("--budget", "6", "--quiet")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as opened:
        yield opened


def require(kind: str) -> None:
    try:
        find_mosquitto()
    except BrokerError as error:
        if kind == "mosquitto":
            pytest.skip(error.found)


def is_free(port: int) -> bool:
    """Whether somebody could listen there."""
    with socket.socket() as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def let_in(port: int, username: str | None = None, password: str | None = None) -> bool:
    """Whether a broker takes somebody in."""
    answered, told = threading.Event(), []

    def on_connect(_client: object, _data: object, _flags: object, reason: ReasonCode, _more: object) -> None:
        told.append(not reason.is_failure)
        answered.set()

    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="stranger")
    client.on_connect = on_connect
    if username is not None:
        client.username_pw_set(username, password)
    client.connect(LOOPBACK, port, keepalive=30)
    client.loop_start()
    try:
        assert answered.wait(20), "the broker said nothing"
        return told[0]
    finally:
        client.loop_stop()
        client.disconnect()


def assert_keeps_strangers_out(port: int) -> None:
    assert not let_in(port)
    for name in ("entropilot", "agent", "simulator-1", "root"):
        assert not let_in(port, name, "")
        assert not let_in(port, name, "entropilot")


def ports_of(process_id: int) -> set[int]:
    """Ports on which a process or a child of it listens."""
    process = psutil.Process(process_id)
    return {
        each.laddr.port
        for one in (process, *process.children(recursive=True))
        for each in one.net_connections("tcp")
        if each.status == psutil.CONN_LISTEN
    }


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_lets_no_stranger_near_its_own_broker(kind: str, bench: Workbench) -> None:
    require(kind)
    running = bench.start("run", "lab.toml", "--broker", kind, *BUDGET, "--set", "simulator.latency.mean_s=20")
    bench.wait_for_events("RequestIssued", 1)
    (port,) = ports_of(running.process.pid)
    assert_keeps_strangers_out(port)
    running.end()
    assert bench.rows("SELECT count(*) FROM quarantine") == [(0,)]


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
@pytest.mark.parametrize("kind", KINDS)
def test_parts_on_the_same_machine_find_the_credentials_that_a_broker_made(
    kind: str, host: str, bench: Workbench
) -> None:
    require(kind)
    port = free_port()
    broker = bench.start("broker", kind, "--port", str(port), "--host", host).wait_for("broker_started")
    kept = credentials_place(LOOPBACK, port)
    assert str(kept) in broker.said
    if os.name == "posix":
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    (account,) = read_credentials(kept)
    assert_keeps_strangers_out(port)
    assert let_in(port, account.name, account.password)
    url = ("--broker", f"mqtt://{LOOPBACK}:{port}")
    recorder = bench.start("record", *url, "-o", "heard.jsonl", "--json")
    serving = bench.start("simulator", "lab.toml", *url).wait_for("link_up")
    ended = bench.entropilot("agent", "lab.toml", *url, *BUDGET)
    assert ended.code == 0, ended.err
    recorded, served, told = recorder.end(), serving.end(), broker.end()
    assert '"results": 6' in recorded.out or "candidate_result" in (bench.folder / "heard.jsonl").read_text()
    for each in (ended, recorded, served, told):
        assert account.password not in each.out + each.err
    assert not any(account.password in each.read_text(errors="replace") for each in bench.runs.rglob("*.json*"))
    assert not kept.exists()


@pytest.mark.parametrize("kind", KINDS)
def test_a_broker_that_is_started_again_has_new_passwords_and_its_parts_go_on(kind: str, bench: Workbench) -> None:
    require(kind)
    port = free_port()
    flags = ("broker", kind, "--port", str(port))
    broker = bench.start(*flags).wait_for("broker_started")
    (before,) = read_credentials(credentials_place(LOOPBACK, port))
    url = ("--broker", f"mqtt://{LOOPBACK}:{port}", "--set", "broker.reconnect_min_s=0.1")
    serving = bench.start("simulator", "lab.toml", *url, *SLOW).wait_for("link_up")
    asking = bench.start("agent", "lab.toml", *url, *BUDGET)
    bench.wait_for_events("ResultAccepted", 1)
    broker.kill()
    until(lambda: is_free(port), "the port of the broker is held")  # by one of its links, for a moment
    bench.start(*flags).wait_for("broker_started")
    (after,) = read_credentials(credentials_place(LOOPBACK, port))
    assert before.password != after.password
    assert not let_in(port, before.name, before.password)
    assert asking.finish().code == 0, asking.said
    serving.end()


@pytest.mark.parametrize("kind", KINDS)
def test_parts_elsewhere_take_each_its_own_file_and_another_parts_gives_them_no_voice(
    kind: str, bench: Workbench
) -> None:
    require(kind)
    port, kept = free_port(), bench.folder / "lab.json"
    flags = ("--port", str(port), "--instrument", "simulator-1", "--credentials", str(kept))
    bench.start("broker", kind, *flags).wait_for("broker_started")

    def url(name: str) -> tuple[str, ...]:
        file = bench.folder / "lab" / f"{name}.json"
        return ("--broker", f"mqtt://{LOOPBACK}:{port}", "--set", f"broker.credentials_file={file}")

    assert {each.name for each in read_credentials(kept)} == {"agent", "observer", "simulator-1"}
    (only,) = read_credentials(bench.folder / "lab" / "observer.json")
    assert only.name == "observer"
    mute = bench.start("simulator", "lab.toml", *url("observer"), "--memory", "mute")
    until(lambda: "link_up" in mute.said or "not authorised" in mute.said, "it was neither let in nor refused")
    asking = bench.start("agent", "lab.toml", *url("agent"), *BUDGET)
    bench.wait_for_events("RequestIssued", 1)
    mute.end()
    assert bench.count("ResultAccepted") == 0
    bench.start("simulator", "lab.toml", *url("simulator-1")).wait_for("link_up")
    assert asking.finish().code == 0, asking.said


def test_a_second_broker_on_a_port_leaves_the_credentials_of_the_first(bench: Workbench) -> None:
    port = free_port()
    bench.start("broker", "--port", str(port)).wait_for("broker_started")
    before = credentials_place(LOOPBACK, port).read_bytes()
    for kind in KINDS:
        second = bench.entropilot("broker", kind, "--port", str(port))
        assert second.code == 4
        assert f"cannot listen on 127.0.0.1:{port}" in second.err
        assert "--port" in second.err
    assert credentials_place(LOOPBACK, port).read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32", reason="modes of files are those of POSIX")
def test_credentials_that_others_can_read_are_refused_with_what_to_do(bench: Workbench) -> None:
    port, kept = free_port(), bench.folder / "lab.json"
    bench.start("broker", "--port", str(port), "--credentials", str(kept)).wait_for("broker_started")
    kept.chmod(0o644)
    url = ("--broker", f"mqtt://{LOOPBACK}:{port}", "--set", f"broker.credentials_file={kept}")
    refused = bench.entropilot("agent", "lab.toml", *url, *BUDGET)
    assert refused.code == 2
    assert "can be read or written by others" in refused.err
    assert "chmod 600" in refused.err
    missing = bench.entropilot("simulator", "lab.toml", *url[:3], "broker.credentials_file=none.json")
    assert missing.code == 2
    assert "none.json cannot be read" in missing.err


def test_a_folder_or_a_file_that_is_not_ours_is_said(bench: Workbench) -> None:
    (bench.folder / "file").write_text("mine")
    for flags, advice in (
        (("mosquitto", "--folder", "file/x"), "--folder"),
        (("embedded", "--credentials", "file/x.json"), "--credentials"),
        (("access", "--folder", "file/x"), "--"),
        (("embedded", "--instrument", "any"), "another id"),
    ):
        if flags[0] == "mosquitto":
            require("mosquitto")
        refused = bench.entropilot("broker", *flags, "--port", str(free_port()))
        assert refused.code == 2, refused.err
        assert advice in refused.err
    assert (bench.folder / "file").read_text() == "mine"


def test_a_labs_own_mosquitto_runs_with_the_files_that_access_writes(bench: Workbench) -> None:
    require("mosquitto")
    port = free_port()
    flags = ("broker", "access", "--folder", "lab", "--port", str(port))
    written = bench.entropilot(*flags, "--instrument", "simulator-1")
    assert written.code == 0, written.err
    before = read_credentials(bench.folder / "lab" / "credentials.json")
    again = bench.entropilot(*flags, "--operator", "ann")
    assert again.code == 0, again.err
    assert set(before) < set(read_credentials(bench.folder / "lab" / "credentials.json"))  # those handed out stay good
    with started([find_mosquitto(), "-c", bench.folder / "lab" / "mosquitto.conf"]):
        until(lambda: port in open_ports(), "Mosquitto does not listen")
        assert_keeps_strangers_out(port)
        url = ("--broker", f"mqtt://{LOOPBACK}:{port}")
        own = ("--set", "broker.credentials_file=lab/credentials.json")
        serving = bench.start("simulator", "lab.toml", *url, *own).wait_for("link_up")
        ended = bench.entropilot("agent", "lab.toml", *url, *own, *BUDGET)
        assert ended.code == 0, ended.err
        serving.end()


def open_ports() -> set[int]:
    listening = [each.laddr for each in psutil.net_connections("tcp") if each.status == psutil.CONN_LISTEN]
    return {address.port for address in listening if address}
