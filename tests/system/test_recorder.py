"""A recorder beside a campaign hears enough to replay it, and neither says anything nor loses what it heard."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocols.recording_lines import HEARD, MessageRow
from protocols.recording_reader import open_recording
from tests.support.commands import Workbench

pytestmark = pytest.mark.system


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as made:
        yield made


FAULTS = """
[simulator.faults]
failure_rate = 0.2
silent_rate = 0.1

[simulator.latency]
distribution = "exponential"
mean_s = 0.02
"""


def test_what_a_recorder_hears_of_a_faulty_lab_replays_to_the_same_decisions(bench: Workbench) -> None:
    lab = bench.folder / "lab.toml"
    lab.write_text(lab.read_text().replace('policy = "random"', 'policy = "etal"\nrequest_timeout_s = 1.5') + FAULTS)
    url = bench.start_broker("embedded")
    recorder = bench.start("record", "--broker", url, "-o", "heard.jsonl.gz", "--scenario", "lab.toml", "--json")
    serving = bench.start("simulator", "lab.toml", "--broker", url).wait_for("link_up")
    ran = bench.entropilot("agent", "lab.toml", "--broker", url, "--quiet", "--set", "campaign.max_attempts=20")
    assert ran.code == 0, ran.err
    serving.end()
    ended = recorder.end()
    assert ended.code == 0, ended.err
    told = json.loads(ended.out)
    assert told["interruptions"] == 0
    assert told["by_channel"]["lab: result"] >= 12

    replayed = bench.entropilot("replay", "heard.jsonl.gz", "--json")
    assert replayed.code == 0, replayed.out + replayed.err
    found = json.loads(replayed.out)
    assert (found["all_identical"], found["identical"]) == (True, 12)

    with open_recording(bench.folder / "heard.jsonl.gz") as recording:
        rows = list(recording.rows())
    assert {row.direction for row in rows if isinstance(row, MessageRow)} == {HEARD}
    assert not any("record" in row.topic for row in rows if isinstance(row, MessageRow))
    compared = bench.entropilot("diff", "lab", "heard.jsonl.gz", "--json")
    assert json.loads(compared.out)["decisions_same"] == 12


def test_a_recorder_that_is_killed_leaves_what_it_heard_and_the_next_one_says_so(bench: Workbench) -> None:
    url = bench.start_broker("embedded")
    recorder = bench.start("record", "--broker", url, "-o", "heard.jsonl", "--quiet")
    serving = bench.start("simulator", "lab.toml", "--broker", url).wait_for("link_up")
    assert bench.entropilot("agent", "lab.toml", "--broker", url, "--quiet").code == 0
    recorder.kill()
    serving.end()
    part = bench.folder / "heard.jsonl.part"
    with open_recording(part) as recording:
        assert len(list(recording.rows())) > 30
    again = bench.entropilot("record", "--broker", url, "-o", "heard.jsonl")
    assert again.code == 5
    assert "was killed before it ended" in again.err
    assert bench.entropilot("replay", str(part), "--scenario", "lab.toml").code == 0


def test_nothing_heard_writes_nothing_and_a_file_is_never_overwritten(bench: Workbench) -> None:
    url = bench.start_broker("embedded")
    silent = bench.entropilot("record", "--broker", url, "-o", "heard.jsonl", "--topic", "lab/+/x", "--duration", "1")
    assert (silent.code, "Nothing was said" in silent.out) == (0, True)
    assert not list(bench.folder.glob("heard*"))
    (bench.folder / "heard.jsonl").write_text("mine")
    refused = bench.entropilot("record", "--broker", url, "-o", "heard.jsonl")
    assert (refused.code, "is there already" in refused.err) == (5, True)
    assert (bench.folder / "heard.jsonl").read_text() == "mine"


@pytest.mark.parametrize("topic", ["a/#/b", "a+/b", "$share/g/a", "a#", ""])
def test_what_is_no_topic_filter_is_said(bench: Workbench, topic: str) -> None:
    refused = bench.entropilot("record", "-o", "x.jsonl", "--topic", topic)
    assert (refused.code, "is no topic filter" in refused.err) == (2, True)
