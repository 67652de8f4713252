"""Lets an agent work under faults for as long as it takes to pass so many messages, and watches what grows.

    python -m tests.endurance.soak --messages 200000 [--seed N] [--json FILE] [--trace]

The real agent, two labs with ledgers, a Mosquitto, a proxy on each side of it, and a heckler that repeats every result
and sends nonsense. All the time links are cut, half-closed and held, and labs are killed. Afterwards: resident memory
of the agent at the end against that after the warm-up; bytes on disk for every event and message; the longest that
every queue was; and the history, judged by ledger and database.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

from agent.loop import INBOX_SIZE, MAX_INPUTS_PER_COMMIT
from agent.runtime.outbound import MAX_PENDING_SENDS
from protocols.wire.limits import MAX_PUBLISHES_IN_FLIGHT, MAX_QUARANTINE_ROWS, RECEIVE_MAXIMUM
from scenarios.broker.tcp_proxy import BOTH, Direction
from scenarios.display.terminal import INTERRUPTED
from tests.endurance.stage import CAMPAIGN, Stage, Terms, end_in_order_on_sigterm, keep, wait_until
from tests.endurance.verdict import judge, read_journal
from tests.support.tcp_proxy import SpoilingProxy

COPIES: Final = 3
"""How often the heckler repeats a result: each is a result and a receipt more."""

PARALLEL: Final = 16
WARM_UP: Final = 0.15
"""Share of the messages after which memory is taken as settled."""
MAX_GROWTH_BYTES: Final = 64 << 20
MAX_GROWTH_SHARE: Final = 0.05
FAULT_EVERY_S: Final = 3.0
"""Mean time between two faults."""
STALL_S: Final = 90.0
"""No progress for so long is a violation."""

BOUNDS: Final = {
    "inbox": INBOX_SIZE,
    "receipts on their way": MAX_PENDING_SENDS + MAX_INPUTS_PER_COMMIT,
    "sends": MAX_PENDING_SENDS + MAX_INPUTS_PER_COMMIT + 2 * PARALLEL + 16,
    "unconfirmed requests": 2 * PARALLEL,
    "confirmations": 4 * PARALLEL,
    "deadlines": 17 * (PARALLEL + 1) + PARALLEL,
    "in flight": PARALLEL,
    "link inbox": RECEIVE_MAXIMUM,
    "publishes awaited": MAX_PUBLISHES_IN_FLIGHT,
    "quarantine rows": MAX_QUARANTINE_ROWS,
}
"""Queue -> the most that it may hold."""


class Trouble:
    """Makes a fault now and then."""

    def __init__(self, stage: Stage, ours: SpoilingProxy, theirs: SpoilingProxy, seed: int) -> None:
        self.counts: Counter[str] = Counter()
        self._stage = stage
        self._proxies = ours, theirs
        self._dice = random.Random(seed)
        self._due = time.monotonic() + FAULT_EVERY_S
        self._heal_due = 0.0

    def tick(self) -> None:
        """Make a fault when one is due; heal what lasted long enough."""
        now = time.monotonic()
        if now > self._heal_due:
            for proxy in self._proxies:
                proxy.heal()
        if now < self._due:
            return
        self._due = now + self._dice.uniform(0.2, 2 * FAULT_EVERY_S)
        proxy = self._dice.choice(self._proxies)
        kind = self._dice.choice(("cut", "cut", "half-close", "hold", "hold one way", "delay", "kill"))
        self.counts[kind] += 1
        match kind:
            case "cut":
                proxy.cut()
            case "half-close":
                proxy.half_close()
            case "hold":
                proxy.faults.hold = BOTH
            case "hold one way":
                proxy.faults.hold = frozenset({self._dice.choice(list(Direction))})
            case "delay":
                proxy.faults.delay_s = 0.02
            case _:
                lab = self._dice.choice(sorted(self._stage.labs))
                assert self._stage.labs[lab].process.poll() is None, self._stage.labs[lab].said[-2000:]
                self._stage.labs[lab].kill()
                self._stage.start_lab(lab)
        self._heal_due = now + self._dice.uniform(0.2, 2.0)


def last_number(recording: Path) -> int:
    """Return how many messages a recording holds, from its last whole line."""
    if not recording.exists():
        return 0
    with recording.open("rb") as file:
        file.seek(max(0, recording.stat().st_size - (1 << 17)))
        lines = file.read().split(b"\n")[:-1]
    return int(json.loads(lines[-1]).get("n", 0)) if len(lines) > 1 else 0


def play(messages: int, seed: int, folder: Path, *, trace: bool) -> tuple[dict[str, Any], list[str]]:
    """Run the soak in an empty folder; return figures and violations."""
    terms = Terms(
        budget=messages // 4,  # more than it gets to: the labs' own repetitions are messages too
        parallel=PARALLEL,
        latency_s=0.0,
        extra=('campaign.ordering="as_completed"', "broker.keepalive_s=4"),
    )
    samples = folder / "samples.jsonl"
    env = {"WATCHED_AGENT": str(samples), "WATCHED_AGENT_TRACE": "1" if trace else "0"}
    problems: list[str] = []
    stage = Stage(folder / "stage", terms, env=env)
    with (
        stage,
        SpoilingProxy(stage.broker.port, seed=seed) as ours,
        SpoilingProxy(stage.broker.port, seed=seed + 1) as theirs,
    ):
        stage.url, stage.lab_url = ours.url, theirs.url
        stage.agent_module = "tests.endurance.parts.watched_agent"
        stage.start()
        heckler = stage.bench.start(
            stage.broker.url, CAMPAIGN, "--copies", str(COPIES), "--seed", str(seed),
            module="tests.endurance.parts.heckler",
        )  # fmt: skip
        assert wait_until(lambda: stage.rows() > 2, 60.0), stage.agent.said
        trouble = Trouble(stage, ours, theirs, seed)
        began = told = progress = time.monotonic()
        passed = warm_at = end_at = 0
        recording = stage.database.with_name("recording.jsonl")
        while stage.agent.process.poll() is None and passed < messages:
            trouble.tick()
            time.sleep(0.05)
            now = time.monotonic()
            if now - told < 2.0:
                continue
            told, before, passed = now, passed, last_number(recording)
            end_at = len(samples.read_text().splitlines())
            progress = now if passed > before else progress
            if now - progress > STALL_S:
                problems.append(f"no progress for {STALL_S:g} s after {passed} messages")
                break
            if not warm_at and passed > WARM_UP * messages:
                warm_at = end_at
            if int(now - began) % 20 < 2:
                rss = json.loads(samples.read_text().splitlines()[-1])["rss"]
                print(f"{passed:9d} messages {passed / (now - began):6.0f}/s  RSS {rss / 1e6:7.1f} MB  "
                      f"faults {trouble.counts.total()}", flush=True)  # fmt: skip
        seconds = time.monotonic() - began
        heckler.kill()
        ours.heal()
        theirs.heal()
        ended = stage.agent.end()
        if ended.code != INTERRUPTED:
            problems.append(f"the agent ended with {ended.code}: {ended.err[-2000:]}")
        stage.settle()
    journal = read_journal(stage.database)
    verdict = judge(journal, [stage.ledger(lab) for lab in stage.labs], None, expected=None)
    problems += verdict.problems
    rows = [json.loads(line) for line in samples.read_text().splitlines()[:end_at]]  # before it drew its figures
    figures, grown = _measured(rows, warm_at, stage, len(journal.rows), last_number(recording))
    figures |= {
        "seconds": round(seconds),
        "messages/s": round(figures["messages"] / seconds),
        **{f"fault: {kind}": number for kind, number in sorted(trouble.counts.items())},
        **{name: value for name, value in verdict.figures.items() if name != "divergent"},
        "quarantined": sum(by for disposition, by in journal.counts.items() if disposition.startswith("quarantined")),
    }
    return figures, problems + grown


def _measured(
    rows: list[dict[str, Any]], warm_at: int, stage: Stage, events: int, messages: int
) -> tuple[dict[str, Any], list[str]]:

    warm, end = (sorted(row["rss"] for row in rows[part])[2] for part in (slice(warm_at, warm_at + 5), slice(-5, None)))
    connection = sqlite3.connect(f"file:{stage.database}?mode=ro", uri=True)
    quarantine = connection.execute("SELECT count(*) FROM quarantine").fetchone()[0]
    connection.close()
    longest = {name: max(row[name] for row in rows) for name in rows[0] if name in BOUNDS}
    longest["quarantine rows"] = quarantine
    sizes = {name: stage.database.with_name(name).stat().st_size
             for name in ("campaign.db", "recording.jsonl", "agent.jsonl")}  # fmt: skip
    figures: dict[str, Any] = {
        "messages": messages,
        "events": events,
        "RSS after warm-up [MB]": round(warm / 1e6, 1),
        "RSS at the end [MB]": round(end / 1e6, 1),
        "growth [MB]": round((end - warm) / 1e6, 1),
        "growth [%]": round(100 * (end - warm) / warm, 2),
        "database [byte/event]": round(sizes["campaign.db"] / events),
        "recording [byte/message]": round(sizes["recording.jsonl"] / messages),
        "log [byte/event]": round(sizes["agent.jsonl"] / events),
        **{f"longest: {name}": number for name, number in longest.items()},
    }
    problems = [f"{name} held {number}, the bound is {BOUNDS[name]}"
                for name, number in longest.items() if number > BOUNDS[name]]  # fmt: skip
    if end - warm > min(MAX_GROWTH_BYTES, MAX_GROWTH_SHARE * warm):
        problems.append(f"memory grew by {figures['growth [MB]']} MB, {figures['growth [%]']} %")
    return figures, problems


def main(arguments: list[str]) -> int:
    """Run it; return 1 on any violation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--trace", action="store_true", help="write where memory is taken (slow)")
    asked = parser.parse_args(arguments)
    end_in_order_on_sigterm()
    with tempfile.TemporaryDirectory(prefix="entropilot-soak-") as name:
        figures, problems = play(asked.messages, asked.seed, Path(name), trace=asked.trace)
        if problems or asked.trace:
            print(f"files in {keep(Path(name), f'soak-{asked.seed}')}", file=sys.stderr)
    print()
    for what, value in figures.items():
        print(f"{what:32s}{value:>12}")
    for problem in problems[:20]:
        print(f"VIOLATION: {problem}", file=sys.stderr)
    if asked.json:
        asked.json.write_text(json.dumps(figures) + "\n", encoding="utf-8")
    if problems:
        print(
            f"repeat: python -m tests.endurance.soak --messages {asked.messages} --seed {asked.seed}", file=sys.stderr
        )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
