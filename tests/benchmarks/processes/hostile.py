"""What a hostile neighbour costs: the loop's latency while 100,000 messages come from another device.

    python -m tests.benchmarks.processes.hostile [MESSAGES] [ROUNDS]

Mosquitto with the shipped access list; the agent in a process of its own, random policy, one request in flight; an
instrument here that answers at once; a device `oven` with valid credentials in a third process, at full speed. A turn
of the loop is from the publication of a result to the arrival of the next request: it holds a commit, a decision, and
two ways through the broker. Rounds without and with the neighbour follow each other in one campaign, so that both meet
the same machine.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from protocols.link.credentials import read_credentials
from scenarios.broker.broker import LOOPBACK
from tests.endurance.stage import write_pool
from tests.support.commands import LAB_TOML, Workbench, free_port
from tests.support.lab_brokers.hostile import BASE, VICTIM

NEIGHBOUR: Final = "oven"
CANDIDATES: Final = 60_000
"""In the pool: more than are measured."""

QUIET_TURNS: Final = 300
"""Turns of a round without the neighbour."""


class Instrument:
    """Answers each request at once, and notes how long each turn of the loop took."""

    def __init__(self, port: int, password: str) -> None:
        self.turns: list[float] = []
        self.attempts: list[tuple[str, str]] = []
        self._published = 0.0
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"{VICTIM}-here", clean_session=False)
        self.client.username_pw_set(VICTIM, password)
        self.client.on_connect = self._connected
        self.client.on_message = self._heard
        self.client.connect(LOOPBACK, port)
        self.client.loop_start()

    def _connected(self, *_: Any) -> None:
        self.client.subscribe([(f"{BASE}/request/{VICTIM}", 1), (f"{BASE}/receipt/{VICTIM}", 1)])
        self._say("status", "status", client=VICTIM, role="simulator", health="online")

    def _say(self, channel: str, kind: str, name: str = "online", **more: Any) -> None:
        now = datetime.now(UTC).isoformat()
        said = {"protocol": 1, "type": kind, "campaign": "lab", "message_id": name, "sent_at": now} | more
        self.client.publish(f"{BASE}/{channel}/{VICTIM}", json.dumps(said), qos=1, retain=channel == "status")

    def _heard(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        content = json.loads(message.payload)
        if content["type"] != "candidate_request":
            return
        now = time.perf_counter()
        if self._published:
            self.turns.append(now - self._published)
        same = {key: content[key] for key in ("attempt_id", "candidate_id")}
        self.attempts = [*self.attempts[-7:], (content["attempt_id"], content["candidate_id"])]
        self._published = time.perf_counter()
        values = [{"name": "energy", "value": 1.0 + 1e-6 * content["decision"], "unit": "eV"}]
        name = f"r-{content['attempt_id']}"
        self._say("result", "candidate_result", name, simulator=VICTIM, quantities=values, duration_s=0.0, **same)

    def turns_while(self, busy: Callable[[int], bool]) -> list[float]:
        """Return the turns of the loop while something goes on, asked with their number."""
        first = len(self.turns)
        while busy(len(self.turns) - first):
            threading.Event().wait(0.02)
        return self.turns[first:]


def measure(count: int, rounds: int) -> None:
    """Run and print a row for every round."""
    with tempfile.TemporaryDirectory() as name, Workbench(Path(name), fresh=True) as bench:
        write_pool(bench.folder / "table.csv", CANDIDATES)
        (bench.folder / "lab.toml").write_text(LAB_TOML)
        port, kept = free_port(), bench.folder / "lab.json"
        parts = ("--instrument", VICTIM, "--instrument", NEIGHBOUR, "--credentials", str(kept))
        bench.start("broker", "mosquitto", "--port", str(port), *parts).wait_for("broker_started")
        passwords = {each.name: each.password for each in read_credentials(kept)}
        url = ("--broker", f"mqtt://{LOOPBACK}:{port}", "--set", f"broker.credentials_file={kept}")
        terms = ("--budget", str(CANDIDATES - 1_000), "--set", "campaign.parallel=1", "--quiet")
        instrument = Instrument(port, passwords[VICTIM])
        agent = bench.start("agent", "lab.toml", *url, *terms)
        instrument.turns_while(lambda turns: turns < QUIET_TURNS and agent.process.poll() is None)  # to warm up
        print(f"{'':14s}{'turns':>8s}{'median [ms]':>14s}{'p95 [ms]':>12s}")
        medians: dict[str, list[float]] = {"alone": [], "neighbour": []}
        for _ in range(rounds):
            _tell(medians, "alone", instrument.turns_while(lambda turns: turns < QUIET_TURNS))
            neighbour = _neighbour(bench.folder, port, passwords[NEIGHBOUR], count, instrument.attempts)
            _tell(medians, "neighbour", instrument.turns_while(lambda _, one=neighbour: one.poll() is None))  # type: ignore[misc]
            print(neighbour.communicate()[0].strip(), flush=True)
        ratio = statistics.median(medians["neighbour"]) / statistics.median(medians["alone"])
        print(f"{count:,} hostile messages a round: the median of the loop is {ratio:.2f} of that without them")
        instrument.client.disconnect()
        instrument.client.loop_stop()
        agent.end()
        foreign = bench.rows("SELECT count(*) FROM observation WHERE value > 7")
        print(f"quarantined: {bench.rows('SELECT count(*) FROM quarantine')}, forged values: {foreign}")
        print(bench.entropilot("verify", "lab").out.strip().splitlines()[-1])


def _tell(medians: dict[str, list[float]], kind: str, turns: list[float]) -> None:
    milliseconds = sorted(1_000 * each for each in turns)
    medians[kind].append(statistics.median(milliseconds))
    p95 = milliseconds[int(0.95 * len(milliseconds))]
    print(f"{kind:14s}{len(turns):8d}{medians[kind][-1]:14.2f}{p95:12.2f}", flush=True)


def _neighbour(
    folder: Path, port: int, password: str, count: int, attempts: list[tuple[str, str]]
) -> subprocess.Popen[str]:
    known = folder / "known.json"
    known.write_text(json.dumps(attempts))
    command = [sys.executable, "-m", "tests.support.lab_brokers.hostile", str(port), NEIGHBOUR, str(count), str(known)]
    started = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert started.stdin is not None
    started.stdin.write(password + "\n")
    started.stdin.flush()
    return started


if __name__ == "__main__":
    measure(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000, int(sys.argv[2]) if len(sys.argv) > 2 else 3)
