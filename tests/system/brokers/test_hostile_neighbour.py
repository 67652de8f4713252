"""A device with valid credentials of its own that turns on the campaign beside it: nothing changes but counters.

The same with 100,000 messages, and what it costs in time: `python -m tests.benchmarks.processes.hostile`.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from protocols.link.credentials import read_credentials
from scenarios.broker.broker import LOOPBACK
from tests.support.commands import Workbench, free_port
from tests.support.lab_brokers.hostile import VICTIM, say_all
from tests.support.lab_brokers.mosquitto import require_mosquitto

pytestmark = pytest.mark.system

COUNT = 1_500
BUDGET = 12
PARTS = ("--instrument", VICTIM, "--instrument", "oven", "--operator", "ann")
TERMS = ("--budget", str(BUDGET), "--quiet")
SLOW = ("--set", "simulator.latency.mean_s=0.3", "--set", "simulator.concurrency=1")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as opened:
        yield opened


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the campaign is when nobody disturbs it."""
    with Workbench(tmp_path_factory.mktemp("quiet")) as bench:
        ended = bench.entropilot("run", "lab.toml", *TERMS)
        assert ended.code == 0, ended.err
        return told(bench)


def told(bench: Workbench) -> dict[str, Any]:
    """What a campaign came to: its decisions, its values, and how often each kind of event was journalled."""
    decisions = "SELECT payload FROM journal WHERE kind = 'DecisionMade' ORDER BY sequence"
    values = "SELECT candidate_id, value FROM observation ORDER BY candidate_id"
    return {
        "decisions": [json.loads(row[0])["candidate_ids"] for row in bench.rows(decisions)],
        "values": bench.rows(values),
        "events": Counter(kind for (kind,) in bench.rows("SELECT kind FROM journal")),
        "abandoned": bench.summary()["abandoned"],
        "stopped": bench.summary()["stopped_because"],
    }


def known(bench: Workbench) -> list[tuple[str, str]]:
    """What somebody who listens to everything would know."""
    return [(attempt, candidate) for attempt, candidate in bench.rows("SELECT attempt_id, candidate_id FROM request")]


def assert_nothing_but_counters_changed(bench: Workbench, undisturbed: dict[str, Any]) -> None:
    assert told(bench) == undisturbed
    for command in ("verify", "replay"):
        checked = bench.entropilot(command, "lab")
        assert checked.code == 0, checked.out + checked.err


@pytest.mark.parametrize("kind", ["embedded", "mosquitto"])
def test_another_devices_messages_change_nothing_where_the_access_list_holds(
    kind: str, bench: Workbench, undisturbed: dict[str, Any]
) -> None:
    if kind == "mosquitto":
        require_mosquitto()
    port, kept = free_port(), bench.folder / "lab.json"
    bench.start("broker", kind, "--port", str(port), *PARTS, "--credentials", str(kept)).wait_for("broker_started")
    passwords = {each.name: each.password for each in read_credentials(kept)}
    url = ("--broker", f"mqtt://{LOOPBACK}:{port}", "--set", f"broker.credentials_file={kept}")
    serving = bench.start("simulator", "lab.toml", *url, *SLOW).wait_for("link_up")
    asking = bench.start("agent", "lab.toml", *url, *TERMS)
    bench.wait_for_events("ResultAccepted", 1)
    say_all(port, "oven", passwords["oven"], COUNT, known(bench))
    ended = asking.finish()
    assert ended.code == 0, ended.err
    assert_nothing_but_counters_changed(bench, undisturbed)
    quarantined = {topic.split("/")[-1] for (topic,) in bench.rows("SELECT topic FROM quarantine")}
    assert quarantined <= {"oven"}, "what it may not say is not heard"
    served = serving.end()
    assert f"evaluated={BUDGET} " in served.err + " "


def test_anybodys_messages_change_nothing_where_signatures_are_required(
    bench: Workbench, undisturbed: dict[str, Any]
) -> None:
    require_mosquitto()
    port, kept = free_port(), bench.folder / "lab.json"
    bench.start("broker", "mosquitto", "--port", str(port), "--credentials", str(kept)).wait_for("broker_started")
    (account,) = read_credentials(kept)
    made = bench.entropilot("keys", "keys", *PARTS)
    assert made.code == 0, made.err
    reached = ("--broker", f"mqtt://{LOOPBACK}:{port}", "--set", f"broker.credentials_file={kept}")
    signed = ("--set", "campaign.require_signatures=true", "--set")
    serving = bench.start("simulator", "lab.toml", *reached, *SLOW, *signed, f"signing.keys=keys/{VICTIM}.keys")
    asking = bench.start("agent", "lab.toml", *reached, *TERMS, *signed, "signing.keys=keys/agent.keys")
    bench.wait_for_events("ResultAccepted", 1)
    say_all(port, account.name, account.password, COUNT, known(bench))
    ended = asking.finish()
    assert ended.code == 0, ended.err
    assert_nothing_but_counters_changed(bench, undisturbed)
    with closing(sqlite3.connect(bench.runs / "lab" / "campaign.db")) as database:
        assert database.execute("SELECT count(*) FROM quarantine WHERE reason = 'unsigned'").fetchone()[0] > 0
    serving.end()
