"""What strangers say without end fills neither memory nor disk, and the campaign under it is replayed exactly.

Each flood lasts `FLOOD_S` seconds (2 by default, of some kinds; 30, of all, for the figures of RELIABILITY.md), at full
speed, while a campaign with agent and lab in one process is at work. `FLOOD_S=30 python -m pytest -s
tests/endurance/test_floods.py` prints the figures.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import paho.mqtt.client as paho
import psutil
import pytest

from protocols.wire.limits import MAX_QUARANTINE_ROWS
from scenarios.broker.broker import LOOPBACK
from tests.support.commands import until
from tests.system.cases.bench import CAMPAIGN, TOPICS, Case, mosquitto, stranger

pytestmark = pytest.mark.system

FLOOD_S: Final = float(os.environ.get("FLOOD_S", "2"))

WHOLE_S: Final = 30.0
"""From such a length on all kinds are tried."""

MOST_MEMORY: Final = 64_000_000
"""How much the resident memory may grow by a flood [byte]."""

MOST_DISK: Final = 20_000_000
"""How much the run folder may grow by a flood [byte]."""

SAMPLE_S: Final = 0.05

IN_FLIGHT: Final = 200
"""Messages that the flood has under way at once."""

LARGE: Final = b"\x00garbage \xff" * 6_000
"""60 kB that are no message."""


def padded(message: dict[str, object], size: int) -> bytes:
    """Return a message as JSON of a size: blanks are lawful JSON."""
    return json.dumps(message).encode().ljust(size)


def forged_result(case: Case, attempt_id: str, size: int) -> bytes:
    """A result that is lawful in form."""
    (candidate_id,) = case.asked("SELECT candidate_id FROM request LIMIT 1")[0]
    return padded(
        {
            "protocol": 1, "type": "candidate_result", "campaign": CAMPAIGN, "message_id": "forged",
            "sent_at": "2026-01-01T00:00:00Z", "attempt_id": attempt_id, "candidate_id": candidate_id,
            "simulator": "simulator-1", "fidelity": "simulation", "duration_s": 1.0,
            "quantities": [{"name": "energy", "value": -1.0, "unit": "eV"}],
        },
        size,
    )  # fmt: skip


def said_by_the_lab(health: str) -> bytes:
    """A status that is lawful in form."""
    return padded(
        {
            "protocol": 1, "type": "status", "campaign": CAMPAIGN, "message_id": "forged",
            "sent_at": "2026-01-01T00:00:00Z", "client": "simulator-1", "role": "simulator", "health": health,
        },
        1,
    )  # fmt: skip


def genuine_answer(case: Case) -> bytes:
    """An answer that the lab has given, as it stands in the recording, blown up."""
    for line in (case.run_folder / "recording.jsonl").read_text().splitlines():
        row = json.loads(line)
        if row.get("dir") == "in" and "/result/" in row["topic"]:
            return str(row["text"]).encode().ljust(60_000)
    raise AssertionError("no answer is recorded")


FLOODS: Final[dict[str, tuple[str, int, Callable[[Case], bytes]]]] = {
    "garbage": ("result/simulator-1", 1, lambda _case: LARGE),
    "garbage of QoS 0": ("result/simulator-1", 0, lambda _case: LARGE),
    "small garbage": ("failure/simulator-1", 1, lambda _case: b"{}"),
    "garbage of an unknown sender": ("status/" + "x" * 2_000, 1, lambda _case: LARGE),
    "garbage to the lab": ("request/simulator-1", 0, lambda _case: LARGE),
    "controls that are none": ("control", 1, lambda _case: LARGE),
    "a lab that is there": ("status/simulator-1", 1, lambda _case: said_by_the_lab("online")),
    "results of no attempt": ("result/simulator-1", 1, lambda case: forged_result(case, "00000000-0-1", 60_000)),
    "a genuine answer again": ("result/simulator-1", 1, genuine_answer),
}
"""What is said: channel and client, quality of service, and the payload."""


SHORT: Final = ("garbage of QoS 0", "a lab that is there", "results of no attempt", "a genuine answer again")
"""Those that every change is held to."""


def flood(client: paho.Client, topic: str, payload: bytes, qos: int, watch: Callable[[], None]) -> int:
    """Publish at full speed, with a bound on what is under way; return how many messages went out."""
    ends, count, sent = time.monotonic() + FLOOD_S, 0, list[paho.MQTTMessageInfo]()
    while time.monotonic() < ends:
        sent.append(client.publish(f"{TOPICS}/{topic}", payload, qos=qos))
        count += 1
        if len(sent) >= IN_FLIGHT:
            sent[0].wait_for_publish(20)
            sent = [each for each in sent if not each.is_published()]
            watch()
    return count


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def memory_of(process: psutil.Process) -> int:
    return int(process.memory_info().rss)


@pytest.mark.parametrize("kind", FLOODS if FLOOD_S >= WHOLE_S else SHORT)
def test_a_flood_fills_neither_memory_nor_disk_and_the_campaign_is_replayed_exactly(tmp_path: Path, kind: str) -> None:
    channel, qos, payload_of = FLOODS[kind]
    (tmp_path / "broker").mkdir()
    with mosquitto(tmp_path / "broker", "max_queued_messages 1000") as port, Case(tmp_path) as case:
        slow = ("--budget", "12", "--broker", f"mqtt://{LOOPBACK}:{port}", "--set", "simulator.latency.mean_s=1")
        part = case.start(*case.campaign(*slow, "--set", f"campaign.evaluation_deadline_s={600 + FLOOD_S}"), fresh=True)
        until(lambda: bool(case.rows("SELECT 1 FROM observation WHERE attempt_id IS NOT NULL", CAMPAIGN)), "no result")
        process, folder = psutil.Process(part.process.pid), case.run_folder
        before, disk, most = memory_of(process), size_of(folder), 0

        def watch() -> None:
            nonlocal most
            if process.is_running():
                most = max(most, memory_of(process))

        with stranger(port) as client:
            client.unsubscribe(f"{TOPICS}/#")
            count = flood(client, channel, payload_of(case), qos, watch)
            case.wait_for_end(part, 300 + FLOOD_S)
        grown, written = most - before, size_of(folder) - disk
        print(
            f"{kind}: {count:,} messages in {FLOOD_S:g} s, memory +{grown / 1e6:.1f} MB, disk +{written / 1e6:.1f} MB"
        )
        assert part.finish().code == 0, part.said
        assert case.observed() == 12
        assert grown < MOST_MEMORY
        assert written < MOST_DISK
        assert case.number("SELECT count(*) FROM quarantine") <= MAX_QUARANTINE_ROWS
        counted = dict(case.asked("SELECT disposition, count FROM message_count"))
        assert sum(counted.values()) > 12 or kind == "garbage to the lab", "the flood reached us"
        for command in ("verify", "replay"):
            done = case.ended(command, CAMPAIGN)
            assert done.code == 0, done.out + done.err
