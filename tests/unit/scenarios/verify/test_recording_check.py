"""A journal beside its recording: which disagreement counts, and where the recording stood at each commit."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection

from agent.campaign.events import Event, event_of
from agent.pool.candidates import Pool
from agent.run_files import DATABASE, RECORDING
from agent.store.read_only import reading, referenced_in
from scenarios.verify.known_journal import KnownJournal
from scenarios.verify.part import CheckedPart
from scenarios.verify.recording_check import (
    RecordedEvents,
    check_marks,
    compare_recording,
    pool_of,
    stand_ins_for,
)
from scenarios.verify.same_as_message import tree_of
from scenarios.verify.whole_pool import WholePool
from tests.support.samples.falsified import change
from tests.support.samples.recorded_run import POOL, RecordedRun, made


@pytest.fixture
def run(tmp_path: Path) -> RecordedRun:
    return made(tmp_path)


@contextmanager
def opened(run: RecordedRun) -> Iterator[Connection]:
    with reading(run.folder / DATABASE) as connection, connection.begin():
        yield connection


def few_of(run: RecordedRun, events: list[Event]) -> Pool:
    with opened(run) as connection:
        return referenced_in(connection, events, stand_ins_for(run.plan))


def found(run: RecordedRun, events: list[Event], whole: Pool | None = None) -> RecordedEvents:
    result = compare_recording(run.folder / RECORDING, events, few_of(run, run.journal()[0]), lambda: whole)
    assert result is not None
    return result


def with_other(events: list[Event], row: int, *path: str | int) -> list[Event]:
    tree = tree_of(events[row - 1])
    change(tree, path)
    return [*events[: row - 1], event_of(type(events[row - 1]).__name__, tree), *events[row:]]


def test_what_the_journal_names_is_enough_to_follow_a_recording(run: RecordedRun) -> None:
    events, digests, points = run.journal()
    compared = found(run, events)
    assert compared.part == CheckedPart("recorded events", len(events))
    sent = compared.check_sent(KnownJournal(run.plan, events, digests, compared.messages), points)
    assert sent == CheckedPart("recorded messages", 22)


def test_a_disagreement_counts_once_it_is_there_with_the_whole_pool(run: RecordedRun) -> None:
    events, _, _ = run.journal()
    last = len(events)
    other = with_other(events, last, "reason")
    without = found(run, other).part
    assert (without.problem, without.rows) == ("", last - 1)
    assert "what follows takes the whole pool, which cannot be made here" in without.note
    assert f"row {last} of the journal says reason" in found(run, other, POOL).part.problem


def test_a_journal_of_another_version_is_told_of_and_not_judged(run: RecordedRun) -> None:
    events, _, _ = run.journal()
    assert "versions.entropilot" in found(run, with_other(events, 1, "versions", "entropilot")).part.problem
    lines = (run.folder / RECORDING).read_text().splitlines()
    assert "versions" in json.loads(lines[0])
    row = next(number for number, each in enumerate(events, 1) if type(each).__name__ == "ResultAccepted")
    part = found(run, with_other(events, row, "value")).part
    assert f"row {row} of the journal says value" in part.problem


def test_no_recording_and_what_is_none_are_left_to_their_own_part(run: RecordedRun) -> None:
    events, _, _ = run.journal()
    path = run.folder / RECORDING
    path.write_text("nothing of ours\n")
    assert compare_recording(path, events, POOL, lambda: None) is None
    path.unlink()
    assert compare_recording(path, events, POOL, lambda: None) is None


def test_what_stands_before_a_line_that_was_changed_is_compared(run: RecordedRun) -> None:
    events, _, _ = run.journal()
    lines = (run.folder / RECORDING).read_text().splitlines(keepends=True)
    (run.folder / RECORDING).write_text("".join([*lines[:12], lines[12].replace('"t": ', '"t": 1'), *lines[13:]]))
    part = found(run, events).part
    assert 0 < part.rows < len(events)
    assert part.note.endswith("rows of the journal are not in it")


def marks(run: RecordedRun, recorded: RecordedEvents | None = None) -> CheckedPart | None:
    events, digests, _ = run.journal()
    with opened(run) as connection:
        return check_marks(connection, KnownJournal(run.plan, events, digests), recorded)


def put(run: RecordedRun, statement: str) -> None:
    with closing(sqlite3.connect(run.folder / DATABASE)) as database:
        assert database.execute(statement).rowcount > 0
        database.commit()


def test_the_recording_stands_where_it_stood_at_every_commit(run: RecordedRun) -> None:
    events, _, _ = run.journal()
    part = marks(run, found(run, events))
    assert part is not None
    assert (part.problem, part.rows) == ("", 16)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (
            "UPDATE recording_mark SET digest = 'x' WHERE row = (SELECT max(row) FROM recording_mark)",
            "was changed since",
        ),
        ("UPDATE recording_mark SET digest = 'x'", "its header or one of its rows 1 to"),
        ("UPDATE recording_mark SET sequence = 999", "speaks of rows"),
        (
            "UPDATE recording_mark SET before = 0 WHERE row = (SELECT max(row) FROM recording_mark)",
            "says that the journal stood at row 0; an earlier one that it was at",
        ),
        (
            "UPDATE recording_mark SET row = 999 WHERE row = (SELECT max(row) FROM recording_mark)",
            "row 999 of the recording was there at a commit, and it ends at row ",
        ),
        (
            "UPDATE recording_mark SET recorded_at = 'then' WHERE before = sequence",
            "says that something was recorded at then; the recording knows of nothing",
        ),
        (
            "UPDATE recording_mark SET recorded_at = '' WHERE before = sequence",
            "does not say when it was recorded, and something was put aside with it",
        ),
        (
            "UPDATE journal SET recorded_at = 'then' WHERE sequence = 9",
            "row 9 of the journal says that",
        ),
        (
            "UPDATE journal SET recorded_at = 'then' WHERE sequence = 1",
            "row 1 of the journal says that",
        ),
        (
            "UPDATE journal SET recorded_at = '2026-01-02T03:04:06' WHERE sequence < 3",
            "row 1 of the journal says began_at = 2026-01-02T03:04:05+00:00, and that it was recorded at 2026",
        ),
        ("UPDATE journal SET recorded_at = 'then' WHERE sequence < 3", "row 1 of the journal says began_at"),
    ],
)
def test_a_mark_or_a_time_that_was_changed_is_named(run: RecordedRun, statement: str, words: str) -> None:
    events, _, _ = run.journal()
    recorded = found(run, events)
    put(run, statement)
    part = marks(run, recorded)
    assert part is not None
    assert words in part.problem


def test_a_run_without_marks_or_whose_recording_lost_its_end_is_not_judged_by_them(run: RecordedRun) -> None:
    events, _, _ = run.journal()
    lines = (run.folder / RECORDING).read_text().splitlines(keepends=True)
    (run.folder / RECORDING).write_text("".join(lines[:10]))
    part = marks(run, found(run, events))
    assert part is not None
    assert part.problem == ""
    assert marks(run) is not None
    put(run, "DELETE FROM recording_mark")
    assert marks(run) is None


def test_the_whole_pool_is_the_one_that_is_known_or_made_or_none(run: RecordedRun) -> None:
    assert pool_of(run.folder, run.plan, WholePool(POOL)) is POOL
    assert pool_of(run.folder, run.plan, WholePool()) is None  # its recording names no scenario
