"""What a broker's URL may be, and what is shown of it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from protocols.link.broker_settings import BrokerSettings, RunningBroker


@pytest.mark.parametrize(
    "url", ["embedded", "mosquitto", "mqtt://lab", "mqtts://lab:8884", "ws://lab/mqtt", "wss://[::1]"]
)
def test_an_url_of_a_broker_is_taken(url: str) -> None:
    assert BrokerSettings(url=url).redacted_url == url


@pytest.mark.parametrize(
    "url", ["", "lab", "http://lab", "mqtt://", "mqtt:lab", "Embedded", f"mqtt://{70 * 'a'}", "mqtt://lab..org"]
)
def test_an_url_of_something_else_is_refused_with_what_is_expected(url: str) -> None:
    with pytest.raises(ValidationError, match="is no broker"):
        BrokerSettings(url=url)


@pytest.mark.parametrize("port", ["99999", "-1", "0"])
def test_a_port_that_is_none_is_refused_with_what_was_found(port: str) -> None:
    with pytest.raises(ValidationError, match=rf"the port of 'mqtt://lab:{port}' is none; expected .* 1 to 65535"):
        BrokerSettings(url=f"mqtt://lab:{port}")


def test_a_port_that_is_no_number_may_be_a_password_without_its_host_and_is_not_shown() -> None:
    with pytest.raises(ValidationError, match="the port of 'mqtt://lab…' is none") as caught:
        BrokerSettings(url="mqtt://lab:hunter2")
    assert "hunter2" not in caught.value.errors(include_input=False)[0]["msg"]


def test_a_password_in_an_url_is_not_shown() -> None:
    settings = BrokerSettings(url="mqtt://me:hunter2@lab:1884")
    assert settings.redacted_url == "mqtt://me:…@lab:1884"
    with pytest.raises(ValidationError) as caught:
        BrokerSettings(url="http://me:hunter2@lab")
    assert "'http://me:…@lab' is no broker" in caught.value.errors(include_input=False)[0]["msg"]


@pytest.mark.parametrize("url", ["embedded", "mosquitto", "foo"])
def test_who_starts_no_broker_is_not_told_of_those_that_a_run_starts(url: str) -> None:
    with pytest.raises(ValidationError, match="is no broker; expected mqtt://host:port") as caught:
        RunningBroker(url=url)
    assert "mosquitto," not in str(caught.value)
