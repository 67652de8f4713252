"""Counters and quarantine tell what came by the recording."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agent.run_files import DATABASE, RECORDING
from agent.store.read_only import reading
from protocols.link.transport import Delivery
from protocols.recording.allowance import IdleAllowance
from protocols.recording.parts import parts_of as files_of
from scenarios.verify.counts_check import check_counts
from scenarios.verify.known_journal import KnownJournal
from scenarios.verify.memories import check_memory
from scenarios.verify.part import CheckedPart
from scenarios.verify.recording_check import RecordedEvents, check_marks, compare_recording
from tests.support.campaigns import result_of
from tests.support.samples.recorded_run import MEMORY, POOL, RecordedRun, made


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


def flooded(folder: Path, allowance_bytes: float) -> RecordedRun:
    """Play a campaign in which an answer is repeated, and a stranger speaks, more often than is written down."""
    bounds = {"part_bytes": 20_000, "allowance": IdleAllowance(allowance_bytes, 0.0)}
    run = RecordedRun(folder, bounds=bounds)
    attempt = run.awaited[0]
    said = result_of(attempt).model_copy(update={"provenance": {f"part-{number}": "x" * 100 for number in range(20)}})
    run.answer(attempt, said)
    for number in range(30):
        run.take(
            Delivery(f"entropilot/v1/demo/result/s-{number}", b"\xff" * 5_000, retain=False, qos=1, ack_token=None)
        )
        run.take(said)
    run.finish()
    run.close()
    return run


def compared(run: RecordedRun) -> RecordedEvents:
    found = compare_recording(run.folder / RECORDING, run.journal()[0], POOL, lambda: None)
    assert found is not None
    return found


@pytest.mark.parametrize("allowance_bytes", [1e9, 30_000.0, 0.0], ids=["all cut", "some counted", "all counted"])
def test_a_flood_whose_messages_are_cut_or_only_counted_is_sound(tmp_path: Path, allowance_bytes: float) -> None:
    run = flooded(tmp_path, allowance_bytes)
    assert len(files_of(tmp_path / RECORDING)) > 1
    events, digests, points = run.journal()
    found = compared(run)
    assert (found.part.problem, found.part.note, found.part.rows) == ("", "", len(events))
    assert [(part.name, part.problem) for part in parts_of(run)] == [("message_count", ""), ("quarantine", "")]
    journal = KnownJournal(run.plan, events, digests, found.messages)
    sent = found.check_sent(journal, points)
    assert sent is not None
    assert sent.problem == ""
    with reading(tmp_path / DATABASE) as connection, connection.begin():
        marks = check_marks(connection, journal, found)
    assert marks is not None
    assert marks.problem == ""
    memory = check_memory(tmp_path / MEMORY, journal)
    assert memory is not None
    assert memory.problem == ""


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (
            "UPDATE quarantine SET size_bytes = 5001 WHERE row = 3",
            "row 3 says size_bytes = 5001; by the recording 5000",
        ),
        ("UPDATE quarantine SET digest = 'x' WHERE row = 3", "row 3 says digest = 'x'"),
        ("UPDATE message_count SET count = 9 WHERE disposition = 'candidate_result: duplicate'", "is 9; 30 came by"),
    ],
)
def test_what_is_known_of_a_cut_message_is_compared(tmp_path: Path, statement: str, words: str) -> None:
    run = flooded(tmp_path, 1e9)
    put(run, statement)
    assert words in next(part.problem for part in parts_of(run) if part.problem)
