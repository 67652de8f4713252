"""Kills the agent and the server's own processes, as often as asked, and judges every campaign by ledger and database.

    python -m tests.endurance.postgres.kills [--kills 60] [--seed N] [--json FILE]

An agent, two labs, a Mosquitto and a PostgreSQL run as processes of their own. What is killed in turn (SIGKILL) is the
agent, which is resumed by the command that the product names, the server's process that serves it (the server then
ends all sessions, recovers and goes on), and now and then the whole server, which is started again some seconds later.
The agent must live through what happens to the server. Some kills fall into the start-up, some into a commit.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from agent.store.server_copy import copy_server
from tests.endurance.stage import CAMPAIGN, LABS, STEP_S, Stage, Terms, end_in_order_on_sigterm, keep, twin_of
from tests.endurance.verdict import Decisions, Journal, read_journal
from tests.support.commands import Part
from tests.support.databases.postgres_server import PostgresServer, postgres_server

KILLS_OF_A_CAMPAIGN: Final = 12
"""Few enough that it is at work in between, for each costs the agent seconds."""

BUDGET: Final = 240

MEAN_PAUSE_S: Final = 0.8
"""Mean time at work before a kill [s]."""

EARLY: Final = 0.25
"""Share of the kills that do not wait until the agent has done something since the last."""

AT_WORK_S: Final = 15.0
"""How long a kill waits for work: a loaded machine starts slowly."""

AWAY_S: Final = 3.0
"""Longest time that the server is away when all of it was killed [s]."""

PEACE_S: Final = 180.0

VICTIMS: Final = ("agent", "back end", "agent", "back end", "agent", "server")
"""In turn."""


@dataclass
class PostgresStage(Stage):
    """A campaign with its journal on a server.

    Attributes:
        server: The server.
        database_url: An empty database on it.
        times_left: How often the agent was left by the server in a commit, once the campaign is over.
    """

    server: PostgresServer = field(default_factory=postgres_server)
    database_url: str = ""
    times_left: int = 0

    def start_agent(self, *further: str) -> Part:
        """Start the agent, or start it again: its run folder knows where the journal is."""
        begun = (self.bench.runs / CAMPAIGN / "database.json").exists()
        place = () if begun else ("--database", self.database_url)
        self.agent = self.bench.start(
            "agent", "lab.toml", "--broker", self.broker.url, "--quiet", "--campaign", CAMPAIGN,
            *(["--resume"] if begun else []), *place, *further,
        )  # fmt: skip
        return self.agent

    def rows(self) -> int:
        """How many events the journal holds; 0 while the server is away."""
        found = self.server.rows(self.database_url, "SELECT count(*) FROM journal")
        return int(found[0][0]) if found else 0

    def finish(self, patience_s: float = PEACE_S) -> Journal:
        """Wait for the campaign's end; return its journal, copied from the server."""
        code = self.agent.process.wait(patience_s)
        assert code == 0, self.agent.said
        log = (self.bench.runs / CAMPAIGN / "agent.jsonl").read_text(encoding="utf-8")
        self.times_left = log.count('"database_away"')
        self.settle()
        verified = self.bench.entropilot("verify", CAMPAIGN)
        assert verified.code == 0, verified.err
        copy = self.folder / "copy.db"
        copy_server(self.database_url, copy)
        return read_journal(copy)


def play(stage: PostgresStage, kills: int, twin: Decisions, dice: random.Random, done: Counter[str]) -> list[str]:
    """Play one campaign; return what is wrong.

    Args:
        stage: The campaign.
        kills: How many it is to live through.
        twin: The decisions of one that was left in peace.
        dice: Chooses moments.
        done: Where kills and figures are counted.
    """
    with stage:
        stage.start()
        for number in range(kills):
            seen = stage.rows()
            early = dice.random() < EARLY
            due = time.monotonic() + dice.uniform(0.0, 2 * MEAN_PAUSE_S)
            while time.monotonic() < due or not (early or stage.rows() > seen or time.monotonic() > due + AT_WORK_S):
                if stage.agent.process.poll() is not None:
                    break
                time.sleep(STEP_S)
            if stage.agent.process.poll() is not None:
                done["campaigns that ended before their last kill"] += 1
                break
            _kill(stage, VICTIMS[number % len(VICTIMS)], dice, done)
        verdict = stage.judged(twin, PEACE_S)
    done.update(verdict.figures)
    done["commits without an answer"] += stage.times_left
    return verdict.problems


def _kill(stage: PostgresStage, victim: str, dice: random.Random, done: Counter[str]) -> None:
    if victim == "agent":
        stage.agent.kill()
        stage.start_agent()
    elif victim == "back end":
        if not stage.server.kill_session(stage.database_url):
            done["no session to kill"] += 1
            return
    else:
        stage.server.crash()
        time.sleep(dice.uniform(0.0, AWAY_S))
        stage.server.start()
    done[f"kills of the {victim}"] += 1


def run(kills: int, seed: int, *, budget: int = BUDGET) -> tuple[dict[str, Any], list[str]]:
    """Play campaigns until there were so many kills; return figures and problems."""
    began = time.monotonic()
    done: Counter[str] = Counter()
    problems: list[str] = []
    server = postgres_server()
    terms = Terms(budget=budget, latency_s=0.1)
    with tempfile.TemporaryDirectory(prefix="entropilot-twin-") as name:
        twin = twin_of(terms, Path(name))
    while (killed := _killed(done)) < kills and len(problems) < 10:
        number = done["campaigns"]
        done["campaigns"] += 1
        share = min(KILLS_OF_A_CAMPAIGN, kills - killed)
        with tempfile.TemporaryDirectory(prefix="entropilot-pg-kills-") as name:
            stage = PostgresStage(Path(name), terms, server=server, database_url=server.new_database())
            try:
                found = play(stage, share, twin, random.Random(f"{seed}/{number}"), done)
            except AssertionError as error:
                found = [str(error)]
            if found:
                kept = keep(Path(name), f"pg-kills-{seed}-{number}")
                problems.extend(f"campaign {number}: {each}; files in {kept}" for each in found)
        print(f"campaign {number}: {_killed(done)} kills so far, {len(problems)} violations", flush=True)
    figures = {**dict(sorted(done.items())), "kills": _killed(done), "labs": len(LABS)}
    return figures | {"violations": len(problems), "seconds": round(time.monotonic() - began, 1)}, problems


def _killed(done: Counter[str]) -> int:
    return sum(done[f"kills of the {victim}"] for victim in set(VICTIMS))


def main(arguments: list[str]) -> int:
    """Run it; return 1 on any violation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the figures there")
    asked = parser.parse_args(arguments)
    end_in_order_on_sigterm()
    figures, problems = run(asked.kills, asked.seed)
    for name, value in figures.items():
        print(f"{name:48s}{value:>10}")
    for problem in problems:
        print(f"VIOLATION: {problem}", file=sys.stderr)
    if asked.json:
        asked.json.write_text(json.dumps(figures) + "\n", encoding="utf-8")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
