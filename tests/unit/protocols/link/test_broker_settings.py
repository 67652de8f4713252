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


@pytest.mark.parametrize(
    "password", ["s#cretword", "sl/cretword", "s?cretword", "12/cretword", "12#cretword", "cret word", "cretword\n"]
)
def test_a_url_that_can_be_read_in_two_ways_is_refused_with_how_to_write_it_and_nothing_of_the_password(
    password: str,
) -> None:
    with pytest.raises(ValidationError) as caught:
        BrokerSettings(url=f"mqtt://lab:{password}@host:1883")
    (detail,) = caught.value.errors(include_input=False)
    assert "cretword" not in detail["msg"]
    assert "%2F" in detail["msg"]
    assert "ENTROPILOT_BROKER__PASSWORD" in detail["msg"]


def test_an_at_sign_in_a_password_is_taken_where_it_can_be_read_in_one_way_only() -> None:
    address = BrokerSettings(url="mqtt://lab:p@ss@host:1883").address()
    assert (address.host, address.username) == ("host", "lab")
    assert address.password is not None
    assert address.password.get_secret_value() == "p@ss"


@pytest.mark.parametrize(
    ("url", "likely"),
    [
        ("tcp://127.0.0.1:1883", "mqtt://127.0.0.1:1883"),
        ("ssl://lab:8883", "mqtts://lab:8883"),
        ("TLS://lab:8883", "mqtts://lab:8883"),
        ("127.0.0.1:1883", "mqtt://127.0.0.1:1883"),
        ("http://lab:9001/mqtt", "ws://lab:9001/mqtt"),
        ("https://lab:443/mqtt", "wss://lab:443/mqtt"),
        ("tcp://lab", "mqtt://lab"),
        ("ssl://lab.example.org", "mqtts://lab.example.org"),
        ("lab.example.org:8883", "mqtts://lab.example.org:8883"),
        ("lab.example.org:443", "wss://lab.example.org:443"),
        ("lab.example.org", "mqtt://lab.example.org"),
        ("localhost", "mqtt://localhost"),
        ("192.168.1.7", "mqtt://192.168.1.7"),
        ("::1", "mqtt://[::1]"),
        ("[::1]:1883", "mqtt://[::1]:1883"),
        ("mqtt:lab:1883", "mqtt://lab:1883"),
        ("mqtt:/lab:1883", "mqtt://lab:1883"),
        ("mqtts//lab:8883", "mqtts://lab:8883"),
        ("mqtt+ssl://lab:8883", "mqtts://lab:8883"),
    ],
)
def test_the_address_of_another_program_is_refused_with_ours(url: str, likely: str) -> None:
    with pytest.raises(ValidationError, match="is no broker") as caught:
        RunningBroker(url=url)
    assert caught.value.errors(include_input=False)[0]["msg"].endswith(f"write {likely}")


@pytest.mark.parametrize("url", ["lab", "embeded", "amqp:lab", "redis://lab:6379", "lab:port", "tcp://", "://lab"])
def test_what_is_like_no_address_gets_no_guess(url: str) -> None:
    with pytest.raises(ValidationError) as caught:
        BrokerSettings(url=url)
    assert "write " not in caught.value.errors(include_input=False)[0]["msg"]


def test_what_may_hold_a_password_before_a_host_without_a_scheme_is_told_how_to_write_one_and_not_shown() -> None:
    with pytest.raises(ValidationError) as caught:
        RunningBroker(url="me:cretword@lab:1883")
    told = caught.value.errors(include_input=False)[0]["msg"]
    assert "cretword" not in told
    assert "%2F" in told


def test_an_address_of_ipv6_is_shown_as_it_can_be_typed() -> None:
    assert str(BrokerSettings(url="mqtts://[::1]").address()) == "mqtts://[::1]:8883"


def test_every_scheme_is_named_where_one_is_wrong() -> None:
    with pytest.raises(ValidationError) as caught:
        BrokerSettings(url="amqp://lab:5672")
    assert all(f"{scheme}://" in str(caught.value) for scheme in ("mqtt", "mqtts", "ws", "wss"))
    assert "write " not in caught.value.errors(include_input=False)[0]["msg"]
