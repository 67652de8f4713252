"""A small campaign on a table, as a process of its own: started, killed and resumed by the system tests.

    python -m tests.support.table_run FOLDER [--resume] [--set key=value …]

Exit codes and the message on standard error are those of the command line.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from protocols.errors import EntropilotError
from scenarios.settings.derived import scenario_of
from scenarios.settings.model import Scenario

CANDIDATES = 80
START = 24
BUDGET = 28
LATENCY_S = 0.03


def write_table(path: Path) -> None:
    """Write a table of three families whose property is smooth in the features."""
    rng = np.random.default_rng(5)
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "family", "f0", "f1", "energy"])
        for number in range(CANDIDATES):
            f0, f1 = (round(float(x), 6) for x in rng.normal(size=2))
            energy = np.sin(f0) + 0.5 * f1 + 0.05 * rng.normal()
            rows.writerow([f"m{number:03d}", ("cubic", "hexagonal", "trigonal")[number % 3], f0, f1, round(energy, 6)])


def table_scenario(folder: Path, **campaign: Any) -> Scenario:
    """The scenario; the table is written beside the run folder when it is not there.

    So `folder` is one below a test's own: what lies above the tests' folders is found by all of them.
    """
    table = folder.parent / "table.csv"
    if not table.exists():
        write_table(table)
    columns = {
        "id": "id", "family": "family", "property": "energy", "unit": "eV", "features": ["f0", "f1"],
        "valid_range": [-9.0, 9.0],
    }  # fmt: skip
    latency_s = campaign.pop("latency_s", LATENCY_S)
    # An interrupted evaluation is a failed attempt: so many kills must not use up a candidate's attempts.
    terms = {"budget": BUDGET, "seed": 3, "request_timeout_s": 20.0}
    return scenario_of(
        {
            "name": "killed",
            "pool": {"source": "table", "path": str(table), "columns": columns},
            "start": {"size": START, "minimum_per_family": 5},
            "campaign": terms | campaign,
            "simulator": {
                "concurrency": 4,
                "resend_min_s": 0.3,
                "latency": {"distribution": "exponential", "mean_s": latency_s},
            },
        }
    )


def main(arguments: list[str]) -> int:
    """Run or resume it; return the exit code of the command line."""
    from rich.console import Console

    from scenarios.run.live.view import LiveView
    from scenarios.run.request import RunRequest
    from scenarios.run.run import run
    from scenarios.world.world import build_world

    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--campaign", type=json.loads, default={})
    parser.add_argument("--file-limit", type=int, help="largest file that this process may write [byte]")
    asked = parser.parse_args(arguments)
    if asked.file_limit:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (asked.file_limit, asked.file_limit))
    scenario = table_scenario(asked.folder, **asked.campaign)
    with Path(os.devnull).open("w") as nowhere:
        try:
            world = build_world(scenario)
            request = RunRequest(scenario, world, "killed", asked.folder, resume=asked.resume)
            outcome = run(request, LiveView(Console(file=nowhere)))
        except EntropilotError as error:
            print(error, file=sys.stderr)
            return error.exit_code
    print(outcome.summary.stopped_because)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
