"""Commands that start no broker say so, and how to start one."""

from __future__ import annotations

import pytest

from protocols.errors import SettingsError
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
