"""A campaign is traced to a real collector, and one that hangs, refuses or is not there changes nothing."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from protocols.tracing.ids import span_id_of, trace_id_of
from tests.support.commands import Workbench, free_port
from tests.support.receivers.trace_collector import Collector, trace_collector

pytestmark = pytest.mark.system


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as made:
        yield made


@pytest.fixture
def collector() -> Iterator[Collector]:
    with trace_collector() as made:
        yield made


def traced(bench: Workbench, endpoint: str, *more: str, campaign: str = "lab") -> None:
    done = bench.entropilot(
        "run", "lab.toml", "--quiet", "--campaign", campaign, "--set", f"tracing.endpoint={endpoint}", *more
    )
    assert done.code == 0, done.err


def rows(bench: Workbench, query: str, campaign: str = "lab") -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(bench.runs / campaign / "campaign.db")) as connection:
        return connection.execute(query).fetchall()


def decisions(bench: Workbench, campaign: str) -> list[Any]:
    told = rows(bench, "SELECT payload FROM journal WHERE kind = 'DecisionMade' ORDER BY sequence", campaign)
    return [json.loads(payload)["candidate_ids"] for (payload,) in told]


def log(bench: Workbench, name: str, campaign: str = "lab") -> list[dict[str, Any]]:
    lines = (bench.runs / campaign / "agent.jsonl").read_text(encoding="utf-8").splitlines()
    return [line for line in map(json.loads, lines) if line["event"] == name]


def test_each_attempt_is_one_trace_of_agent_and_instrument(bench: Workbench, collector: Collector) -> None:
    traced(bench, collector.endpoint)
    attempts = [which for (which,) in rows(bench, "SELECT attempt_id FROM request")]
    assert len(attempts) == 12
    for attempt_id in attempts:
        spans = collector.of(f"{trace_id_of(attempt_id):032x}")
        assert set(spans) == {"attempt", "decide", "send", "evaluate", "commit"}
        assert {name: span.span_id for name, span in spans.items()} == {
            name: f"{span_id_of(attempt_id, name):016x}" for name in spans
        }
        assert spans["evaluate"].service == "entropilot-simulator"
        assert spans["evaluate"].parent_id == spans["send"].span_id
        assert spans["send"].parent_id == spans["commit"].parent_id == spans["attempt"].span_id
        assert spans["attempt"].attributes["entropilot.outcome"] == "accepted"
        assert spans["attempt"].start_ns <= spans["send"].start_ns <= spans["commit"].start_ns
        assert spans["commit"].end_ns == spans["attempt"].end_ns
    assert len(collector.spans) == 5 * 12
    for command in ("verify", "replay"):
        checked = bench.entropilot(command, "lab")
        assert checked.code == 0, checked.out + checked.err
    assert len(collector.spans) == 5 * 12, "to judge it again is traced nowhere"
    (*_, timings) = log(bench, "timings")
    assert timings["decisions"] >= 12
    assert timings["commits"] >= 12


def test_a_collector_that_hangs_or_is_not_there_changes_no_decision(bench: Workbench, collector: Collector) -> None:
    assert bench.entropilot("run", "lab.toml", "--quiet", "--campaign", "plain").code == 0
    collector.answers.clear()
    traced(bench, collector.endpoint, "--set", "tracing.max_queue=8", campaign="hangs")
    collector.answers.set()
    traced(bench, f"http://127.0.0.1:{free_port()}/v1/traces", campaign="nobody")
    assert decisions(bench, "plain") == decisions(bench, "hangs") == decisions(bench, "nobody")
    for campaign in ("hangs", "nobody"):
        (*_, lost) = log(bench, "traces_lost", campaign)
        assert lost["dropped"] == 4 * 12, "all that the agent made, and counted once"
    assert bench.entropilot("verify", "hangs").code == 0


def test_where_it_is_traced_to_is_no_part_of_the_run(bench: Workbench, collector: Collector) -> None:
    traced(bench, collector.endpoint)
    header = json.loads((bench.runs / "lab" / "recording.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert "tracing" not in header["scenario"]
    assert collector.endpoint not in (bench.runs / "lab" / "recording.jsonl").read_text(encoding="utf-8")
