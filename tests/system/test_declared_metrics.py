"""Metrics that a policy of the user's own declares: kept per observation, and wherever the bias is told."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.support.commands import Workbench

pytestmark = pytest.mark.system

POLICY = """
from agent.acquisition.base import Choice, Proposal
from agent.metrics import Metric


class Counting:
    runs_inline = True

    def __init__(self, threshold):
        self.threshold = threshold

    def propose(self, context, count):
        return Proposal(tuple(Choice(int(index)) for index in context.available[:count]), "the first")

    def metrics(self, unit, pool):
        return (
            Metric("largest", "largest value", "largest", unit, lower_is_better=False),
            Metric("hits", "values above the threshold", "hits", "", lower_is_better=False),
        )

    def meter(self, pool, properties):
        return Meter(self.threshold)


class Meter:
    def __init__(self, threshold):
        self.threshold, self.seen = threshold, []

    def add(self, index, *values):
        self.seen.append(values[0])

    def values(self):
        return max(self.seen, default=None), float(sum(value > self.threshold for value in self.seen))
"""

THRESHOLD = 0.0


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """A folder with one run of such a policy."""
    folder = tmp_path_factory.mktemp("declared")
    (folder / "mine.py").write_text(POLICY)
    with Workbench(folder) as opened:
        ended = opened.entropilot("run", "lab.toml", "--budget", "8", *OWN)
        assert ended.code == 0, ended
        yield opened


OWN = ("--quiet", "--policy", "mine.py:Counting", "--set", f"campaign.policy_options.threshold={THRESHOLD}")


def values_of(bench: Workbench) -> list[float]:
    """What was measured, in order."""
    with closing(sqlite3.connect(bench.runs / "lab" / "campaign.db")) as database:
        return [row[0] for row in database.execute("SELECT value FROM observation ORDER BY sequence, candidate_id")]


def test_the_database_has_them_after_every_observation(bench: Workbench) -> None:
    with closing(sqlite3.connect(bench.runs / "lab" / "campaign.db")) as database:
        rows = database.execute("SELECT observation, declared FROM bias_point ORDER BY observation").fetchall()
    values = values_of(bench)
    start = len(values) - 8
    assert [observation for observation, _ in rows] == list(range(9))
    for observation, text in rows:
        seen = values[: start + observation]
        assert json.loads(text) == {"largest": max(seen), "hits": sum(value > THRESHOLD for value in seen)}


def test_files_messages_log_and_report_have_them(bench: Workbench) -> None:
    folder = bench.runs / "lab"
    values = values_of(bench)
    largest, hits = max(values), float(sum(value > THRESHOLD for value in values))
    with (folder / "trajectory.csv").open(newline="") as file:
        *_, last = csv.DictReader(file)
    told = [name for name in last if name.startswith(("largest", "hits"))]
    assert [float(last[name]) for name in told] == [largest, hits]
    assert told[0].startswith("largest [")
    declared = {row["name"]: row["value"] for row in bench.summary()["after"]["declared"]}
    assert declared == {"largest": largest, "hits": hits}
    assert bench.summary()["best"]["hits"]["value"] == hits
    log = [json.loads(line) for line in (folder / "agent.jsonl").read_text().splitlines()]
    assert [line["declared"] for line in log if line["event"] == "bias_trajectory"][-1] == declared
    recorded = (folder / "recording.jsonl").read_text()
    reports = [line for line in recorded.splitlines() if "metrics_report" in line]
    assert reports
    assert "largest" in reports[-1]
    report = bench.entropilot("report", "lab")
    assert (report.code, "largest" in report.out, "hits" in report.out) == (0, True, True), report


def test_verify_finds_the_run_sound_and_runs_no_code_for_it(bench: Workbench) -> None:
    hidden = bench.folder / "mine.py"
    hidden.rename(bench.folder / "elsewhere.py")
    try:
        ended = bench.entropilot("verify", "lab")
    finally:
        (bench.folder / "elsewhere.py").rename(hidden)
    assert ended.code == 0, ended


def test_a_replay_makes_the_same_decisions_where_the_code_is_allowed(bench: Workbench) -> None:
    ended = bench.entropilot("replay", "lab", "--allow-code", ".", "--json")
    assert ended.code == 0, ended
    assert json.loads(ended.out)["identical"] == json.loads(ended.out)["decisions"] == 8


def test_compare_holds_the_others_against_it_in_its_own_metrics(bench: Workbench) -> None:
    own = ("--set", 'campaign.policy="mine.py:Counting"', *OWN[3:])
    ended = bench.entropilot(
        "compare", "lab.toml", "--seeds", "2", "--budget", "4", "--policies", "mine.py:Counting,random", *own
    )
    assert ended.code == 0, ended
    (document,) = bench.folder.rglob("comparison.json")
    final = json.loads(document.read_text())["final"]
    assert all(isinstance(value, float) for of in final.values() for value in of["largest"])
