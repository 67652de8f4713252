"""Counters and quarantine tell what came by the recording."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agent.run_files import DATABASE, RECORDING
from agent.store.read_only import reading
from scenarios.verify.counts_check import check_counts
from scenarios.verify.known_journal import KnownJournal
from scenarios.verify.part import CheckedPart
from scenarios.verify.recording_check import compare_recording
from tests.support.samples.recorded_run import POOL, RecordedRun, made


@pytest.fixture
def run(tmp_path: Path) -> RecordedRun:
    return made(tmp_path)


def parts_of(run: RecordedRun, *, rows: int | None = None, recorded: bool = True) -> list[CheckedPart]:
    events, digests, _ = run.journal()
    there = compare_recording(run.folder / RECORDING, events, POOL, lambda: None) if recorded else None
    with reading(run.folder / DATABASE) as connection, connection.begin():
        return list(check_counts(connection, KnownJournal(run.plan, events[:rows], digests[:rows]), there))


def put(run: RecordedRun, statement: str) -> None:
    with closing(sqlite3.connect(run.folder / DATABASE)) as database:
        assert database.execute(statement).rowcount > 0
        database.commit()


def test_what_came_is_what_was_counted(run: RecordedRun) -> None:
    assert [(part.name, part.rows, part.problem) for part in parts_of(run)] == [
        ("message_count", 8, ""), ("quarantine", 1, ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (
            "UPDATE message_count SET count = 9 WHERE disposition = 'candidate_result: accepted'",
            "accepted' is 9; 4 came",
        ),
        ("DELETE FROM message_count WHERE disposition = 'candidate_result: accepted'", "accepted' is 0; 4 came"),
        (
            "UPDATE quarantine SET reason = 'invalid'",
            "row 1 says reason = 'invalid'; by the recording 'unknown_attempt'",
        ),
        ("UPDATE quarantine SET topic = 'another'", "row 1 says topic = 'another'"),
        ("UPDATE quarantine SET size_bytes = size_bytes - 1", "row 1 says size_bytes = "),
        ("UPDATE quarantine SET digest = 'another'", "row 1 says digest = 'another'"),
        ("UPDATE quarantine SET prefix = x'00'", "row 1 says prefix = "),
        ("DELETE FROM quarantine", "it has 0 rows; 1 such messages came"),
    ],
)
def test_what_was_changed_is_named(run: RecordedRun, statement: str, words: str) -> None:
    put(run, statement)
    assert words in next(part.problem for part in parts_of(run) if part.problem)


def test_nothing_is_said_where_not_all_that_came_is_known(run: RecordedRun) -> None:
    put(run, "UPDATE message_count SET count = 9")
    assert parts_of(run, recorded=False) == []
    assert parts_of(run, rows=9) == []
    lines = (run.folder / RECORDING).read_text().splitlines(keepends=True)
    (run.folder / RECORDING).write_text("".join(lines[:-3]))
    assert parts_of(run) == []
