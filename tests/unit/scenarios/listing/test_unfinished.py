"""What a run has come to is told whether it ended or not, and a summary that the run outgrew is not taken for it."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from agent.campaign.events import Event, ResultAccepted
from agent.campaign.ledger import Ledger
from agent.run_files import DATABASE, LOCK, RECORDING
from protocols.errors import StoreError
from scenarios.listing.listing import run_json, run_report
from scenarios.listing.unfinished import summary_so_far, went_on
from scenarios.run.summary.model import RunSummary, read_summary, write_summary
from scenarios.world.world import World
from tests.support.runs.played_runs import small_system, write_run

BUDGET = 6


@pytest.fixture
def world() -> World:
    return small_system(BUDGET)[1]


@pytest.fixture
def events(tmp_path: Path, world: World) -> tuple[Event, ...]:
    """The journal of a run in `tmp_path`, that wrote no summary."""
    return write_run(tmp_path, small_system(BUDGET)[0], world)


def cut(folder: Path, accepted: int) -> int:
    """Leave a journal up to a result, as a run leaves it that is killed right then; return its number of rows."""
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        (row,) = connection.execute(
            "SELECT sequence FROM journal WHERE kind = ? ORDER BY sequence LIMIT 1 OFFSET ?",
            (ResultAccepted.__name__, accepted - 1),
        ).fetchone()
        for table, column in (("observation", "sequence"), ("bias_point", "sequence"), ("journal", "sequence")):
            connection.execute(f"DELETE FROM {table} WHERE {column} > ?", (row,))
        connection.execute("DELETE FROM bias_family WHERE observation > (SELECT max(observation) FROM bias_point)")
        connection.execute("DELETE FROM request WHERE sequence > ?", (row,))
        connection.execute("UPDATE request SET closed_sequence = NULL WHERE closed_sequence > ?", (row,))
        connection.commit()
    return int(row)


def files_of(folder: Path) -> Iterator[tuple[str, int, bytes]]:
    for path in sorted(folder.iterdir()):
        yield path.name, path.stat().st_mtime_ns, path.read_bytes()


@pytest.mark.parametrize("accepted", [1, 3])
def test_a_run_that_was_killed_is_told_as_far_as_it_came(
    accepted: int, tmp_path: Path, world: World, events: tuple[Event, ...]
) -> None:
    rows = cut(tmp_path, accepted)
    before = list(files_of(tmp_path))
    summary = summary_so_far(tmp_path)
    assert list(files_of(tmp_path)) == before
    right = Ledger.of_journal(world.pool, events[:rows])
    assert (summary.spent, summary.observations) == (right.campaign.spent, right.campaign.observations)
    assert summary.after.figures == right.point().figures
    assert summary.stopped_because == "it was interrupted; --resume resumes it"
    assert summary.effects
    assert set(summary.against_truth) == {"before", "after"}
    assert summary.files == (DATABASE, RECORDING)
    assert (summary.journal_rows, summary.random, summary.accepted_here) == (rows, None, None)


def test_a_run_that_goes_on_is_not_said_to_have_stopped(tmp_path: Path, events: tuple[Event, ...]) -> None:
    assert events
    cut(tmp_path, 2)
    (tmp_path / LOCK).write_text(str(os.getpid()))
    assert summary_so_far(tmp_path).stopped_because == ""
    console = Console(file=StringIO(), width=80)
    console.print(run_report(tmp_path))
    assert isinstance(console.file, StringIO)
    assert console.file.getvalue().splitlines()[1].strip() == "it goes on"
    assert json.loads(run_json(tmp_path))["stopped_because"] == ""


def test_a_summary_is_taken_as_long_as_nothing_came_after_it(tmp_path: Path, events: tuple[Event, ...]) -> None:
    assert events
    ended = summary_so_far(tmp_path)
    assert ended.spent == BUDGET
    write_summary(tmp_path / "summary.json", ended)
    assert not went_on(tmp_path, ended)
    (tmp_path / f"{DATABASE}-wal").touch()  # somebody has it open, or was killed with it
    assert went_on(tmp_path, ended)
    assert summary_so_far(tmp_path) == read_summary(tmp_path / "summary.json")
    (tmp_path / f"{DATABASE}-wal").unlink()
    cut(tmp_path, 3)  # not how a run grows, but the two differ
    assert went_on(tmp_path, ended)
    assert json.loads(run_json(tmp_path))["spent"] == summary_so_far(tmp_path).spent < BUDGET


def stale(folder: Path) -> RunSummary:
    """Leave a summary that an interruption wrote, and a journal that went on after it."""
    whole = (folder / DATABASE).read_bytes()
    cut(folder, 2)
    summary = summary_so_far(folder)
    write_summary(folder / "summary.json", summary)
    (folder / DATABASE).write_bytes(whole)
    return summary


def test_a_summary_that_a_run_outgrew_is_made_anew(tmp_path: Path, events: tuple[Event, ...]) -> None:
    assert events
    old = stale(tmp_path)
    assert (old.spent, json.loads(run_json(tmp_path))["spent"]) == (2, BUDGET)


def test_of_a_run_without_its_pool_the_last_summary_is_told_and_that_it_is_old(
    tmp_path: Path, events: tuple[Event, ...]
) -> None:
    assert events
    old = stale(tmp_path)
    (tmp_path / RECORDING).unlink()
    assert json.loads(run_json(tmp_path))["spent"] == old.spent
    console = Console(file=StringIO(), width=200)
    console.print(run_report(tmp_path))
    assert isinstance(console.file, StringIO)
    assert "it went on after this was written" in console.file.getvalue()
    (tmp_path / "summary.json").unlink()
    with pytest.raises(StoreError, match="There is no recording at"):
        run_report(tmp_path)


@pytest.mark.parametrize("what", ["no database", "no row", "a stranger's", "no database at all"])
def test_what_is_no_run_of_ours_is_told_as_what_it_is(what: str, tmp_path: Path) -> None:
    if what == "no row":
        (tmp_path / DATABASE).touch()
    if what == "a stranger's":
        with closing(sqlite3.connect(tmp_path / DATABASE)) as connection:
            connection.execute("CREATE TABLE atoms (x)")
    if what == "no database at all":
        (tmp_path / DATABASE).write_bytes(b"no database" * 100)
    said = {
        "no database": "There is no database at",
        "no row": "has no journal yet",
        "a stranger's": r"holds other tables \(atoms\)",
        "no database at all": "is damaged: SQLite says: file is not a database",
    }[what]
    with pytest.raises(StoreError, match=said):
        summary_so_far(tmp_path)


def test_a_database_that_is_none_leaves_the_summary_to_be_read(tmp_path: Path, events: tuple[Event, ...]) -> None:
    assert events
    ended = summary_so_far(tmp_path)
    (tmp_path / DATABASE).write_bytes(b"no database" * 100)
    assert not went_on(tmp_path, ended)
