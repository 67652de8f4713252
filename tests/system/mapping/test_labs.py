"""A device of each mapping of the library closes the loop on a real Mosquitto, and knows no word of ours."""

from __future__ import annotations

import json

import pytest

from scenarios.broker.broker import LOOPBACK
from tests.support.commands import Workbench
from tests.support.mapping.campaigns import agent, assert_done, named, results, working
from tests.support.mapping.devices import Light, Oven, Phone, PlainJsonFurnace, Press, density, strength_mpa
from tests.support.mapping.scenarios import BUDGET, COLOUR, PRESSURE, TEMPERATURE, write_recipes

pytestmark = pytest.mark.system


def test_a_lab_of_plain_json_closes_the_loop_in_its_own_units(bench: Workbench, port: int) -> None:
    rows = {row["id"]: row for row in write_recipes(bench.folder, TEMPERATURE, "strength", "MPa")}
    with working(PlainJsonFurnace(LOOPBACK, port, doors_open=1)) as furnace:
        assert_done(bench, agent(bench, port, "plain_json"))
    for result in results(bench):
        row = rows[named(result["candidate_id"])]
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
    for result in results(bench):
        row = rows[named(result["candidate_id"])]
        assert result["quantities"][0]["value"] == pytest.approx(10 * row["R"] + 3 * row["G"] + row["B"])
    assert len(light.heard) == BUDGET


def test_scalar_topics_of_a_plc_close_the_loop(bench: Workbench, port: int) -> None:
    rows = {row["id"]: row for row in write_recipes(bench.folder, PRESSURE, "density", "kg/m^3")}
    with working(Press(LOOPBACK, port)):
        assert_done(bench, agent(bench, port, "plc"))
    for result in results(bench):
        row = rows[named(result["candidate_id"])]
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
    for result in results(bench):
        assert result["quantities"][0]["value"] == pytest.approx(measure(named(result["candidate_id"])), abs=1e-3)
    assert phone.answers[0].startswith("refused: [lab.result.payload]")
    assert phone.answers.count("accepted: thank you") == BUDGET
    rows_aside = bench.rows("SELECT reason, detail FROM quarantine", "recipes")
    assert [reason for reason, _ in rows_aside] == ["unmapped"]
