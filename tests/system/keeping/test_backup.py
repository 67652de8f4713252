"""A campaign is backed up while it works, killed, restored elsewhere and resumed: as if nothing had happened."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import Workbench

pytestmark = pytest.mark.system

BUDGET = 40
BUSY = ("--set", f"campaign.budget={BUDGET}", "--set", "simulator.latency.mean_s=0.02", "--quiet")
"""Some fifty answers a second, one after the other."""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as made:
        yield made


def decisions(folder: Path) -> list[tuple[Any, ...]]:
    """What was decided, in order, without what differs between any two runs."""
    with closing(sqlite3.connect(folder / "campaign.db")) as connection:
        rows = connection.execute(
            "SELECT payload FROM journal WHERE kind = 'DecisionMade' ORDER BY sequence"
        ).fetchall()
    told = [json.loads(payload) for (payload,) in rows]
    return [(each["decision"], each["seed"], tuple(each["candidate_ids"])) for each in told]


def dataset(folder: Path) -> dict[str, float]:
    with closing(sqlite3.connect(folder / "campaign.db")) as connection:
        return dict(connection.execute("SELECT candidate_id, value FROM observation").fetchall())


def begun(bench: Workbench, observations: int, *flags: str) -> None:
    """Start a campaign that has come so far."""
    bench.start("run", "lab.toml", *BUSY, *flags)
    bench.wait_for_events("ResultAccepted", observations)


def test_a_backup_under_load_goes_on_elsewhere_to_the_same_end(bench: Workbench) -> None:
    assert bench.entropilot("run", "lab.toml", *BUSY, "--runs", "undisturbed").code == 0
    begun(bench, 5, "--set", "simulator.latency.mean_s=0.5")  # so that it is at work still, on a loaded machine too
    made = [json.loads(bench.entropilot("backup", "lab", "kept", "--json").out) for _ in range(4)]
    bench.parts[1].kill()
    assert made[0]["row"] < made[-1]["row"], "it worked on meanwhile"
    for number, each in enumerate((made[0], made[-1])):
        runs = f"elsewhere-{number}"
        assert bench.entropilot("restore", each["folder"], "--runs", runs).code == 0
        folder = bench.folder / runs / "lab"
        verified = bench.entropilot("verify", folder)
        assert verified.code == 0, verified.out
        resumed = bench.entropilot("run", "lab.toml", *BUSY, "--resume", "--campaign", "lab", "--runs", runs)
        assert resumed.code == 0, resumed.err
        assert decisions(folder) == decisions(bench.folder / "undisturbed" / "lab")
        assert dataset(folder) == dataset(bench.folder / "undisturbed" / "lab")
        assert bench.entropilot("replay", folder, "--quiet").code == 0
        verified = bench.entropilot("verify", folder)
        assert verified.code == 0, verified.out


def test_restore_overwrites_nothing_and_finds_a_changed_byte(bench: Workbench) -> None:
    assert bench.entropilot("run", "lab.toml", "--quiet").code == 0
    made = json.loads(bench.entropilot("backup", "lab", "--json").out)
    folder = bench.folder / made["folder"]
    there = bench.entropilot("restore", folder)
    assert there.code == 5
    assert "overwrites nothing" in there.err
    recording = folder / "recording.jsonl"
    content = recording.read_bytes()
    recording.write_bytes(content[:-10] + b"?" + content[-9:])
    changed = bench.entropilot("restore", folder, "--runs", "elsewhere")
    assert changed.code == 5
    assert "recording.jsonl was changed" in changed.err
    assert list((bench.folder / "elsewhere").iterdir()) == []


def test_only_the_latest_backups_of_the_campaign_are_kept(bench: Workbench) -> None:
    assert bench.entropilot("run", "lab.toml", "--quiet").code == 0
    assert bench.entropilot("run", "lab.toml", "--quiet", "--campaign", "other").code == 0
    bench.entropilot("backup", "other", "kept")
    (bench.folder / "kept" / "notes").mkdir()
    for _ in range(3):
        assert bench.entropilot("backup", "lab", "kept", "--keep", "2").code == 0
    left = sorted(path.name for path in (bench.folder / "kept").iterdir())
    assert sum(name.startswith("lab-") for name in left) == 2
    assert "notes" in left
    assert any(name.startswith("other-") for name in left)


def test_what_holds_a_password_stays_where_it_is(bench: Workbench) -> None:
    begun(bench, 2)
    assert (bench.runs / "lab" / "connection.json").exists()
    made = json.loads(bench.entropilot("backup", "lab", "--json").out)
    names = {each["name"] for each in made["files"]}
    assert {"campaign.db", "recording.jsonl", "simulator-1.db", "agent.jsonl"} <= names
    assert "connection.json" not in names
