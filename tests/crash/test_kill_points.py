"""Kill at every line: the slice that every change is held to. `python -m tests.crash.kill_points` is the whole."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.crash.golden import SIMULATOR

pytestmark = [pytest.mark.system, pytest.mark.timeout(1_200)]  # it bounds a hang; a loaded machine is slow

ROOT = Path(__file__).parents[2]


def kill_points(tmp_path: Path, *arguments: str) -> dict[str, Any]:
    """Run the program; return its figures."""
    figures = tmp_path / "figures.json"
    command = [sys.executable, "-m", "tests.crash.kill_points", *arguments, "--json", str(figures)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(figures.read_text())
    return found


def test_the_files_of_every_executed_line_lead_to_the_same_decisions_and_lose_nothing(tmp_path: Path) -> None:
    """The files of every line are looked at, and a third of those that differ are taken up again."""
    found = kill_points(tmp_path, "--every", "--nth", "3")
    assert found["points"] == found["lines_executed"] > 8_000
    assert found["contents"] > 150
    assert found["distinct_lines"] > 0.75 * found["executable_lines"]


def test_a_process_that_is_killed_with_sigkill_at_a_line_is_resumed_as_its_twin(tmp_path: Path) -> None:
    assert kill_points(tmp_path, "--sample", "30")["points"] == 30


def test_a_restart_that_is_killed_as_well_is_resumed_as_its_twin(tmp_path: Path) -> None:
    assert kill_points(tmp_path, "--recovery", "--sample", "20")["points"] == 20


@pytest.mark.parametrize("side", ["agent", "simulator"])
def test_a_side_that_dies_alone_lives_again_beside_the_other(tmp_path: Path, side: str) -> None:
    assert kill_points(tmp_path, "--alone", side, "--sample", "20")["points"] == 20


COMPARE = """
import shutil, sys
from pathlib import Path
from tests.crash import kill_points as k
place = Path(sys.argv[1])
at_line, copies = k.contents_of_every_line(place / "every", place / "images")
for point in (len(at_line) * i // 8 for i in range(1, 8)):
    assert k.killed_at(place / f"killed-{point}", point)
    shutil.copytree(copies[at_line[point - 1]], place / f"copied-{point}")
"""


def test_sigkill_leaves_what_the_copy_of_the_files_at_that_line_holds(tmp_path: Path) -> None:
    """The ground that `--every` stands on: killed in another process at that line, the databases say the same."""
    environment = os.environ | {"PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", COMPARE, str(tmp_path)]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    killed = sorted(tmp_path.glob("killed-*"))
    assert len(killed) == 7
    for folder in killed:
        copied = tmp_path / folder.name.replace("killed", "copied")
        for name in ("campaign.db", f"{SIMULATOR}.db"):
            assert content_of(folder / "run" / name) == content_of(copied / "run" / name)
        witness = f"witness/{SIMULATOR}.jsonl"
        assert (folder / witness).read_bytes() == (copied / witness).read_bytes()
        shutil.rmtree(copied)


def content_of(database: Path) -> list[str]:
    """All that a database says, after SQLite has recovered it."""
    if not database.exists():
        return []
    connection = sqlite3.connect(database)
    try:
        return list(connection.iterdump())
    finally:
        connection.close()
