"""Kills workers, scheduler, simulators and agent of campaigns on a Dask cluster, and judges by three witnesses.

    python -m tests.endurance.clusters.kills [--each 20] [--seed N] [--json FILE]

An agent, two labs, a Mosquitto, a Dask scheduler and two workers run as processes of their own; one after the other is
killed (SIGKILL) and started again. The witnesses are the labs' ledgers, the agent's database, and a file in which the
evaluator itself, in its process on a worker, notes each attempt that it begins. Then: no answer with a receipt is lost,
nothing is counted twice, no attempt was begun twice anywhere, every decision is that of the undisturbed twin, and no
process of an evaluation outlives its worker.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil

from tests.endurance.stage import LABS, STEP_S, Stage, Terms, end_in_order_on_sigterm, keep, twin_of, wait_until
from tests.endurance.verdict import Decisions
from tests.support.clusters.local_cluster import LocalCluster, local_cluster

KINDS: Final = ("worker", "scheduler", "simulator", "agent")

EACH_OF_A_CAMPAIGN: Final = 5
"""Kills of each kind in one campaign."""

BUDGET: Final = 200
SECONDS: Final = 0.15
"""What an evaluation takes [s]."""

MEAN_PAUSE_S: Final = 1.0
"""Mean time at work before a kill [s]."""

EARLY: Final = 0.25
"""Share of the kills that do not wait until something was accepted since the last."""

AT_WORK_S: Final = 15.0
"""How long a kill waits for work: a loaded machine starts slowly."""

AWAY_S: Final = 2.0
"""Longest time that a scheduler or a worker is away [s]."""

PEACE_S: Final = 180.0

ORPHAN_S: Final = 10.0
"""How long an evaluating process may outlive its worker: it notices at once, a loaded machine later."""


def cluster_terms(folder: Path, executor: str, *, budget: int = BUDGET) -> Terms:
    """Return a campaign whose labs evaluate on a cluster."""
    options = {"table": str(folder / "table.csv"), "witness": str(folder / "witness"), "seconds": SECONDS}
    told = ", ".join(f"{name} = {json.dumps(value)}" for name, value in options.items())
    extra = (
        'simulator.evaluator="tests.support.clusters.counting:Counting"',
        f"simulator.options={{ {told} }}",
        f'simulator.executor="{executor}"',
    )
    return Terms(budget, latency_s=0.01, extra=extra)


@dataclass
class ClusterStage(Stage):
    """A campaign, its processes, and the cluster.

    Attributes:
        cluster: The cluster, started.
        seen: Every process that was found below a worker.
    """

    cluster: LocalCluster = field(kw_only=True)
    seen: dict[int, psutil.Process] = field(default_factory=dict)

    def look(self) -> None:
        """Remember who evaluates."""
        for worker in self.cluster.workers:
            try:
                for child in psutil.Process(worker.pid).children(recursive=True):
                    self.seen.setdefault(child.pid, child)
            except psutil.Error:
                continue

    def orphans(self) -> list[str]:
        """End the cluster; return which evaluating processes are left."""
        self.look()
        self.cluster.end()
        _, alive = psutil.wait_procs(self.seen.values(), timeout=ORPHAN_S)
        return [f"the evaluating process {each.pid} outlives its worker" for each in alive]

    def begun_twice(self) -> list[str]:
        """Return which attempts were begun more than once, as the evaluator says."""
        begun = Counter((self.folder / "witness").read_text(encoding="utf-8").split())
        return [f"the attempt {name} was begun {count} times" for name, count in begun.items() if count > 1]


def play(stage: ClusterStage, kills: list[str], twin: Decisions, dice: random.Random, done: Counter[str]) -> list[str]:
    """Play one campaign; return what is wrong.

    Args:
        stage: The campaign.
        kills: Whom it is to live through the death of, in order.
        twin: The decisions of one that was left in peace.
        dice: Chooses moments.
        done: Where kills and figures are counted.
    """
    with stage:
        stage.start()
        for kind in kills:
            seen, early = stage.rows(), dice.random() < EARLY
            due = time.monotonic() + dice.uniform(0.0, 2 * MEAN_PAUSE_S)
            wait_until(lambda due=due: time.monotonic() > due, 2 * MEAN_PAUSE_S + STEP_S)  # type: ignore[misc]
            is_at_work: Callable[[], bool] = lambda seen=seen: stage.rows() > seen  # type: ignore[misc]  # noqa: E731
            if not early and not wait_until(is_at_work, AT_WORK_S):
                done["kills before anything happened"] += 1
            if stage.agent.process.poll() is not None:
                done["campaigns that ended before their last kill"] += 1
                break
            stage.look()
            _kill(stage, kind, dice)
            done[f"kills of a {kind}"] += 1
        verdict = stage.judged(twin, PEACE_S)
        problems = [*verdict.problems, *stage.begun_twice(), *stage.orphans()]
    done.update(verdict.figures)
    done["evaluating processes"] += len(stage.seen)
    return problems


def _kill(stage: ClusterStage, kind: str, dice: random.Random) -> None:
    cluster = stage.cluster
    match kind:
        case "worker":
            cluster.kill_worker(dice.choice(cluster.workers))
            time.sleep(dice.uniform(0.0, AWAY_S))
            cluster.start_worker()
        case "scheduler":
            cluster.kill_scheduler()
            time.sleep(dice.uniform(0.0, AWAY_S))
            cluster.start_scheduler()
            for worker in list(cluster.workers):  # without their scheduler they end by themselves, some in seconds
                cluster.kill_worker(worker)
                cluster.start_worker()
        case "simulator":
            lab = dice.choice(LABS)
            stage.labs[lab].kill()
            stage.start_lab(lab)
        case _:
            stage.agent.kill()
            stage.start_agent()


def run(each: int, seed: int, *, budget: int = BUDGET) -> tuple[dict[str, Any], list[str]]:
    """Play campaigns until every kind was killed so often; return figures and problems."""
    began = time.monotonic()
    done: Counter[str] = Counter()
    problems: list[str] = []
    with tempfile.TemporaryDirectory(prefix="entropilot-twin-") as name:
        twin = twin_of(Terms(budget), Path(name))
    while (left := _left(each, done)) and len(problems) < 10:
        number = done["campaigns"]
        done["campaigns"] += 1
        dice = random.Random(f"{seed}/{number}")
        kills = [kind for kind, count in left.items() for _ in range(min(count, EACH_OF_A_CAMPAIGN))]
        dice.shuffle(kills)
        with tempfile.TemporaryDirectory(prefix="entropilot-dask-kills-") as name, local_cluster(workers=2) as cluster:
            stage = ClusterStage(
                Path(name), cluster_terms(Path(name), cluster.executor, budget=budget), cluster=cluster
            )
            try:
                found = play(stage, kills, twin, dice, done)
            except AssertionError as error:
                found = [str(error)]
            if found:
                (Path(name) / "cluster.log").write_text(cluster.log(), encoding="utf-8")
                kept = keep(Path(name), f"dask-kills-{seed}-{number}")
                problems.extend(f"campaign {number}: {each}; files in {kept}" for each in found)
        print(f"campaign {number}: {dict(_killed(done))}, {len(problems)} violations", flush=True)
    figures = {**dict(sorted(done.items())), "violations": len(problems)}
    return figures | {"seconds": round(time.monotonic() - began, 1)}, problems


def _killed(done: Counter[str]) -> dict[str, int]:
    return {kind: done[f"kills of a {kind}"] for kind in KINDS}


def _left(each: int, done: Counter[str]) -> dict[str, int]:
    return {kind: each - killed for kind, killed in _killed(done).items() if killed < each}


def main(arguments: list[str]) -> int:
    """Run it; return 1 on any violation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, default=20, help="kills of each kind (default 20)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the figures there")
    asked = parser.parse_args(arguments)
    end_in_order_on_sigterm()
    figures, problems = run(asked.each, asked.seed)
    for name, value in figures.items():
        print(f"{name:48s}{value:>10}")
    for problem in problems:
        print(f"VIOLATION: {problem}", file=sys.stderr)
    if asked.json:
        asked.json.write_text(json.dumps(figures) + "\n", encoding="utf-8")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
