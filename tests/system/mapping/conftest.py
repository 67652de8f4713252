"""A workbench, and a Mosquitto that lets everybody in, as on a bench."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from scenarios.broker.broker import LOOPBACK, find_mosquitto
from tests.endurance.stage import listens, require_mosquitto
from tests.support.commands import Workbench, free_port, until


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as opened:
        yield opened


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """Where the broker listens."""
    require_mosquitto()
    number = free_port()
    lines = ["allow_anonymous true", "persistence false", f"listener {number} {LOOPBACK}"]
    if hasattr(os, "getuid") and os.getuid() == 0:
        lines.append("user root")
    (tmp_path / "mosquitto.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with (tmp_path / "mosquitto.log").open("wb") as log:
        process = subprocess.Popen(
            [find_mosquitto(), "-c", str(tmp_path / "mosquitto.conf")], stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
    try:
        until(lambda: process.poll() is not None or listens(number), "Mosquitto does not listen")
        yield number
    finally:
        process.kill()
        process.wait()
