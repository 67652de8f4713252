"""A shell completes commands, scenarios, policies, runs, recordings and mappings, quickly."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.run_files import DATABASE
from scenarios.settings.library import library_recordings, library_scenarios
from tests.support.commands import clean_environment

pytestmark = pytest.mark.system

POLICIES = [
    *("causal", "causal_reference", "coverage", "d_optimal", "etal", "etal_reference", "expected_improvement"),
    *(
        "fidelity_gain",
        "gap_gain",
        "joint_entropy",
        "molecule_edits",
        "probability_of_exceeding",
        "random",
        "round_robin",
    ),
    *("target_mean", "uncertainty"),
]

HEAVY = {"numpy", "scipy", "pandas", "ase", "matplotlib", "sqlmodel", "sqlalchemy", "paho", "aiomqtt", "pint"}
"""Packages that no press of a key should wait for; pydantic is not among them, for typer itself imports it."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for run in ("runs/lab", "runs/lab-2", "runs/other", "elsewhere/far"):
        (tmp_path / run).mkdir(parents=True)
        (tmp_path / run / DATABASE).touch()
    (tmp_path / "runs" / "notes").mkdir()
    return tmp_path


def completed(folder: Path, line: str, env: dict[str, str] | None = None, shell: str = "bash") -> list[str]:
    """Ask as bash does: what stands before the cursor, and which word it is in."""
    words = line.split(" ")
    asked = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1), "_ENTROPILOT_COMPLETE": f"complete_{shell}"}
    if shell == "zsh":
        asked["_TYPER_COMPLETE_ARGS"] = line
    ended = subprocess.run(
        [sys.executable, "-m", "entropilot"], check=False, capture_output=True, text=True, cwd=folder, timeout=120,
        env=clean_environment() | asked | (env or {}),
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout.split()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("entropilot wh", ["what-if", "why"]),
        ("entropilot run fl", ["flaky_network"]),
        ("entropilot run ", sorted(library_scenarios())),
        ("entropilot trim oracle", ["oracle_table"]),
        ("entropilot forecast oracle", ["oracle_table"]),
        ("entropilot run lab.toml --policy ", POLICIES),
        ("entropilot what-if lab --policy r", ["random", "round_robin"]),
        ("entropilot compare emt_alloys --policies etal,ra", ["etal,random"]),
        ("entropilot report ", ["lab", "lab-2", "other"]),
        ("entropilot why la", ["lab", "lab-2"]),
        ("entropilot report --runs elsewhere ", ["far"]),
        ("entropilot replay l", ["lab", "lab-2", "late_and_contradictory"]),
        ("entropilot verify ", sorted(["lab", "lab-2", "other", *library_recordings()])),
        ("entropilot diff lab ot", ["other"]),
        ("entropilot pack emt", ["emt_alloys"]),
        ("entropilot replay lab --scenario four", ["four_instruments"]),
        ("entropilot replay lab --live", []),
        ("entropilot control o", ["other"]),
        ("entropilot control lab re", ["requeue", "resume", "retract"]),
        ("entropilot control --broker mqtt://here ve", ["veto"]),
        ("entropilot broker ", ["access", "embedded", "mosquitto", "tidy"]),
        ("entropilot lab ", ["show", "try"]),
        ("entropilot lab try p", ["phone", "plain_json", "plc"]),
        ("entropilot init ", ["evaluator", "example", "lab", "policy", "reader", "scenario"]),
    ],
)
def test_what_may_follow_is_completed(line: str, expected: list[str], folder: Path) -> None:
    assert sorted(completed(folder, line)) == expected


def test_the_folder_of_the_runs_may_come_from_the_environment_and_need_not_be_there(folder: Path) -> None:
    assert completed(folder, "entropilot report ", {"ENTROPILOT_RUNS": "elsewhere"}) == ["far"]
    assert completed(folder, "entropilot report ", {"ENTROPILOT_RUNS": "nowhere"}) == []


def test_other_shells_are_answered_too(folder: Path) -> None:
    assert "flaky_network" in " ".join(completed(folder, "entropilot run fl", shell="zsh"))


def test_nothing_heavy_is_imported_for_it(folder: Path) -> None:
    program = (
        "import atexit, os, sys\n"
        f"atexit.register(lambda: print('heavy:', *sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr))\n"
        "from scenarios.cli.app import main\n"
        "main()"
    )
    asked = {"COMP_WORDS": "entropilot replay ", "COMP_CWORD": "2", "_ENTROPILOT_COMPLETE": "complete_bash"}
    ended = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True, cwd=folder, timeout=120,
        env=clean_environment() | asked | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )  # fmt: skip
    assert "lab-2" in ended.stdout
    assert ended.stderr == "heavy:\n"
