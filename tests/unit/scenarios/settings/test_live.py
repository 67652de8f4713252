"""The list of brokers where a real lab may be driven says host and port of each, and is of a place and a person."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from scenarios.settings.live import LiveSettings, place_of
from scenarios.settings.stored import recorded_settings
from tests.support.runs.toy_table import scenario_on, write_toy_table


@pytest.mark.parametrize(
    ("host", "port", "allowed"),
    [("broker.lab", 8883, True), ("BROKER.lab", 8883, True), ("::1", 1883, True), ("broker.lab", 1883, False)],
)
def test_a_broker_is_on_the_list_by_host_and_port(host: str, port: int, allowed: bool) -> None:
    assert LiveSettings(brokers=("Broker.lab:8883", "[::1]:1883")).allows(host, port) is allowed


def test_a_place_is_written_as_the_list_has_it() -> None:
    assert [place_of("Lab", 1), place_of("fe80::1", 2)] == ["lab:1", "[fe80::1]:2"]


@pytest.mark.parametrize(
    "place", ["broker.lab", "mqtt://broker.lab:1883", "me@broker:1883", ":1883", "lab:0", "lab:70000"]
)
def test_what_is_no_place_is_refused(place: str) -> None:
    with pytest.raises(ValidationError, match="expected host:port"):
        LiveSettings(brokers=(place,))


def test_no_recording_and_no_pack_lets_a_real_lab_be_driven(tmp_path: Path) -> None:
    scenario = scenario_on(write_toy_table(tmp_path / "t.csv"))
    listed = scenario.model_copy(update={"live": LiveSettings(brokers=("lab:1883",))})
    assert "live" not in recorded_settings(listed)
    assert "limits" in recorded_settings(listed)
