"""A real Mosquitto lets a lab's parts use their topics by the list that `broker access` writes, and nobody else's."""

from __future__ import annotations

import queue
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from protocols.link.credentials import Account, accounts_for
from scenarios.broker.broker import LOOPBACK
from scenarios.broker.mosquitto import write_mosquitto_files
from tests.endurance.stage import listens
from tests.support.commands import free_port, until
from tests.support.lab_brokers.mosquitto import require_mosquitto
from tests.support.mapping.samples import compiled
from tests.support.processes import started

pytestmark = pytest.mark.system

PATIENCE_S = 10.0
"""Longest time until a message is there."""


@contextmanager
def let_in(account: Account, port: int, *topics: str) -> Iterator[tuple[mqtt.Client, queue.Queue[str]]]:
    """Connect as somebody, and yield the client with the topics of what it hears."""
    heard: queue.Queue[str] = queue.Queue()
    granted: queue.Queue[int] = queue.Queue()
    client = mqtt.Client(CallbackAPIVersion.VERSION2, f"test-{account.name}")
    client.username_pw_set(account.name, account.password)
    client.on_message = lambda _client, _userdata, message: heard.put(message.topic)
    client.on_subscribe = lambda *_: granted.put(1)
    client.connect(LOOPBACK, port)
    client.loop_start()
    try:
        for topic in topics:
            client.subscribe(topic, 1)
            granted.get(timeout=PATIENCE_S)
        yield client, heard
    finally:
        client.disconnect()
        client.loop_stop()


def test_requests_and_answers_pass_and_a_strangers_do_not(tmp_path: Path) -> None:
    program, port = require_mosquitto(), free_port()
    accounts = {each.name: each for each in accounts_for(["furnace", "stranger"])}
    config = write_mosquitto_files(tmp_path / "access", accounts.values(), port=port, lab=compiled())
    with (
        (tmp_path / "mosquitto.log").open("wb") as log,
        started([program, "-c", config], stdin=subprocess.DEVNULL, stdout=log, stderr=log) as server,
    ):
        until(lambda: server.poll() is not None or listens(port), "Mosquitto does not listen")
        with (
            let_in(accounts["agent"], port, "lab/+/done") as (agent, answers),
            let_in(accounts["furnace"], port, "lab/F1/run") as (furnace, requests),
            let_in(accounts["stranger"], port, "lab/#") as (stranger, overheard),
        ):
            stranger.publish("lab/F1/done", "{}", qos=1).wait_for_publish(PATIENCE_S)
            stranger.publish("lab/F1/run", "{}", qos=1).wait_for_publish(PATIENCE_S)
            furnace.publish("lab/F1/run", "{}", qos=1).wait_for_publish(PATIENCE_S)
            agent.publish("lab/F1/run", "{}", qos=1).wait_for_publish(PATIENCE_S)
            assert requests.get(timeout=PATIENCE_S) == "lab/F1/run"
            furnace.publish("lab/F1/done", "{}", qos=1).wait_for_publish(PATIENCE_S)
            assert answers.get(timeout=PATIENCE_S) == "lab/F1/done"
            assert (answers.qsize(), requests.qsize(), overheard.qsize()) == (0, 0, 0)
