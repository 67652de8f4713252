"""The n-th system call fails: the slice that every change is held to. `python -m tests.crash.failing_calls` is all."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(1_200),  # it bounds a hang; a loaded machine is slow
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="LD_PRELOAD as Linux knows it"),
    pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler (cc) to build the failing calls with"),
]

ROOT = Path(__file__).parents[2]

SAMPLE = 4
"""Calls of every kind and way to fail."""


def test_whatever_call_fails_the_campaign_goes_on_or_ends_with_a_reason_and_is_resumed(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    command = [sys.executable, "-m", "tests.crash.failing_calls", "--sample", str(SAMPLE), "--json", str(figures)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    dispositions = json.loads(figures.read_text())["dispositions"]
    # The test of the tester: every way to fail was met, and had its effect.
    assert set(dispositions["write/kill-within"]) == {"killed"}
    assert set(dispositions["write/short"]) == set(dispositions["write/eintr-once"]) == {"went on"}
    for way in ("write/enospc-always", "sync/eio-once"):
        assert dispositions[way]["ended clearly"] == SAMPLE
