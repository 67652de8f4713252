"""A device of each mapping of the library closes the loop on a real Mosquitto, and knows no word of ours."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from scenarios.broker.broker import LOOPBACK, find_mosquitto
from scenarios.settings.library import MAPPINGS
from tests.endurance.stage import listens, require_mosquitto
from tests.support.commands import Part, Workbench, free_port, until
from tests.support.mapping.devices import Device, Light, Oven, Phone, PlainJsonFurnace, Press, density, strength_mpa
from tests.support.mapping.scenarios import (
    BUDGET,
    COLOUR,
    PRESSURE,
    SCENARIO,
    TEMPERATURE,
    write_recipes,
)

pytestmark = pytest.mark.system


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as opened:
        yield opened


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """A Mosquitto that lets everybody in, as on a bench."""
    require_mosquitto()
    number = free_port()
    lines = ["allow_anonymous true", "persistence false", f"listener {number} {LOOPBACK}"]
    if hasattr(os, "getuid") and os.getuid() == 0:
        lines.append("user root")
    (tmp_path / "mosquitto.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with (tmp_path / "mosquitto.log").open("wb") as log:
        process = subprocess.Popen(
            [find_mosquitto(), "-c", str(tmp_path / "mosquitto.conf")], stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
    try:
        until(lambda: process.poll() is not None or listens(number), "Mosquitto does not listen")
        yield number
    finally:
        process.kill()
        process.wait()


@contextmanager
def working(device: Device) -> Iterator[Device]:
    try:
        yield device
    finally:
        device.end()


def agent(bench: Workbench, port: int, mapping: str, *flags: str) -> Part:
    broker = ("--broker", f"mqtt://{LOOPBACK}:{port}", "--set", "broker.reconnect_min_s=0.1")
    return bench.start("agent", SCENARIO, "--settings", MAPPINGS / f"{mapping}.toml", *broker, "--quiet", *flags)


def results(bench: Workbench) -> list[dict[str, Any]]:
    """What the journal holds of the results."""
    rows = bench.rows("SELECT payload FROM journal WHERE kind = 'ResultAccepted' ORDER BY sequence", "recipes")
    return [json.loads(payload) for (payload,) in rows]


def names(bench: Workbench) -> dict[str, str]:
    """Our id of each candidate that was asked for -> its name in the table."""
    found = {}
    for line in (bench.runs / "recipes" / "recording.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row.get("dir") == "out" and "/request/" in row["topic"]:
            request = json.loads(row["text"])
            found[request["candidate_id"]] = request["source_id"]
    return found


def assert_done(bench: Workbench, ended: Part) -> None:
    """The campaign is over, and what was recorded and kept agrees, event for event."""
    told = ended.finish()
    assert told.code == 0, told.err
    assert bench.summary("recipes")["spent"] == BUDGET
    for command in (("verify", "recipes"), ("replay", "recipes", "--quiet")):
        checked = bench.entropilot(*command)
        assert checked.code == 0, checked.err + checked.out


def test_a_lab_of_plain_json_closes_the_loop_in_its_own_units(bench: Workbench, port: int) -> None:
    rows = {row["id"]: row for row in write_recipes(bench.folder, TEMPERATURE, "strength", "MPa")}
    with working(PlainJsonFurnace(LOOPBACK, port, doors_open=1)) as furnace:
        assert_done(bench, agent(bench, port, "plain_json"))
    named = names(bench)
    for result in results(bench):
        row = rows[named[result["candidate_id"]]]
        assert result["quantities"][0]["value"] == pytest.approx(strength_mpa(row["temperature"], row["minutes"]))
        assert result["quantities"][0]["standard_deviation"] == pytest.approx(1.5)
        assert result["simulator"] == "furnace"
        remarks = result["provenance"]
        assert (remarks["operator"], remarks["lab_topic"]) == ("Ada", "lab/furnace-1/done")
        assert len(remarks["lab_sha256"]) == 64
    assert bench.count("AttemptFailed", "recipes") == 1
    answers = [json.loads(payload)["status"] for topic, payload in furnace.heard if topic.endswith("/answer")]
    assert answers.count("accepted") == BUDGET + 1  # the failure was taken as well


def test_a_device_that_repeats_session_and_experiment_closes_the_loop(bench: Workbench, port: int) -> None:
    rows = {row["id"]: row for row in write_recipes(bench.folder, COLOUR, "ch583", "", parallel=3)}
    with working(Light(LOOPBACK, port)) as light:
        assert_done(bench, agent(bench, port, "self_driving_lab"))
    named = names(bench)
    for result in results(bench):
        row = rows[named[result["candidate_id"]]]
        assert result["quantities"][0]["value"] == pytest.approx(10 * row["R"] + 3 * row["G"] + row["B"])
    assert len(light.heard) == BUDGET


def test_scalar_topics_of_a_plc_close_the_loop(bench: Workbench, port: int) -> None:
    rows = {row["id"]: row for row in write_recipes(bench.folder, PRESSURE, "density", "kg/m^3")}
    with working(Press(LOOPBACK, port)):
        assert_done(bench, agent(bench, port, "plc"))
    named = names(bench)
    for result in results(bench):
        row = rows[named[result["candidate_id"]]]
        expected = 1000.0 * density(row["temperature"], row["pressure"])
        assert result["quantities"][0]["value"] == pytest.approx(expected, abs=1e-2)


def test_a_device_with_availability_and_correlation_data_closes_the_loop(bench: Workbench, port: int) -> None:
    write_recipes(bench.folder, TEMPERATURE, "hardness", "HV", parallel=2)
    with working(Oven(LOOPBACK, port)):
        assert_done(bench, agent(bench, port, "home_assistant"))
    assert len(results(bench)) == BUDGET


def test_a_person_with_a_phone_closes_the_loop_and_hears_what_was_not_understood(bench: Workbench, port: int) -> None:
    rows = {
        row["id"]: row for row in write_recipes(bench.folder, TEMPERATURE, "strength", "MPa", request_timeout_s=7200)
    }

    def measure(name: str) -> float:
        return strength_mpa(rows[name]["temperature"], rows[name]["minutes"])

    with working(Phone(LOOPBACK, port, measure, first="12.5 MPa")) as phone:
        assert_done(bench, agent(bench, port, "phone"))
    named = names(bench)
    for result in results(bench):
        assert result["quantities"][0]["value"] == pytest.approx(measure(named[result["candidate_id"]]), abs=1e-3)
    assert isinstance(phone, Phone)
    assert phone.answers[0].startswith("refused: [lab.result.payload]")
    assert phone.answers.count("accepted: thank you") == BUDGET
    rows_aside = bench.rows("SELECT reason, detail FROM quarantine", "recipes")
    assert [reason for reason, _ in rows_aside] == ["unmapped"]
