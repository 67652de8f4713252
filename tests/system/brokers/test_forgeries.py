"""A thousand forged messages on a broker with the shipped access list: none enters the dataset, none is an order.

Whoever forges knows everything that is said: attempts, candidates, ids of messages. What it lacks is an account, or it
has another part's.
"""

from __future__ import annotations

import csv
import itertools
import json
import signal
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from protocols.errors import BrokerError
from protocols.link.credentials import read_credentials
from scenarios.broker.broker import LOOPBACK, find_mosquitto
from tests.support.commands import Workbench, free_port, until

pytestmark = pytest.mark.system

TRIES = 250
"""Of each kind."""

FORGED = 7.77
"""In the lab's range, and no row's value."""

PARTS = ("--instrument", "simulator-1", "--instrument", "oven", "--operator", "ann")
UNHURRIED = ("simulator.concurrency=1", "simulator.latency.mean_s=1", "broker.keepalive_s=600")
"""The lab answers one after the other, and is not missed while it is stopped."""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as opened:
        yield opened


@contextmanager
def client_of(
    port: int, name: str, password: str, *, hears: list[tuple[str, bytes]] | None = None
) -> Iterator[paho.Client]:
    """A client of somebody's, over MQTT 3.1.1 so that a denied message is confirmed as any other."""
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"forger-{uuid.uuid4().hex[:8]}")
    client.username_pw_set(name, password)
    client.on_connect = lambda *_: client.subscribe("entropilot/#", qos=1) and None
    client.on_message = lambda _client, _data, heard: (
        None if hears is None else hears.append((heard.topic, bytes(heard.payload)))
    )
    client.connect(LOOPBACK, port)
    client.loop_start()
    try:
        until(client.is_connected, f"{name} is not connected")
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def forged(attempt: str, candidate: str, simulator: str, campaign: str = "lab") -> bytes:
    message = {
        "protocol": 1,
        "type": "candidate_result",
        "campaign": campaign,
        "message_id": uuid.uuid4().hex,
        "sent_at": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "attempt_id": attempt,
        "candidate_id": candidate,
        "simulator": simulator,
        "quantities": [{"name": "energy", "value": FORGED, "unit": "eV"}],
        "duration_s": 0.1,
    }
    return json.dumps(message).encode()


def stop() -> bytes:
    said: dict[str, Any] = json.loads(forged("a", "b", "c"))
    kept = ("protocol", "campaign", "message_id", "sent_at")
    return json.dumps({key: said[key] for key in kept} | {"type": "control", "action": "stop"}).encode()


def say_all(client: paho.Client, messages: Iterator[tuple[str, bytes]]) -> None:
    for topic, payload in itertools.islice(messages, TRIES):
        client.publish(topic, payload, qos=1).wait_for_publish(30)


def true_values(bench: Workbench) -> set[float]:
    with (bench.folder / "table.csv").open(encoding="utf-8") as file:
        return {float(row["energy"]) for row in csv.DictReader(file)}


@pytest.mark.parametrize("kind", ["embedded", "mosquitto"])
def test_no_forged_message_is_believed_where_the_access_list_holds(kind: str, bench: Workbench) -> None:
    try:
        find_mosquitto()
    except BrokerError as error:
        if kind == "mosquitto":
            pytest.skip(error.found)
    port, kept = free_port(), bench.folder / "lab.json"
    bench.start("broker", kind, "--port", str(port), *PARTS, "--credentials", str(kept)).wait_for("broker_started")
    passwords = {each.name: each.password for each in read_credentials(kept)}
    url = ("--broker", f"mqtt://{LOOPBACK}:{port}", "--set", f"broker.credentials_file={kept}")
    serving = bench.start("simulator", "lab.toml", *url, *(word for each in UNHURRIED for word in ("--set", each)))
    serving.wait_for("link_up").process.send_signal(signal.SIGSTOP)  # others answer, and it cannot
    asking = bench.start("agent", "lab.toml", *url, "--budget", "4", "--quiet")
    bench.wait_for_events("RequestIssued", 4)
    asked = bench.rows("SELECT attempt_id, candidate_id FROM request")
    attempts: Iterator[tuple[str, str]] = itertools.cycle([(attempt, candidate) for attempt, candidate in asked])
    base = "entropilot/v1/lab"

    nobody = paho.Client(CallbackAPIVersion.VERSION2, client_id="nobody")
    let_in: list[bool] = []
    nobody.on_connect = lambda _client, _data, _flags, reason, _more: let_in.append(not reason.is_failure)
    for number in range(TRIES):
        nobody.username_pw_set(("simulator-1", "agent", "oven", "entropilot")[number % 4], f"guess {number}")
        nobody.connect(LOOPBACK, port)
        nobody.publish(f"{base}/result/simulator-1", forged(*next(attempts), "simulator-1"))
        while nobody.loop(0.2) == paho.MQTT_ERR_SUCCESS and len(let_in) <= number:
            pass
        nobody.disconnect()
    assert let_in == [False] * TRIES

    heard: list[tuple[str, bytes]] = []
    with client_of(port, "oven", passwords["oven"]) as oven:
        ways = itertools.cycle(
            [("result/simulator-1", "simulator-1"), ("result/oven", "oven"), ("result/oven", "simulator-1")]
        )
        say_all(oven, ((f"{base}/{topic}", forged(*next(attempts), name)) for topic, name in ways))
    with client_of(port, "observer", passwords["observer"], hears=heard) as observer:
        say_all(observer, ((f"{base}/{each}", stop()) for each in itertools.cycle(("control", "control/ann"))))
        serving.process.send_signal(signal.SIGCONT)
        bench.wait_for_events("ResultAccepted", 1)
        until(lambda: any("/result/simulator-1" in topic for topic, _ in heard), "no genuine result was heard")
        serving.process.send_signal(signal.SIGSTOP)  # the campaign is not over yet
        assert bench.count("ResultAccepted") < 4
        genuine = itertools.cycle([each for each in heard if "/result/" in each[0]])
        again = itertools.cycle((True, False))
        say_all(
            observer,
            (
                (topic, payload) if next(again) else (topic.replace("/lab/", "/other/"), payload)
                for topic, payload in genuine
            ),
        )
    serving.process.send_signal(signal.SIGCONT)
    assert asking.finish().code == 0, asking.said
    serving.end()
    accepted = bench.rows("SELECT value FROM observation WHERE attempt_id IS NOT NULL")
    assert len(accepted) == 4
    assert {value for (value,) in accepted} <= true_values(bench)
    (journal,) = bench.rows("SELECT count(*) FROM journal WHERE payload LIKE '%7.77%' AND kind = 'ResultAccepted'")
    assert journal == (0,)
    assert bench.count("CampaignStopped") == bench.count("ControlNoted") == 0
    assert {passed[0].split("/")[2] for passed in heard} == {"lab"}
    assert not any(str(FORGED).encode() in payload for topic, payload in heard if "/result/simulator-1" in topic)
