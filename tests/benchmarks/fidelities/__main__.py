"""What cheap values are worth: the mean gap of dear values by two methods, and by the dear one at twice that.

    python -m tests.benchmarks.fidelities [--tables molecules,qm9] [--seeds 30] [--courses c.jsonl] [--figure f.svg]

Every arm begins with the same start set, seed by seed. Courses are kept in the file where one is named, and those that
it has already are not played again.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from tests.benchmarks.fidelities.campaigns import HALF, Course, dear_alone, drawn, two_methods
from tests.benchmarks.fidelities.report import report
from tests.benchmarks.fidelities.tables import TABLES, TwoMethods, is_here


def courses_of(table: TwoMethods, seed: int) -> dict[str, Course]:
    """Play every arm of one seed."""
    n = len(table.dear)
    policy = two_methods(table, seed)
    cheap = len(policy.asked) - policy.dear
    chance = np.random.default_rng(2_000 + seed).choice(n, cheap, replace=False) + n
    found = {
        "dear alone": dear_alone(table, seed),
        "two methods": policy,
        "cheap at random": two_methods(table, seed, first=chance.tolist(), ask_cheap=False),
        "dear at random": drawn(table, seed, policy.dear),
    }
    if n < HALF:
        found["cheap for all"] = two_methods(table, seed, first=range(n, 2 * n), ask_cheap=False)
    return found


def main() -> int:
    """Play, and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", default=",".join(TABLES))
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--courses", type=Path, default=None, help="a file of courses to go on with")
    parser.add_argument("--figure", type=Path, default=None)
    asked = parser.parse_args()
    known: dict[tuple[str, int], dict[str, Course]] = {}
    if asked.courses is not None and asked.courses.exists():
        for line in asked.courses.read_text(encoding="utf-8").splitlines():
            told = json.loads(line)
            known[told["table"], told["seed"]] = {name: Course(**each) for name, each in told["courses"].items()}
    names = [name for name in asked.tables.split(",") if is_here(name)]
    for name in names:
        table = TABLES[name]()
        for seed in range(asked.seeds):
            if (name, seed) in known:
                continue
            with threadpool_limits(1):
                known[name, seed] = courses_of(table, seed)
            if asked.courses is not None:
                with asked.courses.open("a", encoding="utf-8") as file:
                    kept = {arm: asdict(course) for arm, course in known[name, seed].items()}
                    file.write(json.dumps({"table": name, "seed": seed, "courses": kept}) + "\n")
    by_table = {name: [known[name, seed] for seed in range(asked.seeds)] for name in names}
    sys.stdout.write(report(by_table))
    if asked.figure is not None:
        from tests.benchmarks.fidelities.picture import draw

        draw(by_table, asked.figure)
    return 0


if __name__ == "__main__":
    sys.exit(main())
