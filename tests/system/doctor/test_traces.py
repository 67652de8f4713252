"""The doctor finds what others left on a broker that would hurt whoever comes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from paho.mqtt.client import Client

from protocols.wire.codec import encode
from protocols.wire.messages import Control, ControlAction
from scenarios.broker.broker import LOOPBACK
from scenarios.settings.library import MAPPINGS
from tests.support.commands import Workbench, until
from tests.support.mapping.scenarios import SCENARIO, TEMPERATURE, write_recipes
from tests.system.cases.bench import envelope, mosquitto, stranger
from tests.system.doctor.stage import FAULT_FOUND, LEVELS, examined

pytestmark = pytest.mark.system


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    (tmp_path / "bench").mkdir()
    with Workbench(tmp_path / "bench") as opened:
        yield opened


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    with mosquitto(tmp_path) as port:
        yield port


def keep(client: Client, topic: str, payload: bytes) -> None:
    client.publish(topic, payload, qos=1, retain=True).wait_for_publish(20)


def test_an_order_that_stays_fails_and_garbage_that_stays_is_a_warning(bench: Workbench, port: int) -> None:
    at = ("lab.toml", "--broker", f"mqtt://{LOOPBACK}:{port}")
    stop = Control(**(envelope() | {"campaign": "lab"}), action=ControlAction.STOP)
    with stranger(port) as client:
        keep(client, f"{LEVELS}/control", encode(stop))
        keep(client, f"{LEVELS}/request/furnace", b"{}")
        keep(client, f"{LEVELS}/status/furnace", b"garbage")
        told = examined(bench, *at)
        assert told.ended.code == FAULT_FOUND
        assert told.one("retained", f"{LEVELS}/control")["verdict"] == "fail"
        assert told.one("retained", f"{LEVELS}/request/furnace")["verdict"] == "fail"
        assert told.one("retained", f"{LEVELS}/status/furnace")["verdict"] == "warn"
        assert "broker tidy" in told.one("retained", f"{LEVELS}/control")["action"]
        tidied = bench.entropilot("broker", "tidy", "--broker", f"mqtt://{LOOPBACK}:{port}", "--yes")
        assert tidied.code == 0, tidied.err
    told = examined(bench, *at)
    assert told.one("retained")["verdict"] == "pass"
    assert told.fails == []


def test_a_session_that_a_dead_instrument_left_is_a_warning_until_it_is_tidied(bench: Workbench, port: int) -> None:
    reached = ("--broker", f"mqtt://{LOOPBACK}:{port}")
    lab = bench.start("simulator", "lab.toml", *reached).wait_for("link_up")
    assert examined(bench, "lab.toml", *reached).one("sessions")["verdict"] == "pass"
    lab.kill()
    until(
        lambda: examined(bench, "lab.toml", *reached).one("sessions")["verdict"] == "warn", "its death is not noticed"
    )
    found = examined(bench, "lab.toml", *reached).one("sessions")
    assert "entropilot-lab-simulator-1" in found["found"]
    assert "broker tidy" in found["action"]
    assert bench.entropilot("broker", "tidy", *reached, "--yes").code == 0
    assert examined(bench, "lab.toml", *reached).one("sessions")["verdict"] == "pass"


def test_nothing_is_said_to_a_lab_of_its_own_messages_and_what_it_says_is_listened_to(
    bench: Workbench, port: int
) -> None:
    write_recipes(bench.folder, TEMPERATURE, "strength", "MPa")
    at = (SCENARIO, "--settings", str(MAPPINGS / "plain_json.toml"), "--broker", f"mqtt://{LOOPBACK}:{port}")
    with stranger(port) as client:
        heard: list[str] = []
        client.on_message = lambda _client, _context, message: heard.append(message.topic)
        client.subscribe("lab/#", 1)
        keep(client, "lab/furnace-1/presence", b"online")
        told = examined(bench, *at)
        assert {each["verdict"] for each in told.of("lab_say")} == {"warn"}
        listened = {each["subject"]: each["verdict"] for each in told.of("lab_hear")}
        assert listened.pop("lab/+/presence") == "pass"
        assert set(listened.values()) == {"warn"}
        assert heard == ["lab/furnace-1/presence"]
