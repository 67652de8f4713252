"""What the care buys: results lost by the usual MQTT client and by ours, side by side, under the same kills.

    python -m tests.endurance.usual_way [--results 200] [--repeats 3] [--json FILE]

| way | what it is |
|---|---|
| usual | aiomqtt as its documentation shows it: persistent session, QoS 1, commit after receive |
| usual, ack after commit | the same, but the broker is told only after the commit |
| ours | the real agent with real simulators: receipts, outboxes |

A burst of results that the broker has confirmed is on its way to an agent, which works them off. After the first
commits somebody is killed (SIGKILL) and started again: the agent; the broker (persistence on, autosave as it is
shipped); both; the agent with a bounded queue in its client, as memory limits are usually set. Then all may settle.
Lost are results that their sender believes delivered and that are never committed: who wants them must have them
evaluated again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiomqtt

from tests.endurance.parts.usual_client import TOPIC
from tests.endurance.stage import Mosquitto, Stage, Terms, end_in_order_on_sigterm, wait_until
from tests.endurance.verdict import judge

FIRST_COMMITS: Final = 3
"""Results that are committed before somebody is killed."""
BURST_S: Final = 3.0
"""How long the broker may take to confirm the burst before the kill."""
PUBLISHES: Final = 50
"""Publishes of the burst that await their confirmation at once."""
QUEUE: Final = 50
"""A bounded queue as users set it."""
QUIET_S: Final = 3.0
"""Nothing was committed for so long: all has settled."""
PATIENCE_S: Final = 120.0
_QUIET: Final = logging.getLogger("usual")
_QUIET.setLevel(logging.CRITICAL)  # it warns of every publish beyond ten at once
PROBE: Final = "-1"
"""A message that only asks whether somebody listens."""
SITUATIONS: Final = (
    "SIGKILL of the agent",
    "SIGKILL of the broker",
    "SIGKILL of both",
    "SIGKILL of the agent, bounded queue",
)
WAYS: Final = ("usual", "usual, ack after commit", "ours")


@dataclass(frozen=True, slots=True)
class Run:
    """What one run came to."""

    lost: int
    twice: int
    """Results committed twice, or attempts evaluated twice."""
    before: int
    """Results committed at the kill."""


class UsualAgent:
    """The process of the usual client."""

    def __init__(self, folder: Path, port: int, *, manual_ack: bool, queue: int | None) -> None:
        self.database = folder / "usual.db"
        self._command = [sys.executable, "-m", "tests.endurance.parts.usual_client", str(port), str(self.database)]
        self._command += ["--manual-ack"] * manual_ack + ([] if queue is None else ["--queue", str(queue)])
        self._log = folder / "usual.log"
        self.process: subprocess.Popen[bytes]

    def start(self) -> None:
        """Start it."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(self._command, stdout=log, stderr=log)

    def kill(self) -> None:
        """End it without warning."""
        self.process.kill()
        self.process.wait()

    def numbers(self) -> list[int]:
        """Return what it has committed."""
        if not self.database.exists():
            return []
        connection = sqlite3.connect(self.database)
        try:
            return [number for (number,) in connection.execute("SELECT number FROM result WHERE number >= 0")]
        except sqlite3.OperationalError:
            return []  # not made yet
        finally:
            connection.close()


async def publish(port: int, results: int, confirmed: list[int]) -> None:
    """Publish all results at once, as the documentation shows it; what fails is sent again."""

    async def send(client: aiomqtt.Client, number: int) -> None:
        await client.publish(TOPIC, str(number), qos=1)
        confirmed.append(number)

    while left := set(range(results)) - set(confirmed):
        try:
            async with aiomqtt.Client(
                "127.0.0.1", port, max_concurrent_outgoing_calls=PUBLISHES, logger=_QUIET
            ) as client:
                await asyncio.gather(*(send(client, number) for number in sorted(left)))
        except aiomqtt.MqttError:
            await asyncio.sleep(0.1)


def run_publisher(port: int, results: int, confirmed: list[int]) -> None:
    """Run the publisher in a thread of its own."""
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(publish(port, results, confirmed))


def kill_and_restart(
    situation: str, broker: Mosquitto, kill_agent: Callable[[], None], start_agent: Callable[[], object]
) -> None:
    """Do what the situation says."""
    both = "both" in situation
    if both or "broker" in situation:
        broker.kill()
    if both or "agent" in situation:
        kill_agent()
    if both or "broker" in situation:
        broker.start()
    if both or "agent" in situation:
        start_agent()


