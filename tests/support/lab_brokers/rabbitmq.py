"""A RabbitMQ with its MQTT plug-in, from the system's packages: its files in a folder of its own, on free ports.

Its nodes find each other through a daemon of Erlang's (epmd). It gets one of its own, so that nothing of the machine is
used and nothing stays. The programs are started themselves: what packages put in the PATH changes to another user.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from scenarios.broker.broker import LOOPBACK
from tests.endurance.stage import listens
from tests.support.commands import free_port, until
from tests.support.lab_brokers.way import Way
from tests.support.processes import started

PLACES: Final = "lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server"
"""Where Debian's package puts the server, below /usr."""

USER: Final = "lab"
PASSWORD: Final = "secret of a lab"
"""Of its only user."""

PLUGINS: Final = "[rabbitmq_mqtt, rabbitmq_web_mqtt].\n"
"""What is loaded: MQTT, and the same over WebSockets."""

WEB_PATH: Final = "/ws"
"""Where its WebSockets are."""

ONE_CORE: Final = "+S 1:1 +sbwt none"
"""Erlang's schedulers take every core and wait busily unless they are told otherwise."""


def find_rabbitmq() -> Path:
    """Return the server's program; skip the test where there is none."""
    found = sorted(Path("/usr").glob(PLACES))
    if not found or shutil.which("epmd") is None:
        pytest.skip("RabbitMQ is not installed (apt install rabbitmq-server)")
    return found[-1]


@contextmanager
def rabbitmq(folder: Path) -> Iterator[dict[str, Way]]:
    """Start one and yield the ways to it, `mqtt` and `ws`; it ends with the block.

    Args:
        folder: An empty folder.
    """
    program = find_rabbitmq()
    ports = {name: free_port() for name in ("mqtt", "ws", "nodes", "node")}
    for each in ("mnesia", "log"):
        (folder / each).mkdir()
    (folder / "rabbitmq.conf").write_text("\n".join(_configuration(ports)) + "\n")
    (folder / "plugins").write_text(PLUGINS)
    env = _environment(folder, ports)
    with (
        (folder / "said.log").open("wb") as log,
        started(["epmd", "-port", str(ports["nodes"]), "-address", LOOPBACK], env=env),
        started([program], env=env, stdin=subprocess.PIPE, stdout=log, stderr=log) as server,
    ):
        wanted = (ports["mqtt"], ports["ws"])
        until(lambda: server.poll() is not None or all(map(listens, wanted)), "RabbitMQ does not listen")
        assert server.poll() is None, (folder / "said.log").read_text(errors="replace")
        user = f"{USER}@{LOOPBACK}"
        yield {
            "mqtt": Way(f"mqtt://{user}:{ports['mqtt']}", password=PASSWORD),
            "ws": Way(f"ws://{user}:{ports['ws']}{WEB_PATH}", password=PASSWORD),
        }
        server.terminate()
        server.wait(60)


def _configuration(ports: dict[str, int]) -> tuple[str, ...]:
    return (
        "listeners.tcp = none",  # no AMQP
        f"mqtt.listeners.tcp.1 = {LOOPBACK}:{ports['mqtt']}",
        "mqtt.allow_anonymous = false",
        f"web_mqtt.tcp.ip = {LOOPBACK}",
        f"web_mqtt.tcp.port = {ports['ws']}",
        f"default_user = {USER}",
        f"default_pass = {PASSWORD}",
        f"distribution.listener.interface = {LOOPBACK}",
        f"distribution.listener.port_range.min = {ports['node']}",
        f"distribution.listener.port_range.max = {ports['node']}",
    )


def _environment(folder: Path, ports: dict[str, int]) -> dict[str, str]:
    own = {
        "HOME": str(folder),  # where Erlang keeps what nodes know each other by
        "ERL_EPMD_PORT": str(ports["nodes"]),
        "ERL_EPMD_ADDRESS": LOOPBACK,
        "RABBITMQ_NODENAME": f"entropilot{ports['mqtt']}@localhost",
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_CONF_ENV_FILE": os.devnull,
        "RABBITMQ_ALLOW_INPUT": "1",  # the shell becomes the server, which hears who ends it, and ends with its input
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": ONE_CORE,
    }
    return {key: value for key, value in os.environ.items() if not key.startswith("RABBITMQ_")} | own
