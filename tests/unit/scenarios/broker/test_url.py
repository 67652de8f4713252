"""Commands that start no broker say so, and how to start one."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocols.errors import SettingsError
from protocols.link.credentials import ANYBODY, accounts_for, credentials_place, write_credentials
from scenarios.broker.url import broker_at


@pytest.mark.parametrize("name", ["embedded", "mosquitto"])
def test_a_broker_that_only_a_run_starts_is_refused_with_how_to_start_it(name: str) -> None:
    with pytest.raises(SettingsError, match=rf"`entropilot broker {name}`, then say --broker mqtt://127") as caught:
        broker_at(name, {})
    assert caught.value.found.startswith(f"--broker {name} is a broker that `entropilot run` starts")


def test_an_unknown_broker_is_told_without_recommending_those_of_a_run() -> None:
    with pytest.raises(SettingsError, match=r"'foo' is no broker; expected mqtt://host:port") as caught:
        broker_at("foo", {})
    assert "embedded" not in str(caught.value)


def test_an_url_is_taken() -> None:
    assert broker_at("mqtt://lab:1884", {}).url == "mqtt://lab:1884"


@pytest.mark.parametrize("url", ["mqtt://me:cretword@lab", "mqtt://me:s#cretword@lab", "mqtt//me:cretword@lab"])
def test_a_password_on_a_command_line_is_refused_with_the_ways_to_give_it(url: str) -> None:
    with pytest.raises(SettingsError, match="holds a password") as caught:
        broker_at(url, {})
    assert "cretword" not in str(caught.value)
    assert "ENTROPILOT_BROKER__PASSWORD_FILE" in caught.value.action


def test_a_user_name_on_a_command_line_is_taken_and_the_password_comes_from_the_environment() -> None:
    address = broker_at("mqtt://me@lab", {"ENTROPILOT_BROKER__PASSWORD": "cretword"}).address()
    assert address.username == "me"
    assert address.password is not None
    assert address.password.get_secret_value() == "cretword"


def test_a_broker_of_this_machine_is_used_with_the_account_that_it_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    write_credentials(credentials_place("127.0.0.1", 1884), accounts_for())
    assert broker_at("mqtt://localhost:1884", {}).address().username == ANYBODY
    assert broker_at("mqtt://localhost:1885", {}).address().username is None
    given = {"ENTROPILOT_BROKER__USERNAME": "ann", "ENTROPILOT_BROKER__PASSWORD": "hers"}
    assert broker_at("mqtt://localhost:1884", given).address().username == "ann"
