"""A shadow beside a lab chooses what the lab's own agent would have chosen, says nothing, and forgets nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from protocols.errors import BrokerError
from protocols.recording.lines import OUT, MessageRow
from protocols.recording.reader import open_recording
from protocols.wire.topics import Channel, parse, removes_retained
from scenarios.broker.broker import find_mosquitto
from tests.support.commands import Part, Workbench, until

pytestmark = pytest.mark.system

ETAL = ("--policy", "etal")
LONG = ("--budget", "40")
"""Choices of a campaign in which somebody is killed."""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as opened:
        yield opened


@pytest.fixture(params=["embedded", "mosquitto"])
def url(request: pytest.FixtureRequest, bench: Workbench) -> str:
    return start_broker(bench, request.param)


def start_broker(bench: Workbench, kind: str) -> str:
    try:
        find_mosquitto()
    except BrokerError as error:
        if kind == "mosquitto":
            pytest.skip(error.found)
    return bench.start_broker(kind)


def reached(url: str) -> tuple[str, ...]:
    """Flags that reach the broker."""
    return ("--broker", url, "--set", "broker.reconnect_min_s=0.1")


def folder(bench: Workbench, runs: str = "runs") -> Path:
    return bench.folder / runs / "lab-shadow"


def shadow(bench: Workbench, url: str, *additional: str, runs: str = "runs") -> Part:
    """Start a shadow, and wait until it listens."""
    log = folder(bench, runs) / "agent.jsonl"
    links = log.read_text().count('"link_up"') if log.exists() else 0
    part = bench.start("shadow", "lab.toml", *reached(url), "--json", "--runs", runs, *additional)
    until(
        lambda: part.process.poll() is not None or (log.exists() and log.read_text().count('"link_up"') > links),
        f"the shadow does not listen: {part.said}",
    )
    assert part.process.poll() in {None, 0}, part.said  # all may have been said while it was away
    return part


def lines(bench: Workbench, runs: str = "runs") -> list[dict[str, Any]]:
    path = folder(bench, runs) / "shadow.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def run_lab(bench: Workbench, url: str, *additional: str, latency_s: float = 0.05, spied: Path | None = None) -> Part:
    """Start simulator and agent; the agent once the spy, if there is one, has heard the simulator."""
    latency = ("--set", f"simulator.latency.mean_s={latency_s}")
    bench.start("simulator", "lab.toml", *reached(url), *latency).wait_for("link_up")
    until(lambda: spied is None or b"status/simulator-1" in spied.read_bytes(), "the spy does not listen")
    return bench.start("agent", "lab.toml", *reached(url), "--quiet", *additional)


def test_with_the_policy_and_seed_of_the_lab_a_shadow_agrees_entirely_and_with_others_less(
    bench: Workbench, url: str
) -> None:
    alike, other = shadow(bench, url, *ETAL), shadow(bench, url, "--policy", "round_robin", runs="others")
    assert run_lab(bench, url, *ETAL).finish().code == 0
    told = json.loads(alike.finish().out)
    assert (told["chosen"], told["same"], told["same_family"], told["results"]) == (12, 12, 12, 12)
    assert told["both"]["measured"] == 12
    differing = json.loads(other.finish().out)
    assert differing["same"] < 12
    assert (folder(bench) / "trajectory.csv").read_bytes() == (bench.runs / "lab" / "trajectory.csv").read_bytes()
    for name in ("shadow.csv", "shadow.png", "shadow.json"):
        assert (folder(bench) / name).stat().st_size > 0
    again = bench.entropilot("report", "lab-shadow", "--json")
    assert json.loads(again.out) == told
    assert "The shadow made 12 of the lab's 12 choices too (100%)" in bench.entropilot("report", "lab-shadow").out


def test_of_a_lab_that_chose_for_itself_nothing_is_replayed_but_another_campaign_can_be_played(
    bench: Workbench,
) -> None:
    listening = shadow(bench, url := start_broker(bench, "embedded"), *ETAL)
    assert run_lab(bench, url).finish().code == 0
    assert listening.finish().code == 0
    refused = bench.entropilot("replay", "lab-shadow")
    assert refused.code == 5
    assert "the lab chose for itself" in refused.err
    played = json.loads(bench.entropilot("what-if", "lab-shadow", "--policy", "etal", "--json").out)
    assert (played["recorded"]["policy"], played["changed"]) == ("the lab itself", {})
    of_an_agent = bench.entropilot("replay", "lab-shadow", "--scenario", "lab.toml", "--json")
    assert json.loads(of_an_agent.out)["identical"] == 12


def test_a_shadow_publishes_nothing_whatever_happens_to_it(bench: Workbench, url: str) -> None:
    bench.start("record", "--broker", url, "-o", "spy.jsonl", "--topic", "#", "--json")
    spied = bench.folder / "spy.jsonl.part"
    shadow(bench, url, *ETAL).kill()
    listening = shadow(bench, url, *ETAL, "--resume") if lines(bench) else shadow(bench, url, *ETAL)
    assert run_lab(bench, url, spied=spied).finish().code == 0
    assert listening.finish().code == 0
    ended = bench.parts[1].end()
    assert json.loads(ended.out)["interruptions"] == 0
    with open_recording(bench.folder / "spy.jsonl") as recording:
        heard = [row for row in recording.rows() if isinstance(row, MessageRow)]
    with open_recording(bench.runs / "lab" / "recording.jsonl") as recording:
        sent = [row for row in recording.rows() if isinstance(row, MessageRow) and row.direction == OUT]
    simulators = {Channel.RESULT, Channel.FAILURE}
    by_others = [row for row in heard if parse(row.topic).channel not in simulators]
    own = {f"entropilot/v1/lab/{each}/simulator-1" for each in ("status", "capabilities")}
    by_others = [row for row in by_others if row.topic not in own]
    by_others = [row for row in by_others if not removes_retained(row.topic, row.payload)]  # said by the link alone
    assert Counter(row.payload for row in by_others) - Counter(row.payload for row in sent) == Counter()
    assert {json.loads(row.payload)["simulator"] for row in heard if parse(row.topic).channel in simulators} == {
        "simulator-1"
    }


AWAY = 6
"""Results of the lab while a shadow is away, half a second each."""


def kill_and_resume(bench: Workbench, url: str, meanwhile: Callable[[], object] = lambda: None) -> tuple[Part, Part]:
    """Let one of two shadows be killed while the lab goes on; return it, resumed, and the other."""
    undisturbed = shadow(bench, url, *ETAL, *LONG, runs="others")
    killed = shadow(bench, url, *ETAL, *LONG)
    asking = run_lab(bench, url, *LONG, latency_s=0.5)
    until(lambda: len(lines(bench)) >= 4, "no four choices")
    killed.kill()
    meanwhile()
    there = bench.count("ResultAccepted")  # of the lab itself: the other shadow may be behind
    until(lambda: bench.count("ResultAccepted") > min(there + AWAY, 39), "the lab does not go on")
    resumed = shadow(bench, url, *ETAL, *LONG, "--resume")
    assert asking.finish().code == 0
    return resumed, undisturbed


def test_a_shadow_that_is_killed_and_resumed_writes_what_an_undisturbed_one_writes(bench: Workbench) -> None:
    url = start_broker(bench, "mosquitto")
    told, expected = (json.loads(part.finish().out) for part in kill_and_resume(bench, url))
    written = [(folder(bench, runs) / "shadow.jsonl").read_bytes() for runs in ("runs", "others")]
    assert written[0] == written[1]
    assert (len(lines(bench)), told["gaps"]) == (40, 0)
    differing = {name for name in told if told[name] != expected[name]}
    assert differing <= {"counts"}  # what was not acknowledged when it was killed comes again


def test_a_shadow_tells_when_its_broker_kept_nothing_while_it_was_away(bench: Workbench) -> None:
    url = start_broker(bench, "embedded")
    (broker,) = psutil.Process(bench.parts[-1].process.pid).children()
    resumed, undisturbed = kill_and_resume(
        bench, url, meanwhile=broker.kill
    )  # another takes its place, and knows nobody
    undisturbed.end()  # it cannot know the end of all: what was said before it came back, nobody kept
    told = json.loads(resumed.end().out)
    assert told["gaps"] == 1
    told_again = bench.entropilot("report", "lab-shadow")
    assert "the broker had kept nothing for us (1×)" in told_again.out


def test_a_shadow_that_is_ended_tells_what_it_heard_and_can_be_resumed(bench: Workbench, url: str) -> None:
    listening = shadow(bench, url, *ETAL, "--budget", "1000")
    run_lab(bench, url).finish()
    until(lambda: len(lines(bench)) == 12, "not all choices were compared")
    ended = listening.end()
    assert ended.code == 0
    told = json.loads(ended.out)
    assert (told["stopped_because"], told["decisions"]) == ("it was asked to end", 12)
    again = bench.entropilot("shadow", "lab.toml", *reached(url), *ETAL, "--resume", "--json")
    assert json.loads(again.out)["stopped_because"] == "all 12 choices that it was to follow have their outcome"


def test_a_batch_that_its_lab_never_fills_is_compared_when_the_shadow_is_ended(bench: Workbench) -> None:
    url = start_broker(bench, "embedded")
    listening = shadow(bench, url, "--budget", "1000", "--set", "campaign.batch=4", "--set", "campaign.parallel=4")
    few = ("--budget", "3", "--set", "campaign.batch=3", "--set", "campaign.parallel=3")
    assert run_lab(bench, url, *few).finish().code == 0
    recording = folder(bench) / "recording.jsonl"
    until(lambda: recording.read_text().count("/receipt/") >= 3, "not all was heard")
    ended = listening.end()
    assert ended.code == 0, ended.err
    told = json.loads(ended.out)
    assert (told["decisions"], told["not_asked"], told["chosen"], told["results"]) == (1, 0, 3, 3)


def test_what_makes_no_shadow_is_refused_and_the_folder_left_as_it_is(bench: Workbench, url: str) -> None:
    flags = ("shadow", "lab.toml", *reached(url), "--quiet")
    nothing = bench.entropilot(*flags, "--resume")
    assert (nothing.code, "There is no shadow to resume" in nothing.err) == (5, True)
    assert not folder(bench).exists()
    stored = bench.entropilot(*flags, "--database", "sqlite:///x.db")
    assert (stored.code, "No such option: --database" in stored.err) == (2, True)
    unknown = bench.entropilot(*flags, "--policy", "nonesuch")
    assert unknown.code == 2
    assert not folder(bench).exists()
    listening = shadow(bench, url)
    second = bench.entropilot(*flags)
    assert (second.code, "Another shadow" in second.err) == (5, True)
    assert run_lab(bench, url).finish().code == 0
    assert listening.finish().code == 0
    before = (folder(bench) / "shadow.jsonl").read_bytes()
    heard = bench.entropilot(*flags)
    assert (heard.code, "holds what a shadow heard already" in heard.err) == (5, True)
    other = bench.entropilot(*flags, "--resume", "--policy", "etal")
    assert (other.code, "started with other settings" in other.err) == (5, True)
    assert (folder(bench) / "shadow.jsonl").read_bytes() == before
    assert "entropilot/v1/lab/metrics" not in (folder(bench) / "recording.jsonl").read_text()
