"""How long a killed agent needs until it is at work again, by the length of its journal; and where the time goes.

    python -m tests.benchmarks.restart [--rows 10000] [--repeats 5] [--json FILE]

A campaign is journalled that far by the agent's own steps, then `entropilot agent --resume` is started against a
Mosquitto on loopback, and killed when its log says that the link is up. Measured from the start of the process:

| moment | what it is |
|---|---|
| imports | Python and the packages that the command needs (measured apart, in a process that only imports) |
| agent_started | scenario read, pool and features made, journal folded and checked |
| link_up | connected and subscribed: ready |
| processor | processor time until then: what an idle machine would need, at least |
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Final

import psutil

from agent.acquisition.registry import policy_fingerprint
from agent.campaign.events import ResultAccepted
from agent.runtime.messages import MessageBuilder
from agent.runtime.policy_runner import InlinePolicyRunner
from agent.runtime.resume import begin, fresh_uid, remember
from agent.runtime.transaction import Transaction, TransactionBuilder
from agent.store.store import Store
from agent.store.views import DatasetLabels
from protocols.storage.database import sqlite_url
from scenarios.sources.scenario import Overrides, load_scenario
from scenarios.world.world import build_world
from tests.benchmarks.world import NextInLine
from tests.endurance.stage import CAMPAIGN, START, Stage, Terms

ROWS_PER_RESULT: Final = 3
"""A decision, a request, a result."""

IMPORTS: Final = (
    "import scenarios.cli.app, scenarios.run.run, scenarios.sources.scenario, scenarios.world.world, agent.assembly"
)
"""What `entropilot agent` imports before it looks at its journal."""


def write_journal(stage: Stage, results: int) -> int:
    """Journal a campaign up to so many results, as the agent does; return its rows."""
    scenario = load_scenario(str(stage.folder / "lab.toml"), Overrides({}, ())).settings
    table = scenario.pool.model_copy(update={"path": str(stage.folder / "table.csv")})
    world = build_world(scenario.model_copy(update={"pool": table}))
    pool, terms, now = world.pool, scenario.campaign, datetime.now().astimezone().isoformat()
    stage.database.parent.mkdir(parents=True)
    labels = DatasetLabels.of(pool, terms.unit)
    plan = terms.plan(
        campaign=CAMPAIGN,
        uid=fresh_uid(),
        fingerprint=policy_fingerprint(terms.policy, terms.policy_options),
        recipients=scenario.recipients,
        pool=pool,
    )
    with closing(Store.open(sqlite_url(stage.database), labels=labels, now=now)) as store:
        begin(store, pool, plan, world.start_observations(), versions={}, now=now)
        stored = remember(store, pool)
        campaign = stored.campaign
        messages = MessageBuilder(plan, evaluation_deadline_s=60.0, clock=lambda: datetime.now().astimezone())
        maker = TransactionBuilder(
            stored,
            policy_runner=InlinePolicyRunner(NextInLine()),
            make_request=messages.request,
        )
        while campaign.observations < START + results:
            step = Transaction()
            for _ in range(200):
                maker.settle(step)
                for attempt in list(campaign.in_flight.values()):
                    value = float(world.values[pool.index_of[attempt.candidate_id]])
                    maker.fold(
                        step,
                        ResultAccepted(attempt.attempt_id, attempt.candidate_id, attempt.recipient, value, (), 0.0),
                    )
            store.append(step.commit(tuple(item.attempt_id for item in step.outbox)), now=now)
        return store.sequence


def moment(log: Path, event: str, life: int) -> float | None:
    """Return when the agent logged an event for the n-th time [s since 1970]; None when it has not."""
    rows = [json.loads(line) for line in log.read_text().splitlines() if line.endswith("}")] if log.exists() else []
    found = [row["timestamp"] for row in rows if row["event"] == event]
    return datetime.fromisoformat(found[life]).timestamp() if len(found) > life else None


def measure_restart(stage: Stage, life: int) -> dict[str, float]:
    """Start the agent, wait until it is ready, kill it; return seconds from its start."""
    log = stage.database.with_name("agent.jsonl")
    began = time.time()
    part = stage.start_agent()
    deadline = began + 60.0
    while (up := moment(log, "link_up", life)) is None:
        assert time.time() < deadline, part.said
        assert part.process.poll() is None, part.said
        time.sleep(0.005)
    times = psutil.Process(part.process.pid).cpu_times()
    started = moment(log, "agent_started", life)
    part.kill()
    assert started is not None
    return {"agent_started": started - began, "link_up": up - began, "processor": times.user + times.system}


def measure_imports() -> float:
    """Return how long a process takes that only imports [s]."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", IMPORTS], check=True)
    return time.perf_counter() - began


def main(arguments: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000, help="rows of the journal")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the figures there")
    asked = parser.parse_args(arguments)
    results = asked.rows // ROWS_PER_RESULT
    # More is asked for than is journalled, so that there is work to resume.
    with (
        tempfile.TemporaryDirectory(prefix="entropilot-restart-") as name,
        Stage(Path(name), Terms(budget=results + 1_000)) as stage,
    ):
        rows = write_journal(stage, results)
        lives = [measure_restart(stage, life) for life in range(asked.repeats)]
    imports = [measure_imports() for _ in range(asked.repeats)]
    figures = {
        "rows": rows,
        "imports_s": round(statistics.median(imports), 3),
        **{f"{name}_s": round(statistics.median(life[name] for life in lives), 3) for name in lives[0]},
        "slowest_link_up_s": round(max(life["link_up"] for life in lives), 3),
    }
    for what, value in figures.items():
        print(f"{what:24s}{value:>10}")
    if asked.json:
        asked.json.write_text(json.dumps(figures) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
