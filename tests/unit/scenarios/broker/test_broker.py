"""How the brokers of a run are reached; what starts processes is in tests/system/processes."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from protocols.errors import BrokerError
from protocols.link.broker_settings import BrokerSettings
from scenarios.broker.broker import LOOPBACK, broker_for, require_free


async def test_a_url_is_taken_as_it_is(tmp_path: Path) -> None:
    settings = BrokerSettings(url="mqtt://lab:1884")
    async with broker_for(settings, tmp_path) as reached:
        assert reached.model_dump() == settings.model_dump()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("host", [LOOPBACK, "192.0.2.1", "not an address"])
def test_a_port_in_use_and_an_address_of_another_machine_are_said_with_an_advice(host: str) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BrokerError, match=f"cannot listen on {host}:{port}") as caught:
            require_free(host, port)
    assert "--port" in caught.value.action


def test_a_free_port_stays_free() -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
    require_free(LOOPBACK, port)
    require_free(LOOPBACK, port)
    with socket.create_server((LOOPBACK, port)) as taken:
        assert taken.getsockname() == (LOOPBACK, port)
