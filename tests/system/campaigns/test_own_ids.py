"""A lab is asked by the ids of its own table, and is told what of the table was not taken as it stands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from protocols.recording.lines import MessageRow
from protocols.recording.reader import open_recording
from protocols.wire.codec import decode
from protocols.wire.messages import CandidateRequest
from tests.support.commands import Workbench

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]  # it bounds a hang; a loaded machine is slow

SCENARIO = """
name = "own"
[pool]
path = "own.csv"
[pool.columns]
id = "name"
family = "kind"
features = ["f", "g"]
property = "y"
unit = "eV"
on_missing = "drop"
[start]
size = 12
minimum_per_family = 4
[campaign]
budget = 8
policy = "gap_gain"
parallel = 2
"""

NOTEBOOK = '''
from protocols.wire.messages import Quantity

VALUES = {values!r}


class Notebook:
    """Knows its samples by their own names alone."""

    def evaluate(self, request):
        return (Quantity(name="y", value=VALUES[request.source_id], unit="eV"),)
'''

NAMES = [f"MP {place}/{'αβ'[place % 2]}" for place in range(30)]
VALUES = {name: round((place * 0.37) % 2.9 + place % 3, 4) for place, name in enumerate(NAMES)}
LINES = [
    f"{name},{'abc'[place % 3]},{(place * 0.7) % 1.3:.3f},{place},{VALUES[name]}" for place, name in enumerate(NAMES)
]
GAPS = ["MP 99/α,a,0.5,1,", "MP 98/α,b,0.5,2,inf"]
"""Lines 32 and 33 of the table: they cannot be used."""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """A finished run of such a table, by a lab that knows its own ids alone."""
    folder = tmp_path_factory.mktemp("own")
    with Workbench(folder) as bench:
        (folder / "own.csv").write_text("\n".join(["name,kind,f,g,y", *LINES, *GAPS]) + "\n", encoding="utf-8")
        (folder / "own.toml").write_text(SCENARIO, encoding="utf-8")
        (folder / "notebook.py").write_text(NOTEBOOK.format(values=VALUES), encoding="utf-8")
        done = bench.entropilot("run", "own.toml", "--set", 'simulator.evaluator="notebook.py:Notebook"')
        assert done.code == 0, done.err
        told = done.err.split("running: ")[0]
        assert told.count("note: 1 dropped: ") == 2, "what was not taken is told before the first request"
        return bench


def requests_in(path: Path) -> list[CandidateRequest]:
    """What the agent asked for, as it went over the wire."""
    with open_recording(path) as recording:
        sent = [decode(row.topic, row.payload) for row in recording.rows() if isinstance(row, MessageRow)]
    return [each for each in sent if isinstance(each, CandidateRequest)]


def test_every_request_carries_the_id_as_the_table_writes_it_and_the_lab_answers_by_it(bench: Workbench) -> None:
    asked = requests_in(bench.runs / "own" / "recording.jsonl")
    assert len(asked) == 8
    assert {each.source_id for each in asked} <= VALUES.keys()
    assert bench.summary("own")["spent"] == 8
    measured = dict(bench.rows("SELECT source_id, value FROM observation", "own"))
    assert len(measured) == 20
    assert measured == {name: VALUES[name] for name in measured}
    requested = bench.rows("SELECT candidate_id, source_id FROM request", "own")
    assert set(requested) == {(each.candidate_id, each.source_id) for each in asked}


def test_a_person_sees_the_ids_of_the_table(bench: Workbench) -> None:
    asked = requests_in(bench.runs / "own" / "recording.jsonl")[-1]
    told = bench.entropilot("why", "own", str(asked.source_id), "--no-figure")
    assert told.code == 0, told.err
    assert f"{asked.source_id} ({asked.candidate_id})" in told.out
    log = [json.loads(line) for line in (bench.runs / "own" / "agent.jsonl").read_text("utf-8").splitlines()]
    assert asked.source_id in {line.get("source_id") for line in log if line["event"] == "request"}


def test_what_of_the_table_was_left_out_stands_in_journal_log_summary_and_report(bench: Workbench) -> None:
    started = json.loads(bench.rows("SELECT payload FROM journal WHERE sequence = 1", "own")[0][0])
    reading: list[dict[str, Any]] = started["reading"]
    assert [(each["handling"], each["count"]) for each in reading] == [("dropped", 1)] * 2
    places = " ".join(place for each in reading for place in each["places"])
    assert "32" in places
    assert "33" in places
    assert bench.summary("own")["reading"] == reading
    assert json.loads(bench.entropilot("report", "own", "--json").out)["reading"] == reading
    log = [json.loads(line) for line in (bench.runs / "own" / "agent.jsonl").read_text("utf-8").splitlines()]
    assert [line["reason"] for line in log if line["event"] == "table_read"] == [each["reason"] for each in reading]
    report = bench.entropilot("report", "own").out
    assert "What was read" in report
    assert reading[0]["places"][0] in " ".join(report.split())


def test_a_run_that_is_resumed_says_it_once_and_verify_reads_the_table_again(bench: Workbench) -> None:
    resumed = bench.entropilot("run", "own.toml", "--campaign", "own", "--resume", "--quiet")
    assert resumed.code == 0, resumed.err
    assert bench.count("CampaignStarted", "own") == 1
    log = (bench.runs / "own" / "agent.jsonl").read_text("utf-8")
    assert log.count('"table_read"') == len(bench.summary("own")["reading"])
    assert "reading" in (sound := bench.entropilot("verify", "own")).out
    assert sound.code == 0, sound.out
    assert "read otherwise today" not in sound.out
    table = bench.folder / "own.csv"
    table.write_text(table.read_text("utf-8") + "MP 97/α,c,0.5,3,\n", encoding="utf-8")
    other = bench.entropilot("verify", "own")
    assert other.code == 0, other.out
    assert "the table is read otherwise today" in " ".join(other.out.split())
