"""A whole run as a user types it: its evaluations on a cluster, its values kept for the next run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.clusters.local_cluster import local_cluster
from tests.support.commands import Workbench

pytestmark = pytest.mark.system

BUDGET = 6


def test_a_second_run_finds_what_the_first_had_evaluated_on_the_cluster(tmp_path: Path) -> None:
    with local_cluster() as cluster, Workbench(tmp_path) as bench:
        command = ["run", "emt_alloys", "--budget", str(BUDGET), "--quiet", "--set", "simulator.cache=results.db"]
        first = bench.entropilot(*command, "--executor", cluster.executor)
        assert first.code == 0, first.err
        second = bench.entropilot(*command)
        assert second.code == 0, second.err
    logs = [(bench.runs / name / "simulator.jsonl").read_text().splitlines() for name in ("emt_alloys", "emt_alloys-2")]
    events = [[json.loads(line)["event"] for line in log] for log in logs]
    assert events[0].count("worker_found") == 1
    assert events[0].count("answered_from_cache") == 0
    assert events[1].count("answered_from_cache") == BUDGET
    recorded = (bench.runs / "emt_alloys" / "recording.jsonl").read_text(encoding="utf-8")
    assert cluster.executor not in recorded, "where it ran is nobody's business"
    assert "results.db" not in recorded


def test_an_executor_that_is_none_is_refused_with_what_was_expected(tmp_path: Path) -> None:
    with Workbench(tmp_path) as bench:
        refused = bench.entropilot("run", "emt_alloys", "--executor", "ray://host:1")
    assert refused.code == 2
    assert "dask://HOST:PORT" in refused.err
    assert "--executor" in refused.err


def test_a_cache_that_is_another_file_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("chapter one")
    with Workbench(tmp_path) as bench:
        refused = bench.entropilot("run", "emt_alloys", "--quiet", "--set", "simulator.cache=thesis.txt")
    assert refused.code == 5
    assert "is no cache of Entropilot's" in refused.err
    assert (tmp_path / "thesis.txt").read_text() == "chapter one"
