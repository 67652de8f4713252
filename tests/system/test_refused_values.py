"""A run and a comparison judge the same values alike: what a run refuses, offline play refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from protocols.errors import CampaignFellShort

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]  # it bounds a hang; a loaded machine is slow

NARROW = [
    "--set", "campaign.valid_range=[-0.05,0.05]", "--set", "campaign.max_attempts=1",
    "--set", "campaign.give_up_after=1000", "--set", "campaign.budget=20",
    "--set", "simulator.noise.standard_deviation=0",
]  # fmt: skip


def entropilot(folder: Path, *arguments: str, code: int = 0) -> None:
    command = [sys.executable, "-m", "entropilot", *arguments, *NARROW]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr


def test_a_run_and_a_comparison_accept_and_abandon_as_many(tmp_path: Path) -> None:
    fell_short = CampaignFellShort.exit_code
    entropilot(tmp_path, "run", "oracle_table", "--policy", "random", "--campaign", "narrow", code=fell_short)
    entropilot(tmp_path, "compare", "oracle_table", "--policies", "random", "--seeds", "1")
    run = json.loads((tmp_path / "runs/narrow/summary.json").read_text())
    (file,) = (tmp_path / "runs").glob("compare-*/comparison.json")
    compared = json.loads(file.read_text())
    accepted = run["accepted_here"]
    assert (accepted, run["abandoned"]) == (8, 12)
    assert (compared["acquired"]["random"], compared["abandoned"]["random"]) == ([accepted], [run["abandoned"]])
    for figure in ("entropy_range", "mean_gap", "evenness", "joint_entropy"):
        assert compared["final"]["random"][figure] == [pytest.approx(run["after"][figure], abs=1e-9)]
