"""A campaign that waits for its operator, beside the commands that operate it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any, Final

from tests.support.commands import Finished, Part, Workbench, free_port, until

HELD: Final = ("--set", 'approval.required="always"', "--quiet")
"""Every decision waits for a person, so that the campaign never ends by itself."""

REACHED_S: Final = ("--timeout", "60")
"""How long an answer may take on a loaded machine."""


def at_work(bench: Workbench, *flags: str, command: str = "run") -> Part:
    """Start a campaign, and wait until it holds its first decisions."""
    part = bench.start(command, "lab.toml", *HELD, *flags)
    bench.wait_for_events("DecisionMade", 4)
    return part


def ask(bench: Workbench, *words: str, env: dict[str, str] | None = None) -> Finished:
    """Ask something of the campaign by its run folder."""
    return bench.entropilot("control", "lab", *words, *REACHED_S, "--json", env=env or {})


def fates(ended: Finished) -> list[str]:
    """Return what became of each order."""
    return [each["status"] for each in json.loads(ended.out)["orders"]]


def free_candidates(bench: Workbench) -> list[str]:
    """Return candidates of the table that have no value and are in no decision."""
    taken = {row[0] for row in bench.rows("SELECT candidate_id FROM observation")}
    chosen = " ".join(row[0] for row in bench.rows("SELECT payload FROM journal WHERE kind = 'DecisionMade'"))
    return [f"m{number:03d}" for number in range(80) if (name := f"m{number:03d}") not in taken and name not in chosen]


def write_rows(path: Path, *rows: tuple[Any, ...]) -> str:
    """Write a table; return its name."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path.name


def broker_with_parts(bench: Workbench, kind: str) -> tuple[str, Path]:
    """Start a broker that lets each part say its own only; return its URL and the folder of the parts' accounts."""
    port = free_port()
    flags = ("--operator", "ann", "--instrument", "simulator-1")
    made = bench.folder / "lab.json"
    bench.start("broker", kind, "--port", str(port), "--credentials", str(made), *flags).wait_for("broker_started")
    return f"mqtt://127.0.0.1:{port}", made.with_suffix("")


def assert_sound(bench: Workbench) -> None:
    """The run is sound, and its recording makes it again."""
    for command in ("verify", "replay"):
        checked = bench.entropilot(command, "lab")
        assert checked.code == 0, checked.out + checked.err


def connected(bench: Workbench) -> None:
    """Wait until the run folder says where the campaign is reached."""
    until((bench.runs / "lab" / "connection.json").exists, "the run does not say where it is reached")
