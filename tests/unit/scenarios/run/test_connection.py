"""A run folder says where its campaign is reached while it is at work, and to nobody but its owner."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from agent.run_files import LOCK
from protocols.errors import NoAnswer, SettingsError
from protocols.link.broker_settings import BrokerSettings
from protocols.signing.settings import SigningSettings
from scenarios.run.connection import CONNECTION, connection_of, reached_by, told_connection

OWN = BrokerSettings(url="mqtt://127.0.0.1:4242", username="entropilot", password=SecretStr("sesame"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run folder whose agent is this process."""
    (tmp_path / LOCK).write_text(str(os.getpid()), encoding="ascii")
    return tmp_path


def test_a_broker_of_the_runs_own_is_reached_with_its_password(folder: Path) -> None:
    with told_connection(folder, "lab", OWN, SigningSettings(keys="agent.keys", envelope=True), is_own=True):
        assert (folder / CONNECTION).stat().st_mode & 0o777 == 0o600
        found = connection_of(folder)
        reached = reached_by(found, {})
        assert found.campaign == "lab"
        assert reached.broker.address().password == SecretStr("sesame")
        assert reached.signing == SigningSettings(keys=str(Path("agent.keys").absolute()), envelope=True)
    assert not (folder / CONNECTION).exists()


def test_no_password_of_a_labs_broker_is_written_and_its_files_are_found_from_everywhere(folder: Path) -> None:
    broker = BrokerSettings(
        url="mqtts://ann:secret@lab:8883", password=SecretStr("hidden"), ca_file="ca.pem", password_file="pass.txt"
    )
    with told_connection(folder, "lab", broker, SigningSettings(), is_own=False):
        text = (folder / CONNECTION).read_text(encoding="utf-8")
        reached = reached_by(connection_of(folder), {})
    assert "secret" not in text
    assert "hidden" not in text
    assert reached.broker.url == "mqtts://lab:8883"
    assert reached.broker.ca_file == str(Path("ca.pem").absolute())


def test_what_the_environment_says_goes_before_it(folder: Path) -> None:
    environ = {"ENTROPILOT_BROKER__USERNAME": "ann", "ENTROPILOT_SIGNING__KEYS": "ann.keys", "ENTROPILOT_RUNS": "x"}
    with told_connection(folder, "lab", OWN, SigningSettings(), is_own=True):
        reached = reached_by(connection_of(folder), environ)
    assert (reached.broker.username, reached.signing.keys) == ("ann", "ann.keys")


def test_without_an_agent_nothing_is_reached(folder: Path) -> None:
    with pytest.raises(NoAnswer, match="about to begin or to end"):
        connection_of(folder)
    (folder / LOCK).unlink()
    (folder / CONNECTION).write_text("{}", encoding="ascii")
    with pytest.raises(NoAnswer, match="No agent works"):
        connection_of(folder)


@pytest.mark.parametrize("content", ["", "[]", "{}", json.dumps({"campaign": "A b", "broker": {}, "signing": {}})])
def test_another_file_is_refused(folder: Path, content: str) -> None:
    path = folder / CONNECTION
    path.write_text(content, encoding="ascii")
    path.chmod(0o600)
    with pytest.raises(SettingsError, match="does not say where"):
        connection_of(folder)


def test_a_file_that_others_may_write_is_not_believed(folder: Path) -> None:
    with told_connection(folder, "lab", OWN, SigningSettings(), is_own=True):
        (folder / CONNECTION).chmod(0o620)
        with pytest.raises(SettingsError, match="can be read or written by others"):
            connection_of(folder)
