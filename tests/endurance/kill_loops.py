"""Kills real processes at random moments, as often as asked, and judges every campaign by ledger and database.

    python -m tests.endurance.kill_loops --agent 200 --simulator 100 --broker 50 [--seed N] [--json FILE]

An agent, two labs and a Mosquitto run as processes of their own. Each of the three is killed (SIGKILL) by a schedule
of its own, so that kills overlap: some during start-up, some at work; a killed Mosquitto comes back with its memory or
without. When a campaign has had its share of kills it is left in peace and must end by itself. Then: no answer with a
receipt is lost, no attempt is evaluated twice, every decision is that of the undisturbed twin.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.endurance.stage import LABS, STEP_S, Stage, Terms, end_in_order_on_sigterm, keep, twin_of
from tests.endurance.verdict import Decisions

BUDGET: Final = 400
"""Candidates of a campaign: more than it can evaluate while it is killed, few enough to end soon in peace."""

SHARE: Final = {"agent": 20, "simulator": 10, "broker": 5}
"""Most kills in one campaign."""

PEACE_S: Final = 120.0
"""How long a campaign may take to end after the last kill, on a loaded machine."""

STARTUP_S: Final = 1.2
"""How long a process takes to start; a share of the kills falls into it."""

AT_WORK_S: Final = 8.0
"""How long a kill at work waits for work: a loaded machine starts slowly, and others are killed meanwhile."""

EARLY: Final = 0.3
"""Share of the kills that fall into the start-up."""

PAUSE_S: Final = {"agent": 0.6, "simulator": 3.0, "broker": 5.0}
"""Mean time at work before a kill [s]: so that the three reach their numbers at about the same time."""


@dataclass(slots=True)
class Victim:
    """Something that is killed again and again."""

    kind: str
    name: str
    left: int
    due: float = 0.0
    early: bool = False
    seen: int = 0


@dataclass(slots=True)
class Tally:
    """Figures over all campaigns."""

    kills: Counter[str] = field(default_factory=Counter)
    figures: Counter[str] = field(default_factory=Counter)
    campaigns: int = 0
    problems: list[str] = field(default_factory=list)


class Killer:
    """Kills the processes of one campaign.

    Args:
        stage: The campaign, started.
        shares: How often each kind is to be killed.
        dice: Chooses moments.
        kills: Where kills are counted.
    """

    def __init__(self, stage: Stage, shares: Mapping[str, int], dice: random.Random, kills: Counter[str]) -> None:
        self._stage = stage
        self._dice = dice
        self._kills = kills
        first, second = LABS
        half = shares["simulator"] // 2
        self._victims = [
            Victim("agent", "agent", shares["agent"]),
            Victim("simulator", first, shares["simulator"] - half),
            Victim("simulator", second, half),
            Victim("broker", "broker", shares["broker"]),
        ]

    def run(self) -> bool:
        """Kill until everybody had a share; return False when the campaign was over before."""
        for victim in self._victims:
            self._aim(victim)
        while any(victim.left for victim in self._victims):
            if self._stage.agent.process.poll() is not None:
                return False
            for victim in self._victims:
                if victim.left and self._is_due(victim):
                    victim.left -= 1
                    self._kill(victim)
                    self._aim(victim)
            time.sleep(STEP_S)
        return True

    def _aim(self, victim: Victim) -> None:
        victim.early = self._dice.random() < EARLY
        mean = STARTUP_S / 2 if victim.early else PAUSE_S[victim.kind]
        victim.due = time.monotonic() + self._dice.uniform(0.0, 2 * mean)
        victim.seen = self._progress(victim)
        if not victim.early:
            victim.due += STARTUP_S

    def _is_due(self, victim: Victim) -> bool:
        """At work means that it has done something since its start."""
        late_s = time.monotonic() - victim.due
        return late_s > 0 and (victim.early or self._progress(victim) > victim.seen or late_s > AT_WORK_S)

    def _progress(self, victim: Victim) -> int:
        if victim.kind == "simulator":
            ledger = self._stage.ledger(victim.name)
            return ledger.stat().st_size if ledger.exists() else 0
        return self._stage.rows()

    def _kill(self, victim: Victim) -> None:
        stage = self._stage
        worked = self._progress(victim) > victim.seen
        self._kills[victim.kind] += 1
        self._kills[f"{victim.kind} {'at work' if worked else 'starting or idle'}"] += 1
        match victim.kind:
            case "agent":
                stage.agent.kill()
                stage.start_agent()
            case "simulator":
                assert stage.labs[victim.name].process.poll() is None, stage.labs[victim.name].said[-2000:]
                stage.labs[victim.name].kill()
                stage.start_lab(victim.name)
            case _:
                stage.broker.kill()
                if self._dice.random() < 0.5:
                    self._kills["broker wiped"] += 1
                    stage.broker.wipe()
                time.sleep(self._dice.uniform(0.0, 0.3))
                stage.broker.start()


def play(terms: Terms, shares: Mapping[str, int], twin: Decisions, seed: int, tally: Tally) -> None:
    """Play the next campaign and judge it."""
    number = tally.campaigns
    began = time.monotonic()
    kills: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="entropilot-kills-") as name:
        try:
            with Stage(Path(name), terms) as stage:
                stage.start()
                whole = Killer(stage, shares, random.Random(f"{seed}/{number}"), kills).run()
                verdict = stage.judged(twin, PEACE_S)
        except AssertionError as error:
            tally.problems.append(f"campaign {number}: {error}; files in {keep(Path(name), f'kills-{seed}-{number}')}")
            tally.kills.update(kills)
            return
        tally.kills.update(kills)
        tally.figures.update(verdict.figures)
        if verdict.problems:
            kept = keep(Path(name), f"kills-{seed}-{number}")
            tally.problems.extend(f"campaign {number}: {problem}; files in {kept}" for problem in verdict.problems)
    words = ", ".join(f"{kills[kind]} of the {kind}" for kind in SHARE)
    note = "" if whole else " (over before its last kill)"
    print(f"campaign {number} ({terms.policy}): kills: {words}{note}; {len(verdict.problems)} violations; "
          f"{time.monotonic() - began:.0f} s", flush=True)  # fmt: skip


def run(goal: Mapping[str, int], seed: int, *, budget: int = BUDGET) -> tuple[Tally, dict[str, Any]]:
    """Play campaigns until every kind was killed as often as asked.

    Args:
        goal: Kills of "agent", "simulator", "broker".
        seed: Of the moments.
        budget: Candidates of each campaign.
    """
    began = time.monotonic()
    tally = Tally()
    twins: dict[str, Decisions] = {}
    while any(tally.kills[kind] < number for kind, number in goal.items()) and len(tally.problems) < 10:
        policy = "etal" if tally.campaigns % 4 == 3 else "random"
        terms = Terms(budget=budget, policy=policy, latency_s=0.1)
        if policy not in twins:
            with tempfile.TemporaryDirectory(prefix="entropilot-twin-") as name:
                twins[policy] = twin_of(terms, Path(name))
        shares = {kind: min(SHARE[kind], max(0, goal[kind] - tally.kills[kind])) for kind in SHARE}
        play(terms, shares, twins[policy], seed, tally)
        tally.campaigns += 1
    figures = {
        "kills": dict(sorted(tally.kills.items())),
        "campaigns": tally.campaigns,
        **tally.figures,
        "violations": len(tally.problems),
        "seconds": round(time.monotonic() - began, 1),
        "seed": seed,
    }
    return tally, figures


def main(arguments: list[str]) -> int:
    """Run it; return 1 on any violation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for kind, usual in (("agent", 200), ("simulator", 100), ("broker", 50)):
        parser.add_argument(f"--{kind}", type=int, default=usual, help=f"SIGKILLs of the {kind} (default {usual})")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the figures there")
    asked = parser.parse_args(arguments)
    end_in_order_on_sigterm()
    goal = {kind: getattr(asked, kind) for kind in SHARE}
    tally, figures = run(goal, asked.seed)
    print()
    for name, value in (figures["kills"] | {k: v for k, v in figures.items() if k != "kills"}).items():
        print(f"{name:32s}{value:>10}")
    for problem in tally.problems:
        print(f"VIOLATION: {problem}", file=sys.stderr)
    if asked.json:
        asked.json.write_text(json.dumps(figures) + "\n", encoding="utf-8")
    if tally.problems:
        again = " ".join(f"--{kind} {number}" for kind, number in goal.items())
        print(f"repeat: python -m tests.endurance.kill_loops {again} --seed {asked.seed}", file=sys.stderr)
    return 1 if tally.problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
