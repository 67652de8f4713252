"""A lab that keeps its receipts, as any MQTT client hears them, can tell later whether the journal is what it was."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from protocols.link.credentials import credentials_place, read_credentials
from protocols.signing.envelope import ENVELOPE_MARK
from scenarios.broker.broker import LOOPBACK
from tests.support.commands import Workbench, until
from tests.system.cases.falsify import change_the_journal
from tests.system.signing.test_signed_campaigns import BUDGET, OLDER, REQUIRED, keys, require

pytestmark = pytest.mark.system


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as opened:
        yield opened


@contextmanager
def kept_receipts(port: int, file: Path) -> Iterator[None]:
    """Keep every receipt on a broker in a file, topic and payload a line, as `mosquitto_sub -v` prints them."""
    (account, *_) = read_credentials(credentials_place(LOOPBACK, port))
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv311)
    client.username_pw_set(account.name, account.password)
    subscribed: list[bool] = []
    client.on_connect = lambda *_: client.subscribe("entropilot/v1/lab/receipt/#", qos=1) and None
    client.on_subscribe = lambda *_: subscribed.append(True)
    with file.open("w", buffering=1, encoding="utf-8") as kept:
        client.on_message = lambda _client, _data, message: print(
            f"{message.topic} {message.payload.decode()}", file=kept
        )
        client.connect(LOOPBACK, port)
        client.loop_start()
        try:
            until(lambda: bool(subscribed), "nobody let us subscribe")
            yield
        finally:
            client.disconnect()
            client.loop_stop()


@pytest.mark.parametrize(
    ("broker", "version", "is_signed"),
    [("mosquitto", "5", False), ("mosquitto", "5", True), ("mosquitto", "3.1.1", True), ("embedded", "3.1.1", True)],
    ids=["not signed", "signed, MQTT 5", "signed, MQTT 3.1.1", "signed, embedded"],
)
def test_the_receipts_that_a_lab_kept_tell_of_a_journal_that_was_changed(
    bench: Workbench, broker: str, version: str, *, is_signed: bool
) -> None:
    require(broker)
    url = bench.start_broker(broker)
    reached = ["--broker", url, *(OLDER if version == "3.1.1" else ())]
    folder = keys(bench) if is_signed else None
    ours = [] if folder is None else [*REQUIRED, "--set", f"signing.keys={folder / 'agent.keys'}"]
    labs = [] if folder is None else ["--set", f"signing.keys={folder / 'simulator-1.keys'}"]
    receipts = bench.folder / "receipts.txt"
    with kept_receipts(int(url.rpartition(":")[2]), receipts):
        asking = bench.start("agent", "lab.toml", *reached, *ours, "--quiet")
        bench.start("simulator", "lab.toml", *reached, *labs)
        ended = asking.finish()
        assert ended.code == 0, ended.err
        until(lambda: len(receipts_in(receipts)) >= BUDGET, "not every receipt was heard")
    assert all((ENVELOPE_MARK in each) == (is_signed and version == "3.1.1") for each in receipts_in(receipts))
    sound = bench.entropilot("verify", "lab", "--anchor", receipts)
    assert (sound.code, "sound up to row" in sound.out) == (0, True), sound.out + sound.err
    with closing(sqlite3.connect(bench.runs / "lab" / "campaign.db")) as database:
        change_the_journal(database)
    (changed,) = bench.rows("SELECT min(sequence) FROM journal WHERE kind = 'ResultAccepted'")[0]
    found = bench.entropilot("verify", "lab", "--anchor", receipts, "--json")
    assert found.code != 0
    parts = {part["name"]: part["problem"] for part in json.loads(found.out)["parts"]}
    named = re.search(r"the first changed row is one of (\d+) to (\d+)", parts[f"anchor {receipts.name}"])
    assert named is not None, parts
    assert int(named[1]) <= changed <= int(named[2])


def receipts_in(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines()
