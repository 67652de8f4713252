"""A Mosquitto that listens in every way a lab's does: plain, over WebSockets, and over TLS with certificates.

Where both sides show one, a part's certificate is its account, and the shipped access list says what it may.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from protocols.errors import BrokerError
from protocols.link.credentials import AGENT, accounts_for
from scenarios.broker.broker import LOOPBACK, find_mosquitto
from scenarios.broker.mosquitto import access_list
from tests.endurance.stage import listens
from tests.support.commands import free_port, until
from tests.support.lab_brokers.way import Way
from tests.support.processes import started
from tests.support.tls.authority import Authority

INSTRUMENT: Final = "simulator-1"
"""The lab's only one."""


def require_mosquitto() -> str:
    """Return Mosquitto's program; skip the test where there is none."""
    try:
        return find_mosquitto()
    except BrokerError as error:
        pytest.skip(error.found)


@contextmanager
def mosquitto_of_a_lab(folder: Path) -> Iterator[dict[str, Way]]:
    """Start one and yield the ways to it, `mqtt`, `ws` and `mutual`; it ends with the block.

    Args:
        folder: An empty folder.
    """
    program, authority = require_mosquitto(), Authority(folder)
    ports = {name: free_port() for name in ("mqtt", "ws", "mutual")}
    shown, key = authority.issue("lab")
    (folder / "access.acl").write_text(access_list(accounts_for((INSTRUMENT,))))
    lines = [
        "per_listener_settings true",
        *(["user root"] * (hasattr(os, "getuid") and os.getuid() == 0)),
        f"listener {ports['mqtt']} {LOOPBACK}", "allow_anonymous true",
        f"listener {ports['ws']} {LOOPBACK}", "protocol websockets", "allow_anonymous true",
        f"listener {ports['mutual']} {LOOPBACK}", "allow_anonymous false",
        f"cafile {authority.certificate}", f"certfile {shown}", f"keyfile {key}",
        "require_certificate true", "use_identity_as_username true", f"acl_file {folder / 'access.acl'}",
    ]  # fmt: skip
    (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")
    with (
        (folder / "mosquitto.log").open("wb") as log,
        started([program, "-c", folder / "mosquitto.conf"], stdin=subprocess.DEVNULL, stdout=log, stderr=log) as server,
    ):
        until(lambda: server.poll() is not None or all(map(listens, ports.values())), "Mosquitto does not listen")
        assert server.poll() is None, (folder / "mosquitto.log").read_text()
        yield {
            "mqtt": Way(f"mqtt://{LOOPBACK}:{ports['mqtt']}"),
            "ws": Way(f"ws://{LOOPBACK}:{ports['ws']}"),
            "mutual": Way(
                f"mqtts://{LOOPBACK}:{ports['mutual']}",
                {name: _identity(authority, name) for name in (AGENT, INSTRUMENT)},
            ),
        }


def _identity(authority: Authority, name: str) -> dict[str, str]:
    certificate, key = authority.issue(name)
    return {"ca_file": str(authority.certificate), "cert_file": str(certificate), "key_file": str(key)}
