"""A run of a stranger whose pool has no end: `verify` ends, in little memory, and says why."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import PATIENCE_S, Finished, Workbench, clean_environment
from tests.support.samples.rewritten import rewrite_journal, rewrite_recording

pytestmark = pytest.mark.system

MEMORY_BYTES = 2 << 30
"""What verify may take, all libraries with it."""

FAMILIES = 100_000
"""With 256 stand-ins each they would take ten gigabytes."""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as opened:
        yield opened


def with_a_large_batch(_sequence: int, _kind: str, event: dict[str, Any]) -> None:
    if "plan" in event:
        event["plan"]["batch"] = 256


def with_a_huge_model(_number: int, row: dict[str, Any]) -> None:
    if "scenario" in row:
        row["scenario"]["pool"]["structural_model"] |= {"passive_rows": 1_000_000, "seed": 10**1_000}


def verified(bench: Workbench, campaign: str) -> Finished:
    """Verify a run in a process that may take so much memory and no more."""
    limited = f"import resource, runpy; resource.setrlimit(resource.RLIMIT_AS, ({MEMORY_BYTES},) * 2)"
    ran = subprocess.run(
        [sys.executable, "-c", f"{limited}; runpy.run_module('entropilot', run_name='__main__')", "verify", campaign],
        check=False, cwd=bench.folder, env=clean_environment() | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True, text=True, timeout=PATIENCE_S,
    )  # fmt: skip
    return Finished(ran.returncode, ran.stdout, ran.stderr)


def test_a_database_with_families_beyond_number_is_refused(bench: Workbench) -> None:
    assert bench.entropilot("run", "lab.toml", "--budget", "2", "--quiet").code == 0
    with closing(sqlite3.connect(bench.runs / "lab" / "campaign.db")) as database:
        rewrite_journal(database, with_a_large_batch)
        rows = ((1, f"family-{number}", 1, None) for number in range(FAMILIES))
        database.executemany("INSERT INTO bias_family VALUES (?, ?, ?, ?)", rows)
        database.commit()
    found = verified(bench, "lab")
    assert found.code == 5, found.err
    assert f"has {FAMILIES + 3} families" in found.err


def test_a_recording_whose_pool_would_take_hours_is_told_and_not_made(bench: Workbench) -> None:
    ran = bench.entropilot("run", "synthetic_scm", "--budget", "2", "--quiet")
    assert ran.code == 0, ran.err
    rewrite_recording(bench.runs / "synthetic_scm" / "recording.jsonl", with_a_huge_model)
    found = verified(bench, "synthetic_scm")
    assert found.code != 0
    assert "its structural model has 1,0" in found.out, found.err