def usual(folder: Path, situation: str, results: int, *, manual_ack: bool) -> Run:
    """Play the usual way."""
    broker = Mosquitto(folder / "mosquitto", persistent=False).start()
    queue = QUEUE if "bounded" in situation else None
    agent = UsualAgent(folder, broker.port, manual_ack=manual_ack, queue=queue)
    confirmed: list[int] = []
    publisher = threading.Thread(target=run_publisher, args=(broker.port, results, confirmed), daemon=True)
    agent.start()
    try:
        assert wait_until(lambda: _subscribed(broker), PATIENCE_S), "the usual client does not subscribe"
        publisher.start()
        assert wait_until(lambda: len(agent.numbers()) >= FIRST_COMMITS, PATIENCE_S), "nothing is committed"
        wait_until(lambda: len(confirmed) == results, BURST_S)
        before = len(agent.numbers())

        kill_and_restart(situation, broker, agent.kill, agent.start)
        publisher.join(PATIENCE_S)
        _wait_until_quiet(lambda: len(agent.numbers()))
        found = agent.numbers()
    finally:
        agent.kill()
        broker.kill()
    return Run(len(set(confirmed) - set(found)), len(found) - len(set(found)), before)


def ours(folder: Path, situation: str, results: int) -> Run:
    """Play the same with the real agent and real simulators, all results in flight at once."""
    terms = Terms(results, parallel=results, latency_s=0.5, extra=('campaign.ordering="as_completed"',))
    with Stage(folder / "stage", terms, persistent=False) as stage:
        stage.start()
        stage.wait_for_results(FIRST_COMMITS)
        before = stage.bench.count("ResultAccepted")
        kill_and_restart(situation, stage.broker, stage.agent.kill, stage.start_agent)
        journal = stage.finish()
        verdict = judge(journal, [stage.ledger(lab) for lab in stage.labs], None, expected=results)
    missing = results - verdict.figures["results"]
    return Run(verdict.figures["lost"] + missing, verdict.figures["double"], before)


def _subscribed(broker: Mosquitto) -> bool:
    """Tell whether somebody gets what is published there: MQTT 5 says so with the confirmation."""

    async def ask() -> bool:
        async with aiomqtt.Client("127.0.0.1", broker.port, protocol=aiomqtt.ProtocolVersion.V5) as client:
            heard: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            client._client.on_publish = lambda *told: heard.set_result(int(told[3].value))
            client._client.publish(TOPIC, PROBE, qos=1)
            return await heard == 0

    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        return runner.run(ask())


def _wait_until_quiet(count: Callable[[], int]) -> None:
    last, since = -1, time.monotonic()
    while time.monotonic() - since < QUIET_S:
        if (now := count()) != last:
            last, since = now, time.monotonic()
        time.sleep(0.1)


def play(way: str, situation: str, results: int) -> Run:
    """Play one way in one situation in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="entropilot-usual-") as name:
        if way == "ours":
            return ours(Path(name), situation, results)
        return usual(Path(name), situation, results, manual_ack="ack" in way)


def main(arguments: list[str]) -> int:
    """Print the table; return 1 when ours loses or doubles anything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the figures there")
    asked = parser.parse_args(arguments)
    end_in_order_on_sigterm()
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    print(f"{'':38s}{'way':26s}{'lost of ' + str(asked.results):>20s}{'twice':>12s}{'committed before':>22s}")
    figures, failed = [], False
    for situation in SITUATIONS:
        for way in WAYS:
            runs = [play(way, situation, asked.results) for _ in range(asked.repeats)]
            lost, twice, before = ([getattr(run, name) for run in runs] for name in ("lost", "twice", "before"))
            failed |= way == "ours" and bool(sum(lost) + sum(twice))
            shown = [", ".join(map(str, numbers)) for numbers in (lost, twice, before)]
            print(f"{situation:38s}{way:26s}{shown[0]:>20s}{shown[1]:>12s}{shown[2]:>22s}", flush=True)
            figures.append({"situation": situation, "way": way, "lost": lost, "twice": twice, "before": before})
    if asked.json:
        asked.json.write_text(json.dumps({"results": asked.results, "runs": figures}) + "\n", encoding="utf-8")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
