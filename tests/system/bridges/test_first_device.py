"""The page of the first device, from nothing: what a reader saves and types closes the loop over mutual TLS."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.commands import PATIENCE_S, free_port
from tests.support.lab_brokers.mosquitto import require_mosquitto
from tests.support.processes import started
from tests.system.bridges.page import environment, file_of, page, save_files

pytestmark = pytest.mark.system

PAGE = page("first-device.md")
BUDGET = 8
MOST_LINES = 40


def test_the_device_client_has_forty_lines() -> None:
    written = [line for line in file_of(PAGE, "device.py").splitlines() if line and not line.startswith("#")]
    assert len(written) <= MOST_LINES


def test_what_the_page_says_closes_the_loop_over_mutual_tls(tmp_path: Path) -> None:
    require_mosquitto()
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make certificates with")
    port = free_port()
    save_files(PAGE, tmp_path, port_8883=str(port))
    if os.getuid() == 0:  # Mosquitto becomes another user then, who cannot read the keys
        with (tmp_path / "mosquitto.conf").open("a") as config:
            config.write("user root\n")
    typed = "set -e\n" + "".join(block.body for block in PAGE.blocks("sh"))
    with (
        (tmp_path / "said").open("wb") as said,
        started(
            ["bash", "-c", typed], cwd=tmp_path, env=environment(), stdin=subprocess.DEVNULL, stdout=said, stderr=said
        ) as reader,
    ):
        code = reader.wait(PATIENCE_S)
    told = (tmp_path / "said").read_text()
    assert code == 0, told
    assert "Traceback" not in told
    with closing(sqlite3.connect(tmp_path / "runs" / "hardening" / "campaign.db")) as database:
        measured = database.execute("SELECT value FROM observation WHERE attempt_id IS NOT NULL").fetchall()
        refused = database.execute("SELECT * FROM quarantine").fetchall()
    assert len(measured) == BUDGET
    assert refused == []
