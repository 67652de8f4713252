"""How long a replay takes, and how much memory, by the length of the recording; beside the campaign itself.

    python -m tests.benchmarks.replay [--budgets 3350 33500] [--json FILE]

Each campaign is run by `entropilot run` on a table of random values, with the embedded broker, a lab without latency
and the policy `random`, so that none waits for anything; three messages come of every decision. `entropilot replay`
then makes every decision again, in a process of its own whose peak memory the system tells.

| column | what it is |
|---|---|
| campaign, replay | time of the campaign and of the replay, without making the pool [s] |
| times | how many times as fast as the campaign |
| peak, of it pool | peak memory of the replay, and of a replay of ten decisions on the same pool [MiB] |
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

BUDGETS: Final = (3_350, 33_500)
"""Ten thousand and a hundred thousand messages."""

CANDIDATES: Final = 34_000
"""Of the pool, for every budget: what is left of the memory is the recording's."""

SCENARIO: Final = """
name = "long"
[pool]
path = "table.csv"
[pool.columns]
id = "id"
family = "family"
features = ["x", "y"]
property = "energy"
unit = "eV"
[start]
size = 100
[campaign]
budget = 10
policy = "random"
parallel = 16
[simulator]
concurrency = 16
"""


def write_world(folder: Path) -> None:
    """Write scenario and table."""
    draw = random.Random(1)
    rows = [
        f"m-{number:05d},{draw.choice('abcdefg')},{draw.random():.6f},{draw.random():.6f},{draw.gauss(0, 1):.6f}"
        for number in range(CANDIDATES)
    ]
    (folder / "table.csv").write_text("\n".join(["id,family,x,y,energy", *rows]) + "\n", encoding="utf-8")
    (folder / "long.toml").write_text(SCENARIO, encoding="utf-8")


def entropilot(folder: Path, *arguments: str) -> tuple[str, int]:
    """Run a command to its end; return what it printed, and its peak memory [KiB]."""
    out = folder / "out"
    with out.open("wb") as printed:
        pid = os.posix_spawn(
            sys.executable,
            [sys.executable, "-m", "entropilot", *arguments],
            os.environ | {"ENTROPILOT_RUNS": str(folder / "runs")},
            file_actions=[(os.POSIX_SPAWN_DUP2, printed.fileno(), 1)],
        )
        _, status, usage = os.wait4(pid, 0)
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(out.read_text(encoding="utf-8"))
    return out.read_text(encoding="utf-8"), usage.ru_maxrss


def measured(folder: Path, budget: int) -> dict[str, Any]:
    """Run a campaign and replay it."""
    name = f"long-{budget}"
    entropilot(folder, "run", "long.toml", "--quiet", "--budget", str(budget), "--campaign", name)
    printed, peak_kib = entropilot(folder, "replay", name, "--json")
    told = json.loads(printed)
    if not told["all_identical"]:
        raise SystemExit(printed)
    return {
        "messages": told["messages"],
        "decisions": told["decisions"],
        "campaign_s": round(told["recorded_s"], 1),
        "replay_s": round(told["replay_s"], 2),
        "times": told["times_faster"],
        "peak_mib": peak_kib >> 10,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budgets", type=int, nargs="+", default=BUDGETS)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_world(folder)
        os.chdir(folder)
        pool_mib = measured(folder, 10)["peak_mib"]
        print("messages  decisions  campaign [s]  replay [s]   times  peak [MiB]  of it pool")
        rows = []
        for budget in options.budgets:
            row = measured(folder, budget) | {"pool_mib": pool_mib}
            rows.append(row)
            print(
                f"{row['messages']:8,}  {row['decisions']:9,}  {row['campaign_s']:12.1f}  {row['replay_s']:10.2f}  "
                f"{row['times']:6.1f}  {row['peak_mib']:10,}  {row['pool_mib']:10,}",
                flush=True,
            )
    if options.json is not None:
        options.json.write_text(json.dumps(rows, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
