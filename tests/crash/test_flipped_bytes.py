"""Flipped bits: a start is refused with a reason, or nothing is wrong. `python -m tests.crash.flipped_bytes` is all."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.system
@pytest.mark.timeout(1_200)  # it bounds a hang; a loaded machine is slow
def test_a_flipped_bit_in_the_campaigns_files_is_refused_or_does_no_harm(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    files = ("--only", "campaign.db", "--only", "campaign.db-wal")
    command = [sys.executable, "-m", "tests.crash.flipped_bytes", *files, "--sample", "30", "--json", str(figures)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    by_file = json.loads(figures.read_text())["dispositions"]
    assert set(by_file) == {"campaign.db", "campaign.db-wal"}
    for dispositions in by_file.values():
        assert not {"silent", "fault"} & set(dispositions)
        assert dispositions.get("refused", 0) + dispositions.get("healed", 0) > 5  # the flips were felt
