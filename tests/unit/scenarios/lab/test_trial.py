"""One message or one request is translated as the agent's link would, and what was assumed is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from protocols.errors import SettingsError
from protocols.mapping.faults import UnmappedMessage
from protocols.wire.messages import CandidateFailure, CandidateResult, Health, Status
from scenarios.lab.source import load_mapping
from scenarios.lab.trial import ATTEMPT, AssumedAttempts, try_message, try_request
from scenarios.settings.library import MAPPINGS
from scenarios.world.world import build_world
from tests.support.mapping.scenarios import SCENARIO, TEMPERATURE, write_recipes


def test_a_result_is_understood_as_if_its_request_were_open() -> None:
    trial = try_message(
        load_mapping("plain_json"), "lab/furnace-1/done", b'{"job": "a1", "data": {"strength": 412000}, "by": "Ada"}'
    )
    assert isinstance(trial.message, CandidateResult)
    assert (trial.rule, trial.message.attempt_id) == ("lab.result", "a1")
    assert trial.message.quantities[0].value == 412_000.0  # the mapping alone has the lab's own unit
    assert trial.assumed == "that the request it answers was sent to furnace, and is open"


def test_each_kind_of_message_is_told_by_its_rule() -> None:
    plc = load_mapping("plc")
    failed = try_message(plc, "plc/Press_01/ALARM", b"17")
    there = try_message(plc, "plc/Press_01/online", b"0", retained=True)
    assert isinstance(failed.message, CandidateFailure)
    assert isinstance(there.message, Status)
    assert (failed.rule, there.rule, there.assumed) == ("lab.failure", "lab.status", "")
    assert there.message.health is Health.OFFLINE
    alone = try_message(plc, "plc/Press_01/PV/temperature", b"900")
    assert alone.scalar is not None
    assert (alone.rule, alone.scalar.value, alone.message) == ("lab.scalars.temperature_reached", 900.0, None)
    whole = try_message(plc, "plc/Press_01/PV/density", b"7.81")
    assert isinstance(whole.message, CandidateResult)
    assert [each.name for each in whole.message.quantities] == ["density"]
    assert "temperature_reached came on topics of their own" in whole.assumed
    calm = try_message(plc, "plc/Press_01/ALARM", b"0")
    assert (calm.message, calm.rule, calm.assumed) == (None, "", "")


def test_correlation_data_is_given_as_text() -> None:
    oven = load_mapping("home_assistant")
    told = try_message(oven, "home/oven_1/state", b'{"hardness": 1, "unit": "HV"}', correlation_data="a7")
    assert isinstance(told.message, CandidateResult)
    assert told.message.attempt_id == "a7"
    with pytest.raises(UnmappedMessage, match="no correlation data"):
        try_message(oven, "home/oven_1/state", b'{"hardness": 1, "unit": "HV"}')


def test_echoes_are_held_against_the_campaign() -> None:
    light = load_mapping("self_driving_lab")
    said = {"experiment_id": "a1", "session_id": "sample", "sensor_data": {"ch583": 1}, "onboard_temperature_K": 300}
    topic = "sdl-demo/picow/e66130100f8b9c33/as7341"
    assert isinstance(try_message(light, topic, json.dumps(said).encode()).message, CandidateResult)
    with pytest.raises(UnmappedMessage, match="echoes"):
        try_message(light, topic, json.dumps(said | {"session_id": "other"}).encode())


@pytest.mark.parametrize(
    ("topic", "action"), [("plc/Press_02/online", "Press_01"), ("plc/x", "a topic that the lab uses")]
)
def test_a_topic_that_nothing_listens_to_is_refused_with_those_that_are(topic: str, action: str) -> None:
    with pytest.raises(SettingsError) as refused:
        try_message(load_mapping("plc"), topic, b"1")
    assert "plc/{instrument}/PV/density (lab.result)" in str(refused.value)
    assert action in str(refused.value)


def test_a_mapping_alone_is_tried_on_a_sample_that_has_what_it_looks_for() -> None:
    request, recipient, sent = try_request(load_mapping("plc"), None, None)
    assert (request.source_id, recipient) == ("sample 1", "press")
    assert [each.topic for each in sent] == [
        "plc/Press_01/SP/temperature", "plc/Press_01/SP/pressure", "plc/Press_01/CMD/start"
    ]  # fmt: skip


def test_a_scenario_is_tried_on_its_own_table(tmp_path: Path) -> None:
    rows = write_recipes(tmp_path, TEMPERATURE, "strength", "MPa")
    source = load_mapping(str(tmp_path / SCENARIO), MAPPINGS / "plain_json.toml")
    assert source.scenario is not None
    pool = build_world(source.scenario).pool
    _, _, (sent,) = try_request(source, pool, "S 20")
    told = json.loads(sent.payload)
    assert (told["job"], told["sample"]) == (ATTEMPT, "S 20")
    assert told["recipe"]["temperature"] == pytest.approx(rows[20]["temperature"] - 273.15)
    first, _, _ = try_request(source, pool, None)
    ours, _, _ = try_request(source, pool, first.candidate_id)
    assert ours.candidate_id == first.candidate_id == pool.candidate_ids[0]
    with pytest.raises(SettingsError, match="did you mean 'S 20'"):
        try_request(source, pool, "S20")


def test_whatever_is_asked_for_is_assumed_to_be_open() -> None:
    attempts = AssumedAttempts("furnace", "demo")
    assert [each.attempt_id for each in attempts.of_candidate("c")] == [ATTEMPT]
    assert [each.instrument for each in attempts.of_instrument("oven")] == ["oven"]
    assert (attempts.candidate_named("S 1"), attempts.candidate_named("")) == ("sample", None)
    assert attempts.request_of("a1")["campaign"] == "demo"
