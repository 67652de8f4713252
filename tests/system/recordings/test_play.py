"""A recording is played onto a real broker: a live agent decides as then, and a dashboard sees what was to be seen."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocols.errors import BrokerError, CampaignFellShort
from protocols.link.broker_settings import BrokerSettings, MqttVersion
from protocols.link.credentials import ANYBODY
from protocols.link.mqtt import MqttSession
from protocols.link.transport import Delivery, LinkUp
from protocols.recording.lines import MessageRow
from protocols.recording.reader import open_recording
from scenarios.broker.broker import find_mosquitto
from tests.support.commands import PATIENCE_S, Part, Workbench, until

pytestmark = pytest.mark.system

TROUBLE = """
[simulator.faults]
seed = 154
failure_rate = 0.15
silent_rate = 0.1
duplicate_rate = 0.1
garbage_rate = 0.1

[simulator.latency]
distribution = "exponential"
mean_s = 0.02
"""
"""With this seed garbage follows the first answer, and the ninth candidate is met by silence, which takes two seconds:
the garbage is far from the end, after which nobody listens."""

BUDGET = 12


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as made:
        yield made


@pytest.fixture(params=["embedded", "mosquitto"])
def url(request: pytest.FixtureRequest, bench: Workbench) -> str:
    if request.param == "mosquitto":
        require_mosquitto()
    return bench.start_broker(request.param)


def require_mosquitto() -> None:
    try:
        find_mosquitto()
    except BrokerError as error:
        pytest.skip(error.found)


def record_a_run(bench: Workbench, additional: str = TROUBLE) -> None:
    """Run the campaign `lab` in this folder, with its recording."""
    lab = bench.folder / "lab.toml"
    timeout = 'policy = "random"\nrequest_timeout_s = 2.0\nmax_attempts = 20'
    lab.write_text(lab.read_text().replace('policy = "random"', timeout) + additional)
    ran = bench.entropilot("run", "lab.toml", "--quiet")
    assert ran.code == 0, ran.err


def decided(bench: Workbench, campaign: str) -> list[str]:
    rows = bench.rows(
        "SELECT json_extract(payload, '$.candidate_ids') FROM journal WHERE kind = 'DecisionMade' ORDER BY sequence",
        campaign,
    )
    return [ids for (ids,) in rows]


def play(bench: Workbench, url: str, *additional: str) -> Part:
    return bench.start("play", "lab", "--broker", url, "--json", *additional)


def agent(bench: Workbench, url: str, campaign: str, *additional: str, code: int = 0) -> None:
    ran = bench.entropilot("agent", "lab.toml", "--broker", url, "--campaign", campaign, "--quiet", *additional)
    assert ran.code == code, ran.err


def test_a_live_agent_decides_as_the_recorded_one_did_in_a_lab_with_troubles(url: str, bench: Workbench) -> None:
    record_a_run(bench)
    playing = play(bench, url, "--speed", "max", "--campaign", "again")
    agent(bench, url, "again")
    ended = playing.finish()
    assert ended.code == 0, ended.err
    assert len(decided(bench, "lab")) == BUDGET
    assert decided(bench, "again") == decided(bench, "lab")
    told = json.loads(ended.out)
    assert (told["unknown"], told["refused"]) == (0, 0)
    assert told["answered"] + told["silent"] == told["asked"] >= BUDGET
    values = "SELECT candidate_id, value FROM observation ORDER BY candidate_id"
    assert bench.rows(values, "again") == bench.rows(values, "lab")
    quarantined = "SELECT count(*) FROM quarantine"
    assert bench.rows(quarantined, "again") == bench.rows(quarantined, "lab") == [(1,)]


def test_what_was_never_measured_is_failed_for_good_and_counted(bench: Workbench) -> None:
    record_a_run(bench, additional="")
    url = bench.start_broker("embedded")
    playing = play(bench, url, "--speed", "10x", "--campaign", "other")
    agent(bench, url, "other", "--seed", "7", code=CampaignFellShort.exit_code)
    told = json.loads(playing.finish().out)
    assert told["unknown"] > 0
    assert told["unknown"] + told["answered"] == told["asked"] == BUDGET
    failed = "SELECT count(*) FROM journal WHERE kind = 'AttemptFailed' AND payload LIKE '%has no answer for it%'"
    assert bench.rows(failed, "other") == [(told["unknown"],)]


async def test_all_of_a_recording_is_heard_as_it_was_and_not_faster_than_asked(bench: Workbench) -> None:
    record_a_run(bench)
    then = messages(bench.runs / "lab" / "recording.jsonl")
    url = bench.start_broker("embedded")
    broker = BrokerSettings(url=url, version=MqttVersion.V311).as_part(ANYBODY)
    session = MqttSession(broker, client_id="dashboard", subscriptions=("entropilot/#",))
    linked = asyncio.create_task(session.run())
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not isinstance(await session.receive(), LinkUp):
                pass
            playing = play(bench, url, "--all", "--speed", "2x")
            heard: list[tuple[str, bytes]] = []
            while len(heard) < len(then):
                item = await session.receive()
                if isinstance(item, Delivery):
                    session.acknowledge(item)
                    heard.append((item.topic, item.payload))
    finally:
        linked.cancel()
    assert heard == [(row.topic, row.payload) for row in then]
    ended = playing.finish()
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["seconds"] >= (then[-1].time_s - then[0].time_s) / 2


def test_sigterm_ends_it_in_order_though_nobody_has_asked(bench: Workbench) -> None:
    record_a_run(bench, additional="")
    url = bench.start_broker("embedded")
    listener = bench.start("record", "--broker", url, "-o", "heard.jsonl", "--json")
    playing = bench.start("play", "lab", "--broker", url).wait_for("playing recording.jsonl")
    heard = bench.folder / "heard.jsonl.part"
    until(lambda: heard.exists() and "simulator-1" in heard.read_text(), "nobody said that the simulator is there")
    ended = playing.end()
    assert (ended.code, "attempts asked for" in ended.out) == (0, True)
    assert listener.end().code == 0
    before, last = messages(bench.folder / "heard.jsonl")[-2:]
    assert json.loads(before.payload)["health"] == "offline"
    assert ("capabilities/simulator-1" in last.topic, last.payload) == (True, b""), "it takes back what it could do"


def test_a_recording_without_answers_a_foreign_file_and_options_that_do_not_fit_are_told_in_three_parts(
    bench: Workbench,
) -> None:
    record_a_run(bench, additional="")
    recording = bench.runs / "lab" / "recording.jsonl"
    lines = recording.read_text().splitlines(keepends=True)
    (bench.folder / "silent.jsonl").write_text(lines[0])
    (bench.folder / "edited.jsonl").write_text("".join(lines).replace("cubic", "cubit"))
    (bench.folder / "foreign.jsonl").write_text("hello\n")
    refused = {
        ("silent.jsonl",): (5, "holds no answer of a lab"),
        ("edited.jsonl",): (5, "its digest does not fit"),
        ("edited.jsonl", "--all"): (5, "its digest does not fit"),
        ("silent.jsonl", "--all"): (5, "holds no message"),
        ("foreign.jsonl",): (5, "it is not JSON"),
        ("missing.jsonl",): (5, "There is no recording, run or pack 'missing.jsonl'"),
        ("table.csv",): (5, "'table.csv' is a table, not a recording, run or pack"),
        ("lab", "--speed", "fast"): (2, "'fast' is no speed"),
        ("lab", "--speed", "0x"): (2, "'0x' is no speed"),
        ("lab", "--speed", "nan"): (2, "'nan' is no speed"),
        ("lab", "--all", "--campaign", "x"): (2, "--all plays everything"),
        ("lab", "--campaign", "A/b"): (2, "A/b"),
        ("lab", "--broker", "http://x"): (2, "http"),
    }
    for arguments, (code, words) in refused.items():
        told = bench.entropilot("play", *arguments)
        assert (told.code, words in told.err, "expected" in told.err) == (code, True, True), (arguments, told.err)


def messages(path: Path) -> list[MessageRow]:
    with open_recording(path) as recording:
        return [row for row in recording.rows() if isinstance(row, MessageRow)]
