"""A whole run as a user types it: its evaluations on a cluster."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.endurance.clusters.kills import cluster_terms
from tests.endurance.stage import write_pool
from tests.support.clusters.local_cluster import local_cluster
from tests.support.commands import Workbench

pytestmark = pytest.mark.system

BUDGET = 6


def test_a_run_evaluates_on_the_cluster_and_says_nowhere_where_that_was(tmp_path: Path) -> None:
    with local_cluster() as cluster, Workbench(tmp_path) as bench:
        terms = cluster_terms(tmp_path, cluster.executor, budget=BUDGET)
        write_pool(tmp_path / "table.csv", terms.pool)
        (tmp_path / "lab.toml").write_text(terms.toml(), encoding="utf-8")
        *extra, _ = terms.extra  # the last one says where, as the flag does here
        settings = (*extra, "campaign.recipients=[]", 'broker.version="3.1.1"')
        words = [word for setting in settings for word in ("--set", setting)]
        ended = bench.entropilot("run", "lab.toml", "--quiet", "--executor", cluster.executor, *words)
    assert ended.code == 0, ended.err
    assert len(set((tmp_path / "witness").read_text().split())) == BUDGET
    log = (bench.runs / "lab" / "simulator.jsonl").read_text(encoding="utf-8")
    assert [json.loads(line)["event"] for line in log.splitlines()].count("worker_found") == 1
    assert cluster.executor not in (bench.runs / "lab" / "recording.jsonl").read_text(encoding="utf-8")


def test_an_executor_that_is_none_is_refused_with_what_was_expected(tmp_path: Path) -> None:
    with Workbench(tmp_path) as bench:
        refused = bench.entropilot("run", "emt_alloys", "--executor", "ray://host:1")
    assert refused.code == 2
    assert "dask://HOST:PORT" in refused.err
    assert "--executor" in refused.err


def test_a_cache_that_is_another_file_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("chapter one")
    with Workbench(tmp_path) as bench:
        refused = bench.entropilot(
            "run", "lab.toml", "--quiet", "--set", "simulator.cache=thesis.txt", "--set", 'simulator.evaluator="ase"'
        )
    assert refused.code == 5
    assert "is no cache of Entropilot's" in refused.err
    assert (tmp_path / "thesis.txt").read_text() == "chapter one"
