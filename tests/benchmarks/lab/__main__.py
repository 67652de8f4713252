"""How long a lab takes of which one instrument is ten times slower and one dies, against the shortest time possible.

    python -m tests.benchmarks.lab

Time is counted in evaluations of a fast instrument, not measured: the campaign's own rules, a lab that is played. Four
instruments with one slot each, one ten times slower, one of the fast dead when half is done, and its absence decided
two evaluations later. What they announce is right, nothing, or as fast as the others for the slow one; "in turn" is a
lab that announces nothing at all.
"""

from __future__ import annotations

from typing import Final

from agent.campaign.plan import Ordering
from tests.support.campaigns import Play, small_plan, small_pool
from tests.support.labs.timed_lab import Instrument, TimedLab, announce

SLOWER: Final = 10.0
GRACE_S: Final = 2.0
RATE: Final = 3.0 + 1.0 / SLOWER
"""Evaluations that all four make in the time of one fast one."""

CAMPAIGNS: Final = ((24, 8), (40, 8), (60, 8), (60, 16), (120, 8), (120, 16))
"""Budget and parallel."""

ANNOUNCED: Final = ("right", "no time", "wrong", "in turn")


def played(budget: int, parallel: int, ordering: Ordering, announced: str) -> TimedLab:
    """Play one campaign to its end."""
    pool = small_pool(2 * max(each for each, _ in CAMPAIGNS))
    plan = small_plan(
        pool, budget=budget, parallel=parallel, ordering=ordering, recipients=("a", "b", "c", "d"), max_attempts=1
    )
    instruments = {
        "a": Instrument(1.0),
        "b": Instrument(SLOWER),
        "c": Instrument(1.0, dies_s=budget / RATE / 2),
        "d": Instrument(1.0),
    }
    lab = TimedLab(Play(pool, plan), instruments, grace_s=GRACE_S)
    for name, each in instruments.items() if announced != "in turn" else ():
        announce(lab.game, name, expected_s={"right": each.takes_s, "no time": None, "wrong": 1.0}[announced])
    lab.play()
    return lab


def main() -> None:
    """Print the table."""
    print("| decisions | budget, parallel | ideal | " + " | ".join(ANNOUNCED) + " |")
    print("|---|---|---|" + "---|" * len(ANNOUNCED))
    for ordering in Ordering:
        for budget, parallel in CAMPAIGNS:
            labs = [played(budget, parallel, ordering, each) for each in ANNOUNCED]
            ideal_s = labs[0].ideal_s(budget)
            took = " | ".join(f"{lab.now_s / ideal_s:.2f}" for lab in labs)
            print(f"| {ordering.value} | {budget}, {parallel} | {ideal_s:g} | {took} |")


if __name__ == "__main__":
    main()
