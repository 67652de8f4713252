"""A recorder beside a campaign hears enough to replay it, and neither says anything nor loses what it heard."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import aiomqtt
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from protocols.errors import BrokerError, CampaignFellShort
from protocols.recording.lines import HEARD, MessageRow
from protocols.recording.reader import open_recording
from scenarios.broker.broker import LOOPBACK, find_mosquitto
from scenarios.broker.url import broker_at
from tests.support.commands import PATIENCE_S, Workbench, until

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


def test_what_is_heard_of_candidates_that_were_given_up_replays_to_the_same_decisions(bench: Workbench) -> None:
    """Nobody can hear that a request expired: the requests after it tell."""
    require_mosquitto()
    lab = bench.folder / "lab.toml"
    hasty = 'policy = "etal"\nrequest_timeout_s = 1.5\nmax_attempts = 2'
    silent = FAULTS.replace("silent_rate = 0.1", "silent_rate = 0.5")
    lab.write_text(lab.read_text().replace('policy = "random"', hasty) + silent)
    url = bench.start_broker("mosquitto")
    recorder = bench.start("record", "--broker", url, "-o", "heard.jsonl", "--scenario", "lab.toml", "--json")
    serving = bench.start("simulator", "lab.toml", "--broker", url).wait_for("link_up")
    ran = bench.entropilot("agent", "lab.toml", "--broker", url, "--quiet")
    assert ran.code in {0, CampaignFellShort.exit_code}, ran.err
    serving.end()
    assert recorder.end().code == 0
    assert bench.count("RequestExpired") > 0
    assert bench.count("CandidateAbandoned") > 0
    found = json.loads(bench.entropilot("replay", "heard.jsonl", "--json").out)
    assert (found["all_identical"], found["identical"]) == (True, 12)


async def test_properties_and_the_mark_of_what_is_kept_are_recorded_of_a_message_of_somebody_elses(
    bench: Workbench,
) -> None:
    require_mosquitto()
    url = bench.start_broker("mosquitto")
    recorder = bench.start("record", "--broker", url, "-o", "heard.jsonl", "--topic", "lab/#", "--quiet")
    said = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    said.ContentType, said.ResponseTopic, said.CorrelationData = "text/plain", "lab/answer", b"\x00\xff"
    said.UserProperty, said.MessageExpiryInterval = [("by", "us"), ("by", "you")], 60
    part = bench.folder / "heard.jsonl.part"
    way = broker_at(url).address()
    assert way.password is not None
    async with aiomqtt.Client(
        LOOPBACK, way.port, username=way.username, password=way.password.get_secret_value(),
        protocol=aiomqtt.ProtocolVersion.V5,
    ) as client:  # fmt: skip
        async with asyncio.timeout(PATIENCE_S):
            while not part.exists() or "lab/x" not in part.read_text():  # until the recorder listens
                await client.publish("lab/x", b"hello", qos=1, retain=True, properties=said)
                await asyncio.sleep(0.1)
            await client.publish("lab/kept", b"1", qos=1, retain=True)
            await client.publish("lab/y", b"\xff", qos=1)
    until(lambda: "lab/y" in part.read_text(), "the recorder did not hear the last message")
    assert recorder.end().code == 0
    with open_recording(bench.folder / "heard.jsonl") as recording:
        rows = [row for row in recording.rows() if isinstance(row, MessageRow)]
    first, kept, last = rows[0], rows[-2], rows[-1]
    assert (kept.topic, kept.retain) == ("lab/kept", True)
    assert (first.topic, first.payload, first.qos, first.retain) == ("lab/x", b"hello", 1, True)
    assert (last.topic, last.payload, last.qos, last.retain) == ("lab/y", b"\xff", 1, False)
    told = dict(first.properties)
    assert 50 <= told.pop("message_expiry_s") <= 60  # the broker counts down
    assert told == {
        "content_type": "text/plain",
        "response_topic": "lab/answer",
        "correlation_data": "AP8=",
        "user_properties": [["by", "us"], ["by", "you"]],
    }


def require_mosquitto() -> None:
    try:
        find_mosquitto()
    except BrokerError as error:
        pytest.skip(error.found)


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
