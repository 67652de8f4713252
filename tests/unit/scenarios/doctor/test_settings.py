"""Which broker is meant, and who its witness is, follow from scenario, file, environment and flags."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocols.errors import SettingsError
from protocols.link.broker_settings import BrokerSettings, MqttVersion
from scenarios.broker.url import DEFAULT_URL
from scenarios.doctor.lab_topics import LabTopics
from scenarios.doctor.settings import broker_of, witness_of


def test_without_anything_it_is_where_our_broker_listens(tmp_path: Path) -> None:
    assert broker_of(None, None, None, None, tmp_path).broker.url == DEFAULT_URL


def test_a_scenario_names_its_campaign_and_a_flag_goes_before_its_broker(tmp_path: Path) -> None:
    meant = broker_of("oracle_table", None, None, None, tmp_path)
    assert (meant.broker.url, meant.campaign, meant.lab) == ("embedded", "oracle_table", LabTopics())
    assert broker_of("oracle_table", "mqtt://lab", None, None, tmp_path).broker.url == "mqtt://lab"


def test_without_a_scenario_a_file_the_environment_and_flags_are_laid_over_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "lab.toml"
    file.write_text('[broker]\nurl = "mqtt://file"\nusername = "file"\nkeepalive_s = 20\n')
    monkeypatch.setenv("ENTROPILOT_BROKER__USERNAME", "environment")
    meant = broker_of(None, "mqtts://flag", ['broker.version="5"'], file, tmp_path)
    broker = meant.broker
    told = (broker.url, broker.username, broker.keepalive_s, broker.version, meant.campaign)
    assert told == ("mqtts://flag", "environment", 20, MqttVersion.V5, "")


@pytest.mark.parametrize(
    ("url", "assignments", "words"),
    [
        ("mqtt://me:cretword@lab", None, "--broker holds a password"),
        (None, ["broker.password=cretword"], "--set broker.password holds a password"),
        (None, ["broker.key_password=cretword"], "--set broker.key_password holds a password"),
        ("tcp://lab:1883", None, "write mqtt://lab:1883"),
        (None, ["broker.nothing=1"], "broker.nothing"),
    ],
)
def test_what_cannot_be_used_is_refused_without_the_secret(
    tmp_path: Path, url: str | None, assignments: list[str] | None, words: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        broker_of(None, url, assignments, None, tmp_path)
    assert words in str(caught.value)
    assert "cretword" not in str(caught.value)


def test_a_witness_is_another_user_on_the_same_broker(tmp_path: Path) -> None:
    file = tmp_path / "witness.toml"
    file.write_text('[broker]\nusername = "witness"\n')
    own = BrokerSettings(url="mqtts://me@lab:8884", ca_file="ca.pem", cert_file="mine.pem", version=MqttVersion.V5)
    witness = witness_of(file, own)
    assert (witness.url, witness.username, witness.ca_file) == ("mqtts://lab:8884", "witness", "ca.pem")
    assert (witness.cert_file, witness.version) == (None, MqttVersion.V5)
